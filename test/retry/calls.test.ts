// States the retries under a policy of the call or of the client: their causes, number and times. Each target still has
// one verdict. RFC 9110, section 10.2.3; RFC 4918, section 11.

import {DavClient, type RetryPolicy, partition} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  RESET,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {drain} from '../support/fixtures.ts'
import {line, resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
const transport = undiciTransport()
const quick: RetryPolicy = {attempts: 4, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
})

afterEach(() => server.close())

const listed207 = answer207(listing('/docs/', '/docs/a'))

function open(retry?: RetryPolicy, timeout?: number): DavClient {
  return new DavClient({url: server.url, transport, retry, timeout})
}

const RETRYABLE = [423, 424, 425, 429, 500, 502, 503, 504, 507]
const FINAL = [300, 301, 400, 401, 403, 404, 405, 409, 410, 412, 413, 501]

describe('without a policy', () => {
  it.each([...RETRYABLE, ...FINAL])('nothing is sent twice: %i', async (status) => {
    server.answers({status, headers: {'retry-after': '0'}})
    await expect(open().propfind('docs/').collect()).rejects.toMatchObject({status})
    expect(partition(resultsOf(await open().delete('docs/'))).failures).toMatchObject([{status}])
    expect((await open().deleteMany(['docs/']).collect()).failures).toMatchObject([{status}])
    expect(server.requests).toHaveLength(3)
  })
})

describe.each<[string, RetryPolicy | undefined, RetryPolicy | undefined]>([
  ['the client', quick, undefined],
  ['the call', undefined, quick],
  ['the call, which wins over the client', {attempts: 1}, quick],
])('a policy on %s', (_, ofClient, ofCall) => {
  const options = ofCall === undefined ? {} : {retry: ofCall}

  it('sends a PROPFIND again: 503 twice, then 207', async () => {
    server.answers({status: 503}, {status: 503}, listed207)
    const {successes, summary} = await open(ofClient).propfind('docs/', options).collect()
    expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/a'])
    expect(summary).toMatchObject({complete: true, requests: 3})
    const [first] = server.requests
    expect(server.requests.map(({body}) => body)).toEqual([first?.body, first?.body, first?.body])
    expect(server.requests.map(({headers}) => headers['depth'])).toEqual(['1', '1', '1'])
  })

  it('sends a DELETE again: 423, then 204', async () => {
    server.answers({status: 423}, {status: 204})
    const verdict = await open(ofClient).delete('a', options)
    expect(line(verdict)).toBe('204 self /a')
    expect(verdict).toMatchObject({ok: true, attempts: 2})
    expect(server.requests).toHaveLength(2)
  })

  it('sends a failed target of many again', async () => {
    let left = 2
    server.script(({url}) => ({status: url === '/b' && left-- > 0 ? 503 : 204}))
    const stream = open(ofClient).deleteMany(['a', 'b', 'c'], {...options, concurrency: 1})
    const {successes, failures} = await stream.collect()
    expect(successes.map(line).toSorted()).toEqual(['204 self /a', '204 self /b', '204 self /c'])
    expect(successes.find(({href}) => href === '/b')).toMatchObject({attempts: 3})
    expect(failures).toEqual([])
    // The next target goes on while one waits.
    const urls = server.requests.map(({url}) => url)
    expect(urls.slice(0, 3)).toEqual(['/a', '/b', '/c'])
    expect(urls.slice(3)).toEqual(['/b', '/b'])
  })

  it('sends no more than its attempts', async () => {
    server.answers({status: 503})
    await expect(open(ofClient).propfind('docs/', options).collect()).rejects.toMatchObject({
      status: 503,
    })
    expect(server.requests).toHaveLength(4)
    const {failures} = partition(resultsOf(await open(ofClient).delete('a', options)))
    expect(failures).toMatchObject([{status: 503, request: {attempts: 4}}])
    expect(server.requests).toHaveLength(8)
  })

  it.each(FINAL)('never repeats the final status %i', async (status) => {
    server.answers({status})
    await expect(open(ofClient).propfind('docs/', options).collect()).rejects.toMatchObject({
      status,
    })
    const {failures} = partition(resultsOf(await open(ofClient).delete('a', options)))
    expect(failures).toMatchObject([{status}])
    expect(server.requests).toHaveLength(2)
  })

  it.each(RETRYABLE)('repeats the retryable status %i', async (status) => {
    server.answers({status}, listed207, {status}, {status: 204})
    await open(ofClient).propfind('docs/', options).collect()
    expect(partition(resultsOf(await open(ofClient).delete('a', options))).successes).toHaveLength(
      1,
    )
    expect(server.requests).toHaveLength(4)
  })
})

