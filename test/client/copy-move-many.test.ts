// States the results of many pairs: one verdict for each, in the caller's order where pairs have a resource in common. RFC 4918,
// sections 9.8 and 9.9.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type DavResult, type FromTo, type Progress} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  NEVER,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {generate, verdict} from '../support/fixtures.ts'
import {line, readToEnd, refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 201})
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const sent = (): string[] =>
  server.requests.map(({method, url, headers: {destination}}) =>
    [
      method,
      url,
      ...(destination === undefined ? [] : [new URL(String(destination)).pathname]),
    ].join(' '),
  )

/** Makes pairs of texts such as `a b`. */
const pairs = (...texts: readonly string[]): FromTo[] =>
  texts.map((text) => {
    const [from = '', to = ''] = text.split(' ')
    return {from, to}
  })

/** Makes a stream of pairs. */
function streamOf(given: readonly FromTo[]): ReadableStream<FromTo> {
  return new ReadableStream({
    start(controller) {
      for (const pair of given) controller.enqueue(pair)
      controller.close()
    },
  })
}

describe.each(['copyMany', 'moveMany'] as const)('%s', (method) => {
  const METHOD = method === 'copyMany' ? 'COPY' : 'MOVE'

  it.each<[string, () => Iterable<FromTo> | AsyncIterable<FromTo> | ReadableStream<FromTo>]>([
    ['an array', () => pairs('a x', 'b y')],
    ['a Set', () => new Set(pairs('a x', 'b y'))],
    ['a generator', () => pairs('a x', 'b y').values()],
    ['an async generator', () => generate(pairs('a x', 'b y'))],
    ['a stream', () => streamOf(pairs('a x', 'b y'))],
  ])('takes pairs from %s', async (_, given) => {
    const {successes, summary} = await dav[method](given(), {concurrency: 1}).collect()
    expect(successes.map(line)).toEqual(['201 self /a', '201 self /b'])
    expect(successes.map(({destination}) => destination)).toEqual([
      `${server.url}x`,
      `${server.url}y`,
    ])
    expect(summary).toMatchObject({complete: true, successes: 2, failures: 0, requests: 2})
    expect(sent()).toEqual([`${METHOD} /a /x`, `${METHOD} /b /y`])
  })

  it.each([undefined, 'abc', {from: 'a', to: 'b'}, null, 1])('does not take %j', async (given) => {
    const refusal = await refusalOf(() => Reflect.apply(dav[method], dav, [given]))
    expect(refusal).toBeInstanceOf(TypeError)
    expect(sent()).toEqual([])
  })

  it('sends equal pairs each, one after another', async () => {
    let open = 0
    let most = 0
    server.script(async () => {
      most = Math.max(most, ++open)
      await delay(20)
      open--
      return {status: 201}
    })
    const results = await Array.fromAsync(dav[method](pairs('a b', 'a b', './a ./b')))
    expect(results.map(line)).toEqual(['201 self /a', '201 self /a', '201 self /a'])
    expect(most).toBe(1)
  })

  it('keeps the order of pairs with a resource in common, and sends others at once', async () => {
    // The first pair is answered after the last one has arrived.
    const last = Promise.withResolvers<void>()
    server.script(async ({url}) => {
      if (url === '/q') last.resolve()
      if (url === '/b') await last.promise
      return {status: 201}
    })
    const chain = pairs('b c', 'a b', 'x/ y/', 'd x/in', 'q r')
    const results = await Array.fromAsync(dav[method](chain))
    const places = results.map(({href}) => href)
    expect(places.indexOf('/b')).toBeLessThan(places.indexOf('/a'))
    expect(places.indexOf('/x/')).toBeLessThan(places.indexOf('/d'))
    expect(results).toHaveLength(5)
  })

  it('yields the members before their target, and goes on after failures', async () => {
    server.script(({url}) => {
      if (url === '/a/') {
        return answer207(verdicts({'/x/1': '423 Locked', '/a/2': '403 Forbidden'}))
      }
      return url === '/b' ? RESET : {status: 201}
    })
    const given = pairs('a/ x/', 'b y', 'c z')
    const results = await Array.fromAsync(dav[method](given, {concurrency: 1}))
    expect(results.map(line)).toEqual([
      '423 status member /x/1',
      '403 status member /a/2',
      '424 member self /a/',
      '0 no-answer self /b',
      '201 self /c',
    ])
  })

  it('reports its progress', async () => {
    server.script(({url}) => ({status: url === '/b' ? 423 : 201}))
    const seen: Progress[] = []
    const onProgress = (progress: Progress): void => void seen.push(progress)
    await dav[method](pairs('a x', 'b y', 'c z'), {onProgress}).collect()
    expect(seen.at(-1)).toMatchObject({done: 3, failed: 1, inFlight: 0, total: 3})
  })

  it('sends failures again by its policy, and dav.retry does from JSON', async () => {
    server.script((_, number) => ({status: number < 3 ? 503 : 201}))
    const retry = {attempts: 2, minDelay: 1, maxDelay: 1}
    const {failures} = await dav[method](pairs('a x'), {retry}).collect()
    expect(failures.map(line)).toEqual(['503 status self /a'])
    const again = JSON.parse(JSON.stringify(failures))
    const {successes} = await dav.retry(again, 2).collect()
    expect(successes).toMatchObject([{ok: true, status: 201, attempts: 3}])
    expect(sent()).toEqual(Array.from({length: 3}, () => `${METHOD} /a /x`))
  })

  it('has a verdict for each pair of an array after an abort', async () => {
    const controller = new AbortController()
    const reason = {why: 'enough'}
    server.script(({url}) => {
      if (url === '/b') controller.abort(reason)
      return url === '/b' ? {status: 201} : NEVER
    })
    const options = {signal: controller.signal, concurrency: 2}
    const {results, error} = await readToEnd(dav[method](pairs('a x', 'b y', 'c z'), options))
    expect(error).toBe(reason)
    expect(results.map(line).toSorted()).toEqual([
      '0 no-answer self /a',
      '0 no-answer self /c',
      '201 self /b',
    ])
    expect(sent()).toHaveLength(2)
  })
})

