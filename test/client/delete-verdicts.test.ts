// States the verdict on the target of a DELETE for every kind of answer. Exactly one result is `self`, and it comes
// last. RFC 4918, sections 9.6, 9.6.1 and 13.

import {DavClient, type DavResult, type DeleteOptions} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {resultsOf} from '../support/results.ts'

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Deletes folder/ and returns the results, of which exactly the last one is `self`. */
async function deleted(answer: Answer, options?: DeleteOptions): Promise<readonly DavResult[]> {
  server.answers(answer)
  const results = resultsOf(await dav.delete('folder/', options))
  expect(results.filter(({relation}) => relation === 'self')).toHaveLength(1)
  expect(results.at(-1)?.relation).toBe('self')
  return results
}

/** Formats a result as "status reason? href". */
function line(result: DavResult): string {
  return [result.status, ...(result.ok ? [] : [result.reason]), result.href].join(' ')
}

describe('the request', () => {
  it('is a DELETE with Depth infinity and no body', async () => {
    await deleted({status: 204})
    const [request] = server.requests
    expect(request).toMatchObject({method: 'DELETE', url: '/folder/', body: ''})
    expect(request?.headers).toMatchObject({depth: 'infinity'})
  })
})

describe('an answer without a Multi-Status document', () => {
  it('202 is a Success with a description: it may not be done yet', async () => {
    expect(await deleted({status: 202})).toMatchObject([
      {ok: true, status: 202, relation: 'self', description: expect.stringMatching(/^Accepted/)},
    ])
  })

  it.each([200, 201, 204])('%i is a Success', async (status) => {
    expect(await deleted({status})).toEqual([
      {
        ok: true,
        href: '/folder/',
        url: `${server.url}folder/`,
        relation: 'self',
        status,
        properties: {},
        missing: [],
      },
    ])
  })

  it('200 with an HTML page is a Success', async () => {
    const results = await deleted({status: 200, body: '<html><body>Deleted</body></html>'})
    expect(results.map(line)).toEqual(['200 /folder/'])
  })

  it.each([301, 400, 403, 404, 405, 409, 410, 412, 423, 424, 429, 500, 501, 502, 503, 507])(
    '%i is a Failure, not thrown',
    async (status) => {
      expect(await deleted({status})).toEqual([
        {
          ok: false,
          href: '/folder/',
          url: `${server.url}folder/`,
          relation: 'self',
          status,
          reason: 'status',
          conditions: [],
          missing: [],
          request: {
            method: 'DELETE',
            url: `${server.url}folder/`,
            depth: 'infinity',
            attempts: 1,
          },
        },
      ])
    },
  )

  it('423 has the conditions of its DAV:error', async () => {
    const body =
      '<D:error xmlns:D="DAV:"><D:lock-token-submitted><D:href>/folder/</D:href></D:lock-token-submitted></D:error>'
    expect(await deleted({status: 423, body})).toMatchObject([
      {ok: false, status: 423, conditions: ['lock-token-submitted']},
    ])
  })

  it.each([
    ['an href', '<D:href>/folder/</D:href>', ['/folder/']],
    ['two', '<D:href> /a </D:href><D:href>/b%20c/</D:href>', ['/a', '/b%20c/']],
    ['one of another host', '<D:href>http://inner.example:81/a/b</D:href>', ['/a/b']],
    ['a relative one', '<D:href>x.txt</D:href>', ['/folder/x.txt']],
    ['none', '', undefined],
    ['an empty one', '<D:href> </D:href>', undefined],
    ['an element of another namespace', '<href xmlns="urn:x">/a</href>', undefined],
  ])('423 with %s in its condition', async (_, hrefs, paths) => {
    const body = `<D:error xmlns:D="DAV:"><D:lock-token-submitted>${hrefs}</D:lock-token-submitted></D:error>`
    const [failure] = await deleted({status: 423, body})
    const urls = paths?.map((path) => new URL(path, server.url).href)
    expect(failure).toMatchObject({status: 423, conditions: ['lock-token-submitted']})
    expect(Reflect.get(failure ?? {}, 'conditionUrls')).toEqual(urls)
  })

  it('500 with HTML has no conditions and no properties', async () => {
    const body = '<html><body><h1>Internal Server Error</h1></body></html>'
    expect(await deleted({status: 500, body})).toMatchObject([
      {ok: false, status: 500, reason: 'status', conditions: [], missing: []},
    ])
  })

  it('301 to another resource has its location', async () => {
    const [result] = await deleted({status: 301, headers: {location: '/other/'}})
    expect(result).toMatchObject({ok: false, status: 301, reason: 'status', location: '/other/'})
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    [429, 'seconds', '2', 2000],
    [503, 'seconds', '120', 120_000],
    [503, 'zero seconds', '0', 0],
    [429, 'a past date', 'Sun, 06 Nov 1994 08:49:37 GMT', 0],
    [503, 'nonsense', 'in a while', undefined],
    [429, 'an empty value', '', undefined],
  ])('%i has Retry-After in milliseconds: %s', async (status, _, value, retryAfter) => {
    const [result] = await deleted({status, headers: {'retry-after': value}})
    expect(result).toMatchObject({ok: false, status, reason: 'status'})
    expect(result && 'retryAfter' in result ? result.retryAfter : undefined).toBe(retryAfter)
  })

  it('503 with a date as Retry-After has the milliseconds until then', async () => {
    const then = new Date(Date.now() + 60_000).toUTCString()
    const [result] = await deleted({status: 503, headers: {'retry-after': then}})
    const wait = result?.ok === false ? result.retryAfter : undefined
    expect(wait).toBeGreaterThan(50_000)
    expect(wait).toBeLessThanOrEqual(60_000)
  })
})

describe("ifMissing: 'success'", () => {
  it.each([404, 410])('makes a missing target a Success: %i', async (status) => {
    expect(await deleted({status}, {ifMissing: 'success'})).toMatchObject([{ok: true}])
  })

  it.each([404, 410])(
    'makes a target that a 207 names as missing a Success: %i',
    async (status) => {
      const answer = answer207(verdicts({'/folder/': `${status} Gone`}))
      expect(await deleted(answer, {ifMissing: 'success'})).toMatchObject([{ok: true}])
    },
  )

  it.each([403, 423, 500])('leaves %i a Failure', async (status) => {
    expect(await deleted({status}, {ifMissing: 'success'})).toMatchObject([{ok: false, status}])
  })

  it('takes failure or success only', async () => {
    // @ts-expect-error -- possible for callers without types
    await expect(dav.delete('a', {ifMissing: 'ignore'})).rejects.toThrow(TypeError)
  })
})
