// States the outcome of a LOCK whose answer was lost. It is never sent again blindly: a second one would meet the first. RFC 4918,
// sections 9.10 and 15.8; RFC 9110, section 9.2.2.

import {DavClient, type DavResult, type Failure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {type FaultServer, RESET, startFaultServer} from '../support/fault-server.ts'
import {granted, type Parts, shown} from '../support/locks.ts'
import {line} from '../support/results.ts'

const token = 'urn:uuid:1'
const own: Parts = {scope: 'exclusive', depth: '0', owner: 'Ana', timeout: 'Second-600', token}
const other: Parts = {...own, owner: 'Bob', token: 'urn:uuid:2'}

type Reply = ReturnType<Parameters<FaultServer['script']>[0]>

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const retry = {attempts: 3, minDelay: 1, maxDelay: 1}

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Answers each LOCK and each PROPFIND in order. The last answer of each is repeated. */
function script(locks: readonly Reply[], lookups: readonly Reply[]): void {
  const left = {LOCK: [...locks], PROPFIND: [...lookups]}
  server.script(({method}) => {
    const replies = method === 'LOCK' ? left.LOCK : left.PROPFIND
    return (replies.length > 1 ? replies.shift() : replies[0]) ?? {status: 500}
  })
}

const methods = (): string[] => server.requests.map(({method}) => method)
const lock = (options = {}): Promise<DavResult> => dav.lock('a.txt', {owner: 'Ana', ...options})
const seen = (...locks: Parts[]): Reply => shown('/a.txt', locks)

describe('a LOCK without an answer', () => {
  it('is a lock if the server shows one of its owner', async () => {
    script([RESET], [seen(other, own)])
    expect(await lock()).toMatchObject({
      ok: true,
      status: 0,
      token,
      depth: 0,
      timeout: 600_000,
      lockRoot: `${server.url}a.txt`,
      description: 'The lock was found by its owner',
    })
    expect(methods()).toEqual(['LOCK', 'PROPFIND'])
    expect(dav.locks.map((held) => held.token)).toEqual([token])
  })

  it.each([502, 504])('but a %d of a gateway is looked up too', async (status) => {
    script([{status}], [seen(own)])
    expect(await lock()).toMatchObject({ok: true, status, token})
  })

  it.each<[string, Reply]>([
    ['shows no lock', seen()],
    ['shows the lock of somebody else', seen(other)],
    ['shows its lock without the token', seen({...own, token: undefined})],
    ['shows a lock without an owner', seen({...own, owner: undefined})],
    ['has no locks there', shown('/a.txt', [], {supports: false})],
    ['has no such resource', {status: 404}],
    ['refuses the look', {status: 403}],
    ['does not answer', RESET],
  ])('rejects if the server %s', async (_, reply) => {
    script([RESET], [reply])
    await expect(lock()).rejects.toMatchObject({name: 'DavNetworkError', method: 'LOCK'})
    expect(methods()).toEqual(['LOCK', 'PROPFIND'])
  })

  it('never takes a lock that the client holds already', async () => {
    script([granted(own)], [])
    await lock({scope: 'shared'})
    script([RESET], [seen(own)])
    await expect(lock({scope: 'shared'})).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(dav.locks).toHaveLength(1)
  })
})

describe('by the policy', () => {
  it.each<[string, Reply]>([
    ['no lock', seen()],
    ['only the lock of somebody else', seen(other)],
  ])('a LOCK is sent again if the server shows %s', async (_, reply) => {
    script([RESET, granted(own)], [reply])
    expect(await lock({retry})).toMatchObject({ok: true, status: 200, attempts: 2})
    expect(methods()).toEqual(['LOCK', 'PROPFIND', 'PROPFIND', 'LOCK'])
  })

  it.each<[string, Reply]>([
    ['its lock without the token', seen({...own, token: undefined})],
    ['a lock without an owner', seen({...own, owner: undefined})],
    ['that it has no locks there', shown('/a.txt', [], {supports: false})],
    ['no such resource', {status: 404}],
    ['nothing', {status: 403}],
  ])('a LOCK is not sent again if the server shows %s', async (_, reply) => {
    script([RESET, granted(own)], [reply])
    expect(await lock({retry})).toMatchObject({
      ok: false,
      status: 0,
      reason: 'no-answer',
      cause: 'unreadable',
      description: 'An earlier LOCK may have been carried out, and its lock could not be looked up',
    })
    expect(methods().filter((method) => method === 'LOCK')).toHaveLength(1)
  })

  it('a shared LOCK is not sent again beside an empty list, which may hide all locks', async () => {
    script([RESET, granted(own)], [seen()])
    expect(line(await lock({retry, scope: 'shared'}))).toBe('0 no-answer self /a.txt')
    expect(methods().filter((method) => method === 'LOCK')).toHaveLength(1)
  })

  it('a lock that appears late is found before the next LOCK', async () => {
    script([RESET, {status: 423}], [seen(), seen(own)])
    expect(await lock({retry})).toMatchObject({ok: true, token})
    expect(methods()).toEqual(['LOCK', 'PROPFIND', 'PROPFIND'])
  })

  it('a 423 by the own first LOCK is that lock', async () => {
    script([RESET, {status: 423}], [seen(), seen(), seen(own)])
    expect(await lock({retry})).toMatchObject({ok: true, status: 423, token})
    expect(methods()).toEqual(['LOCK', 'PROPFIND', 'PROPFIND', 'LOCK', 'PROPFIND'])
  })

  it('a 423 by the lock of somebody else is the verdict', async () => {
    script([RESET, {status: 423}], [seen(), seen(), seen(other)])
    expect(line(await lock({retry: {...retry, attempts: 2}}))).toBe('423 status self /a.txt')
  })

  it.each<[string, number, Reply]>([
    ['refuses the look', 423, {status: 403}],
    ['hides the lock', 423, seen()],
    ['hides the lock that made the resource', 412, seen()],
  ])('a refusal is a no-answer if the server %s: %d', async (_, status, reply) => {
    script([RESET, {status}], [seen(), seen(), reply])
    expect(await lock({retry: {...retry, attempts: 2}})).toMatchObject({
      status: 0,
      reason: 'no-answer',
      description: `It was answered ${status}, and an earlier attempt may have done it`,
    })
  })

  it('a 423 without a lost answer is sent again at once', async () => {
    script([{status: 423}, granted(own)], [])
    expect(await lock({retry})).toMatchObject({ok: true, attempts: 2})
    expect(methods()).toEqual(['LOCK', 'LOCK'])
  })
})

describe('a Failure of another process', () => {
  /** Gives the last Failure of a LOCK as JSON. */
  async function failed(): Promise<Failure> {
    const result = await dav.lock('a.txt', {
      owner: 'Ana',
      timeout: 60_000,
      renew: true,
      retry: {...retry, attempts: 2},
    })
    if (result.ok) throw new Error('The LOCK failed')
    return JSON.parse(JSON.stringify(result))
  }

  it('is looked up first', async () => {
    script([RESET], [{status: 403}])
    const failure = await failed()
    expect(failure.request).toMatchObject({timeout: 'Second-60', depth: 'infinity', renew: true})
    server.forget()
    script([], [seen(own)])
    await using another = new DavClient({url: server.url, transport})
    expect(await Array.fromAsync(another.retry([failure], 1))).toMatchObject([{ok: true, token}])
    expect(methods()).toEqual(['PROPFIND'])
    expect(another.locks).toHaveLength(1)
  })

  it('of a 423 is sent again', async () => {
    script([{status: 423}], [])
    const failure = await failed()
    server.forget()
    script([granted(own)], [])
    expect(await Array.fromAsync(dav.retry([failure], 1))).toMatchObject([{ok: true, token}])
    expect(server.requests).toMatchObject([
      {
        method: 'LOCK',
        headers: {timeout: 'Second-60', depth: 'infinity'},
        body: failure.request?.body,
      },
    ])
  })

  it.each([
    [{timeout: 'soon'}, 'timeout is no Timeout header'],
    [{lockToken: 'a>b'}, 'lockToken is no token of a lock'],
    [{body: undefined}, 'A LOCK has a body, or a token to refresh'],
    [{depth: 1 as const}, "depth of a lock is 0 or 'infinity'"],
  ])('with %j is refused', async (changes, message) => {
    script([{status: 423}], [])
    const {request, ...failure} = await failed()
    if (request === undefined) throw new Error('A Failure has its request')
    server.forget()
    const stream = dav.retry([{...failure, request: {...request, ...changes}} as Failure], 1)
    await expect(stream.collect()).rejects.toThrow(message)
    expect(server.requests).toEqual([])
  })
})
