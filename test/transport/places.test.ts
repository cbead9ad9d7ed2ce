// States that the place of an error decides, never its words or its class. Before the send it is the caller's; in the send
// and in the body it is the network's. RFC 9110, section 5; contract, errors.

import {
  DavClient,
  DavError,
  DavNetworkError,
  type DavRequest,
  DavTimeoutError,
  type Failure,
  type FailureCause,
  type Transport,
  partition,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {describe, expect, it} from 'vitest'

import {Group} from '../../src/protocol/group.ts'
import {withDeadlines} from '../../src/transport/deadlines.ts'
import {resolveTimeouts} from '../../src/transport/timeouts.ts'
import {discard} from '../../src/transport/transport.ts'
import {WithheldError} from '../../src/transport/withheld.ts'
import {listed, listing, OPEN} from '../support/fault-server.ts'
import {bytes, drain} from '../support/fixtures.ts'
import {resultsOf} from '../support/results.ts'

const url = 'https://dav.example/'

// Errors of Bun, Deno, Firefox and Safari, and values that are no errors.
const thrown: readonly [string, unknown][] = [
  ['a bare TypeError', new TypeError('x')],
  ['a TypeError without words', new TypeError('')],
  ['a TypeError with a code', Object.assign(new TypeError('x'), {code: 'ECONNREFUSED'})],
  ['a RangeError', new RangeError('x')],
  ['an AbortError of nobody', new DOMException('x', 'AbortError')],
  ['a TimeoutError of nobody', new DOMException('x', 'TimeoutError')],
  ['a text', 'x'],
  ['null', null],
  ['undefined', undefined],
]

describe.each(thrown)('%s', (_, cause) => {
  const rejecting: Transport = () => Promise.reject(cause)
  const throwing: Transport = () => {
    throw cause
  }
  const breaking: Transport = async () => ({
    status: 207,
    headers: new Headers(),
    body: (async function* () {
      yield bytes(OPEN + listed('/a/'))
      throw cause
    })(),
  })
  const streaming: Transport = async () => {
    let isFirst = true
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (isFirst) controller.enqueue(bytes(OPEN + listed('/a/')))
        else controller.error(cause)
        isFirst = false
      },
    })
    return new Response(body, {status: 207})
  }

  it.each([
    ['that fetch rejects with', rejecting],
    ['that a transport throws', throwing],
    ['that a body throws', breaking],
    ['that a stream errors with', streaming],
  ])('%s is a DavNetworkError with its cause', async (_where, transport) => {
    const {error} = await drain(new DavClient({url, transport}).propfind('a/'))
    expect(error).toBeInstanceOf(DavNetworkError)
    expect(error).toMatchObject({name: 'DavNetworkError', cause})
  })

  it('is one target of a bulk call, and the others go on', async () => {
    const fetch = async (asked: string): Promise<Response> => {
      if (asked.endsWith('/b')) throw cause
      return new Response(null, {status: 204})
    }
    const dav = new DavClient({url, transport: fetchTransport({fetch})})
    const {successes, failures} = await dav.deleteMany(['a', 'b', 'c']).collect()
    expect(successes.map(({href}) => href).toSorted()).toEqual(['/a', '/c'])
    expect(failures).toMatchObject([{href: '/b', status: 0, reason: 'no-answer'}])
  })

  it('is retried by a policy', async () => {
    let count = 0
    const transport: Transport = async () => {
      if (++count < 3) throw cause
      return new Response(listing('/a/'), {status: 207})
    }
    const retry = {attempts: 3, minDelay: 1, maxDelay: 1}
    const dav = new DavClient({url, transport, retry})
    expect((await dav.propfind('a/').collect()).successes).toHaveLength(1)
  })
})

/** The answer that a browser gives in the place of a redirect. Fetch standard, section 2.2.6. */
function hiddenRedirect(): Response {
  return Object.defineProperties(new Response(null), {
    type: {value: 'opaqueredirect'},
    status: {value: 0},
  })
}

describe('an error of the package that a transport throws', () => {
  it.each([new DavTimeoutError('x', 'connect'), new DavNetworkError('x'), new DavError('x')])(
    'stays: $name',
    async (known) => {
      const {error} = await drain(
        new DavClient({url, transport: () => Promise.reject(known)}).propfind('a/'),
      )
      expect(error).toBe(known)
    },
  )
})

