// States the handling of failures from a queue. The guards apply to their requests as to a caller's targets, and a
// Failure of PROPFIND is sent as PROPFIND again. RFC 4918, sections 9.1 and 9.6.

import {DavClient, type FailedRequest, type Failure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {propstat, verdict} from '../support/fixtures.ts'
import {failedDelete, line} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: `${server.url}docs/`, transport})
})

afterEach(() => server.close())

function sent(): string[] {
  return server.requests.map(({method, url}) => `${method} ${url}`)
}

function failed(path: string, status?: number, request?: Partial<FailedRequest>): Failure {
  return failedDelete(server.url, path, status, request)
}

describe('a failure with a request that the guards refuse', () => {
  it.each<[string, () => Partial<FailedRequest>]>([
    ['another origin', () => ({url: 'https://other.example/docs/a'})],
    ['the base itself', () => ({url: `${server.url}docs/`})],
    ['the collection above the base', () => ({url: server.url})],
    ['a path outside the base', () => ({url: `${server.url}other`})],
    ['a relative URL', () => ({url: 'a'})],
    ['credentials', () => ({url: `${server.url.replace('//', '//ana:hidden-secret@')}docs/b`})],
    ['another method', () => ({method: 'POST'})],
    ['a header that is no condition', () => ({conditions: {authorization: 'x'}})],
    ['a line break in a condition', () => ({conditions: {'if-match': '"1"\r\nX: y'}})],
    ['a Depth header in its conditions', () => ({conditions: {depth: '0'}})],
    ['a root that does not contain it', () => ({method: 'PROPFIND', root: `${server.url}docs/z/`})],
    ['a root on another origin', () => ({method: 'PROPFIND', root: 'https://other.example/docs/'})],
    // A queue may hold anything.
    ['a body that is not text', () => ({method: 'PROPFIND', body: 7 as unknown as string})],
  ])('is a TypeError before anything is sent: %s', async (_, change) => {
    server.answers({status: 204})
    const bad = failed('docs/b', 423, change())
    const stream = dav.retry([failed('docs/a'), bad], quick)
    await expect(stream.collect()).rejects.toBeInstanceOf(TypeError)
    await expect(stream.summary).rejects.not.toThrow(/hidden-secret/)
    expect(server.requests).toEqual([])
  })

  it('is allowed outside the base with unguarded: true', async () => {
    server.answers({status: 204})
    const stream = dav.retry([failed('other')], {...quick, unguarded: true})
    expect((await stream.collect()).successes).toHaveLength(1)
  })
})

describe('a Failure of PROPFIND', () => {
  it('is sent as PROPFIND again, with the same body', async () => {
    const busy = verdict('/docs/b', 'HTTP/1.1 503 Service Unavailable')
    server.answers(answer207(`${OPEN}${busy}${SHUT}`), answer207(listing('/docs/b')))
    const properties = ['getetag', '{urn:x}p']
    const {failures} = await dav.propfind('', {depth: 1, properties}).collect()
    const {successes} = await dav.retry(failures, quick).collect()
    expect(successes.map(line)).toEqual(['200 self /docs/b'])
    expect(sent()).toEqual(['PROPFIND /docs/', 'PROPFIND /docs/b'])
    const [first, second] = server.requests
    expect(second?.body).toBe(first?.body)
    expect(second?.headers['depth']).toBe('0')
  })

  it('is sent with Depth infinity if it was asked for so', async () => {
    const busy = verdict('/docs/b/', 'HTTP/1.1 503 Service Unavailable')
    server.answers(answer207(`${OPEN}${busy}${SHUT}`), answer207(listing('/docs/b/', '/docs/b/c')))
    const {failures} = await dav.propfind('', {depth: 'infinity'}).collect()
    const {successes} = await dav.retry(failures, quick).collect()
    expect(successes.map(line)).toEqual(['200 member /docs/b/', '200 descendant /docs/b/c'])
    expect(server.requests[1]?.headers['depth']).toBe('infinity')
  })

  it('is sent once with Depth infinity if it failed with both depths', async () => {
    server.answers(answer207(listing('/docs/b/', '/docs/b/c')))
    const request = {method: 'PROPFIND', body: '<x/>'}
    const alone = failed('docs/b/', 503, {...request, depth: 0})
    const deep = failed('docs/b/', 503, {...request, depth: 'infinity'})
    const {successes} = await dav.retry([alone, deep], quick).collect()
    expect(successes.map(line)).toEqual(['200 self /docs/b/', '200 member /docs/b/c'])
    expect(server.requests.map(({headers}) => headers['depth'])).toEqual(['infinity'])
  })

  it('without properties is not sent again: 404 is final', async () => {
    const without = `<D:response><D:href>/docs/b</D:href>${propstat('HTTP/1.1 404', '<D:getetag/>')}</D:response>`
    server.answers(answer207(`${OPEN}${without}${SHUT}`))
    const {failures} = await dav.propfind('').collect()
    expect((await dav.retry(failures, quick).collect()).failures).toEqual(failures)
    expect(server.requests).toHaveLength(1)
  })

  it('that is refused again leaves the summary incomplete', async () => {
    server.answers({status: 503})
    const again = failed('docs/b/', 503, {method: 'PROPFIND', depth: 1, body: '<x/>'})
    const {failures, summary} = await dav.retry([again], {...quick, attempts: 1}).collect()
    expect(failures).toMatchObject([{status: 503, reason: 'status', request: {attempts: 2}}])
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/b/`, reason: 'refused', status: 503}],
    })
  })
})
