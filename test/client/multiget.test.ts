// States multiget: one report for a batch of targets, and one result for each target, whatever the server names. RFC 4791, section
// 7.9; RFC 6352, section 8.7.

import {DavClient, type DavResult, type Failure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  NEVER,
  OPEN,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {generate, multistatus, response, verdict} from '../support/fixtures.ts'
import {line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 4000})

const transport = undiciTransport()
const report = '{urn:ietf:params:xml:ns:caldav}calendar-multiget'
const options = {report, properties: ['getetag']} as const
let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** The hrefs of each request, in the order of the requests. */
const asked = (): string[][] =>
  server.requests.map(({body}) =>
    Array.from(body.matchAll(/<href xmlns="DAV:">([^<]*)<\/href>/g), ([, href = '']) => href),
  )

const found = (href: string): string => response(href, `<D:getetag>"${href}"</D:getetag>`)
const missing = (href: string): string => verdict(href, 'HTTP/1.1 404 Not Found')

/** Answers every report with each href that was asked for, except the absent ones. */
function serve(...absent: readonly string[]): void {
  server.script(({body}) => {
    const hrefs = Array.from(
      body.matchAll(/<href xmlns="DAV:">([^<]*)<\/href>/g),
      ([, href = '']) => href,
    )
    return answer207(multistatus(...hrefs.filter((href) => !absent.includes(href)).map(found)))
  })
}

const numbered = (count: number): string[] =>
  Array.from({length: count}, (_, index) => `cal/${index}.ics`)
const sorted = (results: readonly DavResult[]): string[] => results.map(line).toSorted()

describe('the request of a multiget', () => {
  it('has the properties and then the hrefs as paths, and Depth 0', async () => {
    serve()
    await dav
      .multiget('cal/', ['cal/a.ics', 'cal/b c.ics', new URL('/other/%C3%A9.ics', server.url)], {
        report,
        properties: ['getetag', '{urn:x}data'],
      })
      .collect()
    const [request] = server.requests
    expect([request?.method, request?.url, request?.headers['depth']]).toEqual([
      'REPORT',
      '/cal/',
      '0',
    ])
    expect(request?.body).toBe(
      '<?xml version="1.0" encoding="utf-8"?>\n<n1:calendar-multiget xmlns:D="DAV:" xmlns:n1="urn:ietf:params:xml:ns:caldav" xmlns:n2="urn:x"><D:prop><D:getetag/><n2:data/></D:prop><href xmlns="DAV:">/cal/a.ics</href><href xmlns="DAV:">/cal/b%20c.ics</href><href xmlns="DAV:">/other/%C3%A9.ics</href></n1:calendar-multiget>',
    )
  })

  it("escapes an href's ampersand", async () => {
    serve()
    const {successes} = await dav.multiget('cal/', ['cal/a&b.ics'], options).collect()
    expect(asked()).toEqual([['/cal/a&amp;b.ics']])
    expect(successes.map(line)).toEqual(['200 member /cal/a&amp;b.ics'.replace('&amp;', '&')])
  })

  it('has 50 targets at most', async () => {
    serve()
    const {summary} = await dav
      .multiget('cal/', numbered(101), {...options, concurrency: 1})
      .collect()
    expect(asked().map((hrefs) => hrefs.length)).toEqual([50, 50, 1])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 101,
      failures: 0,
      requests: 3,
    })
  })

  it('has as many targets as the caller says', async () => {
    serve()
    await dav.multiget('cal/', numbered(5), {...options, batchSize: 2, concurrency: 1}).collect()
    expect(asked()).toEqual([
      ['/cal/0.ics', '/cal/1.ics'],
      ['/cal/2.ics', '/cal/3.ics'],
      ['/cal/4.ics'],
    ])
  })

  it('is one of as many at once as the caller says', async () => {
    server.script(async ({body}) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const href = /<href xmlns="DAV:">([^<]*)/.exec(body)?.[1] ?? ''
      return answer207(multistatus(found(href)))
    })
    const {successes} = await dav
      .multiget('cal/', numbered(9), {...options, batchSize: 1, concurrency: 3})
      .collect()
    expect(successes).toHaveLength(9)
    expect(server.mostAtOnce).toBe(3)
  })

  it('asks for a repeated target once, however it is written, in another batch too', async () => {
    serve()
    const targets = ['cal/a.ics', '/cal/%61.ics', 'cal/b.ics', 'cal/a.ics']
    const {successes} = await dav
      .multiget('cal/', targets, {...options, batchSize: 1, concurrency: 1})
      .collect()
    expect(asked()).toEqual([['/cal/a.ics'], ['/cal/b.ics']])
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics', '200 member /cal/b.ics'])
  })

  it('is not sent for no target at all', async () => {
    const {summary} = await dav.multiget('cal/', [], options).collect()
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 0,
      failures: 0,
      requests: 0,
    })
  })

  it.each<[[string, unknown, object], RegExp]>([
    [['cal/', ['a'], {properties: ['getetag']}], /multiget: report is missing/],
    [['cal/', ['a'], {...options, batchSize: 0}], /batchSize is a whole number above zero, not 0/],
    [
      ['cal/', ['a'], {...options, batchSize: 1.5}],
      /batchSize is a whole number above zero, not 1.5/,
    ],
    [['cal/', ['a'], {...options, properties: []}], /name at least one property/],
    [['cal/', ['a'], {...options, report: 'a b'}], /is not a name/],
    [['cal/', ['a'], {...options, depth: 1}], /no option "depth"/],
    [['cal/', 'a', options], /multiget takes an iterable of targets$/],
    [['cal/', ['a', 'https://other.example/b'], options], /other\.example/],
    [['cal/', ['a#b'], options], /encodePath/],
  ])('is refused before it is sent: %o', ([target, targets, given], message) => {
    expect(() => dav.multiget(target, targets as never, given as never)).toThrow(message)
    expect(server.requests).toEqual([])
  })
})

