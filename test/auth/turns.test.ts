// States how requests take turns where a server binds a nonce to its connection, as Cyrus does: none is lost, and a server that does
// not bind them never waits.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type DavResult, digestAuth, type Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {actAsCyrus, type GateOptions, guard, makeGate} from '../support/digest-gate.ts'
import {type FaultServer, startFaultServer} from '../support/fault-server.ts'

vi.setConfig({testTimeout: 20_000})

let server: FaultServer

beforeEach(async () => {
  server = await startFaultServer()
})

afterEach(() => server.close())

const BOUND: GateOptions = {isBound: true, uses: 1}

const namesOf = (count: number, prefix = 'f'): readonly string[] =>
  Array.from({length: count}, (_step, index) => `${prefix}${index}`)

const stream = (): ReadableStream<Uint8Array> => new Blob(['once']).stream()

const urlsSeen = (): ReadonlySet<string> => new Set(server.requests.map(({url}) => url))

const sentHeaders = (): readonly (string | undefined)[] =>
  server.requests.map(({headers}) => headers.authorization)

const steps = (): readonly string[] =>
  server.requests.map(
    ({method, headers}) => `${method} ${headers.authorization === undefined ? 'plain' : 'signed'}`,
  )

const open = (transport: Transport = undiciTransport(), password = 'secret'): DavClient =>
  new DavClient({
    url: server.url,
    auth: digestAuth('ana', password),
    transport,
    concurrency: 16,
  })

/** Sends requests beside each other, until the client knows that nonces count on one connection only. */
async function bind(dav: DavClient): Promise<void> {
  expect((await dav.deleteMany(namesOf(32, 'bind')).collect()).failures).toEqual([])
  server.forget()
}

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('over %s', (_platform, transport) => {
  const client = (_user = 'ana', password = 'secret'): DavClient => open(transport(), password)

  it('a nonce that counts once, on its connection only, loses nothing', async () => {
    const gate = guard(server, {...BOUND, algorithms: ['MD5-sess']})
    const dav = client()
    const names = Array.from({length: 100}, (_step, index) => `f${index}`)
    const {successes, failures} = await dav.deleteMany(names).collect()
    expect(failures).toEqual([])
    expect(successes).toHaveLength(100)
    expect(gate.repeated).toEqual([])
    // Beside each other, and each with a long body.
    const long = 'x'.repeat(100_000)
    const puts = Array.from({length: 16}, (_step, index) => dav.put(`p${index}`, long))
    expect((await Promise.all(puts)).filter(({ok}) => !ok)).toEqual([])
  })

  it('a server that answers as Cyrus loses nothing', async () => {
    actAsCyrus(server)
    const dav = client()
    const stored = await Promise.all(namesOf(32).map((name) => dav.put(name, 'x')))
    expect(stored.filter(({ok}) => !ok)).toEqual([])
    const {failures} = await dav.deleteMany(namesOf(64)).collect()
    expect(failures).toEqual([])
    expect(await dav.put('a', 'x')).toMatchObject({ok: true})
  })

  it('a wrong password beside other requests is sent a bounded number of times', async () => {
    guard(server)
    const names = Array.from({length: 100}, (_step, index) => `f${index}`)
    const {failures} = await client('ana', 'wrong').deleteMany(names).collect()
    expect(failures.map(({status}) => status)).toEqual(names.map(() => 401))
    const sent = sentHeaders().filter((header) => header !== undefined)
    // Each request may find the nonce of another one. Three times, those of one moment are sent again.
    expect(sent.length).toBeLessThanOrEqual(2 * (100 + 3 * 16))
  })

  it('a resource that is always refused keeps no others from going beside each other', async () => {
    const gate = makeGate()
    server.script(async (request) => {
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      if (/[05]$/.test(request.url)) return gate.refusal(request)
      await delay(5)
      return {status: 204, headers: admission.headers}
    })
    const dav = client()
    const names = Array.from({length: 100}, (_step, index) => `f${index}`)
    const {failures} = await dav.deleteMany(names).collect()
    expect(failures.map(({status}) => status)).toEqual(Array.from({length: 20}, () => 401))
    let [now, top] = [0, 0]
    server.script(async (request) => {
      top = Math.max(top, ++now)
      await delay(20)
      now--
      const admission = gate.admit(request)
      return 'refusal' in admission ? admission.refusal : {status: 204, headers: admission.headers}
    })
    await dav.deleteMany(names.slice(0, 32)).collect()
    expect(top).toBe(16)
  })

  it('a request that waits for its turn ends with its signal', async () => {
    const {promise: isOpen, resolve} = Promise.withResolvers<void>()
    let isAsked = false
    const gate = makeGate({isBound: true, uses: 1})
    server.script(async (request) => {
      if (request.url === '/slow') {
        isAsked = true
        await isOpen
      }
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      return {status: 204, headers: admission.headers}
    })
    const dav = client()
    await bind(dav)
    const slow = dav.delete('slow')
    await vi.waitFor(() => expect(isAsked).toBe(true))
    const controller = new AbortController()
    const late = dav.delete('late', {signal: controller.signal})
    const last = dav.delete('last')
    const error = new Error('enough')
    controller.abort(error)
    await expect(late).rejects.toBe(error)
    resolve()
    expect([await slow, await last]).toMatchObject([{ok: true}, {ok: true}])
    expect(server.requests.filter(({url}) => url === '/late')).toEqual([])
  })
})

