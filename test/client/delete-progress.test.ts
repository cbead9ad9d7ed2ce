// States the values that onProgress is told: verdicts, retries, bytes and the rate. A last call always comes.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type Progress} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  NEVER,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {generate} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
let told: Progress[]
const transport = undiciTransport()
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}
const onProgress = (progress: Progress): void => void told.push(progress)

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: server.url, transport})
  told = []
})

afterEach(() => server.close())

describe('retried', () => {
  it('counts repeated requests', async () => {
    const seen = new Map<string, number>()
    server.script(({url}) => {
      seen.set(url, (seen.get(url) ?? 0) + 1)
      return {status: url === '/a' || seen.get(url) === 3 ? 204 : 503}
    })
    await dav.deleteMany(['a', 'b', 'c'], {onProgress, retry: quick}).collect()
    expect(told.at(-1)).toMatchObject({done: 3, failed: 0, retried: 4, inFlight: 0, total: 3})
  })

  it('counts repeated requests of members', async () => {
    const named = {'/a/x': '423 Locked', '/a/y': '423 Locked'}
    server.script((_request, number) => (number === 1 ? answer207(verdicts(named)) : {status: 204}))
    await dav.deleteMany(['a/'], {onProgress, retry: quick}).collect()
    expect(server.requests).toHaveLength(4)
    expect(told.at(-1)).toMatchObject({done: 1, failed: 0, retried: 3})
  })
})

describe('bytes', () => {
  it('counts response bodies of every attempt and of the question of verify', async () => {
    const body = 'é'.repeat(1000)
    const seen = new Set<string>()
    server.script(({method, url}) => {
      if (method === 'PROPFIND') return {status: 404, body: 'gone'}
      const isFirst = !seen.has(url)
      seen.add(url)
      return isFirst ? {status: 503, body} : {status: 204}
    })
    await dav.deleteMany(['a', 'b'], {onProgress, verify: true, retry: quick}).collect()
    expect(told.at(-1)?.bytes).toBe(2 * 2000 + 2 * 4)
  })
})

describe('rate', () => {
  it('is a number of verdicts per second, never negative', async () => {
    server.script(async () => {
      await delay(5)
      return {status: 204}
    })
    const names = Array.from({length: 200}, (_, number) => `${number}`)
    const began = performance.now()
    await dav.deleteMany(names, {onProgress, concurrency: 4}).collect()
    const seconds = (performance.now() - began) / 1000
    expect(told.every(({rate}) => Number.isFinite(rate) && rate >= 0)).toBe(true)
    // The run is shorter than the 5 seconds that the rate covers.
    expect(told.at(-1)?.rate).toBeGreaterThanOrEqual(200 / seconds - 1)
    expect(told.at(-1)?.rate).toBeLessThan(40_000)
  })

  it('is 0 without targets', async () => {
    await dav.deleteMany([], {onProgress}).collect()
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({done: 0, failed: 0, retried: 0, inFlight: 0, total: 0, bytes: 0})
    expect(told[0]?.rate).toBe(0)
  })
})

describe('the last call', () => {
  it('comes after an abort, with no request in flight', async () => {
    const controller = new AbortController()
    server.script(({url}) => {
      if (url === '/a') controller.abort('enough')
      return {status: 204}
    })
    const {signal} = controller
    const options = {onProgress, signal, concurrency: 1}
    await expect(dav.deleteMany(['a', 'b', 'c', 'b'], options).collect()).rejects.toBe('enough')
    expect(told.at(-1)).toMatchObject({done: 4, failed: 2, inFlight: 0, total: 4})
  })

  it('comes after a break, with the targets taken so far', async () => {
    server.script(({url}) => (url === '/a' || url === '/b' ? {status: 204} : NEVER))
    let taken = 0
    for await (const result of dav.deleteMany(['a', 'b', 'c', 'd'], {onProgress, concurrency: 2})) {
      if (result.ok && ++taken === 2) break
    }
    expect(told.at(-1)).toMatchObject({done: 2, failed: 0, total: 4})
  })

  it('comes after an error of the source', async () => {
    const targets = async function* (): AsyncGenerator<string> {
      yield* ['a', 'b#']
      await delay(20)
      throw new Error('the list is gone')
    }
    await expect(dav.deleteMany(targets(), {onProgress}).collect()).rejects.toThrow(
      'the list is gone',
    )
    expect(told.at(-1)).toMatchObject({done: 2, failed: 1, inFlight: 0})
    expect(told.at(-1)).not.toHaveProperty('total')
  })

  it('counts folded targets', async () => {
    const stream = dav.deleteMany(generate(['a/', 'a', 'a/x', 'b', '%62']), {onProgress})
    expect((await stream.collect()).successes).toHaveLength(3)
    expect(told.at(-1)).toMatchObject({done: 5, failed: 0, inFlight: 0})
  })
})

describe('inFlight', () => {
  it('is never negative, at most the number of open targets, and done only grows', async () => {
    server.script(async ({url}) => {
      await delay(url.length)
      return {status: url.endsWith('7') ? 423 : 204}
    })
    const names = Array.from(
      {length: 300},
      (_, number) => `${'n'.repeat(number % 5)}${number % 250}`,
    )
    await dav.deleteMany(names, {onProgress, retry: quick}).collect()
    for (const {done, failed, inFlight} of told) {
      expect(inFlight).toBeGreaterThanOrEqual(0)
      expect(done + inFlight).toBeLessThanOrEqual(300)
      expect(failed).toBeLessThanOrEqual(done)
    }
    const counts = told.map(({done}) => done)
    expect(counts).toEqual(counts.toSorted((one, other) => one - other))
    expect(counts.at(-1)).toBe(300)
  })
})
