// States the removal of a lock, the end of a block, and locks that another process goes on with. RFC 4918, section 9.11.

import {spawn} from 'node:child_process'
import {once} from 'node:events'

import {DavClient, type Lock, type StoredLock, unwrap} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {type FaultServer, RESET, startFaultServer} from '../support/fault-server.ts'
import {granted, type Parts, shown} from '../support/locks.ts'
import {line, refusalOf} from '../support/results.ts'

const token = 'urn:uuid:a515cfa4-5da4-22e1-f5b5-00a0451e6bf7'
const own: Parts = {
  scope: 'exclusive',
  depth: '0',
  owner: 'Ana',
  timeout: 'Infinite',
  token,
  root: '/a.txt',
}

type Reply = ReturnType<Parameters<FaultServer['script']>[0]>

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

async function take(parts: Parts = own, path = 'a.txt'): Promise<Lock> {
  server.answers(granted(parts))
  const lock = unwrap(await dav.lock(path))
  server.forget()
  return lock
}

/** Answers each UNLOCK, and each look for the lock. */
function script(unlock: Reply, lookup: Reply = {status: 500}): void {
  server.script(({method}) => (method === 'PROPFIND' ? lookup : unlock))
}

const seen = (...locks: Parts[]): Reply => shown('/a.txt', locks)
const methods = (): string[] => server.requests.map(({method}) => method)

describe('an UNLOCK', () => {
  it('has the token in its header, and no body', async () => {
    const lock = await take()
    script({status: 204})
    expect(await lock.unlock()).toEqual({
      ok: true,
      href: '/a.txt',
      url: `${server.url}a.txt`,
      relation: 'self',
      status: 204,
      properties: {},
      missing: [],
    })
    expect(server.requests).toMatchObject([
      {method: 'UNLOCK', url: '/a.txt', headers: {'lock-token': `<${token}>`}, body: ''},
    ])
    expect(dav.locks).toEqual([])
    expect(lock.signal.aborted).toBe(false)
  })

  it.each<[string, (lock: Lock) => Parameters<DavClient['unlock']>]>([
    ['the lock', (lock) => [lock]],
    ['the lock as plain data', (lock) => [lock.toJSON()]],
    ['its root', () => ['a.txt']],
    ['its root in another spelling', () => ['%61.txt']],
    ['its URL and token', () => ['a.txt', {lockToken: token}]],
    ['its URL and token in <>', () => ['a.txt', {lockToken: `<${token}>`}]],
  ])('is for %s', async (_, target) => {
    const lock = await take()
    script({status: 204})
    expect(await dav.unlock(...target(lock))).toMatchObject({ok: true, status: 204})
    expect(server.requests).toMatchObject([{headers: {'lock-token': `<${token}>`}}])
    expect(dav.locks).toEqual([])
  })

  it('of a lock on a collection is for its root', async () => {
    const lock = await take({...own, root: '/photos/'}, 'photos')
    script({status: 204})
    await lock.unlock()
    expect(server.requests).toMatchObject([{url: '/photos/'}])
  })

  it('may be for a lock of another client', async () => {
    script({status: 204})
    expect(await dav.unlock('b.txt', {lockToken: 'urn:b'})).toMatchObject({ok: true, status: 204})
  })

  it('without the only lock of the client there is refused', async () => {
    await take()
    const description = `UNLOCK ${server.url}b.txt is not sent: the client holds no lock there, or several; give lockToken`
    expect(await dav.unlock('b.txt')).toMatchObject({status: 0, reason: 'refused', description})
    await take({...own, token: 'urn:2', scope: 'shared'})
    expect(await dav.unlock('a.txt')).toMatchObject({status: 0, reason: 'refused'})
    expect(server.requests).toEqual([])
  })

  it('of a lock of the client with another root is refused, and the lock stays', async () => {
    const lock = await take()
    const description = `UNLOCK ${server.url}b.txt is not sent: it is the lock of ${server.url}a.txt`
    const result = await dav.unlock('b.txt', {lockToken: token})
    expect(result).toMatchObject({ok: false, status: 0, reason: 'refused', description})
    expect(server.requests).toEqual([])
    expect(dav.locks).toEqual([lock])
    expect(lock.signal.aborted).toBe(false)
  })

  it('in a dry run sends nothing', async () => {
    const lock = await take()
    expect(await lock.unlock({dryRun: true})).toMatchObject({
      ok: true,
      status: 0,
      request: {method: 'UNLOCK', lockToken: token},
    })
    expect(server.requests).toEqual([])
    expect(dav.locks).toEqual([lock])
  })

  it('with a token that no header can hold is a TypeError', async () => {
    expect(await refusalOf(() => dav.unlock('a.txt', {lockToken: 'a b'}))).toMatchObject({
      name: 'TypeError',
      message: 'lockToken is no token of a lock',
    })
  })
})

