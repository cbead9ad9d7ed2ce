// States how a signal ends a bulk DELETE: no new requests, and one second for the answers to sent ones. Every target
// that was taken has a verdict before the stream rejects with the signal's reason.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type DavResult, type DeleteManyOptions, type Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, NEVER, startFaultServer} from '../support/fault-server.ts'
import {line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
let controller: AbortController
const transport = undiciTransport()
const reason = {why: 'enough'}
const slow = {attempts: 3, minDelay: 60_000, maxDelay: 60_000}

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: server.url, transport})
  controller = new AbortController()
})

afterEach(() => server.close())

function run(
  targets: Parameters<DavClient['deleteMany']>[0],
  options: DeleteManyOptions = {},
): Promise<{results: DavResult[]; error: unknown}> {
  return readToEnd(dav.deleteMany(targets, {signal: controller.signal, ...options}))
}

/** Line and attempts of each verdict, sorted by href. */
function verdictsOf(results: readonly DavResult[]): string[] {
  return results
    .filter(({relation}) => relation === 'self')
    .toSorted((one, other) => one.href.localeCompare(other.href))
    .map((result) => (result.ok ? line(result) : `${line(result)} ${result.request?.attempts}`))
}

const sent = (): string[] => server.requests.map(({url}) => url)

describe('a sent request', () => {
  it('counts if its answer comes in time; else it is a no-answer', async () => {
    server.script(async ({url}) => {
      if (url === '/c') controller.abort(reason)
      if (url === '/a') return NEVER
      await delay(url === '/b' ? 150 : 50)
      return {status: url === '/b' ? 204 : 423}
    })
    const {results, error} = await run(['a', 'b', 'c', 'd', 'e'], {concurrency: 3})
    expect(error).toBe(reason)
    expect(results.map(line).toSorted()).toEqual([
      '0 no-answer self /a',
      '0 no-answer self /d',
      '0 no-answer self /e',
      '204 self /b',
      '423 status self /c',
    ])
    const attempts = results.map(({href, request}) => [href, request?.attempts])
    expect(Object.fromEntries(attempts)).toEqual({
      '/a': 1,
      '/b': undefined,
      '/c': 1,
      '/d': 0,
      '/e': 0,
    })
    expect(sent().toSorted()).toEqual(['/a', '/b', '/c'])
    expect(await server.requests.find(({url}) => url === '/a')?.ended).toBe('closed')
  })

  it('is never reported as unsent: one verdict for each of 300 targets', async () => {
    server.script(async (_request, number) => {
      if (number === 100) controller.abort(reason)
      await delay(2)
      return {status: 204}
    })
    const names = Array.from({length: 300}, (_, number) => `n${number}`)
    const told: {done: number; inFlight: number}[] = []
    const {results, error} = await run(names, {onProgress: (progress) => told.push(progress)})
    expect(error).toBe(reason)
    expect(results.map(({href}) => href).toSorted()).toEqual(
      names.map((one) => `/${one}`).toSorted(),
    )
    const unsent = results.filter((result) => !result.ok && result.request?.attempts === 0)
    const seen = new Set(sent())
    expect(unsent.filter(({href}) => seen.has(href))).toEqual([])
    expect(unsent).toHaveLength(300 - seen.size)
    expect(told.at(-1)).toMatchObject({done: 300, inFlight: 0, total: 300, failed: unsent.length})
  })
})

describe('a silent source', () => {
  it.each<[string, () => AsyncIterable<string> | ReadableStream<string>]>([
    [
      'an async generator',
      async function* () {
        yield* ['a', 'b']
        await new Promise(() => {})
      },
    ],
    [
      'a ReadableStream',
      () =>
        new ReadableStream<string>({
          start(to) {
            to.enqueue('a')
            to.enqueue('b')
          },
        }),
    ],
  ])('does not delay an abort: %s', async (_, source) => {
    server.script(async ({url}) => {
      if (url === '/b') controller.abort(reason)
      await delay(30)
      return {status: 204}
    })
    const {results, error} = await run(source())
    expect(error).toBe(reason)
    expect(verdictsOf(results)).toEqual(['204 self /a', '204 self /b'])
  })

  it('is cancelled and unlocked by an abort: a ReadableStream', async () => {
    let cancelled = 0
    const silent = new ReadableStream<string>({
      start: (to) => to.enqueue('a'),
      cancel: () => void cancelled++,
    })
    void delay(50).then(() => controller.abort(reason))
    expect((await run(silent)).error).toBe(reason)
    await vi.waitFor(() => expect(cancelled).toBe(1))
    await vi.waitFor(() => expect(silent.locked).toBe(false))
  })
})

