/**
 * XRootD 5.5, the storage of particle physics, with its HTTP door. It compares the names of headers with case, so `depth: 1` is Depth 0
 * to it. It has no ETags, ignores the names of the asked properties, and answers Depth infinity with the collection alone.
 */
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

function configuration({folder, root, port}: Site): string {
  return `
all.export /
oss.localroot ${root}
all.adminpath ${folder}/admin
all.pidpath ${folder}/admin
xrd.allow host localhost
xrd.port any
xrd.protocol XrdHttp:${port} libXrdHttp.so
http.listingdeny no
`
}

export const xrootd: ServerRecipe = {
  name: 'XRootD 5.5',
  packages: 'xrootd-server',
  program: 'xrootd',
  modules: [],
  traits: {
    ...listsEverything,
    infinity: 'answered',
    hrefs: 'path',
    etag: undefined,
    etagOfGet: 'none',
    unknownProperties: 'left out',
    basicAuth: false,
  },
  files: (site) => ({'xrootd.cfg': configuration(site), 'admin/.keep': ''}),
  args: ({folder}) => ['-c', `${folder}/xrootd.cfg`, '-n', 'test'],
}
