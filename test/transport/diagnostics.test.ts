// States the record of an exchange: one for each, at its end, whatever the end is, and without a credential. RFC 9110, section 3.3.

import {execFile} from 'node:child_process'
import {channel} from 'node:diagnostics_channel'
import {setTimeout as delay} from 'node:timers/promises'
import {promisify} from 'node:util'

import {
  basicAuth,
  bearerAuth,
  DavClient,
  type DavClientOptions,
  type DavExchange,
  digestAuth,
  formatExchange,
  type Transport,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  CLOSE,
  type FaultServer,
  listed,
  NEVER,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {bytes, drain} from '../support/fixtures.ts'
import {collectGarbage} from '../support/garbage.ts'

vi.setConfig({testTimeout: 10_000})

let server: FaultServer
let seen: DavExchange[]
beforeEach(async () => {
  server = await startFaultServer()
  seen = []
})
afterEach(() => server.close())

const tell = (exchange: DavExchange): void => void seen.push(exchange)

/** The members of the records that no clock decides. */
function facts(): readonly Partial<DavExchange>[] {
  return seen.map((exchange) => {
    const {startedAt: _, times: __, ...others} = exchange
    return others
  })
}

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('over %s', (_, transport) => {
  const open = (options: Partial<DavClientOptions> = {}): DavClient =>
    new DavClient({url: server.url, transport, onExchange: tell, ...options})

  it('has the request and the answer', async () => {
    const before = Date.now()
    const body = [OPEN, listed('/docs/'), SHUT].join('')
    const headers = {server: 'Test/1', 'content-type': 'application/xml'}
    server.answers({status: 207, headers, body})
    await open().propfind('docs/').collect()
    const sent = server.requests[0]?.body ?? ''
    expect(facts()).toEqual([
      {
        method: 'PROPFIND',
        url: `${server.url}docs/`,
        depth: '1',
        attempt: 1,
        sentBytes: sent.length,
        receivedBytes: body.length,
        status: 207,
        contentType: 'application/xml',
        server: 'Test/1',
        retryAfter: undefined,
        error: undefined,
      },
    ])
    const [{startedAt, times} = {startedAt: 0, times: {headers: 0, end: 0}}] = seen
    expect(startedAt).toBeGreaterThanOrEqual(before)
    expect(startedAt).toBeLessThanOrEqual(Date.now())
    expect(times.headers).toBeLessThanOrEqual(times.end)
  })

  it('is frozen', async () => {
    server.answers(RESET)
    await drain(open().propfind('docs/'))
    expect(seen).toHaveLength(1)
    for (const exchange of seen) {
      expect(Object.isFrozen(exchange)).toBe(true)
      expect(Object.isFrozen(exchange.times)).toBe(true)
      expect(Object.isFrozen(exchange.error)).toBe(true)
    }
  })

  it('has the bytes of a streamed body, and of one in memory', async () => {
    server.answers({status: 201})
    const dav = open()
    await dav.put('a', 'é')
    await dav.put('a', new Blob(['abc']))
    await dav.put('a', bytes('x'.repeat(200_000)))
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield bytes('ab')
      yield bytes('cde')
    }
    const {body} = await dav.request('PUT', 'a', {body: pieces()})
    await body?.cancel?.()
    expect(seen.map(({sentBytes}) => sentBytes)).toEqual([2, 3, 200_000, 5])
  })

  it('has a refusal with its Retry-After', async () => {
    server.answers({status: 503, headers: {'retry-after': '7'}})
    await open().delete('a')
    expect(facts()).toMatchObject([{method: 'DELETE', status: 503, retryAfter: 7000}])
    expect(facts()[0]?.error).toBeUndefined()
  })

  it('has the error of a connection that is reset before the headers', async () => {
    server.answers(RESET)
    await open().deleteMany(['a']).collect()
    expect(facts()).toMatchObject([
      {method: 'DELETE', status: undefined, error: {name: 'DavNetworkError'}, receivedBytes: 0},
    ])
    expect(seen[0]?.times.headers).toBeUndefined()
  })

  it('has the status and the error of an answer that breaks in its body', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), 20, CLOSE]))
    await drain(open().propfind('docs/'))
    const sent = OPEN.length + listed('/docs/').length
    expect(facts()).toMatchObject([
      {status: 207, receivedBytes: sent, error: {name: 'DavNetworkError'}},
    ])
  })

  it.each([
    ['headers', [], undefined],
    ['idle', [OPEN], 207],
    ['exchange', [OPEN], 207],
    ['total', [OPEN], 207],
  ] as const)('has the time limit that ran out: %s', async (limit, parts, status) => {
    server.answers(limit === 'headers' ? NEVER : answer207([...parts, NEVER]))
    await drain(open().propfind('docs/', {timeout: {[limit]: 200}}))
    expect(facts()).toMatchObject([{status, error: {name: 'DavTimeoutError'}}])
    expect(seen[0]?.error?.message).toContain(`raise timeout.${limit}`)
  })

  it('has the reason of a signal, before the headers', async () => {
    server.answers(NEVER)
    const controller = new AbortController()
    setTimeout(() => controller.abort(new RangeError('enough')), 60)
    const {signal} = controller
    await expect(open().delete('a', {signal})).rejects.toThrow('enough')
    expect(facts()).toMatchObject([
      {status: undefined, error: {name: 'RangeError', message: 'enough'}},
    ])
  })

  it('has the reason of a signal that ends a body which nobody reads', async () => {
    server.answers({status: 200, body: ['abc', NEVER]})
    const controller = new AbortController()
    await open().request('GET', 'a', {signal: controller.signal})
    expect(seen).toEqual([])
    controller.abort(new RangeError('enough'))
    expect(facts()).toMatchObject([{status: 200, error: {name: 'RangeError', message: 'enough'}}])
  })

  it('has no error for a body that is given up', async () => {
    server.answers({status: 200, body: ['abc', NEVER]})
    const {body} = await open().request('GET', 'a')
    await body?.cancel?.()
    expect(facts()).toMatchObject([{method: 'GET', status: 200, error: undefined}])
  })

  it('comes for a body that was dropped unread', async () => {
    server.answers({status: 200, body: ['abc', NEVER]})
    const dav = open()
    await (async () => {
      await dav.request('GET', 'a')
    })()
    for (let times = 0; times < 100 && seen.length === 0; times++) {
      await delay(20)
      collectGarbage()
    }
    expect(facts()).toMatchObject([{method: 'GET', status: 200, error: {name: 'AbortError'}}])
  })

  it('has each hop of a redirect, each as a first attempt', async () => {
    server.script(({url}) =>
      url === '/docs' ? {status: 301, headers: {location: '/docs/'}} : answer207([OPEN, SHUT]),
    )
    await drain(open().propfind('docs'))
    expect(facts()).toMatchObject([
      {url: `${server.url}docs`, status: 301, attempt: 1},
      {url: `${server.url}docs/`, status: 207, attempt: 1},
    ])
  })

  it('counts the repetitions of a request in its call', async () => {
    const retry = {attempts: 3, minDelay: 1, maxDelay: 1, retryable: () => true}
    server.answers({status: 401}, RESET, {status: 204})
    const dav = open({retry})
    await dav.delete('a')
    await dav.delete('a')
    expect(facts()).toMatchObject([
      {status: 401, attempt: 1},
      {status: undefined, attempt: 2},
      {status: 204, attempt: 3},
      {status: 204, attempt: 1},
    ])
  })

  it('has each request with other credentials after a 401', async () => {
    const challenge = 'Digest realm="Files", nonce="n-1", qop="auth", algorithm=SHA-256'
    server.script(({headers}) =>
      headers.authorization === undefined
        ? {status: 401, headers: {'www-authenticate': challenge}}
        : {status: 204},
    )
    const dav = open({auth: digestAuth('ana', 'geheim')})
    await dav.delete('a')
    await dav.delete('a')
    const {authorization = ''} = server.requests[1]?.headers ?? {}
    expect(facts()).toMatchObject([
      {status: 401, attempt: 1},
      {status: 204, attempt: 2},
      {status: 204, attempt: 1},
    ])
    expect(JSON.stringify(seen)).not.toContain(/response="(\w+)"/.exec(authorization)?.[1])
  })

  it('counts requests with other bodies or another depth as others', async () => {
    server.answers({status: 500})
    const dav = open()
    await drain(dav.propfind('docs/', {depth: 'infinity'}))
    await dav
      .multiget('docs/', ['docs/a', 'docs/b'], {
        report: '{urn:x}multiget',
        properties: ['getetag'],
        batchSize: 1,
        concurrency: 1,
      })
      .collect()
    expect(seen.map(({attempt}) => attempt)).toEqual(seen.map(() => 1))
    expect(seen.length).toBeGreaterThan(3)
  })

  it('does not come for a request that is not sent', async () => {
    const dav = open()
    await dav.delete('a', {dryRun: true})
    await expect(dav.delete('a', {signal: AbortSignal.abort()})).rejects.toThrow()
    expect(seen).toEqual([])
  })
})

