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
  files: (site) => ({'webdav.go': readFileSync(SOURCE, 'utf8'), 'start.sh': start(site)}),
  args: ({folder}) => [`${folder}/start.sh`],
}
