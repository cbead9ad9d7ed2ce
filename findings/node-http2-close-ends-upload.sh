#!/usr/bin/env bash
# Node 24.21.0, node:http2: a client that gives up an upload by stream.close(CANCEL) tells the server that the upload is complete.
#
# A client sends half of a file, 100 ms later it gives up. The server writes down what it has when the request ends.
#
# Good sense says, as the documentation of close(code) does ("by sending an RST_STREAM frame"): the server sees an aborted request.
# Guess of its author, who knew the claim, noted before the first run as what an engineer expects: the same, for each way to give up.
#
# Seen by a server of Node:
#
#   stream.close(NGHTTP2_CANCEL)          the end of the request, 4 bytes, not aborted: half a file that looks whole
#   stream.destroy(new Error('enough'))   aborted
#   session.destroy()                     aborted
#
# For a client: PUT with a Content-Length lets a server count, if it does. Give up an upload by stream.destroy with an error. A
# library that calls close has stored half a file under the name of the whole one.
#
# Source: close(code) ends the writable side first, so END_STREAM goes out before RST_STREAM.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund node@24.21.0 >> log 2>&1 || { cat log; exit 1; }
cat > main.mjs <<'JS'
import {once} from 'node:events'
import {connect, constants, createServer} from 'node:http2'
import {setTimeout as sleep} from 'node:timers/promises'

const ways = {
  'stream.close(CANCEL)': (stream) => stream.close(constants.NGHTTP2_CANCEL),
  'stream.destroy(error)': (stream) => stream.destroy(new Error('enough')),
  'session.destroy()': (_stream, session) => session.destroy(),
}
const server = createServer()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const seen = {}
for (const [name, giveUp] of Object.entries(ways)) {
  const told = new Promise((resolve) => {
    server.once('stream', (stream) => {
      let bytes = 0
      stream.on('data', (chunk) => (bytes += chunk.length))
      stream.on('error', () => {})
      stream.once('aborted', () => resolve('aborted'))
      stream.once('end', () => setImmediate(() => resolve(stream.aborted ? 'aborted' : `complete, ${bytes} bytes`)))
    })
  })
  const session = connect(`http://127.0.0.1:${server.address().port}`)
  session.on('error', () => {})
  const stream = session.request({':method': 'PUT', ':path': '/file'}, {endStream: false})
  stream.on('error', () => {})
  stream.write('half')
  await sleep(100)
  giveUp(stream, session)
  seen[name] = await told
  session.destroy()
}
server.close()
console.log(`node ${process.version}`)
for (const [name, outcome] of Object.entries(seen)) console.log(`  ${name.padEnd(24)} ${outcome}`)
const expected = {
  'stream.close(CANCEL)': 'complete, 4 bytes',
  'stream.destroy(error)': 'aborted',
  'session.destroy()': 'aborted',
}
if (JSON.stringify(seen) !== JSON.stringify(expected)) {
  console.log('CHANGED, expected:', expected)
  process.exit(1)
}
JS
node_modules/.bin/node main.mjs
