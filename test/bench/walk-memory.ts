// Measures the memory of a process while it walks a tree that is made on the fly. Each collection has ten collections; there is no
// server and no network. Run with --expose-gc and the number of levels. Prints the number of collections and the largest number that
// waited. Also prints the peak of the used memory after garbage collections, in MB above its beginning.

import type {DavResponse} from 'multistatus'
import {DavClient} from 'multistatus'

const WIDTH = 10
const LOOK_EVERY = 20_000
const levels = Number(process.argv[2] ?? 4)
let deep = 2

const dav = new DavClient({url: 'http://localhost/', transport: async ({url}) => answer(url)})
let most = 0
// The first collections bring code, which is there once.
await read()
deep = levels
const before = inUse()
let peak = before
const count = await read()
console.log(
  JSON.stringify({collections: count, most, growth: Math.round((peak - before) / 1e5) / 10}),
)

async function read(): Promise<number> {
  let collections = 0
  const stream = dav.propfind('', {depth: {walk: true}, concurrency: 8})
  for await (const {relation} of stream) {
    if (relation === 'self') continue
    if (++collections % LOOK_EVERY !== 0) continue
    most = Math.max(most, stream.checkpoint().left.length)
    peak = Math.max(peak, inUse())
  }
  return collections
}

function inUse(): number {
  globalThis.gc?.()
  const {heapUsed, external} = process.memoryUsage()
  return heapUsed + external
}

function answer(url: string): DavResponse {
  const {pathname} = new URL(url)
  const hrefs = [pathname]
  const width = pathname.split('/').length - 2 < deep ? WIDTH : 0
  for (let index = 0; index < width; index++) hrefs.push(`${pathname}collection%20${index}/`)
  const body = `<D:multistatus xmlns:D="DAV:">${hrefs.map(collection).join('')}</D:multistatus>`
  return {status: 207, headers: new Headers(), body: new Response(body).body}
}

function collection(href: string): string {
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
}