describe('the targets of a multiget', () => {
  const two = ['cal/a.ics', 'cal/b.ics']
  const results = ['200 member /cal/a.ics', '200 member /cal/b.ics']

  it.each([
    ['a Set', () => new Set(two)],
    ['a generator', () => generate(two)],
    [
      'a web stream',
      () =>
        new ReadableStream<string>({
          start(controller) {
            for (const one of two) controller.enqueue(one)
            controller.close()
          },
        }),
    ],
  ])('come from %s', async (_, targets) => {
    serve()
    const {successes} = await dav.multiget('cal/', targets(), options).collect()
    expect(successes.map(line)).toEqual(results)
  })

  it('come from a listing, whose gaps are gaps of the multiget', async () => {
    server.script(({method}) =>
      method === 'PROPFIND'
        ? answer207(multistatus(found('/cal/a.ics'), verdict('/cal/', 'HTTP/1.1 507 Full')))
        : answer207(multistatus(found('/cal/a.ics'), missing('/cal/'))),
    )
    const {successes, summary} = await dav.multiget('cal/', dav.propfind('cal/'), options).collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(summary.incomplete).toEqual([
      {href: `${server.url}cal/`, reason: 'storage', status: 507},
    ])
  })

  it('in a stream may be invalid: a Failure, and the rest go on', async () => {
    serve()
    const targets = generate(['cal/a.ics', 'https://other.example/x', 'a#b', 'cal/b.ics'])
    const {successes, failures} = await dav.multiget('cal/', targets, options).collect()
    expect(successes.map(line)).toEqual(results)
    expect(failures.map(({reason, status}) => [reason, status])).toEqual([
      ['refused', 0],
      ['refused', 0],
    ])
    expect(failures[0]?.url).toBe('https://other.example/x')
  })

  it('are taken no faster than results are read', async () => {
    serve()
    let taken = 0
    const targets = (function* () {
      for (; taken < 1000; taken++) yield `cal/${taken}.ics`
    })()
    for await (const _ of dav.multiget('cal/', targets, {
      ...options,
      batchSize: 10,
      concurrency: 1,
    }))
      break
    expect(taken).toBeLessThan(50)
  })

  it('end the call with their error, after the reports under way', async () => {
    serve()
    const targets = (async function* () {
      yield 'cal/a.ics'
      throw new Error('broken source')
    })()
    const {error} = await readToEnd(dav.multiget('cal/', targets, {...options, batchSize: 1}))
    expect(error).toEqual(new Error('broken source'))
  })
})

