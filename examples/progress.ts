// Deletes the files that are named on the command line or in the lines of the standard input, and draws the progress. Ctrl+C ends
// it cleanly: it sends no more requests, and counts those without an answer as failed.

import {createInterface} from 'node:readline'

import {logUpdateStderr as draw} from 'log-update'
import {basicAuth, DavClient, encodePath, type Progress} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const stop = new AbortController()
process.on('SIGINT', () => stop.abort())
const {signal} = stop

// An array has a known length; lines of the standard input have none.
const names = process.argv.slice(2)
const targets = names.length > 0 ? names.map((name) => encodePath(name)) : named()
async function* named() {
  for await (const name of createInterface({input: process.stdin, signal})) yield encodePath(name)
}

let last = ''
const onProgress = ({done, failed, retried, inFlight, total, rate}: Progress): void => {
  const filled = total === undefined ? 0 : Math.floor((done / total) * 30)
  const bar = total === undefined ? '' : `${'█'.repeat(filled).padEnd(30, '░')} `
  last = `${done} of ${total ?? '?'} done, ${failed} failed, ${retried} retried`
  if (process.stderr.isTTY) draw(`${bar}${last}, ${inFlight} in flight, ${rate.toFixed(0)}/s`)
}

try {
  const options = {retry: {attempts: 4}, onProgress, signal}
  for await (const result of dav.deleteMany(targets, options)) {
    if (result.ok || result.relation !== 'self') continue
    process.exitCode = 1
    draw.clear()
    console.log('failed', result.url, result.status, result.reason)
  }
} catch (error) {
  if (!signal.aborted) throw error
} finally {
  draw.done()
  console.log(last)
}
