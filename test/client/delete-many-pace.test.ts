// States the pace and the end of a bulk DELETE. Requests at once are limited, targets are taken only as results are
// read, and nothing is sent after the reader stops. RFC 4918, section 9.6.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, NEVER, startFaultServer} from '../support/fault-server.ts'

vi.setConfig({testTimeout: 10_000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Names of targets, with a count of those taken and a flag for the end of the source. */
function counted(length: number): {
  names: AsyncGenerator<string>
  state: {asked: number; closed: boolean}
} {
  const state = {asked: 0, closed: false}
  async function* make(): AsyncGenerator<string> {
    try {
      for (let number = 0; number < length; number++) {
        state.asked++
        yield `${number}.txt`
      }
    } finally {
      state.closed = true
    }
  }
  return {names: make(), state}
}

function array(length: number): string[] {
  return Array.from({length}, (_, number) => `${number}.txt`)
}

describe('concurrency', () => {
  /** Answers once the expected number of requests is there, after a moment in which one too many would show. */
  function gather(expected: number): void {
    let waiting: (() => void)[] = []
    server.script(async () => {
      const {promise, resolve} = Promise.withResolvers<void>()
      if (waiting.push(resolve) === expected) {
        await delay(20)
        for (const goOn of waiting) goOn()
        waiting = []
      }
      await Promise.race([promise, delay(2000)])
      return {status: 204}
    })
  }

  it.each([1, 2, 5, 20])('%i is reached and never exceeded', async (concurrency) => {
    gather(concurrency)
    const {summary} = await dav.deleteMany(array(concurrency * 3), {concurrency}).collect()
    expect(summary.successes).toBe(concurrency * 3)
    expect(server.mostAtOnce).toBe(concurrency)
  })

  it('is 8 by default', async () => {
    gather(8)
    await dav.deleteMany(array(24)).collect()
    expect(server.mostAtOnce).toBe(8)
  })

  it('of the call wins over that of the client', async () => {
    dav = new DavClient({url: server.url, transport, concurrency: 3})
    gather(3)
    await dav.deleteMany(array(9)).collect()
    expect(server.mostAtOnce).toBe(3)
    gather(6)
    await dav.deleteMany(array(18), {concurrency: 6}).collect()
    expect(server.mostAtOnce).toBe(6)
  })

  it('holds for a generator too', async () => {
    gather(4)
    await dav.deleteMany(counted(12).names, {concurrency: 4}).collect()
    expect(server.mostAtOnce).toBe(4)
  })

  it('lets other targets pass a slow one', async () => {
    const {promise: gate, resolve: open} = Promise.withResolvers<void>()
    server.script(async ({url}) => {
      if (url === '/0.txt') await gate
      return {status: 204}
    })
    const hrefs: string[] = []
    for await (const {href} of dav.deleteMany(array(20), {concurrency: 2})) {
      hrefs.push(href)
      if (hrefs.length === 19) open()
    }
    expect(hrefs.at(-1)).toBe('/0.txt')
  })
})

describe('2,000 targets of a generator', () => {
  it.each([1, 8])(
    'are taken no faster than results are read: concurrency %i',
    async (concurrency) => {
      const {names, state} = counted(2000)
      let taken = 0
      let ahead = 0
      for await (const result of dav.deleteMany(names, {concurrency})) {
        if (!result.ok) throw new Error(result.href)
        taken++
        // Time to run ahead, if nothing holds the source back.
        if (taken % 400 === 1) await delay(30)
        ahead = Math.max(ahead, state.asked - taken)
      }
      expect(taken).toBe(2000)
      expect(server.requests).toHaveLength(2000)
      expect(ahead).toBeLessThanOrEqual(concurrency + 2)
    },
  )

  it('are not taken before the stream is read', async () => {
    const {names, state} = counted(2000)
    dav.deleteMany(names)
    await delay(20)
    expect(state.asked).toBe(0)
  })
})

describe('break', () => {
  it.each([1, 4])('stops and closes the generator: concurrency %i', async (concurrency) => {
    const {names, state} = counted(2000)
    for await (const result of dav.deleteMany(names, {concurrency})) if (result.ok) break
    await delay(50)
    expect(state.closed).toBe(true)
    expect(state.asked).toBeLessThanOrEqual(concurrency + 3)
    expect(server.requests.length).toBeLessThanOrEqual(concurrency + 3)
  })

  it('closes the connections of open requests', async () => {
    server.script(({url}) => (url === '/0.txt' ? {status: 204} : NEVER))
    for await (const result of dav.deleteMany(array(20), {concurrency: 3})) if (result.ok) break
    const others = server.requests.filter(({url}) => url !== '/0.txt')
    expect(await Promise.all(others.map(({ended}) => ended))).toEqual(others.map(() => 'closed'))
    expect(server.requests.length).toBeLessThanOrEqual(6)
  })
})

describe('a silent generator', () => {
  const silent = async function* (): AsyncGenerator<string> {
    yield 'a'
    await new Promise(() => {})
  }

  it('does not delay available results or a break', async () => {
    for await (const result of dav.deleteMany(silent())) {
      expect(result).toMatchObject({ok: true, href: '/a'})
      break
    }
  })

  it('does not delay an abort', async () => {
    const reason = {why: 'enough'}
    const controller = new AbortController()
    const {signal} = controller
    const reading = async (): Promise<void> => {
      for await (const result of dav.deleteMany(silent(), {signal})) {
        if (result.ok) controller.abort(reason)
      }
    }
    await expect(reading()).rejects.toBe(reason)
  })
})

describe('an abort', () => {
  const reason = {why: 'enough'}

  it('rejects with the reason, sends nothing more and closes the generator', async () => {
    const {names, state} = counted(2000)
    const controller = new AbortController()
    const {signal} = controller
    const stream = dav.deleteMany(names, {concurrency: 4, signal})
    let taken = 0
    const reading = async (): Promise<void> => {
      for await (const result of stream) {
        if (result.ok && ++taken === 10) controller.abort(reason)
      }
    }
    await expect(reading()).rejects.toBe(reason)
    await expect(stream.summary).rejects.toBe(reason)
    // Requests that were on their way still arrive.
    await delay(30)
    const sent = server.requests.length
    await delay(50)
    expect(server.requests).toHaveLength(sent)
    expect(sent).toBeLessThan(30)
    expect(state.closed).toBe(true)
  })

  it('closes the connections of open requests', async () => {
    const controller = new AbortController()
    const {signal} = controller
    server.script((_, number) => {
      if (number === 5) controller.abort(reason)
      return NEVER
    })
    await expect(dav.deleteMany(array(20), {concurrency: 5, signal}).collect()).rejects.toBe(reason)
    expect(server.requests).toHaveLength(5)
    const ends = await Promise.all(server.requests.map(({ended}) => ended))
    expect(ends).toEqual(['closed', 'closed', 'closed', 'closed', 'closed'])
  })
})

describe('a generator that throws', () => {
  it('ends the call with its error, after the results of open requests', async () => {
    const reason = new Error('the listing broke')
    async function* broken(): AsyncGenerator<string> {
      yield 'a'
      yield 'b'
      throw reason
    }
    const hrefs: string[] = []
    const reading = async (): Promise<void> => {
      for await (const {href} of dav.deleteMany(broken(), {concurrency: 2})) hrefs.push(href)
    }
    await expect(reading()).rejects.toBe(reason)
    expect(hrefs.toSorted()).toEqual(['/a', '/b'])
  })
})