describe('an error of a second copy of the package', () => {
  it.each([
    ['DavTimeoutError', DavTimeoutError],
    ['DavNetworkError', DavNetworkError],
    ['DavError', DavError],
  ] as const)('becomes one of this copy: %s', async (name, own) => {
    const path = '../../src/protocol/errors.ts?second-copy'
    const copy: {
      readonly DavError: typeof DavError
      readonly DavNetworkError: typeof DavNetworkError
      readonly DavTimeoutError: typeof DavTimeoutError
    } = await import(path)
    const facts = {method: 'PROPFIND', url: `${url}a/`}
    const foreign =
      name === 'DavTimeoutError'
        ? new copy.DavTimeoutError('It is late', 'connect', facts)
        : new copy[name]('It is late', facts)
    expect(foreign).not.toBeInstanceOf(DavError)
    const dav = new DavClient({url, transport: () => Promise.reject(foreign)})
    const {error} = await drain(dav.propfind('a/'))
    expect(error).toBeInstanceOf(own)
    expect(error).toMatchObject({name, message: 'It is late', cause: foreign, ...facts})
  })
})

describe('the cause of a Failure without an answer', () => {
  const known = {method: 'DELETE', url: `${url}a`}
  it.each<[FailureCause, Error]>([
    ['network', new Error('the cable is out')],
    ['network', new DavNetworkError('x', known)],
    ['timeout', new DavTimeoutError('x', 'connect', known)],
    ['timeout', Object.assign(new Error('x'), {code: 'ETIMEDOUT'})],
    ['not-sent', new WithheldError('x', known)],
    ['unreadable', new DavError('x', known)],
  ])('is %s for %s', async (cause, error) => {
    const dav = new DavClient({url, transport: () => Promise.reject(error)})
    const {failures} = await dav.deleteMany(['a']).collect()
    expect(failures).toMatchObject([{href: '/a', status: 0, reason: 'no-answer', cause}])
  })
})

describe('a wrong argument', () => {
  const send = (request: Partial<DavRequest>): Promise<unknown> => {
    let isSent = false
    const transport: Transport = async () => {
      isSent = true
      return new Response(null, {status: 204})
    }
    const timed = withDeadlines(transport, () => {})
    const {signal} = new AbortController()
    const call = {signal, exchanges: new Group<never>(), timeouts: resolveTimeouts(1000)}
    return timed({method: 'DELETE', url, headers: {}, ...request}, call).finally(() =>
      expect(isSent).toBe(false),
    )
  }

  it.each<[string, Partial<DavRequest>]>([
    ['an empty method', {method: ''}],
    ['a method with a blank', {method: 'DEL ETE'}],
    ['a method with a line feed', {method: 'DELETE\nX: y'}],
    ['a method that is no ASCII', {method: 'DÉLETE'}],
    ['CONNECT', {method: 'CONNECT'}],
    ['TRACE, in any case', {method: 'Trace'}],
    ['TRACK', {method: 'TRACK'}],
    ['a relative URL', {url: '/a'}],
    ['another scheme', {url: 'file:///a'}],
    ['no host', {url: 'https:///a'}],
    ['a header without a name', {headers: {'': 'x'}}],
    ['a header name with a colon', {headers: {'a:b': 'x'}}],
    ['a value with a line feed', {headers: {depth: '1\r\nx: y'}}],
    ['a value beyond Latin-1', {headers: {'x-note': '\u0100'}}],
    ['a NUL', {headers: {depth: '\0'}}],
    ['a header of the connection', {headers: {'content-length': '5'}}],
  ])('is a TypeError before anything is sent: %s', async (_, request) => {
    await expect(send(request)).rejects.toThrow(TypeError)
  })

  it('is named without the value, which may be a secret', async () => {
    const error: unknown = await send({headers: {authorization: 'geheim\n'}}).catch(
      (e: unknown) => e,
    )
    expect(String(error)).toContain('authorization')
    expect(String(error)).not.toContain('geheim')
  })
})