describe('a result for each target', () => {
  it('is a Failure 404 where the server says so, and the rest go on', async () => {
    // RFC 6352, section 8.7.2.
    server.answers(
      answer207(multistatus(found('/cal/a.ics'), missing('/cal/b.ics'), found('/cal/c.ics'))),
    )
    const {successes, failures, summary} = await dav
      .multiget('cal/', ['cal/a.ics', 'cal/b.ics', 'cal/c.ics'], options)
      .collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics', '200 member /cal/c.ics'])
    expect(failures.map(line)).toEqual(['404 status member /cal/b.ics'])
    expect(summary.complete).toBe(true)
  })

  it('is a Failure 404 where the server leaves it out, as DAViCal does', async () => {
    serve('/cal/b.ics')
    const {failures} = await dav.multiget('cal/', ['cal/a.ics', 'cal/b.ics'], options).collect()
    const body = server.requests[0]?.body.replaceAll(/<href .*<\/href>/g, '')
    expect(failures).toEqual([
      {
        ok: false,
        href: '/cal/b.ics',
        url: `${server.url}cal/b.ics`,
        relation: 'member',
        status: 404,
        reason: 'status',
        conditions: [],
        missing: [],
        description: 'The answer does not name it',
        request: {
          method: 'REPORT',
          url: `${server.url}cal/`,
          depth: 0,
          body,
          hrefs: ['/cal/b.ics'],
          attempts: 1,
        },
      },
    ])
  })

  it.each([
    ['whole URLs of an inner host', (path: string) => `http://inner.example:8080${path}`],
    ['other escapes', (path: string) => path.replace('a', '%61')],
    ['relative references', (path: string) => path.slice('/cal/'.length)],
  ])('is found by its decoded segments: %s', async (_, write) => {
    server.answers(answer207(multistatus(found(write('/cal/a.ics')))))
    const {successes, failures} = await dav.multiget('cal/', ['cal/a.ics'], options).collect()
    expect(
      successes.map(({url, relation}) => [new URL(url).pathname.replace('%61', 'a'), relation]),
    ).toEqual([['/cal/a.ics', 'member']])
    expect(failures).toEqual([])
  })

  it('is no 404 where the answer names something else: that may be the target by another name', async () => {
    // A server behind a proxy that adds a prefix.
    server.answers(answer207(multistatus(found('/inner/cal/a.ics'))))
    const {successes, failures} = await dav.multiget('cal/', ['cal/a.ics'], options).collect()
    expect(successes.map(line)).toEqual(['200 outside /inner/cal/a.ics'])
    expect(failures).toMatchObject([
      {
        url: `${server.url}cal/a.ics`,
        status: 0,
        reason: 'no-answer',
        cause: 'unreadable',
        request: {hrefs: ['/cal/a.ics']},
      },
    ])
  })

  it('is no 404 where a response cannot be understood', async () => {
    const bare = '<D:response><D:status>HTTP/1.1 200 OK</D:status></D:response>'
    server.answers(answer207(multistatus(found('/cal/a.ics'), bare)))
    const {successes, failures} = await dav
      .multiget('cal/', ['cal/a.ics', 'cal/b.ics'], options)
      .collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(failures.map(({reason, status}) => [reason, status])).toEqual([
      ['malformed', 0],
      ['no-answer', 0],
    ])
  })

  it('is a Failure 507 where the answer is cut short', async () => {
    server.answers(
      answer207(
        multistatus(found('/cal/a.ics'), verdict('/cal/', 'HTTP/1.1 507 Insufficient Storage')),
      ),
    )
    const {successes, failures} = await dav
      .multiget('cal/', ['cal/a.ics', 'cal/b.ics'], options)
      .collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(failures.map(line)).toEqual(['507 status member /cal/b.ics'])
  })

  it('is a Failure 403 where the report is refused in a 207, as xandikos 0.2 does', async () => {
    const more = '<D:error><D:supported-report/></D:error>'
    server.answers(answer207(multistatus(verdict('/cal/', 'HTTP/1.1 403 Forbidden', more))))
    const {failures} = await dav.multiget('cal/', ['cal/a.ics', 'cal/b.ics'], options).collect()
    expect(failures.map((one) => [line(one), one.conditions])).toEqual([
      ['403 status member /cal/a.ics', ['supported-report']],
      ['403 status member /cal/b.ics', ['supported-report']],
    ])
  })

  it('has bare hrefs as Failures, with which Radicale 3.1 answers an unknown report', async () => {
    const bare = (href: string): string => `<D:response><D:href>${href}</D:href></D:response>`
    server.answers(answer207(multistatus(bare('/cal/a.ics'), bare('/cal/b.ics'))))
    const {successes, failures} = await dav.multiget('cal/', ['cal/a.ics'], options).collect()
    expect(successes).toEqual([])
    expect(failures.map(line)).toEqual([
      '0 malformed member /cal/a.ics',
      '0 malformed member /cal/b.ics',
    ])
  })

  it.each<[string, Answer | typeof RESET, object]>([
    [
      'refused',
      {status: 403, body: '<D:error xmlns:D="DAV:"><D:supported-report/></D:error>'},
      {status: 403, reason: 'status', conditions: ['supported-report']},
    ],
    ['broken', RESET, {status: 0, reason: 'no-answer', cause: 'network'}],
    [
      'answered by a page',
      {status: 200, headers: {'content-type': 'text/html'}, body: '<html>'},
      {status: 0, reason: 'no-answer', cause: 'unreadable'},
    ],
    [
      'answered by a calendar',
      {status: 200, headers: {'content-type': 'text/calendar'}, body: 'BEGIN:VCALENDAR'},
      {status: 0, reason: 'no-answer', cause: 'unreadable'},
    ],
    [
      'answered by another resource',
      {status: 307, headers: {location: '/other/'}},
      {status: 0, reason: 'no-answer', cause: 'unreadable'},
    ],
  ])(
    'is a Failure for each target of a report that is %s, and other reports go on',
    async (_, answer, facts) => {
      server.script(({url, body}, number) => {
        if (url === '/other/') return answer207(multistatus(found('/other/a.ics')))
        const href = /<href xmlns="DAV:">([^<]*)/.exec(body)?.[1] ?? ''
        return number === 1 ? answer : answer207(multistatus(found(href)))
      })
      const targets = ['cal/a.ics', 'cal/b.ics', 'cal/c.ics']
      const {successes, failures, summary} = await dav
        .multiget('cal/', targets, {...options, batchSize: 2, concurrency: 1})
        .collect()
      expect(successes.map(line)).toEqual(['200 member /cal/c.ics'])
      expect(failures).toMatchObject([
        {
          url: `${server.url}cal/a.ics`,
          relation: 'member',
          ...facts,
          request: {hrefs: ['/cal/a.ics'], attempts: 1},
        },
        {
          url: `${server.url}cal/b.ics`,
          relation: 'member',
          ...facts,
          request: {hrefs: ['/cal/b.ics'], attempts: 1},
        },
      ])
      expect(summary.complete).toBe(true)
    },
  )

  it('is no 404 after an empty answer of another resource', async () => {
    server.script(({url}) =>
      url === '/cal/' ? {status: 307, headers: {location: '/other/'}} : answer207(multistatus()),
    )
    const {failures} = await dav.multiget('cal/', ['cal/a.ics'], options).collect()
    expect(failures.map(line)).toEqual(['0 no-answer member /cal/a.ics'])
    expect(failures[0]?.description).toContain('was redirected to')
  })

  it('comes once where a body breaks off behind it', async () => {
    server.answers(answer207([OPEN, found('/cal/a.ics'), 20, RESET]))
    const {successes, failures} = await dav
      .multiget('cal/', ['cal/a.ics', 'cal/b.ics'], options)
      .collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(failures.map(line)).toEqual(['0 no-answer member /cal/b.ics'])
  })

  it('comes from further pages too', async () => {
    const link = {link: '</cal/?page=2>; rel="next"'}
    server.answers(
      answer207(multistatus(found('/cal/a.ics')), link),
      answer207(multistatus(found('/cal/b.ics'))),
    )
    const {successes, failures} = await dav
      .multiget('cal/', ['cal/a.ics', 'cal/b.ics'], options)
      .collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics', '200 member /cal/b.ics'])
    expect(failures).toEqual([])
  })

  it('keeps the relation of a target outside the collection', async () => {
    server.answers(answer207(multistatus(missing('/other/x.ics'))))
    const {failures} = await dav.multiget('cal/', ['/other/x.ics'], options).collect()
    expect(failures.map(line)).toEqual(['404 status outside /other/x.ics'])
  })
})

