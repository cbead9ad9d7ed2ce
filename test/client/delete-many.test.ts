// States the results of many targets: one verdict for each, independent of the others and of the kind of source. Also
// states the progress of a call. RFC 4918, section 9.6.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type Progress, type Target, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listing,
  RESET,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {generate} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

describe('targets', () => {
  it.each<[string, () => Iterable<Target> | AsyncIterable<Target>]>([
    ['an array', () => ['a', 'b', 'c']],
    ['a Set', () => new Set(['a', 'b', 'c'])],
    ['a generator', () => ['a', 'b', 'c'].values()],
    ['an async generator', () => generate(['a', 'b', 'c'])],
    ['URLs', () => ['a', 'b', 'c'].map((name) => new URL(name, server.url))],
    ['results', () => ['a', 'b', 'c'].map((name) => ({url: server.url + name}))],
  ])('may be %s', async (_, targets) => {
    const {successes, summary} = await dav.deleteMany(targets(), {concurrency: 1}).collect()
    expect(successes.map(line)).toEqual(['204 self /a', '204 self /b', '204 self /c'])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 3,
      failures: 0,
      requests: 3,
    })
    expect(server.requests).toMatchObject([
      {method: 'DELETE', url: '/a', headers: {depth: 'infinity'}},
      {method: 'DELETE', url: '/b', headers: {depth: 'infinity'}},
      {method: 'DELETE', url: '/c', headers: {depth: 'infinity'}},
    ])
  })

  it('may be an empty array', async () => {
    expect(await dav.deleteMany([]).collect()).toEqual({
      successes: [],
      failures: [],
      summary: {complete: true, incomplete: [], successes: 0, failures: 0, requests: 0},
    })
  })

  it('may be a listing that is still open', async () => {
    const hrefs = Array.from({length: 300}, (_, number) => `/docs/${number}`)
    server.script(({method}) =>
      method === 'DELETE' ? {status: 204} : answer207(listing(...hrefs)),
    )
    const {successes, failures} = await dav.deleteMany(dav.propfind('docs/')).collect()
    expect(successes.map(({href}) => href).toSorted()).toEqual(hrefs.toSorted())
    expect(failures).toEqual([])
  })

  it('that are missing are Successes with ifMissing: success', async () => {
    server.answers({status: 404}, {status: 204}, {status: 410})
    const options = {concurrency: 1, ifMissing: 'success'} as const
    const {successes, failures} = await dav.deleteMany(['a', 'b', 'c'], options).collect()
    expect(successes.map(({href}) => href)).toEqual(['/a', '/b', '/c'])
    expect(failures).toEqual([])
  })
})

describe('an array of targets', () => {
  it.each<[string, Target]>([
    ['a name with a #', 'c#1'],
    ['the base itself', ''],
    ['another origin', 'https://other.example/c'],
  ])('is checked whole before the first request: %s', (_, bad) => {
    expect(() => dav.deleteMany(['a', 'b', bad])).toThrow(TypeError)
    expect(server.requests).toEqual([])
  })
})

describe('an invalid target of a generator', () => {
  it.each<[string, unknown]>([
    ['a name with a #', 'b#1'],
    ['the base itself', ''],
    ['a path outside the base', '/elsewhere'],
    ['another origin', 'https://other.example/b'],
    ['a malformed failure', {url: 'https://other.example/b', ok: false, reason: 'malformed'}],
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['an empty object', {}],
  ])('becomes a Failure refused; the rest go on: %s', async (_, bad) => {
    dav = new DavClient({url: `${server.url}docs/`, transport})
    const targets = generate<unknown>(['a', bad, 'c']) as AsyncIterable<Target>
    const results = await Array.fromAsync(dav.deleteMany(targets, {concurrency: 1}))
    expect(results).toMatchObject([
      {ok: true, href: '/docs/a', status: 204},
      {ok: false, reason: 'refused', status: 0, relation: 'self', conditions: [], missing: []},
      {ok: true, href: '/docs/c', status: 204},
    ])
    expect(results[1]).not.toHaveProperty('request')
    expect(results[1]).toHaveProperty('description', expect.stringMatching(/./))
    expect(JSON.parse(JSON.stringify(results[1]))).toEqual(results[1])
    expect(server.requests.map(({url}) => url)).toEqual(['/docs/a', '/docs/c'])
  })

  it('is refused despite forged fields', async () => {
    dav = new DavClient({url: `${server.url}docs/`, transport})
    const forged = ['', 'elsewhere/', '../'].map((path) => ({
      url: new URL(path, `${server.url}docs/`).href.replace('docs/elsewhere', 'elsewhere'),
      ifMissing: 'success',
      attempts: 0,
    }))
    const {failures} = await dav.deleteMany(generate(forged)).collect()
    expect(failures.map(({reason}) => reason)).toEqual(['refused', 'refused', 'refused'])
    expect(server.requests).toEqual([])
  })

  it('is not sent by a retry', async () => {
    const {failures} = await dav.deleteMany(generate(['b#1'])).collect()
    const retried = await dav.retry(failures, {minDelay: 1, maxDelay: 1}).collect()
    expect(retried.failures).toEqual(failures)
    expect(server.requests).toEqual([])
  })
})

