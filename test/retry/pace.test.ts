// States the number of requests of one call at once. A 429, a 503 or a reset halves it, and good answers raise it slowly.
// Nothing is sent while the server asks to wait. RFC 6585, section 4; RFC 9110, section 10.2.3.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type RetryPolicy, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {Pace, type Slot} from '../../src/retry/pace.ts'
import {
  answer207,
  type FaultServer,
  listing,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {generate} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 8000})

/** Takes all slots. Later ones come into the list too. */
async function fill(pace: Pace, wanted = 40): Promise<Slot[]> {
  const slots: Slot[] = []
  for (let count = 0; count < wanted; count++) void pace.enter().then((slot) => slots.push(slot))
  await delay(5)
  return slots
}

/** Ends exchanges, all in the same way. Gives the number of others that were let in. */
async function end(slots: Slot[], isBorne: boolean): Promise<number> {
  for (const slot of slots.splice(0)) {
    slot.report(isBorne)
    slot.free()
  }
  await delay(5)
  return slots.length
}

describe('a pace', () => {
  it('gives as many slots as asked for, and one more for each that is freed', async () => {
    const slots = await fill(new Pace(5, {busyUntil: 0}))
    expect(slots).toHaveLength(5)
    slots[0]?.free()
    await delay(5)
    expect(slots).toHaveLength(6)
  })

  it('is halved once for all that were under way', async () => {
    const slots = await fill(new Pace(16, {busyUntil: 0}), 200)
    expect(await end(slots, false)).toBe(8)
    expect(await end(slots, false)).toBe(4)
    expect(await end(slots, false)).toBe(2)
    expect(await end(slots, false)).toBe(1)
    expect(await end(slots, false)).toBe(1)
  })

  it('is halved downwards', async () => {
    const slots = await fill(new Pace(7, {busyUntil: 0}), 60)
    expect(await end(slots, false)).toBe(3)
    expect(await end(slots, false)).toBe(1)
  })

  it('grows by one with each round of good answers, and never above the given limit', async () => {
    const slots = await fill(new Pace(4, {busyUntil: 0}), 200)
    expect(await end(slots, false)).toBe(2)
    expect(await end(slots, true)).toBe(3)
    expect(await end(slots, true)).toBe(4)
    expect(await end(slots, true)).toBe(4)
    expect(await end(slots, true)).toBe(4)
    // Good answers at the full limit do not count for later.
    expect(await end(slots, false)).toBe(2)
    expect(await end(slots, true)).toBe(3)
  })

  it('begins its round again with each halving', async () => {
    const slots = await fill(new Pace(8, {busyUntil: 0}), 200)
    expect(await end(slots, false)).toBe(4)
    for (const slot of slots.slice(0, 3)) slot.report(true)
    for (const slot of slots.slice(3)) slot.report(false)
    for (const slot of slots.splice(0)) slot.free()
    await delay(5)
    expect(slots).toHaveLength(2)
    expect(await end(slots, true)).toBe(3)
  })

  it('hands on no slot that was freed before it was halved', async () => {
    const pace = new Pace(4, {busyUntil: 0})
    const slots = await fill(pace, 4)
    for (const slot of slots.splice(0, 3)) slot.free()
    slots[0]?.report(false)
    expect(await fill(pace, 4)).toHaveLength(1)
  })

  it('hands on no more slots than are left after it was halved', async () => {
    const pace = new Pace(4, {busyUntil: 0})
    const slots = await fill(pace, 4)
    slots[0]?.report(false)
    for (const slot of slots) slot.free()
    expect(await fill(pace, 4)).toHaveLength(2)
  })

  it('takes a slot back once, however often it is freed', async () => {
    const pace = new Pace(2, {busyUntil: 0})
    const slots = await fill(pace, 2)
    slots[0]?.free()
    slots[0]?.free()
    expect(await fill(pace, 4)).toHaveLength(1)
  })

  it('counts no idle target, and reports the room', async () => {
    const pace = new Pace(2, {busyUntil: 0})
    let told = 0
    const unlisten = pace.onRoom(() => told++)
    expect([pace.hasRoom(1), pace.hasRoom(2)]).toEqual([true, false])
    const {promise, resolve} = Promise.withResolvers<number>()
    const waiting = pace.idle(promise)
    expect([told, pace.hasRoom(2), pace.hasRoom(3)]).toEqual([1, true, false])
    resolve(7)
    expect(await waiting).toBe(7)
    expect(pace.hasRoom(2)).toBe(false)
    await expect(pace.idle(Promise.reject(new Error('x')))).rejects.toThrow('x')
    expect(pace.hasRoom(2)).toBe(false)
    unlisten()
    const before = told
    await pace.idle(Promise.resolve())
    expect(told).toBe(before)
  })

  it('holds for all that share a server, as long as the longest', () => {
    const state = {busyUntil: 0}
    const [one, other] = [new Pace(1, state), new Pace(1, state)]
    expect(one.held).toBe(0)
    one.hold(60_000)
    other.hold(10)
    expect(other.held).toBeGreaterThan(50_000)
    expect(one.held).toBeGreaterThan(50_000)
  })
})