describe('an end of a multiget', () => {
  it('by a signal rejects with its reason', async () => {
    server.answers(NEVER)
    const controller = new AbortController()
    const reading = readToEnd(
      dav.multiget('cal/', ['cal/a.ics'], {...options, signal: controller.signal}),
    )
    await vi.waitFor(() => expect(server.requests).toHaveLength(1))
    controller.abort(new Error('enough'))
    expect(await reading).toEqual({results: [], error: new Error('enough')})
  })
})

describe('retry of a multiget', () => {
  async function refused(count: number): Promise<readonly Failure[]> {
    server.answers({status: 503})
    const {failures} = await dav
      .multiget('cal/', numbered(count), {...options, concurrency: 1})
      .collect()
    server.forget()
    return JSON.parse(JSON.stringify(failures)) as Failure[]
  }

  it('is by the policy of the call', async () => {
    server.answers({status: 503}, answer207(multistatus(found('/cal/a.ics'))))
    const retry = {attempts: 2, minDelay: 1}
    const {successes, summary} = await dav
      .multiget('cal/', ['cal/a.ics'], {...options, retry})
      .collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(summary.requests).toBe(2)
  })

  it('sends batches again, whatever their order was, and finds what is left out', async () => {
    const failures = await refused(60)
    serve('/cal/7.ics')
    const {
      successes,
      failures: gone,
      summary,
    } = await dav.retry(failures, {attempts: 2, minDelay: 1}).collect()
    expect(new Set(asked().map((hrefs) => hrefs.length))).toEqual(new Set([10, 50]))
    expect(sorted(successes)).toEqual(
      sorted(failures.filter(({href}) => href !== '/cal/7.ics')).map((one) =>
        one.replace('503 status', '200'),
      ),
    )
    expect(gone.map(line)).toEqual(['404 status member /cal/7.ics'])
    expect(gone[0]?.request).toMatchObject({hrefs: ['/cal/7.ics'], attempts: 2})
    expect(summary).toMatchObject({complete: true, requests: 2})
  })

  it('asks for the given failures only', async () => {
    const failures = await refused(3)
    serve()
    const {successes} = await dav.retry(failures.slice(1, 2)).collect()
    expect(asked()).toEqual([['/cal/1.ics']])
    expect(successes.map(line)).toEqual(['200 member /cal/1.ics'])
  })

  it('gives the failures back unchanged if it is ended', async () => {
    const failures = await refused(2)
    const signal = AbortSignal.abort(new Error('enough'))
    const {results, error} = await readToEnd(dav.retry(failures, {signal}))
    expect(error).toEqual(new Error('enough'))
    expect(results).toEqual(failures)
    expect(server.requests).toEqual([])
  })

  it('does not repeat a lasting Failure, which is no gap', async () => {
    serve('/cal/b.ics')
    const {failures} = await dav.multiget('cal/', ['cal/b.ics'], options).collect()
    server.forget()
    const again = await dav.retry(failures).collect()
    expect(again.failures).toEqual(failures)
    expect(again.summary).toMatchObject({complete: true, requests: 0})
  })

  it.each<[string, object]>([
    ['another origin', {url: 'https://other.example/cal/'}],
    ['an href on another origin', {hrefs: ['https://other.example/cal/a.ics']}],
    ['hrefs that are no list', {hrefs: '/cal/a.ics'}],
    ['no body', {body: undefined}],
  ])('refuses a request with %s', async (_, change) => {
    const [failure] = await refused(1)
    const request = {...failure?.request, ...change}
    const {error} = await readToEnd(dav.retry([{...failure, request} as never]))
    expect(error).toBeInstanceOf(TypeError)
    expect(server.requests).toEqual([])
  })
})
