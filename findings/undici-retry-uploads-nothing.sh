#!/usr/bin/env bash
# undici 8.12.4, RetryAgent and the interceptors retry and redirect: a PUT with an async generator or a web stream is sent again
# without its body. The upload is 201, and the file is empty.
#
# A program uploads ten bytes with a body that can be read once. The first PUT is read to its end and answered 503 with
# Retry-After: 0, or 307. The next one is stored as it comes.
#
# Good sense says: an error, or the 503 or 307, as for a stream of Node. undici's documents say so: RetryHandler "does not retry over
# stateful bodies (for example streams or AsyncIterable)", which are "rejected with the UND_ERR_REQ_RETRY error instead".
# Guess of its author, written down before the first run: an error, for each such body. None for a Blob and for a web stream of fetch.
#
# Seen, what the caller gets, and the bytes of each PUT that arrived:
#
#                               retry, first answer 503        redirect, first answer 307
#   text                        201, 10 and 10                 201, 10 and 10
#   Readable of Node            UND_ERR_REQ_RETRY, 10          307, 10
#   async generator             201, 10 and 0                  201, 10 and 0
#   web stream                  201, 10 and 0                  201, 10 and 0
#   fetch with a web stream     201, 10 and 0                  error, 10
#   fetch with a Blob or text   error, 10 and 0: stored empty  201, 10 and 10
#
# fetch has redirects of its own, so the last two rows of the right column are not the interceptor's.
#
# For a client: one 503 of a busy server or proxy empties the file that should have been replaced, and 201 says it is well. PUT is one of
# the methods that a RetryAgent repeats by default. Give it texts, buffers or streams of Node alone, or switch it off for uploads:
# `retryOptions: {methods: ['GET', 'HEAD', 'OPTIONS']}`. After an upload, ask for its size.
#
# Source: lib/dispatcher/retry-agent.js and lib/interceptor/retry.js. RetryHandler wraps the body in an object that remembers if it was
# read, but the first request gets the body itself. So the wrapper looks unused, and its source has no more to give. The interceptor
# redirect does the wrapping before the first request, but isDisturbed does not see the mark of the wrapper.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund undici@8.12.4 "node-linux-$(node -p process.arch)@24.21.0" >> log 2>&1 || { cat log; exit 1; }
cat > main.mjs <<'JS'
import {createServer} from 'node:http'
import {Readable} from 'node:stream'

import {Agent, fetch, interceptors, request, RetryAgent} from 'undici'

const arrivals = new Map()
const server = createServer(async (message, answer) => {
  let bytes = 0
  for await (const chunk of message) bytes += chunk.length
  const [, way, key] = message.url.split('/')
  const list = arrivals.get(key) ?? []
  arrivals.set(key, [...list, bytes])
  if (list.length > 0) answer.writeHead(201).end()
  else if (way === 'busy') answer.writeHead(503, {'retry-after': '0'}).end()
  else answer.writeHead(307, {location: `/moved/${key}`}).end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`

const text = '0123456789'
const bodies = {
  text: () => text,
  Readable: () => Readable.from([text.slice(0, 5), text.slice(5)]),
  'async generator': async function* () {
    yield text.slice(0, 5)
    yield text.slice(5)
  },
  'web stream': () => new Blob([text]).stream(),
}
const ask = (url, body, dispatcher) => request(url, {method: 'PUT', body, dispatcher}).then(({statusCode}) => statusCode, (error) => error.code)
const get = (url, body, dispatcher) =>
  fetch(url, {method: 'PUT', body, duplex: 'half', dispatcher}).then(({status}) => status, () => 'error')
const senders = {
  ...Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, (url, dispatcher) => ask(url, body(), dispatcher)])),
  'fetch, web stream': (url, dispatcher) => get(url, new Blob([text]).stream(), dispatcher),
  'fetch, Blob': (url, dispatcher) => get(url, new Blob([text]), dispatcher),
  'fetch, text': (url, dispatcher) => get(url, text, dispatcher),
}
const again = {minTimeout: 10, maxRetries: 1}
const dispatchers = {
  RetryAgent: ['busy', new RetryAgent(new Agent(), again)],
  retry: ['busy', new Agent().compose(interceptors.retry(again))],
  redirect: ['elsewhere', new Agent().compose(interceptors.redirect({maxRedirections: 2}))],
}
const RETRY = ['201 10,10', 'UND_ERR_REQ_RETRY 10', '201 10,0', '201 10,0', '201 10,0', 'error 10,0', 'error 10,0']
const expected = {RetryAgent: RETRY, retry: RETRY, redirect: ['201 10,10', '307 10', '201 10,0', '201 10,0', 'error 10', '201 10,10', '201 10,10']}
let number = 0
for (const [name, [way, dispatcher]] of Object.entries(dispatchers)) {
  const seen = []
  for (const [body, send] of Object.entries(senders)) {
    const key = String(++number)
    const outcome = await send(`${origin}/${way}/${key}`, dispatcher)
    // An error of the client may come before the arrival.
    await new Promise((resolve) => setTimeout(resolve, 300))
    seen.push(`${outcome} ${arrivals.get(key)}`)
    console.log(`  ${name.padEnd(12)} ${body.padEnd(20)} ${seen.at(-1)}`)
  }
  if (JSON.stringify(seen) !== JSON.stringify(expected[name])) {
    console.log('CHANGED, expected:', expected[name])
    process.exitCode = 1
  }
}
for (const [, dispatcher] of Object.values(dispatchers)) void dispatcher.destroy()
server.closeAllConnections()
server.close()
JS
node_modules/node-linux-*/bin/node main.mjs
