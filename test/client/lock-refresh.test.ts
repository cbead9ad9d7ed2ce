// States the refresh of a lock, its renewal before its end, and the loss of a lock. RFC 4918, sections 6.6 and 9.10.2.

import {once} from 'node:events'

import {DavClient, type Lock, type LockOptions, unwrap} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type FaultServer,
  RESET,
  type SeenRequest,
  startFaultServer,
} from '../support/fault-server.ts'
import {granted, type Parts, shown} from '../support/locks.ts'
import {line, refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 10_000})

const token = 'urn:uuid:1'
const own: Parts = {scope: 'exclusive', depth: '0', owner: 'Ana', timeout: 'Second-600', token}
const other: Parts = {...own, owner: 'Bob', token: 'urn:uuid:2'}
/** As lighttpd 1.4 answers every refresh. */
const ownerless: Parts = {...own, owner: ''}

type Reply = ReturnType<Parameters<FaultServer['script']>[0]>

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(async () => {
  await dav.close()
  await server.close()
})

/** Takes the lock. */
async function take(options: LockOptions = {}, parts: Parts = own): Promise<Lock> {
  server.answers(granted(parts))
  const lock = unwrap(await dav.lock('a.txt', {owner: 'Ana', ...options}))
  server.forget()
  return lock
}

/** Answers each refresh, and each look for the lock. */
function script(refresh: Reply, lookup: Reply = {status: 500}): void {
  server.script(({method}) => (method === 'PROPFIND' ? lookup : refresh))
}

const seen = (...locks: Parts[]): Reply => shown('/a.txt', locks)
const methods = (): string[] => server.requests.map(({method}) => method)
const refreshes = (): readonly SeenRequest[] =>
  server.requests.filter(({method}) => method === 'LOCK')

describe('a refresh', () => {
  it('has no body and no Depth, submits the token, and asks for the same time again', async () => {
    const lock = await take({timeout: 900_000})
    script(granted({...own, timeout: 'Second-300'}))
    expect(await lock.refresh()).toBe(lock)
    expect(lock).toMatchObject({timeout: 300_000, status: 200})
    expect(refreshes()).toMatchObject([
      {
        method: 'LOCK',
        url: '/a.txt',
        body: '',
        headers: {if: '(<urn:uuid:1>)', timeout: 'Second-900'},
      },
    ])
    expect(server.requests[0]?.headers).not.toHaveProperty('depth')
    expect(server.requests[0]?.headers).not.toHaveProperty('content-type')
  })

  it('asks for another time', async () => {
    const lock = await take()
    script(granted({...own, timeout: 'Infinite'}))
    await lock.refresh({timeout: Infinity})
    expect(refreshes()).toMatchObject([{headers: {timeout: 'Infinite'}}])
    expect(lock).toMatchObject({timeout: Infinity, expires: undefined})
    expect(await refusalOf(() => lock.refresh({timeout: 0}))).toBeInstanceOf(RangeError)
  })

  it('keeps the lock where the answer has neither token nor lock', async () => {
    const lock = await take()
    script({status: 200})
    expect(await lock.refresh({timeout: 60_000})).toBe(lock)
    expect(lock).toMatchObject({token, timeout: 60_000, depth: 0, expires: undefined})
  })

  it('of a lock on a collection is for its root', async () => {
    server.answers(granted({...own, root: '/photos/'}))
    const lock = unwrap(await dav.lock('photos'))
    server.forget()
    await lock.refresh()
    expect(refreshes()).toMatchObject([{url: '/photos/'}])
  })

  it('is sent again after a lost answer, because it only begins the time again', async () => {
    dav = new DavClient({url: server.url, transport, retry: {attempts: 2, minDelay: 1}})
    const lock = await take()
    server.answers(RESET, granted(own))
    expect(await lock.refresh()).toBe(lock)
    expect(methods()).toEqual(['LOCK', 'LOCK'])
  })

  it('that failed is sent again from JSON', async () => {
    const lock = await take()
    script({status: 503})
    const failure = JSON.parse(JSON.stringify(await lock.refresh({timeout: 60_000})))
    server.forget()
    script(granted({...own, timeout: 'Second-60'}))
    expect(await Array.fromAsync(dav.retry([failure], 1))).toEqual([lock])
    expect(lock.timeout).toBe(60_000)
    expect(refreshes()).toMatchObject([
      {body: '', headers: {if: '(<urn:uuid:1>)', timeout: 'Second-60'}},
    ])
  })

  it('is ended by its signal', async () => {
    const lock = await take()
    const reason = {why: 'enough'}
    await expect(lock.refresh({signal: AbortSignal.abort(reason)})).rejects.toBe(reason)
    expect(dav.locks).toHaveLength(1)
  })
})

