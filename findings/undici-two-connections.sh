#!/usr/bin/env bash
# undici 8.12.4 on Node 24.21.0: one request after another, each awaited to the end of its body, uses two connections.
# Input: 20 DELETE requests by turns, answered 200 with a short body and keep-alive, over one Agent.
# Believed until a server of one thread was slow; the outcome was known when this script was written: "One connection. The body has ended, so its connection is free, and the next request takes it."
# Observed: two connections, used by turns. A connection is free only one turn of the event loop after the body's end. A server
# of one thread that keeps connections open then answers every second request late.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund undici@8.12.4 node@24.21.0 >/dev/null 2>&1
cat >main.mjs <<'JS'
import {once} from 'node:events'
import {createServer} from 'node:http'
import {setImmediate as turn} from 'node:timers/promises'

import {Agent, request} from 'undici'

async function count(pause) {
  let connections = 0
  const server = createServer((_, response) => response.end('done'))
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dispatcher = new Agent()
  for (let number = 0; number < 20; number++) {
    const url = `http://127.0.0.1:${server.address().port}/${number}`
    const {body} = await request(url, {method: 'DELETE', dispatcher})
    await body.text()
    if (pause) { await turn(); await turn() }
  }
  await dispatcher.close()
  server.close()
  return connections
}

const [atOnce, paused] = [await count(false), await count(true)]
console.log(`node ${process.version}, undici 8.12.4: 20 requests by turns took ${atOnce} connections, with two turns of the event loop between them ${paused}`)
process.exit(atOnce === 2 && paused === 1 ? 0 : 1)
JS
node_modules/.bin/node main.mjs