describe('a refused UNLOCK', () => {
  it.each([400, 404, 409, 410, 412])(
    'with %d is a Success if the lock is not there any more, and the lock was lost',
    async (status) => {
      const lock = await take()
      script({status}, seen())
      expect(await lock.unlock()).toMatchObject({
        ok: true,
        status,
        description: 'The lock had ended before',
      })
      expect(methods()).toEqual(['UNLOCK', 'PROPFIND'])
      expect(dav.locks).toEqual([])
      expect(lock.signal.reason).toMatchObject({message: `The lock of ${server.url}a.txt is lost`})
    },
  )

  it('of another client tells only that the resource has no such lock', async () => {
    script({status: 409}, shown('/b.txt', []))
    expect(await dav.unlock('b.txt', {lockToken: 'urn:b'})).toMatchObject({
      ok: true,
      status: 409,
      description: 'It has no such lock',
    })
  })

  it.each<[string, Reply]>([
    ['locks', {status: 403}],
    ['tokens', seen({...own, token: undefined})],
  ])('with 409 is a Success where the server shows no %s: section 9.11.1', async (_, lookup) => {
    const lock = await take()
    script({status: 409}, lookup)
    expect(await lock.unlock()).toMatchObject({ok: true, status: 409})
  })

  it.each<[number, Reply]>([
    [409, seen(own)],
    [412, seen({...own, token: undefined})],
    [409, RESET],
    [412, {status: 403}],
    [403, seen()],
    // Cyrus 3.6 cannot unlock.
    [405, seen()],
    [500, seen()],
  ])('with %d leaves the lock if it may be there', async (status, lookup) => {
    const lock = await take()
    script({status}, lookup)
    expect(line(await lock.unlock())).toBe(`${status} status self /a.txt`)
    expect(dav.locks).toEqual([lock])
    expect(lock.signal.aborted).toBe(false)
  })

  it('after a lost answer of the own UNLOCK is a Success, and no lock was lost', async () => {
    const lock = await take()
    server.answers(RESET, {status: 409}, shown('/a.txt', []))
    const retry = {attempts: 2, minDelay: 1}
    const result = await lock.unlock({retry})
    expect(result).toMatchObject({ok: true, status: 409, attempts: 2})
    expect(result.description).toBeUndefined()
    expect(lock.signal.aborted).toBe(false)
    expect(dav.locks).toEqual([])
  })

  it('without an answer rejects, and leaves the lock', async () => {
    const lock = await take()
    script(RESET)
    await expect(lock.unlock()).rejects.toMatchObject({name: 'DavNetworkError', method: 'UNLOCK'})
    expect(dav.locks).toEqual([lock])
  })

  it('is sent again from JSON, each token by itself', async () => {
    const first = await take()
    const second = await take({...own, token: 'urn:2', scope: 'shared'})
    script({status: 503})
    const failures = [await first.unlock(), await second.unlock()]
    server.forget()
    script({status: 204})
    const results = dav.retry(JSON.parse(JSON.stringify(failures)), 1)
    expect((await Array.fromAsync(results)).map(line)).toEqual([
      '204 self /a.txt',
      '204 self /a.txt',
    ])
    expect(server.requests.map(({headers}) => headers['lock-token'])).toEqual([
      `<${token}>`,
      '<urn:2>',
    ])
    expect(dav.locks).toEqual([])
  })
})

describe('the end of a block', () => {
  it('unlocks', async () => {
    {
      await using lock = await take()
      script({status: 204})
      expect(dav.locks).toEqual([lock])
    }
    expect(methods()).toEqual(['UNLOCK'])
    expect(dav.locks).toEqual([])
  })

  it('does nothing for a lock that was unlocked', async () => {
    {
      await using lock = await take()
      script({status: 204})
      await lock.unlock()
    }
    expect(methods()).toEqual(['UNLOCK'])
  })

  it('throws if the lock cannot be removed', async () => {
    const block = async (): Promise<void> => {
      await using lock = await take()
      script({status: 405})
      expect(lock.ok).toBe(true)
    }
    await expect(block()).rejects.toMatchObject({name: 'DavFailureError', failure: {status: 405}})
  })
})

