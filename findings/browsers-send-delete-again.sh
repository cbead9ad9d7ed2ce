#!/usr/bin/env bash
# Chromium 156 (Debian chromium 156.0.8078.108-1~deb12u1) and Firefox ESR 153 (Debian firefox-esr 153.8.0esr-1~deb12u1), driven by
# puppeteer-core 25.16.0 (npm): one fetch with DELETE, LOCK, MOVE or POST reaches the server twice.
#
# A connection has served a GET. The next request on it arrives whole, and the server closes the connection without an answer, as
# one that is restarted does. It answers 404 to the second arrival, as it would have deleted or moved the resource at the first.
#
# Good sense says: the promise is rejected, and the script decides. An idempotent method may be repeated by a client, and others
# should not be (RFC 9110, section 9.2.2): LOCK and POST are not idempotent, and a MOVE that is repeated finds no source.
# Guess of those who met it, noted before this script was written: DELETE arrives once, because a script sends it. The author of
# this script, who had heard of that by then, expected LOCK, MOVE and POST to arrive twice as well.
#
# Seen, in both browsers:
#
#   first arrival on a connection that was used before   two arrivals, and the script gets the 404 of the second
#   first arrival on a new connection                    one arrival, and fetch is rejected with a TypeError
#
# For a client: in a page, a 404 to a DELETE may come from one's own DELETE, and a 423 to a LOCK from one's own lock. A condition, as
# If-Match, makes it a 412: no second change, and still no word of the first.
#
# Source: not read.
set -euo pipefail
CHROMIUM=156.0.8078.108-1~deb12u1
FIREFOX=153.8.0esr-1~deb12u1

[ "$(dpkg-query -W -f '${Version} ' chromium firefox-esr 2>/dev/null || true)" = "$CHROMIUM $FIREFOX " ] ||
  apt-get install -y --no-install-recommends "chromium=$CHROMIUM" "firefox-esr=$FIREFOX"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund "node-linux-$(node -p process.arch)@24.21.0" puppeteer-core@25.16.0 >> log 2>&1 || { cat log; exit 1; }
cat > main.mjs <<'JS'
import {createServer} from 'node:http'

import puppeteer from 'puppeteer-core'

const METHODS = ['DELETE', 'LOCK', 'MOVE', 'POST']
const ROUNDS = 3
/** For each request of the script: one entry an arrival, which is the state of its connection. */
const arrivals = new Map()
const used = new WeakSet()
const server = createServer(({method, url, socket}, response) => {
  const connection = used.has(socket) ? 'used' : 'new'
  used.add(socket)
  if (method === 'GET') {
    response.setHeader('content-type', 'text/html')
    if (url === '/last') response.setHeader('connection', 'close')
    response.end('<!doctype html><title>page</title><link rel="icon" href="data:,">')
    return
  }
  const key = `${method} ${url}`
  const list = arrivals.get(key) ?? []
  arrivals.set(key, [...list, connection])
  if (list.length === 0) socket.end()
  else response.writeHead(404).end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`

async function send(methods, rounds) {
  const results = []
  for (let round = 0; round < rounds; round++) {
    for (const method of methods) {
      // The last round is on new connections.
      await (await fetch(round < rounds - 1 ? '/' : '/last')).text()
      const url = `/${round}`
      const result = await fetch(url, {method}).then((response) => response.status, (error) => error.name)
      results.push([`${method} ${url}`, result])
    }
  }
  return results
}
async function run(browser, executablePath) {
  arrivals.clear()
  const running = await puppeteer.launch({browser, executablePath, args: browser === 'chrome' ? ['--no-sandbox'] : []})
  try {
    console.log(await running.version())
    const page = await running.newPage()
    await page.goto(origin)
    const seen = new Set()
    for (const [key, result] of await page.evaluate(send, METHODS, ROUNDS)) {
      const [first, ...more] = arrivals.get(key)
      console.log(`  ${key}: ${1 + more.length} arrivals, the first on a ${first} connection, ${result}`)
      const isAsSeen = first === 'used' ? more.length === 1 && result === 404 : more.length === 0 && result === 'TypeError'
      if (!isAsSeen) throw new Error('CHANGED')
      seen.add(`${key.split(' ')[0]} ${first}`)
    }
    if (seen.size < 2 * METHODS.length) throw new Error(`CHANGED, seen: ${[...seen].join(', ')}`)
  } finally {
    await running.close()
  }
}
try {
  await run('chrome', '/usr/bin/chromium')
  await run('firefox', '/usr/bin/firefox-esr')
} catch (error) {
  console.log(error.message)
  process.exitCode = 1
}
server.closeAllConnections()
server.close()
JS
node_modules/node-linux-*/bin/node main.mjs