describe('over undici', () => {
  const client = (): DavClient => open()

  it('a body that can be read once is sent once where a nonce counts once, on its connection', async () => {
    guard(server, {isBound: true, uses: 1})
    const dav = client()
    for (const name of ['a', 'b', 'c'])
      expect(await dav.put(name, stream(), {length: 4})).toMatchObject({ok: true})
    const puts = server.requests.filter(({method}) => method === 'PUT')
    expect(puts.map(({body}) => body)).toEqual(['once', 'once', 'once'])
  })

  it('a body that can be read once may come from the same client where requests go alone', async () => {
    guard(server, {isBound: true, uses: 1}, {status: 200, body: 'once'})
    const dav = client()
    await bind(dav)
    const source = {
      async *[Symbol.asyncIterator]() {
        const got = await dav.get('source')
        if (got.ok) yield await got.bytes()
      },
    }
    expect(await dav.put('copy', source, {length: 4})).toMatchObject({ok: true})
    expect(server.requests.find(({method}) => method === 'PUT')?.body).toBe('once')
  })

  it('streams beside each other are each sent once to a server that answers as Cyrus', async () => {
    actAsCyrus(server)
    for (let round = 0; round < 8; round++) {
      const dav = client()
      const puts = namesOf(16).map((name) => dav.put(name, stream(), {length: 4}))
      expect((await Promise.all(puts)).filter(({ok}) => !ok)).toEqual([])
    }
    const puts = server.requests.filter(({method}) => method === 'PUT')
    expect(puts.map(({body}) => body)).toEqual(Array.from({length: 128}, () => 'once'))
  })

  it('streams beside each other are each sent once', async () => {
    guard(server, BOUND)
    const dav = client()
    for (const prefix of ['first', 'second']) {
      const puts = namesOf(16, prefix).map((name) => dav.put(name, stream(), {length: 4}))
      expect((await Promise.all(puts)).filter(({ok}) => !ok)).toEqual([])
    }
  })

  it('a stream after one request is sent with a nonce that the server takes again', async () => {
    guard(server)
    const dav = client()
    await dav.delete('a')
    server.forget()
    expect(await dav.put('b', stream(), {length: 4})).toMatchObject({ok: true})
    expect(steps()).toEqual(['UNLOCK plain', 'UNLOCK signed', 'UNLOCK signed', 'PUT signed'])
    server.forget()
    expect(await dav.put('c', stream(), {length: 4})).toMatchObject({ok: true})
    expect(steps()).toEqual(['UNLOCK plain', 'UNLOCK signed', 'PUT signed'])
  })

  it('a long text after one request needs no question', async () => {
    guard(server)
    const dav = client()
    await dav.delete('a')
    server.forget()
    expect(await dav.put('b', 'x'.repeat(100_000))).toMatchObject({ok: true})
    expect(steps()).toEqual(['PUT signed'])
  })

  it.each<GateOptions>([{uses: 1}, {uses: 1, isSilent: true}, BOUND])(
    'streams after requests beside each other are not lost with %j',
    async (options) => {
      guard(server, options)
      const dav = client()
      for (let round = 0; round < 4; round++) {
        const {failures} = await dav.deleteMany(namesOf(16)).collect()
        expect(failures).toEqual([])
        for (const name of namesOf(3, 'put'))
          expect(await dav.put(name, stream(), {length: 4})).toMatchObject({ok: true})
      }
    },
  )

  it('a method that is answered to everybody does not pass for a nonce that counts again', async () => {
    const gate = makeGate(BOUND)
    server.script((request) => {
      if (request.method === 'OPTIONS') return {status: 200, headers: {dav: '1'}}
      if (request.method === 'UNLOCK') return {status: 405}
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      return {status: request.method === 'DELETE' ? 404 : 201, headers: admission.headers}
    })
    const dav = client()
    await dav.delete('a')
    await dav.options('a')
    for (const name of namesOf(3))
      expect(await dav.put(name, stream(), {length: 4})).toMatchObject({ok: true})
  })

  it('a question that one path does not check is not the last one', async () => {
    const gate = makeGate()
    server.script((request) => {
      const isBelow = request.url.startsWith('/a/')
      if (request.method === (isBelow ? 'UNLOCK' : 'DELETE')) return {status: 404}
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      return {status: 201, headers: admission.headers}
    })
    const dav = client()
    expect(await dav.put('a/x', stream(), {length: 4})).toMatchObject({ok: true})
    gate.restart()
    expect(await dav.put('b/x', stream(), {length: 4})).toMatchObject({ok: true})
  })

  it('clients that share a transport share their turns', async () => {
    guard(server, BOUND)
    const transport = undiciTransport()
    const clients = [open(transport), open(transport)]
    for (let round = 0; round < 3; round++) {
      const all = clients.map((dav, index) => dav.deleteMany(namesOf(50, `c${index}-`)).collect())
      expect((await Promise.all(all)).flatMap(({failures}) => failures)).toEqual([])
    }
  })

  it('a request that goes alone without others is refused once', async () => {
    guard(server, BOUND)
    const dav = client()
    await bind(dav)
    guard(server, {...BOUND, password: 'changed'})
    expect(await dav.delete('a')).toMatchObject({ok: false, status: 401})
    expect(steps()).toEqual(['DELETE signed', 'DELETE signed'])
  })

  it('others do not wait for a request that takes long', async () => {
    const {promise: isOpen, resolve} = Promise.withResolvers<void>()
    const gate = makeGate(BOUND)
    server.script(async (request) => {
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      if (request.url === '/slow') await isOpen
      return {status: 204, headers: admission.headers}
    })
    const dav = client()
    await bind(dav)
    const slow = dav.delete('slow')
    const {failures} = await dav.deleteMany(namesOf(8)).collect()
    expect(failures).toEqual([])
    resolve()
    expect(await slow).toMatchObject({ok: true})
  })

  it('an aborted call sends none of the requests that wait for their turn', async () => {
    guard(server, BOUND)
    const dav = client()
    await bind(dav)
    const controller = new AbortController()
    const results: DavResult[] = []
    let atAbort = 0
    const deletions = dav.deleteMany(namesOf(40, 'h'), {signal: controller.signal})
    const reading = (async () => {
      for await (const result of deletions) {
        if (results.push(result) !== 3) continue
        atAbort = urlsSeen().size
        controller.abort()
      }
    })()
    await expect(reading).rejects.toThrow('aborted')
    await delay(50)
    // One request may be in its turn.
    expect(urlsSeen().size - atAbort).toBeLessThanOrEqual(1)
    expect(results.length).toBeGreaterThan(3)
    const unsent = results.filter((one) => !one.ok && !urlsSeen().has(one.href))
    expect(unsent.length).toBeGreaterThan(0)
    for (const one of unsent) expect(one).toMatchObject({cause: 'not-sent'})
  })

  it('a call that ends before its requests are sent sends none', async () => {
    guard(server, BOUND)
    const inner = undiciTransport()
    let controller = new AbortController()
    let late = 0
    const transport: Transport = (request) => {
      if (controller.signal.aborted) late++
      return inner(request)
    }
    const dav = open(Object.assign(transport, inner))
    // From then on each request waits a moment for its connection.
    await dav.delete('first')
    for (let count = 0; count < 40; count++) {
      controller = new AbortController()
      const {signal} = controller
      const deletions = dav.deleteMany(namesOf(4), {signal}).collect()
      // Before the abort, so that the rejection is handled at once.
      const ended = Promise.allSettled([deletions])
      for (let step = 0; step < count; step++) await Promise.resolve()
      controller.abort()
      expect(await ended).toMatchObject([{status: 'rejected', reason: {name: 'AbortError'}}])
    }
    expect(late).toBe(0)
  })

  it('a call that ends while a refusal is read sends nothing again', async () => {
    const controller = new AbortController()
    const gate = makeGate()
    server.script((request) => {
      const {headers} = gate.refusal(request)
      setTimeout(() => controller.abort(), 20)
      return {status: 401, ...(headers && {headers}), body: ['No', 60, '.']}
    })
    const {signal} = controller
    const {failures} = await client()
      .deleteMany(namesOf(8), {signal})
      .collect()
      .catch(() => ({failures: []}))
    expect(failures.filter(({cause}) => cause === 'aborted')).toEqual([])
    await delay(100)
    expect(sentHeaders()).toEqual(Array.from({length: 8}, () => undefined))
  })

  it.each([403, 503])(
    'answers %i after the check leave the server one that binds',
    async (status) => {
      const gate = makeGate(BOUND)
      let isOpen = false
      server.script((request) => {
        const admission = gate.admit(request)
        if ('refusal' in admission) return admission.refusal
        return {status: isOpen ? 204 : status, headers: admission.headers}
      })
      const dav = client()
      const first = await dav.deleteMany(namesOf(32)).collect()
      expect(first.failures).toHaveLength(32)
      isOpen = true
      expect((await dav.deleteMany(namesOf(64)).collect()).failures).toEqual([])
    },
  )

  it('a refusal whose body never ends is answered', async () => {
    const {promise: never, resolve} = Promise.withResolvers<void>()
    const gate = makeGate()
    server.script((request) => {
      const admission = gate.admit(request)
      if ('refusal' in admission) return {...admission.refusal, body: ['No', never]}
      return {status: 204, headers: admission.headers}
    })
    expect(await client().delete('a')).toMatchObject({ok: true})
    resolve()
  })

  it('a nonce that came with an answer needs no question of its own', async () => {
    guard(server, {uses: 1, rotates: true})
    const dav = client()
    await dav.put('a', stream(), {length: 4})
    server.forget()
    expect(await dav.put('b', stream(), {length: 4})).toMatchObject({ok: true})
    expect(steps()).toEqual(['UNLOCK plain', 'UNLOCK signed', 'PUT signed'])
  })

  it('a Retry-After holds back the requests that wait for their turn', async () => {
    const gate = guard(server, BOUND)
    const dav = client()
    await bind(dav)
    let [isBusy, early, held] = [true, 0, 0]
    server.script((request) => {
      if (isBusy) {
        isBusy = false
        held = performance.now() + 900
        return {status: 503, headers: {'retry-after': '1'}}
      }
      if (performance.now() < held) early++
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      return {status: 204, headers: admission.headers}
    })
    const {failures} = await dav.deleteMany(namesOf(20), {retry: 3}).collect()
    expect([failures, early]).toEqual([[], 0])
  })

  it('a server that does not bind nonces goes on with requests beside each other', async () => {
    const gate = guard(server)
    const dav = client()
    await dav.deleteMany(namesOf(16)).collect()
    let isRefusing = true
    let [now, most] = [0, 0]
    server.script(async (request) => {
      most = Math.max(most, ++now)
      await delay(1)
      now--
      const admission = isRefusing ? {refusal: gate.refusal(request)} : gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      return {status: 204, headers: admission.headers}
    })
    const bulk = dav.deleteMany(namesOf(64)).collect()
    await delay(30)
    isRefusing = false
    await bulk
    most = 0
    await dav.deleteMany(namesOf(64)).collect()
    expect(most).toBeGreaterThan(1)
  })
})

