#!/usr/bin/env bash
# undici 8.12.4 and undici 6.28.0 under Node 22.22.0: to import undici 8, and do nothing with it, undoes the setGlobalDispatcher of
# an application that uses undici 6. Node's own fetch then goes past the proxy that the application has set.
#
# An application sends everything through a proxy: setGlobalDispatcher of undici 6, whose dispatcher Node 22's fetch uses. Later it
# imports a library that depends on undici 8.
#
# Good sense says: an import changes nothing for others. undici 8 has a place of its own for its dispatcher, so that the versions do
# not meet.
# Guess of its author, who knew the claim, noted before the first run as what an engineer expects: fetch goes on through the proxy, and undici 8 itself does not use it.
#
# Seen, requests at the proxy of the application, of one fetch each:
#
#   before the import                          1
#   after import 'undici' (8)                  0: the fetch went directly
#   after setGlobalDispatcher (6) once more    1
#
# For a client: a library on undici 8 in an application on Node 22 must not be imported behind the application's setGlobalDispatcher,
# or that must be called again. Requests that leave without the proxy are seen by no test, only by the firewall.
#
# Source: lib/global.js of undici 8 finds nothing at its own symbol, sets a new Agent there, and a wrapped one at the symbol of the
# earlier versions too, whoever has set that.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund node@22.22.0 undici6@npm:undici@6.28.0 undici8@npm:undici@8.12.4 >> log 2>&1 || { cat log; exit 1; }
cat > main.mjs <<'JS'
import {once} from 'node:events'
import {createServer} from 'node:http'

import {ProxyAgent, setGlobalDispatcher} from 'undici6'

const server = createServer((_request, response) => response.end('content'))
let proxied = 0
// A proxy that forwards by CONNECT, as undici asks for.
const {connect} = await import('node:net')
const proxy = createServer()
proxy.on('connect', ({url}, socket, head) => {
  proxied++
  const [host, port] = url.split(':')
  const far = connect(port, host, () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    far.write(head)
    far.pipe(socket).pipe(far)
  })
  far.on('error', () => socket.destroy())
  socket.on('error', () => far.destroy())
})
for (const one of [server, proxy]) {
  one.listen(0, '127.0.0.1')
  await once(one, 'listening')
}
const url = `http://127.0.0.1:${server.address().port}/`
const set = () => setGlobalDispatcher(new ProxyAgent(`http://127.0.0.1:${proxy.address().port}`))
const seen = []
async function look() {
  const before = proxied
  await (await fetch(url)).text()
  seen.push(proxied - before)
}
set()
await look()
await import('undici8')
await look()
set()
await look()
console.log(`node ${process.version}, requests at the proxy: ${seen.join(', ')}`)
const expected = '1, 0, 1'
if (seen.join(', ') !== expected) console.log(`CHANGED, expected: ${expected}`)
process.exit(seen.join(', ') === expected ? 0 : 1)
JS
node_modules/.bin/node main.mjs
