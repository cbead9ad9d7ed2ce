// States how a signal ends dav.retry. Sent requests have one second, and unsent failures come back unchanged, once. Then
// the stream rejects with the signal's reason.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type Failure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  NEVER,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {failedDelete, line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
let controller: AbortController
const transport = undiciTransport()
const reason = {why: 'enough'}
const quick = {attempts: 3, minDelay: 1, maxDelay: 1}
const slow = {attempts: 3, minDelay: 60_000, maxDelay: 60_000}

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: server.url, transport})
  controller = new AbortController()
})

afterEach(() => server.close())

function failed(path: string, status = 423): Failure {
  return failedDelete(server.url, path, status)
}

/** Creates the failure of a listing. */
function failedListing(path: string): Failure {
  const failure = failedDelete(server.url, path, 503)
  const request = {method: 'PROPFIND', url: failure.url, depth: 1, attempts: 1} as const
  return {...failure, request}
}

describe('an abort of dav.retry', () => {
  it('before the start returns each failure unchanged, once, and sends nothing', async () => {
    controller.abort(reason)
    const failures = [failed('a/x'), failed('a/', 424), failed('b', 403), failed('c')]
    const stream = dav.retry(failures, {...quick, signal: controller.signal})
    const {results, error} = await readToEnd(stream)
    expect(error).toBe(reason)
    expect(results).toHaveLength(4)
    expect(results).toEqual(expect.arrayContaining(failures))
    expect(server.requests).toEqual([])
  })

  it('in the middle returns the unsent failures and the verdicts of the others', async () => {
    server.script(async ({url}) => {
      if (url === '/b') controller.abort(reason)
      await delay(30)
      return {status: 204}
    })
    const failures = [failed('a/x/y'), failed('b'), failed('c'), failed('d')]
    const options = {...quick, concurrency: 1, signal: controller.signal}
    const {results, error} = await readToEnd(dav.retry(failures, options))
    expect(error).toBe(reason)
    expect(results.map(line).toSorted()).toEqual([
      '204 self /a/x/y',
      '204 self /b',
      '423 status self /c',
      '423 status self /d',
    ])
    expect(results).toEqual(expect.arrayContaining(failures.slice(2)))
    expect(server.requests.map(({url}) => url)).toEqual(['/a/x/y', '/b'])
  })

  it('returns listings too', async () => {
    controller.abort(reason)
    const failures = [failedListing('a/'), failedListing('b/'), failed('c')]
    const stream = dav.retry(failures, {...quick, signal: controller.signal})
    const {results, error} = await readToEnd(stream)
    expect(error).toBe(reason)
    expect(results).toHaveLength(3)
    expect(results).toEqual(expect.arrayContaining(failures))
  })

  it('during a listing returns the unsent failures', async () => {
    server.script(() => {
      setTimeout(() => controller.abort(reason), 30)
      return NEVER
    })
    const failures = [failedListing('a/'), failed('b'), failed('c')]
    const options = {...quick, concurrency: 1, signal: controller.signal}
    const {results, error} = await readToEnd(dav.retry(failures, options))
    expect(error).toBe(reason)
    expect(results.map(({href}) => href).toSorted()).toEqual(['/a/', '/b', '/c'])
    expect(results).toEqual(expect.arrayContaining(failures.slice(1)))
  })

  it('during a request yields a no-answer with its attempts', async () => {
    server.script(() => {
      setTimeout(() => controller.abort(reason), 30)
      return NEVER
    })
    const options = {...quick, concurrency: 1, signal: controller.signal}
    const {results, error} = await readToEnd(dav.retry([failed('a'), failed('b')], options))
    expect(error).toBe(reason)
    expect(results.map((result) => [line(result), result.request?.attempts])).toEqual([
      ['0 no-answer self /a', 2],
      ['423 status self /b', 1],
    ])
  })

  it('during the wait for another attempt leaves the last answer', async () => {
    server.script(() => {
      setTimeout(() => controller.abort(reason), 30)
      return {status: 503}
    })
    const options = {...slow, signal: controller.signal}
    const {results, error} = await readToEnd(dav.retry([failed('a')], options))
    expect(error).toBe(reason)
    expect(results).toMatchObject([{status: 503, request: {attempts: 2}}])
  })

  it('during the retry of a member leaves one verdict for each target', async () => {
    server.script(({url}) => {
      if (url === '/a/') return answer207(verdicts({'/a/x': '423 Locked'}))
      if (url === '/a/x') setTimeout(() => controller.abort(reason), 30)
      return url === '/a/x' ? NEVER : {status: 204}
    })
    const failures = [failed('a/', 424), failed('b'), failed('c')]
    const options = {...quick, concurrency: 1, signal: controller.signal}
    const {results, error} = await readToEnd(dav.retry(failures, options))
    expect(error).toBe(reason)
    const selves = results.filter(({relation}) => relation === 'self').map(({href}) => href)
    expect(selves.toSorted()).toEqual(['/a/', '/b', '/c'])
  })

  it('rejects even with a silent source of failures', async () => {
    const source = async function* (): AsyncGenerator<Failure> {
      yield failed('a')
      await new Promise(() => {})
    }
    void delay(30).then(() => controller.abort(reason))
    const stream = dav.retry(source(), {...quick, signal: controller.signal})
    const ended = await Promise.race([readToEnd(stream), delay(3000)])
    expect(ended).toMatchObject({error: reason})
  })
})

describe('a second attempt', () => {
  it('without an answer in time is a no-answer with both attempts', async () => {
    server.script((_request, number) => {
      if (number === 1) return {status: 503}
      setTimeout(() => controller.abort(reason), 30)
      return NEVER
    })
    const {results, error} = await readToEnd(
      dav.deleteMany(['a'], {retry: quick, signal: controller.signal}),
    )
    expect(error).toBe(reason)
    expect(results).toMatchObject([{status: 0, reason: 'no-answer', request: {attempts: 2}}])
  })

  it('with an answer in time counts', async () => {
    server.script(async (_request, number) => {
      if (number === 1) return {status: 503}
      controller.abort(reason)
      await delay(30)
      return {status: 204}
    })
    const {results, error} = await readToEnd(
      dav.deleteMany(['a'], {retry: quick, signal: controller.signal}),
    )
    expect(error).toBe(reason)
    expect(results).toMatchObject([{ok: true, status: 204, attempts: 2}])
  })
})

describe('a second attempt that was answered before the abort', () => {
  it('counts, even without its verification', async () => {
    server.script(({method}, number) => {
      if (number === 1) return {status: 503}
      if (method === 'DELETE') controller.abort(reason)
      return {status: 204}
    })
    const options = {verify: true, retry: quick, signal: controller.signal}
    const {results, error} = await readToEnd(dav.deleteMany(['a'], options))
    expect(error).toBe(reason)
    // The server saw two DELETEs.
    expect(server.requests.map(({method}) => method)).toEqual(['DELETE', 'DELETE'])
    expect(results.map((result) => [line(result), result.request?.attempts])).toEqual([
      ['0 no-answer self /a', 2],
    ])
  })
})