describe('digestAuth with Basic', () => {
  it('sends the password unasked after it was accepted, also with a body that can be read once', async () => {
    server.script(({headers}) =>
      headers.authorization?.startsWith('Basic ') === true
        ? {status: 204}
        : {status: 401, headers: {'www-authenticate': 'Basic realm="r"'}},
    )
    const dav = new DavClient({
      url: server.url,
      auth: digestAuth('ana', 'secret', {basic: true}),
      transport: undiciTransport(),
    })
    expect(await dav.put('a', stream(), {length: 4})).toMatchObject({ok: true})
    expect(await dav.put('b', 'x'.repeat(100_000))).toMatchObject({ok: true})
    expect(await dav.delete('c')).toMatchObject({ok: true})
    expect(steps()).toEqual([
      'UNLOCK plain',
      'UNLOCK signed',
      'PUT signed',
      'PUT signed',
      'DELETE signed',
    ])
  })

  it('sends the password unasked to no other directory', async () => {
    const basic = {status: 401, headers: {'www-authenticate': 'Basic realm="r"'}}
    server.script(({url, headers}) =>
      headers.authorization?.startsWith('Basic ') === true || url.startsWith('/open/')
        ? {status: 204}
        : basic,
    )
    const dav = new DavClient({
      url: server.url,
      auth: digestAuth('ana', 'secret', {basic: true}),
      transport: undiciTransport(),
    })
    for (const name of ['a/1', 'a/b/2', 'open/3', 'ab']) await dav.delete(name)
    expect(steps().map((step, index) => `${server.requests[index]?.url} ${step}`)).toEqual([
      '/a/1 DELETE plain',
      '/a/1 DELETE signed',
      '/a/b/2 DELETE signed',
      '/open/3 DELETE plain',
      '/ab DELETE plain',
      '/ab DELETE signed',
    ])
  })

  it('sends the password unasked to nobody who offers Digest alone', async () => {
    const basic = {status: 401, headers: {'www-authenticate': 'Basic realm="r"'}}
    server.answers(basic, {status: 204})
    const dav = new DavClient({
      url: server.url,
      auth: digestAuth('ana', 'secret', {basic: true}),
      transport: undiciTransport(),
    })
    await dav.delete('a/1')
    guard(server, {password: 'another'})
    await dav.delete('b/1')
    server.forget()
    await dav.delete('a/2')
    expect(steps()).toEqual(['DELETE plain', 'DELETE signed'])
    expect(sentHeaders()[1]).toMatch(/^Digest /)
  })

  it('answers a server that offers Digest later', async () => {
    const basic = {status: 401, headers: {'www-authenticate': 'Basic realm="r"'}}
    server.answers(basic, {status: 204})
    const dav = new DavClient({
      url: server.url,
      auth: digestAuth('ana', 'secret', {basic: true}),
      transport: undiciTransport(),
    })
    await dav.delete('a')
    guard(server)
    expect(await dav.delete('b')).toMatchObject({ok: true})
    expect(sentHeaders().map((header) => header?.split(' ')[0])).toEqual([
      undefined,
      'Basic',
      'Basic',
      'Digest',
    ])
  })
})

it('a bare challenge is the outcome for a function that has no credentials', async () => {
  server.answers({status: 401, headers: {'www-authenticate': 'Digest'}})
  const dav = new DavClient({
    url: server.url,
    auth: () => undefined,
    transport: undiciTransport(),
  })
  expect(await dav.delete('a')).toMatchObject({ok: false, status: 401})
  expect(server.requests).toHaveLength(1)
})
