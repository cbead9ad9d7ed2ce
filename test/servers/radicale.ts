/**
 * Radicale 3.1, a calendar server. Everybody may write everywhere. It answers Depth infinity with a 207 of depth 1, and
 * a DELETE with 200 and a multistatus. It refuses a name with a leading dot or a trailing tilde.
 */
import {notTested} from './locks/rows.ts'
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const RIGHTS = `
[all]
user: .*
collection: .*
permissions: RrWw
`

function configuration({folder, port}: Site): string {
  return `
[server]
hosts = 127.0.0.1:${port}
[auth]
type = none
[rights]
type = from_file
file = ${folder}/rights
[storage]
filesystem_folder = ${folder}
[web]
type = none
`
}

export const radicale: ServerRecipe = {
  name: 'Radicale 3.1',
  packages: 'radicale',
  program: 'radicale',
  modules: [],
  rootFolder: 'collection-root',
  traits: {
    ...listsEverything,
    infinity: 'cut',
    hrefs: 'path',
    etag: undefined,
    unknownProperties: 'named',
    otherBytes: false,
    basicAuth: false,
  },
  calendars: {
    deleted: 200,
    missing: 404,
    refuses: (name) => name.startsWith('.') || name.endsWith('~'),
    listedAs: (name) => name,
    hasRelativeHref: () => false,
    foldsSlashes: true,
    unknownReport: 'bare',
    syncToken: /^http:\/\/radicale\.org\/ns\/sync\/[\da-f]{64}$/,
    isNote: (name) => name.startsWith('.Radicale'),
  },
  locks: {
    heading: 'Radicale',
    cells: {...notTested((row) => row !== 'LOCK of a file'), 'LOCK of a file': 405},
  },
  syncs: {
    heading: 'Radicale',
    cells: {
      'changes behind an unknown token': 2,
      'no change behind an unknown token': 2,
      // A list of changes without a removal may be a list of all members, so the client asks for one.
      'a change after a restart of the server': 2,
    },
  },
  files: (site) => ({config: configuration(site), rights: RIGHTS}),
  args: ({folder}) => ['--config', `${folder}/config`],
}
