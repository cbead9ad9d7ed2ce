// Lists a whole tree on any server, a line for each resource. After Ctrl+C or a failure it writes the rest of the work to a file,
// and continues from there the next time. The command line may name the file.

import {existsSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'

import {basicAuth, DavClient, type DavResult, toLocalPath, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

const file = process.argv[2] ?? 'left.json'
const resume = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
const stream = dav.walk('', {resume, signal: stop.signal})

const failed = new Set<string>()
try {
  for await (const result of stream) {
    if (result.ok) console.log(visible(pathOf(result)))
    else console.log('failed:', result.status, result.url, result.reason)
    if (!result.ok && result.request !== undefined) failed.add(result.url)
  }
} catch (error) {
  if (!stop.signal.aborted) console.error(error)
}

// Failures are not in the checkpoint. They are put back, to be listed the next time.
const checkpoint = stream.checkpoint()
const left = [...checkpoint.left, ...Array.from(failed, (url) => ({url, depth: 1}))]
const incomplete = checkpoint.incomplete.filter(({href}) => !failed.has(href))
if (left.length > 0) {
  // A crash leaves the old file or the new one.
  writeFileSync(`${file}.new`, JSON.stringify({...checkpoint, left, incomplete}))
  renameSync(`${file}.new`, file)
} else rmSync(file, {force: true})
const isWhole = left.length === 0 && incomplete.length === 0
console.log(isWhole ? 'That is all of it.' : 'There is more.')
process.exitCode = isWhole ? 0 : 1

/** Returns the path below the collection, or the URL if the result has no safe path. */
function pathOf(result: DavResult<unknown>): string {
  try {
    return toLocalPath(result, {base: dav.url}) || '.'
  } catch {
    return result.url
  }
}
