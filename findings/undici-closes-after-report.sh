#!/usr/bin/env bash
# undici 8.12.4 closes a connection with keep-alive behind a short body of LOCK, REPORT, SEARCH or MKCOL, but not of PROPFIND.
#
# A client sends the same request with a body five times, one after the other, and reads each answer to its end. The server is
# Node's own, keeps connections open, and counts them.
#
# Good sense says: one connection, for each method (RFC 9112, section 9.3: persistent by default). undici's documents name `reset`
# as an option that closes a connection, with `false` as its default.
# Guess of its author, who had seen a second connection for REPORT, noted before the run: one connection for the methods of RFC 4918,
# and another one each time for those of later RFCs.
#
# Seen, connections for five requests:
#
#                       reset not set   reset: false
#   PUT, PROPFIND,            1              1
#   PROPPATCH
#   LOCK, MKCOL, MOVE,        5              1
#   REPORT, SEARCH, ACL
#   fetch of Node, LOCK       5         no such option
#
# For a client: each lock and each report costs a new connection, and over https its handshakes. Whatever a server keeps for a
# connection is lost, such as a Digest nonce. `reset: false` is not the same as the default.
#
# Source: undici's lib/dispatcher/client-h1.js, which has a list of methods that expect a payload.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund undici@8.12.4 node@24.21.0 >/dev/null
cat > run.mjs <<'JS'
import {once} from 'node:events'
import {createServer} from 'node:http'
import {Agent, request} from 'undici'

let connections = 0
const server = createServer(async (message, answer) => {
  for await (const chunk of message) void chunk
  answer.end('done')
})
server.keepAliveTimeout = 60_000
server.on('connection', () => connections++)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}/`

async function count(send) {
  connections = 0
  for (let turn = 0; turn < 5; turn++) {
    await send()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return connections
}

const body = '<a/>'
const seen = {}
for (const method of ['PUT', 'PROPFIND', 'PROPPATCH', 'LOCK', 'MKCOL', 'MOVE', 'REPORT', 'SEARCH', 'ACL']) {
  seen[method] = []
  for (const options of [{}, {reset: false}]) {
    const dispatcher = new Agent()
    seen[method].push(await count(async () => (await request(url, {method, body, dispatcher, ...options})).body.text()))
    await dispatcher.close()
  }
}
seen['fetch, LOCK'] = [await count(async () => (await fetch(url, {method: 'LOCK', body})).text())]
for (const [method, numbers] of Object.entries(seen)) console.log(`  ${method.padEnd(12)} ${numbers.join('  ')}`)
const kept = ['PUT', 'PROPFIND', 'PROPPATCH']
const isAsExpected = Object.entries(seen).every(([method, [plain, never = 1]]) => plain === (kept.includes(method) ? 1 : 5) && never === 1)
server.close()
server.closeAllConnections()
if (!isAsExpected) {
  console.error('CHANGED')
  process.exit(1)
}
process.exit()
JS
node_modules/.bin/node run.mjs