describe('dav.retry', () => {
  it('sends a COPY and a MOVE of one resource to different destinations each', async () => {
    server.answers({status: 503})
    const copied = await dav.copy('a', 'b')
    const moved = await dav.move('a', 'c')
    const other = await dav.copy('a', 'd')
    const failures = [copied, moved, other, copied].filter(
      (one): one is DavResult & {ok: false} => !one.ok,
    )
    server.answers({status: 201})
    const {successes} = await dav.retry(failures, 2).collect()
    expect(successes.map(({destination}) => destination)).toEqual([
      `${server.url}d`,
      `${server.url}b`,
      `${server.url}c`,
    ])
    expect(sent().slice(3)).toEqual(['COPY /a /d', 'COPY /a /b', 'MOVE /a /c'])
  })

  describe('of a collection that failed because of members', () => {
    const locked = answer207(
      OPEN + ['/b/x', '/a/y'].map((href) => verdict(href, 'HTTP/1.1 423 Locked')).join('') + SHUT,
    )

    /** The failures of a collection, as the promise and as the stream have them. The server then answers a member by a status. */
    async function failed(method: 'copy' | 'move', form: 'promise' | 'stream', status = 201) {
      const many = {copy: 'copyMany', move: 'moveMany'} as const
      server.answers(locked)
      const results =
        form === 'promise'
          ? [await dav[method]('a/', 'b/')]
          : await Array.fromAsync(dav[many[method]]([{from: 'a/', to: 'b/'}]))
      server.script(({url}) => ({status: url === '/a/y' ? status : 201}))
      return JSON.parse(JSON.stringify(results))
    }

    it('a COPY is done when its members are, and is not sent again', async () => {
      const results = await Array.fromAsync(dav.retry(await failed('copy', 'promise'), 1))
      expect(results.map(line)).toEqual(['201 self /a/x', '201 self /a/y', '207 self /a/'])
      expect(results.at(-1)).toMatchObject({destination: `${server.url}b/`})
      expect(sent().slice(1)).toEqual(['COPY /a/x /b/x', 'COPY /a/y /b/y'])
    })

    it('a MOVE is sent after its members, for the collection that is left', async () => {
      const results = await Array.fromAsync(dav.retry(await failed('move', 'promise'), 1))
      expect(results.map(line)).toEqual(['201 self /a/x', '201 self /a/y', '201 self /a/'])
      expect(sent().slice(1)).toEqual(['MOVE /a/x /b/x', 'MOVE /a/y /b/y', 'MOVE /a/ /b/'])
    })

    it.each(['copy', 'move'] as const)('a %s stays a Failure while one fails', async (method) => {
      for (const form of ['promise', 'stream'] as const) {
        const failures = await failed(method, form, 423)
        const before = server.requests.length
        const results = await Array.fromAsync(dav.retry(failures, 1))
        expect(results.map(line)).toEqual([
          '201 self /a/x',
          '423 status self /a/y',
          '424 member self /a/',
        ])
        expect(server.requests).toHaveLength(before + 2)
      }
    })

    it('a COPY of a stream is sent after its members, because others may have failed', async () => {
      const [, ...some] = await failed('copy', 'stream')
      const results = await Array.fromAsync(dav.retry(some, 1))
      expect(results.map(line)).toEqual(['201 self /a/y', '201 self /a/'])
      expect(sent().slice(1)).toEqual(['COPY /a/y /b/y', 'COPY /a/ /b/'])
    })
  })

  it('sends members of both ends, without making parents for them', async () => {
    server.answers(answer207(OPEN + verdict('/b/x', 'HTTP/1.1 423 Locked') + SHUT), {status: 409})
    const {members = []} = await dav.copy('a/', 'b/', {parents: true})
    const failures = members.filter((one): one is DavResult & {ok: false} => !one.ok)
    const results = await Array.fromAsync(dav.retry(failures, 1))
    expect(results.map(line)).toEqual(['409 status self /a/x'])
    expect(sent()).toEqual(['COPY /a/ /b/', 'COPY /a/x /b/x'])
  })
})