describe('a refused refresh', () => {
  it.each([400, 404, 409, 410, 412])(
    'with %d means a lost lock if the server does not show it',
    async (status) => {
      const lock = await take()
      script({status}, seen(other))
      expect(await lock.refresh()).toMatchObject({
        ok: false,
        status,
        reason: 'status',
        description: 'The lock is lost',
      })
      expect(lock.signal.aborted).toBe(true)
      expect(lock.signal.reason).toMatchObject({
        name: 'DavError',
        message: `The lock of ${server.url}a.txt is lost`,
        method: 'LOCK',
        url: `${server.url}a.txt`,
      })
      expect(dav.locks).toEqual([])
    },
  )

  it('means a lost lock if the resource is gone', async () => {
    const lock = await take()
    script({status: 404}, {status: 404})
    expect(await lock.refresh()).toMatchObject({status: 404, description: 'The lock is lost'})
  })

  it.each<[string, number, Reply]>([
    // webdav-server 2.6 answers 412 to the token of a live lock, DAViCal 1.1 a 400.
    ['shows it', 412, seen(own)],
    ['shows it', 400, seen(own)],
    ['hides the tokens', 400, seen({...own, token: undefined})],
    ['is busy', 412, RESET],
    ['tells nothing', 400, {status: 403}],
    ['tells nothing', 404, {status: 403}],
  ])('leaves the lock if the server %s (%d)', async (_, status, lookup) => {
    const lock = await take()
    script({status}, lookup)
    expect(line(await lock.refresh())).toBe(`${status} status self /a.txt`)
    expect(lock.signal.aborted).toBe(false)
    expect(dav.locks).toEqual([lock])
  })

  it.each<[string, Reply]>([
    ['locks', {status: 403}],
    ['tokens', seen({...other, token: undefined})],
  ])('with 412 means a lost lock where the server shows no %s', async (_, lookup) => {
    const lock = await take()
    script({status: 412}, lookup)
    expect(await lock.refresh()).toMatchObject({status: 412, description: 'The lock is lost'})
    expect(lock.signal.aborted).toBe(true)
  })

  it.each([403, 405, 423, 500, 503])(
    'with %d leaves the lock, and nothing is looked up',
    async (status) => {
      const lock = await take()
      script({status})
      expect(line(await lock.refresh())).toBe(`${status} status self /a.txt`)
      expect(methods()).toEqual(['LOCK'])
      expect(dav.locks).toEqual([lock])
    },
  )
})

describe('a success that hides a lost lock', () => {
  it('is a new lock in the place of the old one, which the client holds now', async () => {
    const lock = await take()
    // nginx 1.22 answers so to the token of a lock that has ended.
    script(granted({...own, token: 'urn:new'}))
    expect(await lock.refresh()).toMatchObject({
      ok: false,
      status: 200,
      reason: 'malformed',
      description: 'The lock is lost',
    })
    expect(lock.signal.aborted).toBe(true)
    expect(dav.locks.map((held) => held.token)).toEqual(['urn:new'])
  })

  it('is a lock of somebody else in the answer', async () => {
    const lock = await take()
    const {headers: _, ...answer} = granted(other)
    script(answer)
    expect(await lock.refresh()).toMatchObject({ok: false, description: 'The lock is lost'})
    expect(dav.locks).toEqual([])
  })

  it.each<[string, Reply, Reply]>([
    ['the server shows the lock of somebody else', granted(ownerless), seen(other)],
    [
      'lighttpd, which answers 200 to any token, shows none',
      {...granted(ownerless), headers: {server: 'lighttpd/1.4.69'}},
      seen(),
    ],
  ])('is told if %s', async (_, refresh, lookup) => {
    const lock = await take()
    script(refresh, lookup)
    expect(await lock.refresh()).toMatchObject({
      ok: false,
      status: 200,
      reason: 'status',
      description: 'The lock is lost',
    })
    expect(methods()).toEqual(['LOCK', 'PROPFIND'])
    expect(lock.signal.aborted).toBe(true)
    expect(dav.locks).toEqual([])
  })

  it.each<[string, Reply]>([
    ['shown', seen(own)],
    ['shown without its token', seen({...own, token: undefined})],
    ['hidden: Apache has DavLockDiscovery Off', seen()],
    ['not told', {status: 403}],
    ['on a resource that is gone: x/net keeps it', {status: 404}],
  ])('is none if the lock is %s', async (_, lookup) => {
    const lock = await take()
    script(granted(ownerless), lookup)
    expect(await lock.refresh()).toBe(lock)
    expect(methods()).toEqual(['LOCK', 'PROPFIND'])
    expect(lock.signal.aborted).toBe(false)
  })

  it('is none if the answer tells the owner: Apache with DavLockDiscovery Off shows no locks', async () => {
    const lock = await take()
    script(granted(own), seen())
    expect(await lock.refresh()).toBe(lock)
    expect(lock.signal.aborted).toBe(false)
    expect(methods()).toEqual(['LOCK'])
    expect(dav.locks).toEqual([lock])
  })

  it('is a no-answer if the look breaks, and the lock stays', async () => {
    const lock = await take()
    script(granted(ownerless), RESET)
    expect(await lock.refresh()).toMatchObject({status: 0, reason: 'no-answer', cause: 'network'})
    expect(dav.locks).toEqual([lock])
  })
})