describe('over a connection', () => {
  let server: FaultServer
  let dav: DavClient
  const transport = undiciTransport()
  // The number of requests under way, at the start of each. Counted at the client: they arrive at the server in any order.
  let together: number[]
  const quick: RetryPolicy = {attempts: 4, minDelay: 1, maxDelay: 2}

  beforeEach(async () => {
    server = await startFaultServer()
    together = []
    let present = 0
    const counting: Transport = async (request) => {
      together.push(++present)
      return transport(request).finally(() => present--)
    }
    dav = new DavClient({url: server.url, transport: counting})
  })

  afterEach(() => server.close())

  /** Answers the first round with this, then all with 204. */
  function overcharge(status: number | typeof RESET, first: number): void {
    server.script(async (_request, number) => {
      await delay(10)
      const bad = status === RESET ? RESET : {status}
      return number <= first ? bad : {status: 204}
    })
  }

  it.each([
    [429, 429],
    [503, 503],
    ['reset', RESET],
  ] as const)('a %s halves the requests at once, and they climb back', async (_name, status) => {
    overcharge(status, 8)
    const names = Array.from({length: 120}, (_, number) => `${number}`)
    const {successes} = await dav.deleteMany(names, {concurrency: 8, retry: quick}).collect()
    expect(successes).toHaveLength(120)
    expect(Math.max(...together.slice(0, 8))).toBe(8)
    expect(Math.max(...together.slice(8, 8 + 4))).toBeLessThanOrEqual(4)
    expect(Math.max(...together.slice(60))).toBe(8)
    expect(Math.max(...together)).toBe(8)
  })

  it.each([500, 423, 404])('a %i halves nothing', async (status) => {
    overcharge(status, 8)
    const names = Array.from({length: 24}, (_, number) => `${number}`)
    await dav.deleteMany(names, {concurrency: 8}).collect()
    expect(Math.max(...together.slice(8, 24))).toBe(8)
  })

  it('a slow one does not stop the others, also when there is one slot less', async () => {
    const {promise: gate, resolve: open} = Promise.withResolvers<void>()
    server.script(async ({url}, number) => {
      if (url === '/slow') await gate
      return {status: number === 2 ? 503 : 204}
    })
    const names = Array.from({length: 50}, (_, number) => `${number}`)
    const seen: string[] = []
    const options = {concurrency: 4, retry: quick}
    for await (const {href} of dav.deleteMany(generate(['slow', ...names]), options)) {
      seen.push(href)
      if (seen.length === 50) open()
    }
    expect(seen.at(-1)).toBe('/slow')
  })

  it.each([1, 3])(
    'those that wait for another attempt take no slot: concurrency %i',
    async (concurrency) => {
      const told = new Set<string>()
      server.script(({url}) => {
        const isFirst = !told.has(url)
        told.add(url)
        return {status: isFirst && url.startsWith('/busy') ? 423 : 204}
      })
      const busy = Array.from({length: 10}, (_, number) => `busy${number}`)
      const others = Array.from({length: 10}, (_, number) => `other${number}`)
      const retry = {attempts: 2, minDelay: 300, maxDelay: 300}
      const {successes} = await dav.deleteMany([...busy, ...others], {concurrency, retry}).collect()
      expect(successes).toHaveLength(20)
      expect(new Set(server.requests.slice(0, 20).map(({url}) => url)).size).toBe(20)
    },
  )

  describe('Retry-After', () => {
    const isBusy = {status: 503, headers: {'retry-after': '1'}}

    /** Sends a DELETE that must wait, then other requests of the client. Gives those that came before the wait was over. */
    async function sentMeanwhile(retry: RetryPolicy | undefined): Promise<string[]> {
      let first = 0
      const early: string[] = []
      server.script(({method, url}, number) => {
        if (number === 1) {
          first = performance.now()
          return isBusy
        }
        if (performance.now() - first < 900) early.push(`${method} ${url}`)
        return method === 'DELETE' ? {status: 204} : answer207(listing(url))
      })
      const deleting = dav.deleteMany(['a', 'b', 'c'], {concurrency: 1, retry}).collect()
      await vi.waitFor(() => expect(first).toBeGreaterThan(0))
      await delay(100)
      await Promise.all([deleting, dav.stat('x'), dav.delete('y')])
      return early.toSorted()
    }

    it('with a policy holds back every request of the client', async () => {
      expect(await sentMeanwhile(quick)).toEqual([])
      expect(server.requests).toHaveLength(6)
    })

    it('without a policy holds back none', async () => {
      expect(await sentMeanwhile(undefined)).toEqual([
        'DELETE /b',
        'DELETE /c',
        'DELETE /y',
        'PROPFIND /x',
      ])
    })

    it('of another status holds back nothing but its own repetition', async () => {
      let first = 0
      const early: string[] = []
      server.script(({url}, number) => {
        if (number === 1) {
          first = performance.now()
          return {status: 423, headers: {'retry-after': '1'}}
        }
        if (performance.now() - first < 900) early.push(url)
        return {status: 204}
      })
      await dav.deleteMany(['a', 'b', 'c'], {concurrency: 1, retry: quick}).collect()
      expect(early).toEqual(['/b', '/c'])
    })

    it('that holds back is ended by an abort of whatever is held back', async () => {
      server.answers({status: 429, headers: {'retry-after': '3600'}})
      await dav.delete('a', {retry: {...quick, attempts: 1}})
      for (const call of [
        (signal: AbortSignal) => dav.stat('a', {signal}),
        (signal: AbortSignal) => dav.propfind('a', {signal}).collect(),
        (signal: AbortSignal) => dav.delete('a', {signal}),
        (signal: AbortSignal) => dav.delete('a', {signal, retry: quick}),
      ]) {
        const controller = new AbortController()
        void delay(30).then(() => controller.abort('enough'))
        await expect(call(controller.signal)).rejects.toBe('enough')
      }
      expect(server.requests).toHaveLength(1)
    })

    it('that holds back is ended by an abort, and the rest is not sent', async () => {
      server.answers({status: 429, headers: {'retry-after': '3600'}})
      const controller = new AbortController()
      const {signal} = controller
      void delay(100).then(() => controller.abort('enough'))
      const verdicts: string[] = []
      const reading = async (): Promise<void> => {
        const stream = dav.deleteMany(['a', 'b', 'c'], {concurrency: 1, retry: quick, signal})
        for await (const {href, status, request} of stream) {
          verdicts.push(`${status} ${href} ${request?.attempts}`)
        }
      }
      await expect(reading()).rejects.toBe('enough')
      expect(verdicts.toSorted()).toEqual(['0 /b 0', '0 /c 0', '429 /a 1'])
      expect(server.requests).toHaveLength(1)
    })
  })
})
