// Measures the memory of syncs with a state: a first one of many resources, and one without changes. The answers are made on the fly;
// there is no server and no network. Run with --expose-gc, `etags` or `token`, and the number of resources. Prints the requests of the
// sync without changes, its milliseconds, and the peak of the used memory after garbage collections, in MB above its beginning.

import type {DavResponse} from 'multistatus'
import {DavClient, SyncState} from 'multistatus'

const LOOK_EVERY = 50
const [kind = 'etags', number = '200000'] = process.argv.slice(2)
let count = 10
let isChanged = true

const dav = new DavClient({
  url: 'http://localhost/',
  transport: async ({method, headers}) => {
    if (kind === 'token' && method === 'REPORT') return answer(isChanged ? count : 0)
    return method === 'PROPFIND'
      ? answer(headers['depth'] === '0' ? 0 : count)
      : {status: 501, headers: new Headers(), body: null}
  },
})
let peak = 0
// The first sync brings code, which is there once.
await run(new SyncState())
count = Number(number)
const before = inUse()
peak = before
const state = new SyncState()
isChanged = true
await run(state)
isChanged = false
const began = performance.now()
const requests = await run(state)
const milliseconds = Math.round(performance.now() - began)
const growth = Math.round((peak - before) / 1e5) / 10
console.log(JSON.stringify({resources: state.size, requests, milliseconds, growth}))

async function run(known: SyncState): Promise<number> {
  const stream = dav.sync('', {state: known, onPage: () => {}})
  let batches = 0
  for await (const batch of stream.batches())
    if (batch.length > 0 && ++batches % LOOK_EVERY === 0) look()
  look()
  const {complete, requests: sent} = await stream.summary
  if (!complete) throw new Error('the sync is not complete')
  return sent
}

function look(): void {
  peak = Math.max(peak, inUse())
}

function inUse(): number {
  globalThis.gc?.()
  const {heapUsed, external} = process.memoryUsage()
  return heapUsed + external
}

function answer(members: number): DavResponse {
  return {status: 207, headers: new Headers(), body: parts(members)}
}

async function* parts(members: number): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder()
  yield encoder.encode(
    '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>',
  )
  let part = ''
  for (let index = 0; index < members; index++) {
    part += `<D:response><D:href>/event-${index}.ics</D:href><D:propstat><D:prop><D:getetag>"${index.toString(16).padStart(32, '0')}"</D:getetag><D:resourcetype/></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
    if (part.length < 65_536) continue
    yield encoder.encode(part)
    part = ''
  }
  const token = kind === 'token' ? '<D:sync-token>t1</D:sync-token>' : ''
  yield encoder.encode(`${part}${token}</D:multistatus>`)
}
