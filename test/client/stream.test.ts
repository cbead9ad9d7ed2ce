// States the reading of a stream of results. Nothing is sent before, and it is read once. Results come as the server sends them,
// break frees the connection, and the summary settles after any end. RFC 4918, section 13.

import {setTimeout as delay} from 'node:timers/promises'

import {collections, DavClient, members, MultiStatusError, type ResultStream} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const whole = answer207(listing('/docs/', '/docs/a.txt'))

beforeEach(async () => {
  server = await startFaultServer()
  server.answers(whole)
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const verbs: readonly (readonly [string, () => ResultStream<unknown>])[] = [
  ['propfind', () => dav.propfind('docs/')],
  ['deleteMany', () => dav.deleteMany(['docs/'])],
  ['retry', () => dav.retry([])],
]

describe.each(verbs)('the stream of %s', (_, open) => {
  it('sends nothing before it is read, not even for its summary', async () => {
    const stream = open()
    void stream.summary
    await delay(30)
    expect(server.requests).toEqual([])
  })

  it('is read once: a second reader is a TypeError', async () => {
    const stream = open()
    await stream.collect()
    const sent = server.requests.length
    await expect(stream.collect()).rejects.toBeInstanceOf(TypeError)
    await expect(Array.fromAsync(stream)).rejects.toBeInstanceOf(TypeError)
    await expect(async () => Array.fromAsync(stream.batches())).rejects.toBeInstanceOf(TypeError)
    expect(server.requests).toHaveLength(sent)
  })

  it('refuses a second reader while the first one reads, and the first one reads on', async () => {
    const stream = open()
    const first = stream.collect()
    await expect(stream.collect()).rejects.toBeInstanceOf(TypeError)
    await expect(first).resolves.toMatchObject({summary: {complete: true}})
  })
})

describe('results', () => {
  it('come as the server sends them, before the rest of the answer', async () => {
    const {promise: gate, resolve: open} = Promise.withResolvers<void>()
    server.answers(answer207([OPEN, listed('/docs/'), gate, listed('/docs/a.txt'), SHUT]))
    const hrefs: string[] = []
    for await (const {href} of dav.propfind('docs/')) {
      hrefs.push(href)
      open()
    }
    expect(hrefs).toEqual(['/docs/', '/docs/a.txt'])
  })

  it('come in batches, none of them empty', async () => {
    const {promise: gate, resolve: open} = Promise.withResolvers<void>()
    const last = listed('/docs/c')
    server.answers(
      answer207([
        OPEN,
        listed('/docs/') + listed('/docs/b'),
        gate,
        last.slice(0, 20),
        20,
        last.slice(20),
        SHUT,
      ]),
    )
    const batches: string[][] = []
    for await (const batch of dav.propfind('docs/').batches()) {
      batches.push(batch.map(({href}) => href))
      open()
    }
    expect(batches.flat()).toEqual(['/docs/', '/docs/b', '/docs/c'])
    expect(batches.every((batch) => batch.length > 0)).toBe(true)
  })

  it('are collected by kind, with the summary', async () => {
    const body = listing('/docs/', '/docs/a.txt').replace(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 403 Forbidden',
    )
    server.answers(answer207(body))
    const {successes, failures, summary} = await dav.propfind('docs/').collect()
    expect(successes.map(({href}) => href)).toEqual(['/docs/a.txt'])
    expect(failures.map(({href}) => href)).toEqual(['/docs/'])
    expect(summary).toMatchObject({successes: 1, failures: 1, requests: 1})
  })

  it('set the pace of the server: unread results are not taken', async () => {
    const piece = Array.from({length: 300}, (_, number) => listed(`/docs/${number}`)).join('')
    const pieces = Array.from({length: 1000}, () => piece)
    server.answers(answer207([OPEN, ...pieces, SHUT]))
    for await (const result of dav.propfind('docs/')) {
      expect(result.href).toBe('/docs/0')
      await delay(500)
      break
    }
    // 60 MB: more than the buffers between the two hold.
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('are as many as the server has, in its order', async () => {
    const hrefs = Array.from({length: 5000}, (_, number) => `/docs/${number}`)
    server.answers(answer207(listing(...hrefs)))
    const {successes} = await dav.propfind('docs/').collect()
    expect(successes.map(({href}) => href)).toEqual(hrefs)
  })
})

describe('an iterator', () => {
  it('answers calls in their order, though nobody awaits the one before', async () => {
    for (const reader of [
      dav.propfind('docs/')[Symbol.asyncIterator](),
      dav.propfind('docs/').batches()[Symbol.asyncIterator](),
    ]) {
      const answers = await Promise.all([reader.next(), reader.next(), reader.next()])
      const results = answers.flatMap(({done, value}) => (done === true ? [] : value))
      expect(results.map(({href}) => href)).toEqual(['/docs/', '/docs/a.txt'])
      expect(answers.at(-1)).toEqual({value: undefined, done: true})
    }
  })

  it('throws an error once, and has then ended', async () => {
    server.answers({status: 503})
    for (const reader of [
      dav.propfind('docs/')[Symbol.asyncIterator](),
      dav.propfind('docs/').batches()[Symbol.asyncIterator](),
    ]) {
      await expect(reader.next()).rejects.toThrow('503')
      expect(await reader.next()).toEqual({value: undefined, done: true})
      expect(await reader.return?.()).toEqual({value: undefined, done: true})
    }
  })
})

describe('the summary', () => {
  it('is there after the last result', async () => {
    const stream = dav.propfind('docs/')
    for await (const result of stream) expect(result.ok).toBe(true)
    expect(await stream.summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 2,
      failures: 0,
      requests: 1,
    })
  })

  it('rejects with the error of the stream', async () => {
    server.answers(answer207([OPEN, listed('/docs/')]))
    const stream = dav.propfind('docs/')
    const thrown: unknown = await stream.collect().catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(MultiStatusError)
    await expect(stream.summary).rejects.toBe(thrown)
  })

  it('is no unhandled rejection if nobody asks for it', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      server.answers({status: 503})
      await expect(dav.propfind('docs/').collect()).rejects.toThrow('503')
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      await expect(dav.deleteMany(['a'], {signal}).collect()).rejects.toBe(reason)
      await expect(dav.delete('a', {signal})).rejects.toBe(reason)
      server.answers(answer207(OPEN))
      await expect(Array.fromAsync(dav.propfind('docs/'))).rejects.toThrow(MultiStatusError)
      await delay(30)
    } finally {
      process.off('unhandledRejection', note)
    }
    expect(unhandled).toEqual([])
  })

  it('settles if the reader returns before the first result', async () => {
    const stream = dav.propfind('docs/')
    await stream[Symbol.asyncIterator]().return?.()
    const summary = await Promise.race([stream.summary, delay(500, 'never')])
    expect(summary).toMatchObject({complete: false, incomplete: [{reason: 'stopped'}], requests: 0})
    expect(server.requests).toEqual([])
  })
})

describe('the summary of an unread stream', () => {
  it('reads the stream once it is awaited', async () => {
    const stream = dav.propfind('docs/')
    expect(await stream.summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 2,
      failures: 0,
      requests: 1,
    })
    expect(server.requests).toHaveLength(1)
    expect(await stream.summary).toBe(await stream.summary)
    expect(server.requests).toHaveLength(1)
  })

  it('reads it for `then`, `catch`, `finally` and `Promise.all` too', async () => {
    const counts: number[] = []
    await dav.propfind('docs/').summary.then(({successes}) => counts.push(successes))
    counts.push((await dav.propfind('docs/').summary.catch(() => ({successes: 0}))).successes)
    counts.push((await dav.propfind('docs/').summary.finally(() => {})).successes)
    const all = await Promise.all([dav.propfind('docs/').summary, dav.propfind('docs/').summary])
    counts.push(...all.map(({successes}) => successes))
    expect(counts).toEqual([2, 2, 2, 2, 2])
  })

  it('leaves nothing for another reader', async () => {
    const stream = dav.propfind('docs/')
    const {summary} = stream
    await summary
    await expect(stream.collect()).rejects.toBeInstanceOf(TypeError)
    expect(() => stream[Symbol.asyncIterator]()).toThrow(TypeError)
    expect(() => stream.batches()[Symbol.asyncIterator]()).toThrow(TypeError)
  })

  it('reads a stream whose batches were asked for and never read', async () => {
    const stream = dav.propfind('docs/')
    stream.batches()
    expect((await stream.summary).successes).toBe(2)
  })

  it('leaves the reading to a reader that begins in the same turn', async () => {
    const stream = dav.propfind('docs/')
    const [summary, {successes}] = await Promise.all([stream.summary, stream.collect()])
    expect(summary.successes).toBe(successes.length)
    expect(server.requests).toHaveLength(1)
  })

  it('is the same promise if it is taken before the reading', async () => {
    const stream = dav.propfind('docs/')
    const {summary} = stream
    const results = await Array.fromAsync(stream)
    expect((await summary).successes).toBe(results.length)
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    ['members', members],
    ['collections', (stream: ResultStream<unknown>) => collections(stream)],
    ['collections of members', (stream: ResultStream<unknown>) => collections(members(stream))],
  ])('of %s reads the listing', async (_, select) => {
    const stream = dav.propfind('docs/')
    const selected = select(stream)
    expect(await selected.summary).toMatchObject({complete: true, successes: 2, requests: 1})
    await expect(selected.collect()).rejects.toBeInstanceOf(TypeError)
    expect(await stream.summary).toBe(await selected.summary)
  })

  it('deletes', async () => {
    server.answers({status: 204})
    expect(await dav.deleteMany(['a', 'b']).summary).toMatchObject({successes: 2, requests: 2})
    expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual([
      'DELETE /a',
      'DELETE /b',
    ])
  })

  it('rejects with the error of the stream, and is no unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      server.answers(answer207([OPEN, listed('/docs/')]))
      await expect(dav.propfind('docs/').summary).rejects.toBeInstanceOf(MultiStatusError)
      void members(dav.propfind('docs/')).summary
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      await expect(dav.deleteMany(['a'], {signal}).summary).rejects.toBe(reason)
      await delay(30)
    } finally {
      process.off('unhandledRejection', note)
    }
    expect(unhandled).toEqual([])
  })
})

