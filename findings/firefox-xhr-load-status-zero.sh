#!/usr/bin/env bash
# Firefox ESR 153 (Debian firefox-esr 153.8.0esr-1~deb12u1), driven by puppeteer-core 25.16.0 (npm): XMLHttpRequest has `load` for a
# PUT that nobody answered.
#
# A script uploads by XMLHttpRequest, for the progress that fetch does not have. The server reads the PUT and closes the connection
# without an answer, at each attempt.
#
# Good sense says: `error`. An empty answer is a network error, and `load` is for a response.
# Guess of those who met it, noted before this script was written: `error`, whether the server closes or resets the connection.
#
# Seen:
#
#                        Firefox              Chromium 156
#   connection closed    load, status 0       error, status 0
#   connection reset     error, status 0      error, status 0
#   fetch, closed        TypeError            TypeError
#
# For a client: `load` proves nothing before its status is looked at. A status of 0 is no answer: the upload may be stored or not.
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

const server = createServer(async (request, response) => {
  const {method, url, socket} = request
  if (method === 'GET') {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>page</title><link rel="icon" href="data:,">')
    return
  }
  await request.resume().toArray()
  if (url === '/reset') socket.resetAndDestroy()
  else socket.end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`

function upload(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    for (const name of ['load', 'error', 'abort', 'timeout']) {
      request.addEventListener(name, ({type}) => resolve(`${type}, status ${request.status}`))
    }
    request.open('PUT', url)
    request.send('content')
  })
}
const fetchPut = (url) => fetch(url, {method: 'PUT', body: 'content'}).then(({status}) => `status ${status}`, ({name}) => name)

function check(input, seen, expected) {
  console.log(`  ${input}: ${seen}`)
  if (seen === expected) return
  console.log(`CHANGED, expected: ${expected}`)
  process.exitCode = 1
}
async function run(browser, executablePath, closed) {
  const running = await puppeteer.launch({browser, executablePath, args: browser === 'chrome' ? ['--no-sandbox'] : []})
  try {
    console.log(await running.version())
    const page = await running.newPage()
    await page.goto(origin)
    for (let time = 0; time < 3; time++) {
      check('PUT, closed', await page.evaluate(upload, '/closed'), closed)
      check('PUT, reset', await page.evaluate(upload, '/reset'), 'error, status 0')
      check('fetch, closed', await page.evaluate(fetchPut, '/closed'), 'TypeError')
    }
  } finally {
    await running.close()
  }
}
await run('firefox', '/usr/bin/firefox-esr', 'load, status 0')
await run('chrome', '/usr/bin/chromium', 'error, status 0')
server.closeAllConnections()
server.close()
JS
node_modules/node-linux-*/bin/node main.mjs
