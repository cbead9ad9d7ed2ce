// States the time limits of an exchange: until the connection, until the headers are there, between two chunks of the body, and
// for all of it. Each is a DavTimeoutError that says which, and frees the connection. No RFC speaks of them.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, DavError, DavTimeoutError, partition, type Timeouts} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
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
import {drain} from '../support/fixtures.ts'
import {resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})

afterEach(() => server.close())

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('over %s', (_, transport) => {
  const open = (timeout: number | Timeouts): DavClient =>
    new DavClient({url: server.url, transport, timeout})

  it('a server that never answers is a DavTimeoutError headers', async () => {
    server.answers(NEVER)
    const {items, error} = await drain(open({headers: 500}).propfind('docs/'))
    expect(items).toEqual([])
    expect(error).toBeInstanceOf(DavTimeoutError)
    expect(error).toBeInstanceOf(DavError)
    expect(error).toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'headers',
      message: `PROPFIND ${server.url}docs/ got no answer within 500 ms: the server may need longer for it, raise timeout.headers`,
    })
    // It had time to come.
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('a server that stops in its body is a DavTimeoutError idle, after the finished results', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), NEVER]))
    const {items, error} = await drain(open({idle: 60}).propfind('docs/'))
    expect(items).toMatchObject([{href: '/docs/'}])
    expect(error).toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'idle',
      message: `PROPFIND ${server.url}docs/ got no more of the answer within 60 ms: if the server may pause so long, raise timeout.idle`,
    })
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('a server that sends headers and no body is idle', async () => {
    server.answers(answer207([NEVER]))
    const {error} = await drain(open({idle: 60}).propfind('docs/'))
    expect(error).toMatchObject({name: 'DavTimeoutError', timeout: 'idle'})
  })

  it('one number is both limits', async () => {
    server.answers(NEVER, answer207([OPEN, NEVER]))
    const dav = open(60)
    expect((await drain(dav.propfind('docs/'))).error).toMatchObject({timeout: 'headers'})
    expect((await drain(dav.propfind('docs/'))).error).toMatchObject({timeout: 'idle'})
  })

  it('the wait for the headers is not the idle limit: a server may be silent before it lists', async () => {
    server.script(async () => {
      await delay(150)
      return answer207(listing('/docs/'))
    })
    const {items, error} = await drain(open({idle: 60}).propfind('docs/'))
    expect(error).toBeUndefined()
    expect(items).toHaveLength(1)
  })

  it('the idle limit begins again with each chunk', async () => {
    const hrefs = ['/docs/', '/docs/a', '/docs/b', '/docs/c', '/docs/d', '/docs/e']
    const parts = hrefs.flatMap((href) => [listed(href), 100])
    server.answers(answer207([OPEN, ...parts, SHUT]))
    const {items, error} = await drain(open({headers: 400, idle: 400}).propfind('docs/'))
    expect(error).toBeUndefined()
    expect(items).toHaveLength(6)
  })

  it('a reader who takes his time is not the server’s idleness', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), 1, listed('/docs/a'), SHUT]))
    const hrefs: string[] = []
    for await (const {href} of open({idle: 60}).propfind('docs/')) {
      hrefs.push(href)
      await delay(150)
    }
    expect(hrefs).toEqual(['/docs/', '/docs/a'])
  })

  it('a body that comes in drops is a DavTimeoutError exchange, after the finished results', async () => {
    const drops = Array.from({length: 100}, (_drop, index) => [listed(`/docs/${index}`), 30])
    server.answers(answer207([OPEN, listed('/docs/'), ...drops.flat(), SHUT]))
    const {items, error} = await drain(open({exchange: 400}).propfind('docs/'))
    expect(items).toContainEqual(expect.objectContaining({href: '/docs/'}))
    expect(error).toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'exchange',
      message: `PROPFIND ${server.url}docs/ did not end within 400 ms: if it may take longer, raise timeout.exchange`,
    })
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('the limit of the exchange ends a wait for the headers too', async () => {
    server.answers(NEVER)
    const {error} = await drain(open({headers: 60_000, exchange: 100}).propfind('docs/'))
    expect(error).toMatchObject({timeout: 'exchange'})
  })

  it('a reader who takes his time does not use up the limit of the exchange', async () => {
    const hrefs = ['/docs/', '/docs/a', '/docs/b', '/docs/c']
    server.answers(answer207([OPEN, ...hrefs.flatMap((href) => [listed(href), 1]), SHUT]))
    const seen: string[] = []
    for await (const {href} of open({exchange: 500}).propfind('docs/')) {
      seen.push(href)
      await delay(200)
    }
    expect(seen).toEqual(hrefs)
  })

  it('the body of a refusal that does not end is not waited for longer', async () => {
    server.answers({status: 403, body: ['<html>', NEVER]})
    const {error} = await drain(open({idle: 60}).propfind('docs/'))
    expect(error).toMatchObject({name: 'DavHttpError', status: 403})
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('a DELETE that is not answered throws', async () => {
    server.answers(NEVER)
    await expect(open({headers: 60}).delete('a')).rejects.toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'headers',
    })
  })

  it('a DELETE that is not answered is a Failure no-answer among many', async () => {
    server.script(({url}) => (url === '/b' ? NEVER : {status: 204}))
    const {successes, failures} = await open({headers: 300}).deleteMany(['a', 'b', 'c']).collect()
    expect(successes.map(({href}) => href).toSorted()).toEqual(['/a', '/c'])
    expect(failures).toMatchObject([
      {href: '/b', status: 0, reason: 'no-answer', relation: 'self', conditions: []},
    ])
  })
})