describe('a listener that throws', () => {
  it('does not change the call, and its error is reported as an uncaught one', async () => {
    const errors: unknown[] = []
    const queue = globalThis.queueMicrotask
    const queueCaught = (run: () => void): void =>
      queue(() => {
        try {
          run()
        } catch (error) {
          errors.push(error)
        }
      })
    vi.stubGlobal('queueMicrotask', queueCaught)
    try {
      server.answers(answer207([OPEN, listed('/docs/'), SHUT]))
      const onExchange = (): never => {
        throw new Error('no disk')
      }
      const dav = new DavClient({url: server.url, onExchange})
      expect((await dav.propfind('docs/').collect()).successes).toHaveLength(1)
      expect(errors).toEqual([new Error('no disk')])
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

it.each<[string, unknown, string]>([
  ['an object without a text', Object.create(null), 'object'],
  ['an error whose message is none', Object.assign(new Error('x'), {message: 5}), 'Error'],
  ['a text', 'enough', 'string'],
])('the reason of a signal does not change a call: %s', async (_, reason, name) => {
  server.answers(NEVER)
  const controller = new AbortController()
  const dav = new DavClient({url: server.url, onExchange: tell})
  const deleted = dav.delete('a', {signal: controller.signal})
  setTimeout(() => controller.abort(reason), 50)
  await expect(deleted).rejects.toBe(reason)
  expect(seen).toMatchObject([{method: 'DELETE', error: {name}}])
})

describe('a credential', () => {
  const secrets = ['geheim', 'YW5hOmdlaGVpbQ==', 'opaque-token', 'urn:uuid:locked', 'session=1']
  const lockToken = 'urn:uuid:locked'
  const headers = {cookie: 'session=1', 'x-api-key': 'geheim'}

  it.each([
    ['Basic', basicAuth('ana', 'geheim')],
    ['Bearer', bearerAuth('opaque-token')],
  ])('is in no record: %s', async (_, auth) => {
    server.script(({url}) =>
      url.startsWith('/docs/?')
        ? RESET
        : {status: 302, headers: {location: '/docs/?token=geheim&sig', 'set-cookie': 'a=geheim'}},
    )
    const dav = new DavClient({url: server.url, auth, headers, onExchange: tell})
    await drain(dav.propfind('docs/'))
    await dav.delete('a', {lockToken})
    await dav.unlock('a', {lockToken})
    const text = JSON.stringify(seen) + seen.map(formatExchange).join('\n')
    expect(seen.map(({method}) => method)).toEqual(['PROPFIND', 'PROPFIND', 'DELETE', 'UNLOCK'])
    expect(seen[1]).toMatchObject({url: `${server.url}docs/?token=…&…`})
    for (const secret of secrets) expect(text).not.toContain(secret)
  })

  it('is removed from the words of a transport', async () => {
    const transport: Transport = async (request) => {
      throw new Error(`cannot send ${JSON.stringify(request)}`)
    }
    const auth = basicAuth('ana', 'geheim')
    const options = {url: 'https://dav.example/', auth, headers, transport, onExchange: tell}
    await new DavClient(options).deleteMany([{href: 'a', lockToken}]).collect()
    expect(seen).toHaveLength(1)
    for (const secret of secrets) expect(JSON.stringify(seen)).not.toContain(secret)
  })
})

it('a secret of the URL that a transport was redirected to is in no record', async () => {
  const transport: Transport = async () => ({
    status: 200,
    url: 'https://ana:geheim@other.example/a?sig=opaque-token',
    headers: {get: () => null},
    body: null,
  })
  const dav = new DavClient({url: server.url, transport, onExchange: tell})
  await dav.deleteMany(['a']).collect()
  const [{error} = {error: undefined}] = seen
  expect(error?.message).toContain('https://other.example/a?sig=…')
  expect(JSON.stringify(seen)).not.toMatch(/geheim|opaque/)
})

describe('under Node', () => {
  it('goes to a diagnostics channel while somebody listens there', async () => {
    server.answers({status: 204})
    const dav = new DavClient({url: server.url})
    const exchanges = channel('multistatus:exchange')
    const heard: unknown[] = []
    const hear = (message: unknown): void => void heard.push(message)
    exchanges.subscribe(hear)
    await dav.delete('a')
    exchanges.unsubscribe(hear)
    await dav.delete('b')
    expect(heard).toMatchObject([{method: 'DELETE', url: `${server.url}a`, status: 204}])
  })

  it('prints lines for NODE_DEBUG, and none without it', async () => {
    server.answers({status: 204, headers: {server: 'Test/1'}})
    const program = `
      import {DavClient} from ${JSON.stringify(import.meta.resolve('../../src/index.ts'))}
      await new DavClient({url: ${JSON.stringify(server.url)}}).delete('a')`
    const args = [...process.execArgv, '--input-type=module', '--eval', program]
    const run = async (section: string): Promise<string> => {
      const env = {...process.env, NODE_DEBUG: section}
      return (await promisify(execFile)(process.execPath, args, {env})).stderr
    }
    const lines = (await run('multistatus')).trim().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /^MULTISTATUS \d+: \S+ DELETE http:\S+\/a \(Depth: infinity\) \| 204 \| .* \| Test\/1 \| /,
    )
    expect(await run('other')).toBe('')
  })
})

describe('formatExchange', () => {
  const exchange: DavExchange = {
    method: 'PROPFIND',
    url: 'https://dav.example/docs/',
    depth: '1',
    attempt: 1,
    startedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    times: {headers: 12.4, end: 43.6},
    sentBytes: 120,
    receivedBytes: 5321,
    status: 207,
    contentType: 'application/xml',
    server: 'Test/1',
    retryAfter: undefined,
    error: undefined,
  }
  const platform = `multistatus/0.1.0 | Node.js/${process.versions.node}`

  it('is one line with the answer', () => {
    expect(formatExchange(exchange)).toBe(
      `2026-01-02T03:04:05.006Z PROPFIND https://dav.example/docs/ (Depth: 1) | 207 | 12 ms to headers, 44 ms in all | sent 120 B, received 5321 B | application/xml | Test/1 | ${platform}`,
    )
  })

  it('has the error, the attempt and the Retry-After, and no line break of a server', () => {
    const {method, url} = exchange
    const line = formatExchange({
      ...exchange,
      depth: undefined,
      attempt: 3,
      times: {headers: undefined, end: 60_000},
      status: undefined,
      contentType: undefined,
      server: 'a\nb\u001B[31m',
      retryAfter: 2000,
      error: {name: 'DavTimeoutError', message: `${method} ${url} got no answer`},
    })
    expect(line).toBe(
      `2026-01-02T03:04:05.006Z PROPFIND https://dav.example/docs/ | DavTimeoutError: got no answer | 60000 ms | sent 120 B, received 5321 B | attempt 3 | Retry-After 2000 ms | a b\\u001b[31m | ${platform}`,
    )
  })

  it('has the status and the error of a body that broke', () => {
    const error = {name: 'DavNetworkError', message: 'terminated'}
    expect(formatExchange({...exchange, error})).toContain(
      '| 207, then DavNetworkError: terminated |',
    )
  })
})
