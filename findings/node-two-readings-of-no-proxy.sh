#!/usr/bin/env bash
# Node 24.21.0 with NODE_USE_ENV_PROXY=1: node:http and fetch read NO_PROXY and HTTP_PROXY differently, in one process.
#
# An administrator sets HTTP_PROXY, HTTPS_PROXY and NO_PROXY once for a program. It sends some requests with fetch, others with
# node:http.
#
# Good sense says: one switch of Node and one environment mean one rule for both.
# Guess of its author, who knew the claim, noted before the first run as what an engineer expects: the same, because the switch is Node's own.
#
# Seen, which way a request goes:
#
#                                                      node:http   fetch
#   NO_PROXY=example.test, to dav.example.test         proxy       direct
#   NO_PROXY=.example.test, to dav.example.test        direct      direct
#   HTTP_PROXY alone, to an https: server              direct      proxy
#
# For a client: write both example.test and .example.test into NO_PROXY, and set both variables for the proxies. A library that
# changes from node:http to fetch, or back, changes its way out of the house.
#
# Source: the parser of lib/internal/http.js compares a whole name, unless it begins with a dot. EnvHttpProxyAgent, on which fetch
# is built, also compares its end, and takes HTTP_PROXY for HTTPS_PROXY where that is absent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund node@24.21.0 >> log 2>&1 || { cat log; exit 1; }
cat > ask.mjs <<'JS'
import http from 'node:http'
import https from 'node:https'

const [way, url] = process.argv.slice(2)
const {get} = url.startsWith('https:') ? https : http
// Only the way counts. No name exists, and the proxy answers each request with a refusal.
if (way === 'fetch') await fetch(url).catch(() => {})
else await new Promise((resolve) => get(url, resolve).on('error', resolve))
process.exit()
JS
cat > main.mjs <<'JS'
import {execFile} from 'node:child_process'
import {once} from 'node:events'
import {createServer} from 'node:http'
import {promisify} from 'node:util'

const run = promisify(execFile)
let asked = 0
const proxy = createServer((_request, response) => {
  asked++
  response.writeHead(403).end()
})
proxy.on('connect', (_request, socket) => {
  asked++
  socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
})
proxy.listen(0, '127.0.0.1')
await once(proxy, 'listening')
const at = `http://127.0.0.1:${proxy.address().port}`
const [plain, secure] = ['http://dav.example.test/', 'https://dav.example.test/']
const scenes = [
  ['NO_PROXY=example.test', plain, {HTTP_PROXY: at, NO_PROXY: 'example.test'}, 'proxy direct'],
  ['NO_PROXY=.example.test', plain, {HTTP_PROXY: at, NO_PROXY: '.example.test'}, 'direct direct'],
  ['HTTP_PROXY alone, https:', secure, {HTTP_PROXY: at}, 'direct proxy'],
]
console.log(`node ${process.version}: node:http, fetch`)
let isSame = true
for (const [name, url, env, expected] of scenes) {
  const ways = []
  for (const way of ['http', 'fetch']) {
    const before = asked
    await run(process.execPath, ['ask.mjs', way, url], {
      env: {PATH: process.env.PATH, NODE_USE_ENV_PROXY: '1', ...env},
    })
    ways.push(asked > before ? 'proxy' : 'direct')
  }
  console.log(`  ${name.padEnd(24)} ${ways.join(' ')}`)
  if (ways.join(' ') !== expected) {
    console.log(`CHANGED, expected: ${expected}`)
    isSame = false
  }
}
proxy.close()
proxy.closeAllConnections()
process.exit(isSame ? 0 : 1)
JS
node_modules/.bin/node main.mjs
