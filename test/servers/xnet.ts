/**
 * golang.org/x/net/webdav of Debian's Go packages, compiled into the site's folder at its first start. It serves the folder
 * of the site as `/`, and a collection in memory, which alone keeps dead properties, as `/memory/`.
 */
import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const SOURCE = fileURLToPath(new URL('support/xnet-server.go', import.meta.url))
const GO = '/usr/bin/go'
const PACKAGES = '/usr/share/gocode'

// Go needs a place for its cache, which an account without a home lacks.
function start({folder, root, port}: Site): string {
  return `
export GO111MODULE=off GOFLAGS= GOPATH=${PACKAGES} GOCACHE='${folder}/cache'
[ -x '${folder}/webdav' ] || ${GO} build -o '${folder}/webdav' '${folder}/webdav.go' || exit
exec '${folder}/webdav' '${root}' ${port}
`
}

const IGNORES = 'x/net ignores If-Match and If-None-Match, except for a GET'

export const xnet: ServerRecipe = {
  name: 'x/net/webdav',
  packages: 'golang-go golang-golang-x-net-dev',
  program: 'bash',
  modules: [GO, `${PACKAGES}/src/golang.org/x/net/webdav/webdav.go`],
  traits: {
    ...listsEverything,
    infinity: 'answered',
    hrefs: 'path',
    etag: '"d9dd3bdce4bf4003"',
    unknownProperties: 'named',
    basicAuth: false,
  },
  deadProperties: {collection: 'memory', textOf: (sent) => sent, keepsElements: true},
  locks: {
    heading: 'x/net',
    cells: {
      'LOCK of a file, create': {seen: 'success, locked', fault: IGNORES},
      'LOCK of a file, shared by two clients': 501,
      'PROPPATCH of a locked file': 403,
      'PUT into a collection locked with Depth 0': 'open',
      'DELETE of a member of a collection locked with Depth 0': 'open',
      'MOVE in a collection locked with Depth 0': 'open',
      'DELETE of a collection with a locked member': 'open',
      'DELETE of a collection with two locked members': 'open',
      'MOVE of a collection with a locked member': 'open',
      'MOVE out of a locked collection': 412,
    },
  },
  verbs: {
    heading: 'x/net',
    cells: {
      'get: a file that the server may not read': 404,
      'put: over a file, create': {seen: 'success, done', fault: IGNORES},
      'put: over a file, create and requireConditions': 'refused',
      'put: over a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'put: over a changed file, ifMatch and requireConditions': 'refused',
      'put: where the server may not write': 404,
      'put: where the server may not write, verify': 404,
      'put: below a missing collection': 404,
      'mkcol: where the server may not write': 405,
      'mkcol: a new collection, properties': 'refused',
      'copy: a collection with a member that the server may not read': 500,
      'move: below a missing collection': 403,
      'move: a missing file': 403,
      'move: a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'move: a locked file, lockToken': 412,
      'delete: a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'delete: a collection with members that the server may not delete': 405,
    },
  },
  files: (site) => ({'webdav.go': readFileSync(SOURCE, 'utf8'), 'start.sh': start(site)}),
  args: ({folder}) => [`${folder}/start.sh`],
}
