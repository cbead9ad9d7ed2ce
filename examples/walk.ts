// Lists all that is below a collection, on any server, a path for each resource. Where it is stopped with Ctrl+C it writes down
// what is left, in the file that is named on the command line, and goes on from there the next time.

import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs'

import {basicAuth, DavClient, toLocalPath} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const file = process.argv[2] ?? 'left.json'
const resume = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
const stream = dav.propfind('', {depth: {walk: true}, properties: ['getetag'], resume})

let isStopped = false
process.once('SIGINT', () => {
  isStopped = true
})
for await (const result of stream) {
  if (result.ok) console.log(toLocalPath(result, {base: dav.url}) || '.')
  else console.log('failed:', result.status, result.url, result.reason)
  if (isStopped) break
}

const checkpoint = stream.checkpoint()
if (checkpoint.left.length > 0) writeFileSync(file, JSON.stringify(checkpoint))
else rmSync(file, {force: true})
const {complete} = await stream.summary
console.log(complete ? 'That is all of it.' : 'There is more.')