describe('a custom transport', () => {
  it.each<[string, (signal: AbortSignal | undefined) => unknown]>([
    ['with an error of its own', () => new Error('socket closed')],
    ['with an AbortError', () => new DOMException('aborted', 'AbortError')],
    ['with the reason', (signal) => signal?.reason],
  ])('may end an aborted request %s', async (_, errorOf) => {
    const own: Transport = ({signal}) => {
      const {promise, reject} = Promise.withResolvers<never>()
      signal?.addEventListener('abort', () => reject(errorOf(signal)))
      return promise
    }
    dav = new DavClient({url: server.url, transport: own})
    void delay(30).then(() => controller.abort(reason))
    const {results, error} = await run(['a', 'b', 'c'], {concurrency: 2})
    expect(error).toBe(reason)
    expect(verdictsOf(results)).toEqual([
      '0 no-answer self /a 1',
      '0 no-answer self /b 1',
      '0 no-answer self /c 0',
    ])
  })

  it('may ignore the signal: the call ends without its answer', async () => {
    const own: Transport = () => new Promise(() => {})
    dav = new DavClient({url: server.url, transport: own})
    void delay(30).then(() => controller.abort(reason))
    const {results, error} = await run(['a', 'b'], {concurrency: 1})
    expect(error).toBe(reason)
    expect(verdictsOf(results)).toEqual(['0 no-answer self /a 1', '0 no-answer self /b 0'])
  })

  it('may be fetch', async () => {
    dav = new DavClient({url: server.url, transport: fetchTransport()})
    server.script(async ({url}) => {
      controller.abort(reason)
      await delay(50)
      return url === '/a' ? NEVER : {status: 204}
    })
    const {results, error} = await run(['a', 'b', 'c'], {concurrency: 2})
    expect(error).toBe(reason)
    expect(verdictsOf(results)).toEqual([
      '0 no-answer self /a 1',
      '204 self /b',
      '0 no-answer self /c 0',
    ])
  })
})

describe('an abort', () => {
  it('before the start sends nothing: each target of an array is a no-answer', async () => {
    controller.abort(reason)
    const {results, error} = await run(['a', 'b', 'c', 'a'])
    expect(error).toBe(reason)
    expect(verdictsOf(results)).toEqual(
      ['a', 'b', 'c'].map((name) => `0 no-answer self /${name} 0`),
    )
    expect(server.requests).toEqual([])
  })

  it('by the signal of the client has the same effect', async () => {
    dav = new DavClient({url: server.url, transport, signal: controller.signal})
    server.script(async () => {
      controller.abort(reason)
      await delay(30)
      return {status: 204}
    })
    const {results, error} = await readToEnd(dav.deleteMany(['a', 'b', 'c'], {concurrency: 1}))
    expect(error).toBe(reason)
    expect(verdictsOf(results)).toEqual([
      '204 self /a',
      '0 no-answer self /b 0',
      '0 no-answer self /c 0',
    ])
  })

  it('rejects collect with the reason', async () => {
    server.answers(NEVER)
    void delay(30).then(() => controller.abort(reason))
    const stream = dav.deleteMany(['a', 'b'], {signal: controller.signal})
    await expect(stream.collect()).rejects.toBe(reason)
    await expect(stream.summary).rejects.toBe(reason)
  })

  it('during the wait for another attempt leaves the last answer', async () => {
    server.script(({url}) => {
      if (url === '/b') setTimeout(() => controller.abort(reason), 30)
      return {status: url === '/a' ? 423 : 503}
    })
    const {results, error} = await run(['a', 'b'], {retry: slow})
    expect(error).toBe(reason)
    expect(verdictsOf(results)).toEqual(['423 status self /a 1', '503 status self /b 1'])
  })

  it('leaves a target that waits for its collection unsent', async () => {
    server.script(({url}) => {
      if (url === '/d') setTimeout(() => controller.abort(reason), 30)
      return url === '/a/' ? NEVER : {status: 204}
    })
    const {results, error} = await run(['a/', 'a/b', 'd'])
    expect(error).toBe(reason)
    const lines = results.map((result) => `${line(result)} ${result.request?.attempts}`)
    expect(lines.toSorted()).toEqual([
      '0 no-answer self /a/ 1',
      '0 no-answer self /a/b 0',
      '204 self /d undefined',
    ])
  })
})

describe('a break', () => {
  it('ends open requests at once and reports the progress', async () => {
    server.script(({url}) => (url === '/a' ? {status: 204} : NEVER))
    const told: unknown[] = []
    const onProgress = (progress: unknown): void => void told.push(progress)
    for await (const result of dav.deleteMany(['a', 'b', 'c', 'd'], {onProgress, retry: slow})) {
      if (result.ok) break
    }
    expect(told.at(-1)).toMatchObject({done: 1, failed: 0, total: 4})
    const others = server.requests.filter(({url}) => url !== '/a')
    expect(await Promise.all(others.map(({ended}) => ended))).toEqual(others.map(() => 'closed'))
  })

  it('ends targets that wait for another attempt or for their collection', async () => {
    server.script(({url}) => {
      if (url === '/a/') return NEVER
      return {status: url === '/b' ? 503 : 204}
    })
    for await (const result of dav.deleteMany(['a/', 'a/x', 'b', 'c'], {retry: slow})) {
      if (result.ok) break
    }
    expect(sent().toSorted()).toEqual(['/a/', '/b', '/c'])
  })
})
