// Downloads the file that is named on the command line, and draws the progress. After a break it goes on behind the last byte.
// The file is there only when it is whole. Ctrl+C leaves nothing behind.

import {basename} from 'node:path'

import {logUpdateStderr as draw} from 'log-update'
import {
  basicAuth,
  DavClient,
  DavError,
  encodePath,
  type RetryEvent,
  type TransferProgress,
} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const stop = new AbortController()
process.on('SIGINT', () => stop.abort())
const {signal} = stop

const [name = 'notes.txt', path = basename(name)] = process.argv.slice(2)
let received = 0
const onProgress = ({bytes, total}: TransferProgress): void => {
  received = bytes
  const percent = total === undefined ? '' : ` of ${total}, ${Math.floor((bytes / total) * 100)} %`
  if (process.stderr.isTTY) draw(`${bytes} bytes${percent}`)
}
const onRetry = ({failure, delay}: RetryEvent): void => {
  draw.clear()
  console.log(
    `broke at byte ${received} (${failure.cause ?? failure.status}); on in ${Math.round(delay)} ms`,
  )
}

try {
  const retry = {attempts: 8, minDelay: 200, onRetry}
  const verdict = await dav.download(encodePath(name), path, {retry, onProgress, signal})
  draw.done()
  if (verdict.ok) console.log(`${path} has ${received} bytes, ETag ${verdict.etag ?? 'not told'}`)
  else console.log(`no ${name}: ${verdict.status} ${verdict.reason} ${verdict.description ?? ''}`)
  process.exitCode = verdict.ok ? 0 : 1
} catch (error) {
  process.exitCode = 1
  if (DavError.is(error)) console.log(error.message)
  else if (!signal.aborted) throw error
}
