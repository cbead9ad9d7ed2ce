// States the requests of dav.retry: failed ones only, leaves before their collections, each once, under the same guards
// as a caller's targets. RFC 4918, sections 9.6.1 and 13.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type FailedRequest, type Failure, partition} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  RESET,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {generate} from '../support/fixtures.ts'
import {failedDelete, line, resultsOf} from '../support/results.ts'

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

describe('the requests of dav.retry', () => {
  it('are those of the failures only', async () => {
    server.script(({url}) => ({status: url.endsWith('b') ? 423 : 204}))
    const {failures} = await dav.deleteMany(['a', 'b', 'c']).collect()
    server.answers({status: 204})
    const before = server.requests.length
    const {successes, summary} = await dav.retry(failures, quick).collect()
    expect(sent().slice(before)).toEqual(['DELETE /docs/b'])
    expect(successes.map(line)).toEqual(['204 self /docs/b'])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 0,
      requests: 1,
    })
  })

  it('go from leaves to their collections, the deepest first', async () => {
    server.answers({status: 204})
    const paths = ['docs/a/', 'docs/a/b/c/d', 'docs/a/b/', 'docs/e', 'docs/a/b/c/', 'docs/a/b/c/f']
    await dav
      .retry(
        paths.map((path) => failed(path)),
        {...quick, concurrency: 1},
      )
      .collect()
    expect(sent()).toEqual([
      'DELETE /docs/a/b/c/d',
      'DELETE /docs/a/b/c/f',
      'DELETE /docs/a/b/c/',
      'DELETE /docs/a/b/',
      'DELETE /docs/a/',
      'DELETE /docs/e',
    ])
  })

  it('reach a collection only after all answers from below it', async () => {
    const over: string[] = []
    server.script(async ({url}) => {
      if (url !== '/docs/a/') await delay(30)
      over.push(url)
      return {status: 204}
    })
    const names = ['docs/a/', 'docs/a/1', 'docs/a/2', 'docs/a/3']
    await dav
      .retry(
        names.map((path) => failed(path)),
        quick,
      )
      .collect()
    expect(over.at(-1)).toBe('/docs/a/')
    expect(server.mostAtOnce).toBe(3)
  })

  it('are sent once for two failures of one target', async () => {
    server.answers({status: 204})
    const twice = [failed('docs/a'), failed('docs/a', 424), failed('docs/b')]
    const {summary} = await dav.retry(twice, {...quick, concurrency: 1}).collect()
    expect(sent()).toEqual(['DELETE /docs/b', 'DELETE /docs/a'])
    expect(summary.requests).toBe(2)
  })

  it('reach the members that a 207 named, then the target', async () => {
    server.answers(answer207(verdicts({'/docs/a/x': '423 Locked', '/docs/a/s/y': '423 Locked'})))
    const {failures} = partition(resultsOf(await dav.delete('a/')))
    server.answers({status: 204})
    const {successes} = await dav.retry(failures, {...quick, concurrency: 1}).collect()
    expect(sent().slice(1)).toEqual(['DELETE /docs/a/s/y', 'DELETE /docs/a/x', 'DELETE /docs/a/'])
    expect(successes.map(line)).toEqual([
      '204 self /docs/a/s/y',
      '204 self /docs/a/x',
      '204 self /docs/a/',
    ])
  })

  it('have Depth infinity and the first conditions', async () => {
    server.answers({status: 204})
    const conditions = {'if-match': '"1"'}
    await dav.retry([failed('docs/a', 423, {conditions})], quick).collect()
    expect(server.requests[0]?.headers).toMatchObject({depth: 'infinity', 'if-match': '"1"'})
  })

  it('are the same from JSON and by another client', async () => {
    server.answers(answer207(verdicts({'/docs/a/x': '423 Locked'})), RESET, {status: 503})
    const stream = dav.deleteMany(['a/', 'b', 'c'], {concurrency: 1})
    const {failures} = await stream.collect()
    expect(failures).toHaveLength(4)
    const queued: Failure[] = JSON.parse(JSON.stringify(failures))
    expect(queued).toEqual(failures)
    expect(structuredClone(failures)).toEqual(failures)
    server.answers({status: 204})
    const other = new DavClient({url: `${server.url}docs/`, transport})
    const {successes} = await other.retry(queued, quick).collect()
    expect(successes.map(({href}) => href).toSorted()).toEqual([
      '/docs/a/',
      '/docs/a/x',
      '/docs/b',
      '/docs/c',
    ])
  })

  it('may come from an async iterable of failures', async () => {
    server.answers({status: 204})
    const failures = generate([failed('docs/a'), failed('docs/b')])
    expect((await dav.retry(failures, quick).collect()).successes).toHaveLength(2)
  })
})