describe('in another process', () => {
  it('the locks of a client go on', async () => {
    server.answers(granted({...own, timeout: 'Second-600'}))
    const {expires} = unwrap(await dav.lock('a.txt'))
    await take({...own, token: 'urn:2', root: '/b/', depth: 'infinity', owner: undefined}, 'b')
    const text = JSON.stringify(dav.locks)
    expect(JSON.parse(text)).toEqual([
      {
        token,
        lockRoot: `${server.url}a.txt`,
        depth: 0,
        scope: 'exclusive',
        owner: 'Ana',
        expires,
      },
      {
        token: 'urn:2',
        lockRoot: `${server.url}b/`,
        depth: 'infinity',
        scope: 'exclusive',
        owner: expect.stringMatching(/^multistatus /),
      },
    ])
    const other = new DavClient({url: server.url, transport, locks: JSON.parse(text)})
    expect(JSON.stringify(other.locks)).toBe(text)
    expect(other.locks).toMatchObject([
      {ok: true, status: 0, url: `${server.url}a.txt`, description: 'A lock of an earlier process'},
      {ok: true, status: 0, timeout: Infinity},
    ])
    const [first] = other.locks
    expect(first?.timeout).toBeGreaterThan(590_000)
    expect(first?.timeout).toBeLessThanOrEqual(600_000)
    script({status: 204})
    expect(await other.unlock('a.txt')).toMatchObject({ok: true})
    expect(server.requests).toMatchObject([{headers: {'lock-token': `<${token}>`}}])
    expect(other.locks.map((held) => held.token)).toEqual(['urn:2'])
  })

  it.each<[string, unknown, string]>([
    ['no array', {}, 'DavClient: locks is an array of locks'],
    ['no lock', [null], 'DavClient: a lock is an object with a token'],
    ['no token', [{lockRoot: 'URL', depth: 0}], 'DavClient: a lock is an object with a token'],
    [
      'a number as token',
      [{token: 1, lockRoot: 'URL', depth: 0}],
      'DavClient: a lock is an object with a token',
    ],
    [
      'a token that no header can hold',
      [{token: '', lockRoot: 'URL', depth: 0}],
      'lockToken is no token of a lock',
    ],
    ['another depth', [{token, lockRoot: 'URL', depth: 1}], "depth of a lock is 0 or 'infinity'"],
    [
      'another scope',
      [{token, lockRoot: 'URL', depth: 0, scope: 'local'}],
      "a lock: scope is 'exclusive' or 'shared'",
    ],
    [
      'a text as end',
      [{token, lockRoot: 'URL', depth: 0, expires: '2026-11-30'}],
      'a lock: expires is a number',
    ],
    [
      'another origin',
      [{token, lockRoot: 'https://other.example/a', depth: 0}],
      'https://other.example/a is not on',
    ],
    ['a relative URL', [{token, lockRoot: 'a', depth: 0}], 'absolute'],
  ])('%s is refused', (_, locks, message) => {
    const given: readonly StoredLock[] = JSON.parse(
      JSON.stringify(locks).replace('URL', `${server.url}a`),
    )
    expect(() => new DavClient({url: server.url, transport, locks: given})).toThrow(message)
  })

  it('a lock crosses structuredClone with its facts', async () => {
    const lock = await take()
    expect(structuredClone(lock)).toEqual({...lock})
    expect(structuredClone(lock)).toMatchObject({token, timeout: Infinity})
  })

  it('a renewed lock does not keep a process alive', async () => {
    server.answers(granted({...own, timeout: 'Second-600'}))
    const program = `
      import {DavClient} from 'multistatus'
      const dav = new DavClient({url: ${JSON.stringify(server.url)}})
      console.log((await dav.lock('a.txt', {renew: true})).status)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', program])
    const [[code], output] = await Promise.all([once(child, 'close'), child.stdout.toArray()])
    expect([code, output.join('').trim()]).toEqual([0, '200'])
  })
})