describe('a failed target among many', () => {
  it.each<[string, Answer | typeof RESET, string]>([
    ['a 401', {status: 401}, '401 status self /b'],
    ['a 423', {status: 423}, '423 status self /b'],
    ['a 500 with HTML', {status: 500, body: '<html></html>'}, '500 status self /b'],
    ['a redirect elsewhere', {status: 302, headers: {location: '/x'}}, '302 status self /b'],
    ['a reset', RESET, '0 no-answer self /b'],
    [
      'a truncated 207',
      answer207(['<D:multistatus xmlns:D="DAV:">', RESET]),
      '0 no-answer self /b',
    ],
  ])('does not end the others: %s', async (_, bad, expected) => {
    server.script(({url}) => (url === '/b' ? bad : {status: 204}))
    const {successes, failures, summary} = await dav
      .deleteMany(['a', 'b', 'c', 'd'], {concurrency: 1})
      .collect()
    expect(successes.map(line)).toEqual(['204 self /a', '204 self /c', '204 self /d'])
    expect(failures.map(line)).toEqual([expected])
    expect(summary).toMatchObject({successes: 3, failures: 1, requests: 4})
    expect(failures[0]?.request).toEqual({
      method: 'DELETE',
      url: `${server.url}b`,
      depth: 'infinity',
      attempts: 1,
    })
  })

  it('has the results of its members directly before its verdict', async () => {
    server.script(({url}) =>
      url === '/b/'
        ? answer207(verdicts({'/b/x': '423 Locked', '/b/y/z': '403 No'}))
        : {status: 204},
    )
    const results = await Array.fromAsync(dav.deleteMany(['a', 'b/', 'c'], {concurrency: 1}))
    expect(results.map(line)).toEqual([
      '204 self /a',
      '423 status member /b/x',
      '403 status descendant /b/y/z',
      '424 member self /b/',
      '204 self /c',
    ])
  })
})

describe('onProgress', () => {
  it('is told the totals at the end, with the number of targets of an array', async () => {
    server.script(({url}) => ({status: url.endsWith('3') ? 423 : 204}))
    const told: Progress[] = []
    const names = Array.from({length: 50}, (_, number) => `${number}`)
    await dav.deleteMany(names, {onProgress: (progress) => told.push(progress)}).collect()
    expect(told.at(-1)).toEqual({
      done: 50,
      failed: 5,
      retried: 0,
      inFlight: 0,
      total: 50,
      bytes: 0,
      rate: expect.any(Number),
    })
    const counts = told.map(({done}) => done)
    expect(counts).toEqual(counts.toSorted((one, other) => one - other))
    expect(told.every((progress) => progress.total === 50)).toBe(true)
  })

  it('has no total for a generator', async () => {
    const told: Progress[] = []
    await dav
      .deleteMany(generate(['a', 'b#', 'c']), {onProgress: (progress) => told.push(progress)})
      .collect()
    expect(told.at(-1)).toMatchObject({done: 3, failed: 1, inFlight: 0})
    expect(told.at(-1)).not.toHaveProperty('total')
  })

  it('counts targets, not their members', async () => {
    server.answers(answer207(verdicts({'/a/x': '423 Locked', '/a/y': '423 Locked'})))
    const told: Progress[] = []
    await dav.deleteMany(['a/'], {onProgress: (progress) => told.push(progress)}).collect()
    expect(told.at(-1)).toMatchObject({done: 1, failed: 1, inFlight: 0, total: 1})
  })

  it('is called about ten times a second at most', async () => {
    let calls = 0
    const names = Array.from({length: 500}, (_, number) => `${number}`)
    const began = performance.now()
    await dav.deleteMany(names, {onProgress: () => calls++}).collect()
    const tenths = Math.ceil((performance.now() - began) / 100)
    expect(calls).toBeLessThanOrEqual(tenths + 2)
  })
})

describe('a body that breaks before it is read', () => {
  it('yields a Failure and no unhandled rejection', async () => {
    server.answers({status: 200, headers: {'content-length': '100'}, body: ['x', 20, RESET]})
    const slow: Transport = async (request) => {
      const answer = await transport(request)
      await delay(100)
      return answer
    }
    const client = new DavClient({url: server.url, transport: slow})
    const {failures} = await client.deleteMany(['a']).collect()
    expect(failures.map(line)).toEqual(['0 no-answer self /a'])
  })
})
