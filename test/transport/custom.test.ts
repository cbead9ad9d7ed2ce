// States that any function that returns an object like a Response is a transport, even if it ignores the signal. The body of its
// answer is closed. RFC 9110, section 6.

import {Readable} from 'node:stream'

import {basicAuth, DavClient, type DavResponse, type Transport, partition} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {Agent} from 'undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, listed, listing, OPEN, startFaultServer} from '../support/fault-server.ts'
import {bytes, drain} from '../support/fixtures.ts'
import {resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

const url = 'https://dav.example/'
const whole = listing('/docs/', '/docs/a')

function open(transport: Transport, timeout?: number): DavClient {
  return new DavClient({url, transport, timeout})
}

function answer(body: DavResponse['body']): DavResponse {
  return {status: 207, headers: new Headers(), body}
}

describe('an answer', () => {
  it.each<[string, () => DavResponse]>([
    ['a Response of the platform', () => new Response(whole, {status: 207})],
    ['a ReadableStream', () => answer(new Blob([whole]).stream())],
    [
      'an async generator',
      () =>
        answer(
          (async function* () {
            for (const character of whole) yield bytes(character)
          })(),
        ),
    ],
  ])('may be %s', async (_, make) => {
    const {successes, summary} = await open(async () => make())
      .propfind('docs/')
      .collect()
    expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/a'])
    expect(summary).toMatchObject({complete: true, requests: 1})
  })

  it('may leave its body out', async () => {
    // @ts-expect-error -- a program without types may write it
    const transport: Transport = async () => ({status: 204, headers: new Headers()})
    expect(await open(transport).delete('a')).toMatchObject({ok: true, status: 204})
  })

  const locked = new Blob([whole]).stream()
  locked.getReader()
  it.each<[string, unknown, RegExp]>([
    ['a string', whole, /the body is no stream and no iterable of bytes/],
    ['bytes', bytes(whole), /the body is no stream and no iterable of bytes/],
    ['a stream that somebody reads', locked, /lock/],
    [
      'a stream of strings',
      Readable.from([whole]),
      /a chunk of the body is no Uint8Array but string/,
    ],
  ])('is a DavNetworkError with a body that cannot be read: %s', async (_, body, words) => {
    // @ts-expect-error -- a program without types may write it
    const {error} = await drain(open(async () => answer(body)).propfind('docs/'))
    expect(error).toMatchObject({
      name: 'DavNetworkError',
      method: 'PROPFIND',
      url: `${url}docs/`,
      message: expect.stringMatching(words),
    })
  })

  it('has its generator closed on break', async () => {
    let isClosed = false
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytes(isClosed ? '' : OPEN + listed('/docs/'))
      } finally {
        isClosed = true
      }
    }
    for await (const result of open(async () => answer(body())).propfind('docs/')) {
      if (result.ok) break
    }
    expect(isClosed).toBe(true)
  })

  describe('that goes on', () => {
    let cancelled = 0
    const stream = (text: string): ReadableStream<Uint8Array> =>
      new ReadableStream({
        start: (controller) => controller.enqueue(bytes(text)),
        cancel: () => void cancelled++,
      })
    beforeEach(() => {
      cancelled = 0
    })

    it('is cancelled on break', async () => {
      const dav = open(async () => answer(stream(OPEN + listed('/docs/'))))
      for await (const result of dav.propfind('docs/')) if (result.ok) break
      expect(cancelled).toBe(1)
    })

    it('is cancelled if it is not well-formed', async () => {
      const dav = open(async () => answer(stream(`${OPEN}${listed('/docs/')}</D:oops>`)), 1000)
      const {items, error} = await drain(dav.propfind('docs/'))
      expect(items).toHaveLength(1)
      expect(error).toMatchObject({name: 'MultiStatusError', reason: 'not-well-formed'})
      expect(cancelled).toBe(1)
    })

    it('is cancelled as the long body of a refusal', async () => {
      const body = stream('x'.repeat(1_000_000))
      const dav = open(async () => ({...answer(body), status: 500}), 1000)
      const {error} = await drain(dav.propfind('docs/'))
      expect(error).toMatchObject({name: 'DavHttpError', status: 500})
      expect(cancelled).toBe(1)
    })

    it('is cancelled as the body of a redirect that is followed', async () => {
      const headers = new Headers({location: '/docs/'})
      const dav = open(async ({url: asked}) =>
        asked.endsWith('/docs')
          ? {status: 301, headers, body: stream('Moved')}
          : new Response(whole, {status: 207}),
      )
      expect((await dav.propfind('docs').collect()).successes).toHaveLength(2)
      expect(cancelled).toBe(1)
    })

    it('is cancelled as the body of a refusal that is tried again', async () => {
      let count = 0
      const dav = open(async () =>
        ++count === 1
          ? {...answer(stream('Busy')), status: 503}
          : new Response(whole, {status: 207}),
      )
      const retry = {attempts: 2, minDelay: 1, maxDelay: 1}
      expect((await dav.propfind('docs/', {retry}).collect()).successes).toHaveLength(2)
      expect(cancelled).toBe(1)
    })
  })
})