describe('break', () => {
  it('closes the connection while the server still has most of its answer to send', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), NEVER]))
    for await (const result of dav.propfind('docs/')) if (result.ok) break
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('closes the connection from a reader of batches too', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), NEVER]))
    for await (const batch of dav.propfind('docs/').batches()) if (batch.length > 0) break
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('closes the connection if the loop throws', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), NEVER]))
    const reading = async (): Promise<void> => {
      for await (const result of dav.propfind('docs/')) throw new Error(result.href)
    }
    await expect(reading()).rejects.toThrow('/docs/')
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('closes the connection of a DELETE whose answer goes on', async () => {
    server.answers(answer207([OPEN, verdict('/docs/a', 'HTTP/1.1 423 Locked'), NEVER]))
    for await (const result of dav.deleteMany(['docs/'])) if (!result.ok) break
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('leaves the client fit for the next request', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), NEVER]), whole)
    for await (const result of dav.propfind('docs/')) if (result.ok) break
    expect((await dav.propfind('docs/').collect()).summary.complete).toBe(true)
  })
})

// undici takes up a connection again a turn of the event loop after its answer: two serve any number of requests.
describe('a connection', () => {
  it('is kept for further requests after an answer that was read', async () => {
    for (let count = 0; count < 10; count++) await dav.propfind('docs/').collect()
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  it('is kept after refusals, whose bodies are read or given up', async () => {
    server.answers({status: 404, body: '<html>Not Found</html>'})
    for (let count = 0; count < 10; count++) {
      await dav.delete('a')
      await expect(dav.propfind('a').collect()).rejects.toThrow('404')
    }
    expect(server.connections).toBeLessThanOrEqual(2)
  })
})

describe.each(verbs.slice(0, 2))('a reader of %s that goes away while it waits', (_, open) => {
  it('is let go at once, and so is the connection', async () => {
    server.answers(NEVER)
    const stream = open()
    const reader = stream[Symbol.asyncIterator]()
    const waiting = reader.next()
    await vi.waitFor(() => expect(server.requests).toHaveLength(1))

    await reader.return?.()

    expect(await waiting).toEqual({value: undefined, done: true})
    expect(await server.requests[0]?.ended).toBe('closed')
    expect(await stream.summary).toMatchObject({complete: false, incomplete: [{reason: 'stopped'}]})
  })
})
