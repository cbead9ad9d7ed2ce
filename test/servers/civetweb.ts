/**
 * CivetWeb 1.15, an embedded server, with its own Digest for every write and none for reading. Its nonces have no end.
 */
import {digestAccounts} from './support/digest.ts'
import {formatDigestFile} from './support/password-file.ts'
import {listsEverything, type ServerRecipe} from './support/recipe.ts'

export const civetweb: ServerRecipe = {
  name: 'CivetWeb 1.15',
  packages: 'civetweb',
  program: 'civetweb',
  modules: [],
  traits: {
    ...listsEverything,
    infinity: 'cut',
    hrefs: 'path',
    etag: undefined,
    unknownProperties: 'left out',
    basicAuth: false,
  },
  digest: {
    algorithms: [undefined],
    proves: false,
    unlock: 404,
    readsAnonymously: true,
  },
  files: (site) => ({
    'civetweb.conf': `document_root ${site.root}
listening_ports 127.0.0.1:${site.port}
put_delete_auth_file ${site.folder}/passwords
authentication_domain private
enable_auth_domain_check no
enable_keep_alive yes
keep_alive_timeout_ms 5000
num_threads 20
error_log_file ${site.log}
`,
    passwords: formatDigestFile(digestAccounts(site), 'private'),
  }),
  args: ({folder}) => [`${folder}/civetweb.conf`],
}