describe('a transport that ignores the signal', () => {
  const deaf: Transport = () => new Promise(() => {})
  const silent: Transport = async () =>
    answer(
      (async function* () {
        yield bytes(OPEN + listed('/docs/'))
        await new Promise(() => {})
      })(),
    )

  it.each([
    ['before its answer', deaf],
    ['in its body', silent],
  ])('is left when a limit runs out: %s', async (_, transport) => {
    const {error} = await drain(open(transport, 50).propfind('docs/'))
    expect(error).toMatchObject({name: 'DavTimeoutError'})
  })

  it.each([
    ['before its answer', deaf],
    ['in its body', silent],
  ])('is left when the caller aborts: %s', async (_, transport) => {
    const reason = {why: 'enough'}
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 30)
    const {signal} = controller
    expect(await drain(open(transport).propfind('docs/', {signal}))).toMatchObject({error: reason})
    expect((await drain(open(transport).propfind('docs/', {signal}))).error).toBe(reason)
  })
})

describe('a transport that throws', () => {
  it('has its error as the cause of a DavNetworkError', async () => {
    const cause = new Error('the cable is out')
    const {error} = await drain(open(() => Promise.reject(cause)).propfind('docs/'))
    expect(error).toMatchObject({
      name: 'DavNetworkError',
      cause,
      message: `PROPFIND ${url}docs/ failed: the cable is out`,
    })
  })

  it('tells no credentials of the request in its message', async () => {
    const own = new DavClient({
      url,
      auth: basicAuth('ana', 's3cret'),
      transport: async ({headers}) => {
        throw new Error(
          `no answer to DELETE with ${JSON.stringify({authorization: headers['authorization']})}`,
        )
      },
    })
    const message =
      'DELETE https://dav.example/a failed: no answer to DELETE with {"authorization":"Basic …"'
    await expect(own.delete('a')).rejects.toThrow(message)
    const {failures} = await own.deleteMany(['a']).collect()
    expect(failures).toMatchObject([{description: expect.stringContaining(message)}])
  })

  it('may throw synchronously', async () => {
    const cause = new Error('the cable is out')
    const transport: Transport = () => {
      throw cause
    }
    const {error} = await drain(open(transport).propfind('docs/'))
    expect(error).toMatchObject({name: 'DavNetworkError', cause})
  })
})

describe('a dispatcher of the user’s own', () => {
  let server: FaultServer
  beforeEach(async () => {
    server = await startFaultServer()
  })

  afterEach(() => server.close())

  it('is sent with, and is left to its owner when the transport closes', async () => {
    server.answers({status: 204})
    const dispatcher = new Agent({connections: 1})
    const transport = undiciTransport({dispatcher})
    const dav = new DavClient({url: server.url, transport})
    await dav.deleteMany(['a', 'b', 'c']).collect()
    await transport.close()
    expect(partition(resultsOf(await dav.delete('d'))).successes).toHaveLength(1)
    expect(server.connections).toBe(1)
    await dispatcher.close()
  })
})