describe('a redirect that a browser hides', () => {
  let count = 0
  // No server can send such an answer: it is made by the browser.
  const transport = fetchTransport({
    fetch: async (asked) => {
      count++
      return asked.endsWith('/moved') ? hiddenRedirect() : new Response(null, {status: 204})
    },
  })
  const retry = {attempts: 5, minDelay: 1, maxDelay: 1, retryable: () => true}
  const open = (): DavClient => {
    count = 0
    return new DavClient({url, transport, retry})
  }

  it('is a Failure refused, sent once, and the others go on', async () => {
    const {successes, failures} = await open().deleteMany(['moved', 'a']).collect()
    expect(successes).toMatchObject([{href: '/a'}])
    expect(failures).toMatchObject([
      {
        href: '/moved',
        status: 0,
        reason: 'refused',
        description: expect.stringContaining('redirect'),
      },
    ])
    expect(count).toBe(2)
  })

  it('is not sent again by retry', async () => {
    count = 0
    const dav = new DavClient({url, transport})
    const {failures} = partition(resultsOf(await dav.delete('moved')))
    expect(failures).toMatchObject([{reason: 'refused', request: {attempts: 1}}])
    const again = await dav.retry(failures, {attempts: 3, minDelay: 1, maxDelay: 1}).collect()
    expect(again.failures).toEqual(failures)
    expect(count).toBe(1)
  })

  it('is thrown by a listing, and sent once', async () => {
    await expect(open().propfind('moved').collect()).rejects.toMatchObject({
      name: 'DavNetworkError',
      message: expect.stringContaining('redirect'),
    })
    expect(count).toBe(1)
  })

  it('is a Failure refused below a walk', async () => {
    const walking = fetchTransport({
      fetch: async (asked) =>
        asked.endsWith('/sub/')
          ? hiddenRedirect()
          : new Response(listing('/', '/sub/'), {status: 207}),
    })
    const dav = new DavClient({url, transport: walking, retry})
    const {failures, summary} = await dav.propfind('', {depth: {walk: true}}).collect()
    expect(failures).toMatchObject<Partial<Failure>[]>([{href: '/sub/', reason: 'refused'}])
    expect(summary.complete).toBe(false)
  })

  it('slows nothing down: it is no sign of a server that bears no more', async () => {
    let [underWay, most] = [0, 0]
    const slow = fetchTransport({
      fetch: async (asked) => {
        most = Math.max(most, ++underWay)
        await new Promise((resolve) => setTimeout(resolve, 5))
        underWay--
        return Number(asked.slice(-2)) < 10 ? hiddenRedirect() : new Response(null, {status: 204})
      },
    })
    const names = Array.from({length: 30}, (_, number) => String(number).padStart(2, '0'))
    const stream = new DavClient({url, transport: slow}).deleteMany(names, {concurrency: 4})
    most = 0
    let seen = 0
    for await (const _ of stream) if (++seen === 10) most = 0
    expect(most).toBe(4)
  })
})

describe('a request that the platform may send twice', () => {
  it.each([
    ['DELETE', false],
    ['PUT', false],
    ['MOVE', false],
    ['LOCK', false],
    ['PROPPATCH', false],
    ['PROPFIND', undefined],
    ['GET', undefined],
    ['OPTIONS', undefined],
    ['REPORT', undefined],
  ])('%s asks for a connection of its own: keepalive %s', async (method, keepalive) => {
    const seen: RequestInit[] = []
    const transport = fetchTransport({
      fetch: async (_url, init) => {
        seen.push(init)
        return new Response(null, {status: 204})
      },
    })
    await transport({method, url, headers: {}})
    expect(seen.map((init) => init.keepalive)).toEqual([keepalive])
    await transport.close()
  })
})

describe('a body that is given up', () => {
  const common = {status: 200, headers: new Headers()}

  it('is not waited for without end, though it never says that it is', async () => {
    const never = new Promise<never>(() => {})
    await discard({...common, body: new ReadableStream({cancel: () => never})})
    const iterable = {
      [Symbol.asyncIterator]: () => ({next: () => never, return: () => never}),
    }
    await discard({...common, body: iterable})
    const dav = new DavClient({
      url,
      transport: async () => ({
        ...common,
        status: 207,
        body: new ReadableStream({
          start: (controller) => controller.enqueue(bytes(OPEN + listed('/a/'))),
          cancel: () => never,
        }),
      }),
    })
    let count = 0
    for await (const result of dav.propfind('a/')) {
      if (result.ok) count++
      break
    }
    expect(count).toBe(1)
  })

  it('is closed though nobody has begun to read it: a stream of Node, an iterator', async () => {
    const closed: string[] = []
    const stream = {
      destroy: () => void closed.push('destroy'),
      [Symbol.asyncIterator]: () => ({next: async () => ({done: true, value: undefined}) as const}),
    }
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({done: true, value: undefined}) as const,
        return: async () => {
          closed.push('return')
          return {done: true, value: undefined} as const
        },
      }),
    }
    await discard({...common, body: stream})
    await discard({...common, body: iterable})
    expect(closed).toEqual(['destroy', 'return'])
  })
})