it('a lock that is lost or unlocked is not refreshed', async () => {
  const lock = await take()
  script({status: 204})
  await lock.unlock()
  server.forget()
  expect(await lock.refresh()).toMatchObject({
    status: 0,
    reason: 'refused',
    description: `LOCK ${server.url}a.txt is not sent: the lock was unlocked or is lost`,
  })
  expect(server.requests).toEqual([])
})

it('a refresh that is answered after an UNLOCK makes no lock again', async () => {
  const lock = await take()
  const unlocked = Promise.withResolvers<unknown>()
  server.script(async ({method}) => {
    if (method === 'UNLOCK') return {status: 204}
    // x/net and rclone show no locks.
    if (method === 'PROPFIND') return {status: 403}
    await unlocked.promise
    return granted(own)
  })
  const refresh = lock.refresh()
  await vi.waitFor(() => expect(methods()).toEqual(['LOCK']))
  expect(await lock.unlock()).toMatchObject({ok: true, status: 204})
  unlocked.resolve(undefined)
  expect(await refresh).toMatchObject({
    ok: false,
    status: 200,
    description: 'The lock was unlocked meanwhile',
  })
  expect(dav.locks).toEqual([])
  expect(lock.signal.aborted).toBe(false)
})

describe('a renewed lock', () => {
  it('is refreshed after any fraction of a second', async () => {
    await take({renew: true}, {...own, timeout: 'Second-1.50345'})
    await vi.waitFor(() => expect(refreshes().length).toBeGreaterThan(0), 8000)
  })

  it('may be one that the client holds already, if a second LOCK has its token', async () => {
    const lock = await take({}, {...own, timeout: 'Second-2'})
    server.answers(granted({...own, timeout: 'Second-2'}))
    expect(await dav.lock('a.txt', {renew: true})).toBe(lock)
    await vi.waitFor(() => expect(refreshes()).toHaveLength(2), 8000)
    expect(refreshes()).toMatchObject([
      {headers: {depth: 'infinity'}},
      {headers: {if: `(<${token}>)`}},
    ])
  })

  it('is refreshed before its end, by the time of each refresh', async () => {
    const lock = await take({renew: true}, {...own, timeout: 'Second-1'})
    script(granted({...own, timeout: 'Second-1'}), seen(own))
    await vi.waitFor(() => expect(refreshes().length).toBeGreaterThan(2), 8000)
    expect(new Set(refreshes().map(({headers}) => headers['if']))).toEqual(
      new Set(['(<urn:uuid:1>)']),
    )
    expect(lock.signal.aborted).toBe(false)
    expect(dav.locks).toEqual([lock])
  })

  it('tells at once that it is lost', async () => {
    const lock = await take({renew: true}, {...own, timeout: 'Second-1'})
    script({status: 412}, seen())
    await once(lock.signal, 'abort')
    expect(lock.signal.reason).toMatchObject({name: 'DavError'})
    expect(methods()).toEqual(['LOCK', 'PROPFIND'])
    expect(dav.locks).toEqual([])
  })

  it('is tried again until its end, and then counts as lost', async () => {
    const lock = await take({renew: true}, {...own, timeout: 'Second-2'})
    script({status: 503})
    await once(lock.signal, 'abort')
    expect(lock.signal.reason).toMatchObject({
      name: 'DavError',
      message: `The lock of ${server.url}a.txt is lost`,
      cause: {name: 'DavFailureError', failure: {status: 503}},
    })
    expect(server.requests.length).toBeGreaterThan(1)
    expect(dav.locks).toEqual([])
  })

  it('is saved by a refresh that succeeds after others', async () => {
    const lock = await take({renew: true}, {...own, timeout: 'Second-2'})
    server.answers({status: 503}, RESET, granted(own))
    await vi.waitFor(() => expect(server.requests).toHaveLength(3), 8000)
    await vi.waitFor(() => expect(lock.timeout).toBe(600_000))
    expect(lock.signal.aborted).toBe(false)
  })

  it('counts as lost at its end, even if a refresh hangs', async () => {
    const lock = await take({renew: true}, {...own, timeout: 'Second-1'})
    server.script(() => new Promise(() => {}))
    await once(lock.signal, 'abort')
    expect(lock.signal.reason).toMatchObject({cause: {name: 'TimeoutError'}})
    expect(methods()).toEqual(['LOCK'])
  })

  it('is not renewed after an unlock', async () => {
    const lock = await take({renew: true}, {...own, timeout: 'Second-1'})
    script({status: 204})
    await lock.unlock()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(methods()).toEqual(['UNLOCK'])
    expect(lock.signal.aborted).toBe(false)
  })

  it('is not renewed after the client was closed, and stays among its locks', async () => {
    const lock = await take({renew: true}, {...own, timeout: 'Second-1'})
    await dav.close()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(methods()).toEqual([])
    expect(lock.signal.aborted).toBe(false)
    expect(dav.locks).toEqual([lock])
  })
})
