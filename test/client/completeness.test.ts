// States when the summary of a listing is complete, and its reasons if not: a sync job deletes locally only if it
// is. RFC 4918, section 9.1; RFC 6578, section 3.6; RFC 8288.

import {DavClient, type Depth, type Summary} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listed,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

async function summaryOf(answer: Answer, depth: Depth = 1): Promise<Summary> {
  server.answers(answer)
  const {summary} = await dav.propfind('docs/', {depth}).collect()
  return summary
}

describe('a listing', () => {
  it('is complete without a gap', async () => {
    expect(await summaryOf(answer207(listing('/docs/', '/docs/a.txt', '/docs/b/')))).toEqual({
      complete: true,
      incomplete: [],
      successes: 3,
      failures: 0,
      requests: 1,
    })
  })

  it('is complete if a member failed: it was reported', async () => {
    const body = OPEN + listed('/docs/') + verdict('/docs/a.txt', 'HTTP/1.1 403 Forbidden') + SHUT
    expect(await summaryOf(answer207(body))).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 1,
      requests: 1,
    })
  })

  it('is incomplete for storage if the server says 507 for the collection itself', async () => {
    const more = verdict('/docs/', 'HTTP/1.1 507 Insufficient Storage')
    expect(await summaryOf(answer207(OPEN + listed('/docs/a.txt') + more + SHUT))).toEqual({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'storage', status: 507}],
      successes: 1,
      failures: 1,
      requests: 1,
    })
  })

  it('is incomplete if the collection itself failed', async () => {
    const self = verdict('/docs/', 'HTTP/1.1 403 Forbidden')
    expect(await summaryOf(answer207(OPEN + self + listed('/docs/a.txt') + SHUT))).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'self', status: 403}],
    })
  })

  it.each([
    '</docs/?page=2>; rel="next"',
    '</docs/?page=2>; rel=next',
    '</docs/?page=2>; rel="prev next"',
    '</docs/?page=2>;title="more";rel="next"',
    '</docs/>; rel="first", </docs/?page=2>; rel="next"',
    '</docs/?page=2>; REL=NEXT',
  ])('is incomplete if there are more pages: Link: %s', async (link) => {
    expect(await summaryOf(answer207(listing('/docs/', '/docs/a.txt'), {link}))).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'paged'}],
    })
  })

  it('is incomplete if one of several Link headers names another page', async () => {
    const link = ['</docs/>; rel="first"', '</docs/?page=2>; rel="next"']
    expect((await summaryOf(answer207(listing('/docs/'), {link}))).complete).toBe(false)
  })

  it.each(['</docs/>; rel="first"', '</next>; rel="describedby"', '<next>; rel=up'])(
    'is complete if a link leads elsewhere: Link: %s',
    async (link) => {
      expect((await summaryOf(answer207(listing('/docs/'), {link}))).complete).toBe(true)
    },
  )

  it('is incomplete if the reader stopped', async () => {
    server.answers(answer207(listing('/docs/', '/docs/a.txt', '/docs/b.txt')))
    const stream = dav.propfind('docs/')
    for await (const result of stream) if (result.ok) break
    expect(await stream.summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'stopped'}],
      requests: 1,
    })
  })

  it('is incomplete if a response has no href', async () => {
    const body = `${OPEN}${listed('/docs/')}<D:response/>${SHUT}`
    expect(await summaryOf(answer207(body))).toMatchObject({
      complete: false,
      incomplete: [{reason: 'malformed'}],
    })
  })

  it('has each reason if there are several', async () => {
    const more = verdict('/docs/', 'HTTP/1.1 507 Insufficient Storage')
    const link = '<http://elsewhere.example/docs/?page=2>; rel="next"'
    const {incomplete} = await summaryOf(answer207(OPEN + more + SHUT, {link}))
    expect(incomplete.map(({reason}) => reason).toSorted()).toEqual(['paged', 'storage'])
  })

  it('has the description of the whole answer', async () => {
    const body = `${OPEN}${listed('/docs/')}<D:responsedescription> Read-only today. </D:responsedescription><D:sync-token>urn:7</D:sync-token>${SHUT}`
    expect(await summaryOf(answer207(body))).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 0,
      requests: 1,
      description: 'Read-only today.',
      syncToken: 'urn:7',
    })
  })
})

describe('a listing of Depth infinity', () => {
  it('is complete with descendants', async () => {
    const body = listing('/docs/', '/docs/a.txt', '/docs/b/', '/docs/b/c.txt')
    expect(await summaryOf(answer207(body), 'infinity')).toMatchObject({
      complete: true,
      incomplete: [],
    })
  })

  it('is complete if the descendants come before their collection', async () => {
    const body = listing('/docs/b/c.txt', '/docs/b/', '/docs/')
    expect((await summaryOf(answer207(body), 'infinity')).complete).toBe(true)
  })

  it('is complete if no member is a collection', async () => {
    const body = listing('/docs/', '/docs/a.txt', '/docs/b.txt')
    expect((await summaryOf(answer207(body), 'infinity')).complete).toBe(true)
  })

  it('is incomplete if a member failed: it may be a collection', async () => {
    const failed = verdict('/docs/b/', 'HTTP/1.1 403 Forbidden')
    const body = OPEN + listed('/docs/') + failed + SHUT
    expect(await summaryOf(answer207(body), 'infinity')).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/b/`, status: 403}],
    })
  })
})

describe('the summary of deleteMany', () => {
  it('counts results and requests, and is complete if it ran to its end', async () => {
    server.answers({status: 423})
    expect((await dav.deleteMany(['docs/']).collect()).summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 0,
      failures: 1,
      requests: 1,
    })
  })

  it('says stopped if the reader of deleteMany stopped', async () => {
    server.answers({status: 204})
    const stream = dav.deleteMany(['a', 'b', 'c', 'd'], {concurrency: 1})
    for await (const result of stream) if (result.ok) break
    expect(await stream.summary).toMatchObject({
      complete: false,
      incomplete: [{reason: 'stopped'}],
    })
  })
})