describe('timeout', () => {
  it.each([0, -1, Number.NaN])('of %s is a RangeError', (timeout) => {
    const options = {url: 'http://127.0.0.1/'}
    expect(() => new DavClient({...options, timeout})).toThrow(RangeError)
    expect(() => new DavClient({...options, timeout: {headers: timeout}})).toThrow(RangeError)
    expect(() => new DavClient({...options, timeout: {idle: timeout}})).toThrow(RangeError)
    expect(() => new DavClient({...options, timeout: {exchange: timeout}})).toThrow(RangeError)
    expect(() => new DavClient({...options, timeout: {total: timeout}})).toThrow(RangeError)
    expect(() => new DavClient({...options, timeout: {connect: timeout}})).toThrow(RangeError)
  })

  it('with connect and a transport of the caller is a TypeError that names the option of undiciTransport', () => {
    const options = {url: 'http://127.0.0.1/', timeout: {connect: 5}}
    expect(() => new DavClient({...options, transport: undiciTransport()})).toThrow(
      new TypeError(
        'timeout: connect is for the own transport: give connectTimeout to undiciTransport',
      ),
    )
    expect(new DavClient(options).url).toBe('http://127.0.0.1/')
  })

  it.each([Number.POSITIVE_INFINITY, 2 ** 31, Number.MAX_SAFE_INTEGER])(
    'of %s does not fire at once',
    async (timeout) => {
      server.script(async () => {
        await delay(20)
        return {status: 204}
      })
      const {successes} = partition(
        resultsOf(await new DavClient({url: server.url, timeout}).delete('a')),
      )
      expect(successes).toHaveLength(1)
    },
  )
})

// 192.0.2.0/24 is for documentation (RFC 5737): nothing there answers, and some networks refuse it at once.
const url = 'http://192.0.2.1/'

describe.each([
  ['undiciTransport: connectTimeout', {url, transport: undiciTransport({connectTimeout: 1200})}],
  ['timeout: connect', {url, timeout: {connect: 1200}}],
])('%s', (_, options) => {
  it('is a DavTimeoutError connect', async () => {
    const error: unknown = await new DavClient(options).delete('a').catch((e: unknown) => e)
    expect(error).toBeInstanceOf(DavError)
    if (!(error instanceof DavTimeoutError)) return
    expect(error.timeout).toBe('connect')
    expect(error.message).toBe(
      `DELETE ${url}a could not connect within 1200 ms: if the network is slow, raise timeout.connect, or connectTimeout of the transport`,
    )
  })
})

it.each([
  [
    'UND_ERR_CONNECT_TIMEOUT',
    'Connect Timeout Error (attempted address: dav.example:443, timeout: 10000ms)',
    'could not connect within 10000 ms: if the network is slow, raise timeout.connect, or connectTimeout of the transport',
  ],
  [
    'ETIMEDOUT',
    'connect ETIMEDOUT 192.0.2.1:443',
    'could not connect before the system gave up: the server may be down, or a firewall may drop packets',
  ],
])('the platform’s %s is a DavTimeoutError connect', async (code, words, message) => {
  const transport = (): Promise<never> => Promise.reject(Object.assign(new Error(words), {code}))
  const dav = new DavClient({url, transport})
  await expect(dav.delete('a')).rejects.toMatchObject({
    name: 'DavTimeoutError',
    timeout: 'connect',
    message: `DELETE ${url}a ${message}`,
  })
})