describe('the outcome', () => {
  it.each([404, 410])('is a Success for a DELETE that is answered %i', async (status) => {
    server.answers({status})
    const {successes, failures} = await dav.retry([failed('docs/a')], quick).collect()
    expect(successes).toMatchObject([{ok: true, href: '/docs/a', relation: 'self'}])
    expect(failures).toEqual([])
    expect(server.requests).toHaveLength(1)
  })

  it('is a Failure with all attempts counted if it fails again', async () => {
    server.answers({status: 423})
    const {failures, summary} = await dav.retry([failed('docs/a')], quick).collect()
    expect(failures).toMatchObject([{status: 423, reason: 'status', request: {attempts: 4}}])
    expect(summary.requests).toBe(3)
  })

  it('is the given Failure, unsent and first, if the policy does not retry it', async () => {
    server.answers({status: 204})
    const kept = [failed('docs/a', 403), failed('docs/b', 404), failed('docs/c', 412)]
    const given = [failed('docs/x'), ...kept, failed('docs/y', 503)]
    const results = await Array.fromAsync(dav.retry(given, {...quick, concurrency: 1}))
    expect(results.slice(0, 3)).toEqual(kept)
    expect(results.slice(3).map(line)).toEqual(['204 self /docs/x', '204 self /docs/y'])
    expect(sent()).toEqual(['DELETE /docs/x', 'DELETE /docs/y'])
  })

  it('is the given Failure for a resource outside the target: it has no request', async () => {
    server.answers(answer207(verdicts({'/elsewhere/x': '423 Locked'})))
    const {failures} = partition(resultsOf(await dav.delete('a/')))
    expect(failures.map(line)).toEqual([
      '423 status outside /elsewhere/x',
      '424 member self /docs/a/',
    ])
    server.answers({status: 204})
    const retried = await dav.retry(failures, quick).collect()
    expect(retried.failures).toEqual([failures[0]])
    expect(retried.successes.map(line)).toEqual(['204 self /docs/a/'])
  })

  it('of one failure does not end the others', async () => {
    server.script(({url}) => (url === '/docs/b' ? RESET : {status: 204}))
    const given = ['docs/a', 'docs/b', 'docs/c'].map((path) => failed(path))
    const {successes, failures} = await dav.retry(given, {...quick, attempts: 1}).collect()
    expect(successes).toHaveLength(2)
    expect(failures.map(line)).toEqual(['0 no-answer self /docs/b'])
  })

  it('of no failures is empty', async () => {
    const {summary} = await dav.retry([]).collect()
    expect(summary).toMatchObject({complete: true, successes: 0, failures: 0, requests: 0})
  })
})

describe('the policy', () => {
  it('is that of the client by default', async () => {
    server.answers({status: 503})
    const retry = {attempts: 2, minDelay: 1, maxDelay: 1}
    const client = new DavClient({url: `${server.url}docs/`, transport, retry})
    await client.retry([failed('docs/a')]).collect()
    expect(server.requests).toHaveLength(2)
  })

  it('decides which failures are retried', async () => {
    server.answers({status: 204})
    const retryable = ({status}: Failure): boolean => status === 403
    const given = [failed('docs/a', 403), failed('docs/b', 423)]
    const {failures} = await dav.retry(given, {...quick, retryable}).collect()
    expect(sent()).toEqual(['DELETE /docs/a'])
    expect(failures).toEqual([given[1]])
  })
})

describe('a target that failed twice', () => {
  it.each([
    [[403, 503], ['204 self /docs/x']],
    [[503, 403], ['403 status self /docs/x']],
  ])('is judged by its last failure: %j', async (statuses, expected) => {
    server.answers({status: 204})
    const failures = statuses.map((status) => failed('docs/x', status))
    const results = await Array.fromAsync(dav.retry(failures, quick))
    expect(results.map(line)).toEqual(expected)
  })
})

describe('a resource that failed by itself and as a member', () => {
  it.each([[true], [false]])(
    'is sent with its own lock token: own failure first is %s',
    async (isFirst) => {
      const token = {conditions: {if: `<${server.url}docs/c/> (<urn:x>)`}}
      server.answers({status: 204})
      const self = failed('docs/c/x', 503, token)
      const member = {...failed('docs/c/x', 423), relation: 'member'} as const
      const failures = isFirst ? [self, member] : [member, self]
      const {successes} = await dav.retry(failures, quick).collect()
      expect(successes.map(line)).toEqual(['204 self /docs/c/x'])
      expect(server.requests.map(({headers}) => headers['if'])).toEqual([token.conditions.if])
    },
  )

  it('is refused if one failure has another origin', async () => {
    const other = failedDelete('http://other.example/', 'docs/x', 503)
    const call = dav.retry([other, failed('docs/x', 503)], quick)
    await expect(Array.fromAsync(call)).rejects.toThrow(TypeError)
    expect(sent()).toEqual([])
  })

  it('is a TypeError that asks for objects, if a queue holds null', async () => {
    const retry = (given: never): unknown => dav.retry(given, quick).collect()
    await expect(Reflect.apply(retry, undefined, [[null]])).rejects.toThrow(/is an object/)
    expect(sent()).toEqual([])
  })
})