describe('a repeated request', () => {
  it('follows a reset', async () => {
    server.answers(RESET, listed207, RESET, {status: 204})
    expect((await open(quick).propfind('docs/').collect()).successes).toHaveLength(2)
    expect(partition(resultsOf(await open(quick).delete('a'))).successes).toMatchObject([
      {status: 204},
    ])
    expect(server.requests).toHaveLength(4)
  })

  it('follows a timeout', async () => {
    server.answers(NEVER, listed207)
    expect((await open(quick, 60).propfind('docs/').collect()).successes).toHaveLength(2)
  })

  it('ends with the error of the last attempt', async () => {
    server.answers(RESET)
    await expect(open(quick).propfind('docs/').collect()).rejects.toMatchObject({
      name: 'DavNetworkError',
    })
    await expect(open(quick).delete('a')).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(server.requests).toHaveLength(8)
  })

  it('does not follow a listing with delivered results', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), 10, RESET]), listed207)
    const {items, error} = await drain(open(quick).propfind('docs/'))
    expect(items).toHaveLength(1)
    expect(error).toBeDefined()
    expect(server.requests).toHaveLength(1)
  })

  it.each([404, 410])(
    'of DELETE is a success if it is answered %i: the target is gone',
    async (status) => {
      server.answers(RESET, {status})
      const {successes, failures} = partition(resultsOf(await open(quick).delete('a')))
      expect(successes).toMatchObject([{ok: true, relation: 'self', href: '/a'}])
      expect(failures).toEqual([])
    },
  )

  it('of DELETE is a success if a 207 names the target as missing', async () => {
    server.answers({status: 503}, answer207(verdicts({'/a': '404 Not Found'})))
    expect(partition(resultsOf(await open(quick).delete('a'))).successes).toMatchObject([
      {ok: true},
    ])
  })

  it('of DELETE leaves one verdict and the members of the last attempt', async () => {
    server.answers(
      answer207(verdicts({'/a/x': '423 Locked', '/a/y': '403 Forbidden'})),
      answer207(verdicts({'/a/x': '423 Locked'})),
      answer207(verdicts({'/a/y': '403 Forbidden'})),
    )
    const results = resultsOf(await open(quick).delete('a/'))
    expect(results.map(line)).toEqual(['403 status member /a/y', '424 member self /a/'])
    expect(server.requests).toHaveLength(3)
  })

  it('of DELETE does not follow a 207 whose members failed for good', async () => {
    server.answers(answer207(verdicts({'/a/x': '403 Forbidden'})))
    const results = resultsOf(await open(quick).delete('a/'))
    expect(results.map(line)).toEqual(['403 status member /a/x', '424 member self /a/'])
    expect(server.requests).toHaveLength(1)
  })
})

describe('Retry-After', () => {
  const after = (value: string): Answer => ({status: 503, headers: {'retry-after': value}})

  it('lengthens a shorter delay of the policy', async () => {
    server.answers(after('1'), {status: 204})
    const began = performance.now()
    await open(quick).delete('a')
    expect(performance.now() - began).toBeGreaterThanOrEqual(990)
  })

  it('shortens a longer delay of the policy', async () => {
    server.answers(after('0'), {status: 204}, after('0'), listed207)
    const slow = {attempts: 2, minDelay: 60_000, maxDelay: 60_000}
    expect(partition(resultsOf(await open(slow).delete('a'))).successes).toHaveLength(1)
    expect((await open(slow).propfind('docs/').collect()).successes).toHaveLength(2)
  })

  it('with a past date leaves the delay of the policy, because clocks differ', async () => {
    const past = {status: 503, headers: {'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT'}}
    server.answers(past, {status: 204}, past, listed207)
    const delays: number[] = []
    const onRetry = ({delay}: {readonly delay: number}): void => void delays.push(delay)
    const policy = {attempts: 2, minDelay: 30, maxDelay: 30, onRetry}
    expect(partition(resultsOf(await open(policy).delete('a'))).successes).toHaveLength(1)
    expect((await open(policy).propfind('docs/').collect()).successes).toHaveLength(2)
    expect(delays).toEqual([30, 30])
  })

  it('above the maximum of the policy is cut to it', async () => {
    server.answers(after('86400'))
    const policy = {...quick, attempts: 2, maxRetryAfter: 5}
    const {failures} = partition(resultsOf(await open(policy).delete('a')))
    expect(failures).toMatchObject([{status: 503, retryAfter: 86_400_000, request: {attempts: 2}}])
    await expect(open(policy).propfind('docs/').collect()).rejects.toMatchObject({
      retryAfter: 86_400_000,
    })
    expect(server.requests).toHaveLength(4)
  })

  it('with nonsense leaves the delay of the policy', async () => {
    server.answers(after('soon'), {status: 204})
    expect(partition(resultsOf(await open(quick).delete('a'))).successes).toHaveLength(1)
  })
})

describe('the wait between two attempts', () => {
  it('ends by an abort, which rejects with the reason', async () => {
    const reason = {why: 'enough'}
    const slow = {attempts: 2, minDelay: 60_000, maxDelay: 60_000}
    const calls = [
      (signal: AbortSignal) => open(slow).propfind('a', {signal}).collect(),
      (signal: AbortSignal) => open(slow).delete('a', {signal}),
    ]
    for (const call of calls) {
      const controller = new AbortController()
      server.script(() => {
        setTimeout(() => controller.abort(reason), 50)
        return {status: 503}
      })
      await expect(call(controller.signal)).rejects.toBe(reason)
    }
    expect(server.requests).toHaveLength(2)
  })

  it('of deleteMany ends by an abort too', async () => {
    const reason = {why: 'enough'}
    const controller = new AbortController()
    server.script(() => {
      setTimeout(() => controller.abort(reason), 50)
      return {status: 503}
    })
    const slow = {attempts: 2, minDelay: 60_000, maxDelay: 60_000}
    const stream = open(slow).deleteMany(['a', 'b'], {signal: controller.signal})
    await expect(stream.collect()).rejects.toBe(reason)
  })
})

describe('retryable', () => {
  it('decides which failures are sent again', async () => {
    server.answers({status: 403}, {status: 204})
    const retryable = ({status}: {status: number}): boolean => status === 403
    const {successes} = partition(resultsOf(await open({...quick, retryable}).delete('a')))
    expect(successes).toMatchObject([{status: 204}])
  })
})
