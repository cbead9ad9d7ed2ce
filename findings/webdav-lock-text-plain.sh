#!/usr/bin/env bash
# webdav 5.11.0 (npm) sends LOCK as text/plain, and nephele 1.0.0-alpha.67 (npm) answers 415. Its UNLOCK has no coded URL.
#
# A user locks a file by `client.lock('/a.txt')` and unlocks it by `client.unlock('/a.txt', lock.token)`, as the manual of webdav
# does. nephele serves the folder with its defaults.
#
# Good sense says: a lock, and then none. The body of LOCK is XML (RFC 4918, sections 8.2 and 9.10.1). Lock-Token is a coded URL, in
# angle brackets (section 10.5).
# Guess of those who met the first part, noted before this script was written: a lock. The second part came out in the first run of
# this script, which took for granted that the lock can be ended.
#
# Seen, on nephele:
#
#   lock('/a.txt')                                        415
#     its Content-Type                                    text/plain;charset=UTF-8
#   lock('/a.txt', {headers: {'Content-Type': …/xml}})    a lock
#   unlock('/a.txt', token)                               207, lock-token-matches-request-uri: the lock stays
#   unlock('/a.txt', `<${token}>`)                        no lock
#
# For a client: name the Content-Type of each body, as fetch calls a string text/plain. Let the lock know its own coded URL.
#
# Source: source/operations/lock.ts of webdav sets Accept and Timeout, and node-fetch adds text/plain. Method.js of nephele refuses a
# body that is neither text/xml nor application/xml. A body without a Content-Type is read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund webdav@5.11.0 nephele@1.0.0-alpha.67 @nephele/adapter-file-system@1.0.0-alpha.61 \
  @nephele/authenticator-none@1.0.0-alpha.61 express@5.3.0 >> log 2>&1 || { cat log; exit 1; }
mkdir root
echo content > root/a.txt
cat > main.mjs <<'JS'
import {once} from 'node:events'
import {createRequire} from 'node:module'

import {Adapter} from '@nephele/adapter-file-system'
import {Authenticator} from '@nephele/authenticator-none'
import express from 'express'
import {createServer} from 'nephele'
import {createClient} from 'webdav'

let type
const app = express()
app.use(({headers}, _, next) => {
  type = headers['content-type']
  next()
})
app.use(createServer({adapter: new Adapter({root: 'root'}), authenticator: new Authenticator()}))
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const client = createClient(`http://127.0.0.1:${server.address().port}`)

function check(input, seen, expected) {
  console.log(`  ${input}: ${seen}`)
  if (seen === expected) return
  console.log(`CHANGED, expected: ${expected}`)
  process.exitCode = 1
}
async function refusal(call) {
  try {
    await call
    return 'none'
  } catch ({status, response}) {
    const [condition] = (await response.text()).match(/lock-token-matches-request-uri/) ?? []
    return [status, condition].filter(Boolean).join(', ')
  }
}
console.log(`webdav ${createRequire(`${process.cwd()}/`)('./node_modules/webdav/package.json').version}, Node ${process.version}`)
check("refusal of lock('/a.txt')", await refusal(client.lock('/a.txt')), '415')
check('its Content-Type', type, 'text/plain;charset=UTF-8')
const {token} = await client.lock('/a.txt', {headers: {'Content-Type': 'application/xml'}})
check('token', token.slice(0, 9), 'urn:uuid:')
check('refusal of unlock by the token', await refusal(client.unlock('/a.txt', token)), '207, lock-token-matches-request-uri')
check('refusal of DELETE then', await refusal(client.deleteFile('/a.txt')), '423')
check('refusal of unlock by the token in brackets', await refusal(client.unlock('/a.txt', `<${token}>`)), 'none')
check('refusal of DELETE then', await refusal(client.deleteFile('/a.txt')), 'none')
server.closeAllConnections()
server.close()
JS
node main.mjs
