// States the limits on the retries of a call: its budget and its time. Also states the events and errors of onRetry.

import {DavClient, type RetryEvent} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  RESET,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {failedDelete, line} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const quick = {attempts: 4, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 503})
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const names = ['a', 'b', 'c', 'd', 'e']

describe('a budget', () => {
  it.each([0, 1, 7])('of %i is shared by all targets of the call', async (budget) => {
    const {failures, summary} = await dav.deleteMany(names, {retry: {...quick, budget}}).collect()
    expect(failures.map(line).toSorted()).toEqual(names.map((name) => `503 status self /${name}`))
    expect(server.requests).toHaveLength(5 + budget)
    expect(summary.requests).toBe(5 + budget)
    const attempts = failures.map(({request}) => request?.attempts ?? 0)
    expect(attempts.reduce((sum, one) => sum + one, 0)).toBe(5 + budget)
  })

  it('is spent by members too: they are repeated requests', async () => {
    const locked = {'/a/x': '423 Locked', '/a/y': '423 Locked', '/a/z': '423 Locked'}
    server.script(({url}) => (url === '/a/' ? answer207(verdicts(locked)) : {status: 423}))
    const retry = {...quick, attempts: 9, budget: 4}
    const {failures} = await dav.deleteMany(['a/'], {retry}).collect()
    expect(failures.at(-1)).toMatchObject({relation: 'self', status: 424})
    expect(server.requests.length).toBeLessThanOrEqual(1 + 4)
  })

  it('of the client applies to each call', async () => {
    dav = new DavClient({url: server.url, transport, retry: {...quick, budget: 2}})
    await dav.deleteMany(names).collect()
    await dav.deleteMany(names).collect()
    expect(server.requests).toHaveLength(2 * (5 + 2))
  })

  it('of a listing ends its retries', async () => {
    const reading = dav.propfind('a', {retry: {...quick, budget: 1}}).collect()
    await expect(reading).rejects.toMatchObject({status: 503})
    expect(server.requests).toHaveLength(2)
  })
})

describe('maxElapsed', () => {
  it('of 0 allows no retry', async () => {
    await dav.deleteMany(names, {retry: {...quick, maxElapsed: 0}}).collect()
    expect(server.requests).toHaveLength(5)
  })

  it('ends the attempts at once if the Retry-After is longer', async () => {
    server.answers({status: 423, headers: {'retry-after': '3600'}})
    const retry = {...quick, maxElapsed: 2000}
    const {failures} = await dav.deleteMany(names, {retry}).collect()
    expect(failures).toHaveLength(5)
    expect(failures[0]).toMatchObject({status: 423, retryAfter: 3_600_000, request: {attempts: 1}})
    expect(server.requests).toHaveLength(5)
  })

  it('ends the wait for the Retry-After of another target', async () => {
    server.script(({url}) => (url === '/r' ? RESET : {status: 503, headers: {'retry-after': '60'}}))
    const options = {retry: {...quick, attempts: 2, maxElapsed: 300}, concurrency: 1}
    const {failures} = await dav.deleteMany(['other', 'r'], {...options, concurrency: 2}).collect()
    expect(failures.map(line).toSorted()).toEqual(['0 no-answer self /r', '503 status self /other'])
    expect(server.requests.length).toBeLessThanOrEqual(3)
  })
})

describe('onRetry', () => {
  it('is told of each retry before its wait', async () => {
    const told: RetryEvent[] = []
    const onRetry = (event: RetryEvent): void => {
      expect(server.requests).toHaveLength(told.length + 1)
      told.push(event)
    }
    server.answers({status: 503}, {status: 429, headers: {'retry-after': '0'}}, RESET, {
      status: 204,
    })
    await dav.deleteMany(['a'], {retry: {...quick, onRetry}}).collect()
    expect(told.map(({attempt}) => attempt)).toEqual([2, 3, 4])
    expect(told.map(({failure}) => line(failure))).toEqual([
      '503 status self /a',
      '429 status self /a',
      '0 no-answer self /a',
    ])
    expect(told.map(({failure}) => failure.request?.attempts)).toEqual([1, 2, 3])
    expect(told[1]?.delay).toBe(0)
    expect(told.every(({delay}) => delay >= 0 && delay <= 2)).toBe(true)
  })

  it('is told of the failed member that causes the retry', async () => {
    const told: string[] = []
    server.answers(answer207(verdicts({'/a/w': '403 Forbidden', '/a/x': '423 Locked'})), {
      status: 204,
    })
    const onRetry = ({failure}: RetryEvent): void => void told.push(line(failure))
    await dav.deleteMany(['a/'], {retry: {...quick, onRetry}}).collect()
    expect(told).toEqual(['423 status member /a/x'])
  })

  it('is told of the retries of a listing too', async () => {
    const told: number[] = []
    const onRetry = ({attempt}: RetryEvent): void => void told.push(attempt)
    server.answers({status: 503}, RESET, answer207(listing('/a')))
    await dav.propfind('a', {retry: {...quick, onRetry}}).collect()
    expect(told).toEqual([2, 3])
  })

  it('ends the call with the error that it throws, after open requests', async () => {
    const error = new Error('no more')
    const onRetry = (): never => {
      throw error
    }
    const retry = {...quick, onRetry}
    await expect(dav.deleteMany(names, {retry}).collect()).rejects.toBe(error)
    await expect(dav.delete('a', {retry})).rejects.toBe(error)
    await expect(dav.retry([failedDelete(server.url, 'a')], retry).collect()).rejects.toBe(error)
    await expect(dav.propfind('a', {retry}).collect()).rejects.toBe(error)
    await expect(dav.stat('a', {retry}).catch((thrown: unknown) => thrown)).resolves.toBe(error)
  })

  it.each(['onRetry', 'retryable'])(
    'and retryable leave no connection open if they throw: %s',
    async (name) => {
      const error = new Error('no more')
      const thrower = (): never => {
        throw error
      }
      const body = ['x'.repeat(500_000), 60_000]
      server.answers({status: 503, body})
      const retry = {...quick, [name]: thrower}
      await expect(dav.propfind('a', {retry}).collect()).rejects.toBe(error)
      expect(await server.requests[0]?.ended).toBe('closed')
    },
  )

  it.each(['log', 7, null])('is a TypeError with the value %j', (onRetry) => {
    // @ts-expect-error -- possible for callers without types
    expect(() => dav.deleteMany(['a'], {retry: {onRetry}})).toThrow(TypeError)
  })
})
