// States rule 13 of the contract through the client. A kept result of a listing, a DELETE or a retry costs its own size, not the
// chunk of the answer around it.
import {type DavResponse, type DavResult, DavClient, type Failure, isFailure} from 'multistatus'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {response, verdict} from '../support/fixtures.ts'
import {collectGarbage} from '../support/garbage.ts'

const OPEN = '<D:multistatus xmlns:D="DAV:">'
const SHUT = '</D:multistatus>'
const MEMBERS = 1000
const MOST = 1024
const name = (number: number): string => `${number}-longer-name.txt`
const numbers = Array.from({length: MEMBERS}, (_, number) => number)

let server: FaultServer
let dav: DavClient
beforeAll(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url})
})
afterAll(() => server.close())

const xml = {'content-type': 'application/xml'}
const listing =
  OPEN +
  response('/docs/', '<D:resourcetype><D:collection/></D:resourcetype>') +
  numbers
    .map((number) =>
      response(
        `/docs/${name(number)}`,
        `<D:getetag>"${name(number)}"</D:getetag><D:resourcetype/><D:getcontentlength>${number}</D:getcontentlength>`,
      ),
    )
    .join('') +
  SHUT
const locked =
  '<D:error><D:lock-token-submitted/></D:error><D:responsedescription>Locked by Ana.</D:responsedescription>'
const refused =
  OPEN +
  numbers.map((number) => verdict(`/docs/${name(number)}`, 'HTTP/1.1 423', locked)).join('') +
  SHUT

function held(): number {
  // The server keeps each request, which is no cost of a result.
  server.forget()
  collectGarbage()
  collectGarbage()
  const {heapUsed, external} = process.memoryUsage()
  return heapUsed + external
}

/** Collects some results of each of several streams. */
async function keep(
  times: number,
  every: number,
  open: () => AsyncIterable<DavResult<unknown>>,
): Promise<DavResult<unknown>[]> {
  const kept: DavResult<unknown>[] = []
  for (let time = 0; time < times; time++) {
    let number = 0
    for await (const result of open()) if (++number % every === 0) kept.push(result)
  }
  return kept
}

type Open = () => AsyncIterable<DavResult<unknown>>

/** Bytes that are held for each result. Code that is compiled meanwhile is held too, but not each time. */
async function costOf(every: number, times: number, open: Open): Promise<number> {
  // Held to the end, so that nothing is freed while the others are counted.
  const all = [await keep(times, every, open)]
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 8 && least >= MOST; attempt++) {
    const before = held()
    all.push(await keep(times, every, open))
    least = Math.min(least, (held() - before) / 300)
  }
  expect(all.map(({length}) => length)).toEqual(all.map(() => 300))
  return least
}

describe('a kept result', () => {
  it('costs less than 1 KB of a listing', async () => {
    server.answers({status: 207, headers: xml, body: listing})
    expect(await costOf(50, 15, () => dav.propfind('docs/', {depth: 1}))).toBeLessThan(MOST)
  })

  it('costs less than 1 KB of a DELETE with 1,000 members', async () => {
    server.answers({status: 207, headers: xml, body: refused})
    expect(await costOf(50, 15, () => dav.deleteMany(['docs/']))).toBeLessThan(MOST)
  })

  it('costs less than 1 KB of a retry', async () => {
    server.answers({status: 207, headers: xml, body: refused})
    const failures: Failure[] = []
    for await (const result of dav.deleteMany(['docs/']))
      if (isFailure(result)) failures.push(result)
    // Each answer is large, and names the resource alone.
    server.script(({url}) => ({
      status: 207,
      headers: xml,
      body: `${OPEN}<!--${'a'.repeat(20_000)}-->${verdict(url, 'HTTP/1.1 423 Locked')}${SHUT}`,
    }))
    expect(await costOf(1, 3, () => dav.retry(failures.slice(0, 100), {attempts: 1}))).toBeLessThan(
      MOST,
    )
  })
})

describe('a client', () => {
  it('keeps nothing of the calls that have ended', async () => {
    const transport = async (): Promise<DavResponse> => ({
      status: 204,
      headers: new Headers(),
      body: null,
    })
    const {signal} = new AbortController()
    const client = new DavClient({url: 'https://dav.example/', transport, signal})
    const call = async (times: number): Promise<void> => {
      for (let time = 0; time < times; time++) await client.delete('a', {signal})
    }
    await call(1000)
    const before = held()
    await call(10_000)
    expect((held() - before) / 10_000).toBeLessThan(50)
  })
})
