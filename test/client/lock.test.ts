// States the request of a LOCK and the lock that an answer makes. Only the facts that the server granted count. RFC 4918, sections
// 6, 9.10 and 10.7.

import {readFile} from 'node:fs/promises'

import {DavClient, type Lock, type LockOptions, unwrap} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  type Answer,
  answer207,
  CLOSE,
  type FaultServer,
  listing,
  startFaultServer,
  RESET,
} from '../support/fault-server.ts'
import {granted, type Parts, shown} from '../support/locks.ts'
import {line, refusalOf} from '../support/results.ts'

const token = 'urn:uuid:e71d4fae-5dec-22d6-fea5-00a0c91e6be4'
const whole: Parts = {
  scope: 'exclusive',
  depth: '0',
  owner: 'Ana',
  timeout: 'Second-600',
  token,
  root: '/a.txt',
}

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  server.answers(granted(whole))
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Takes a lock by this answer. */
async function take(answer: Answer, options?: LockOptions): Promise<Lock> {
  server.answers(answer)
  return unwrap(await dav.lock('a.txt', {owner: 'Ana', ...options}))
}

describe('the request', () => {
  it('is for an exclusive lock on everything below, for half an hour', async () => {
    await dav.lock('a.txt', {owner: 'Ana & Co'})
    expect(server.requests).toMatchObject([
      {
        method: 'LOCK',
        url: '/a.txt',
        headers: {
          depth: 'infinity',
          timeout: 'Second-1800',
          'content-type': 'application/xml; charset=utf-8',
        },
        body:
          '<?xml version="1.0" encoding="utf-8"?>\n<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
          '<D:locktype><D:write/></D:locktype><D:owner>Ana &amp; Co</D:owner></D:lockinfo>',
      },
    ])
    const [{headers} = {headers: {}}] = server.requests
    expect(Object.keys(headers).filter((name) => name.startsWith('if'))).toEqual([])
  })

  it('is for the resource itself, shared, without an end, with an element as owner', async () => {
    const owner = {name: 'href', children: ['http://example.org/~ejw/contact.html']}
    await dav.lock('a.txt', {depth: 0, scope: 'shared', timeout: Infinity, owner})
    expect(server.requests).toMatchObject([
      {
        headers: {depth: '0', timeout: 'Infinite'},
        body: expect.stringContaining(
          '<D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype>' +
            '<D:owner><D:href>http://example.org/~ejw/contact.html</D:href></D:owner>',
        ),
      },
    ])
  })

  it('has an owner of its own by default', async () => {
    await dav.lock('a.txt')
    await dav.lock('a.txt')
    const owners = server.requests.map(({body}) => /<D:owner>(.*)<\/D:owner>/.exec(body)?.[1])
    expect(owners).toEqual([
      expect.stringMatching(/^multistatus [\da-z]{20,}$/),
      expect.stringMatching(/^multistatus [\da-z]{20,}$/),
    ])
    expect(new Set(owners).size).toBe(2)
  })

  it('has the conditions create and ifMatch', async () => {
    await dav.lock('a.txt', {create: true})
    await dav.lock('a.txt', {ifMatch: '"1"'})
    expect(server.requests).toMatchObject([
      {headers: {'if-none-match': '*'}},
      {headers: {'if-match': '"1"'}},
    ])
    expect(line(await dav.lock('a.txt', {ifMatch: 'W/"1"'}))).toBe('0 refused self a.txt')
    expect(server.requests).toHaveLength(2)
  })

  it.each<[unknown, string, string]>([
    [{depth: 1}, 'RangeError', "depth of a lock is 0 or 'infinity'"],
    [{timeout: 0}, 'RangeError', 'timeout is a number of milliseconds above zero, or Infinity'],
    [{timeout: -1000}, 'RangeError', 'timeout is a number of milliseconds above zero, or Infinity'],
    [{timeout: NaN}, 'RangeError', 'timeout is a number of milliseconds above zero, or Infinity'],
    [{owner: ' '}, 'TypeError', 'owner is not empty'],
    ...[5, null, {}, {name: 'href', children: [5]}, Date].map(
      (owner): [unknown, string, string] => [
        {owner},
        'TypeError',
        "lock: owner is a text, or an element such as {name: 'href', children: […]}",
      ],
    ),
    [{scope: 'none'}, 'TypeError', "lock: scope is 'exclusive' or 'shared'"],
    [
      {create: true, ifMatch: '"1"'},
      'TypeError',
      'Give create or ifMatch: what is not there has no ETag',
    ],
    [{dryRun: true}, 'TypeError', expect.stringContaining('there is no option "dryRun"')],
    [{owners: 'Ana'}, 'TypeError', 'lock: there is no option "owners"; the nearest is owner'],
  ])('with the options %j is refused', async (options, name, message) => {
    const error = await refusalOf(() =>
      Reflect.apply((given: never) => dav.lock('a.txt', given), undefined, [options]),
    )
    expect(error).toMatchObject({name, message})
    expect(server.requests).toHaveLength(0)
  })
})

describe('a lock', () => {
  it('has the facts that the server granted', async () => {
    const before = Date.now()
    const lock = unwrap(await dav.lock('a.txt', {depth: 'infinity', timeout: 3_600_000}))
    expect({...lock}).toEqual({
      ok: true,
      href: '/a.txt',
      url: `${server.url}a.txt`,
      relation: 'self',
      status: 200,
      properties: {},
      missing: [],
      token,
      lockRoot: `${server.url}a.txt`,
      depth: 0,
      scope: 'exclusive',
      owner: 'Ana',
      timeout: 600_000,
      expires: expect.any(Number),
    })
    expect(lock.expires).toBeGreaterThanOrEqual(before + 600_000)
    expect(lock.expires).toBeLessThanOrEqual(Date.now() + 600_000)
    expect(lock.signal.aborted).toBe(false)
    expect(dav.locks).toEqual([lock])
    expect(dav.locks[0]).toBe(lock)
  })

  it('has the facts of the request where the server tells none, and no end', async () => {
    const {headers} = granted({token})
    expect(await take({status: 201, headers: {...headers}}, {scope: 'shared'})).toMatchObject({
      status: 201,
      token,
      lockRoot: `${server.url}a.txt`,
      depth: 'infinity',
      scope: 'shared',
      owner: 'Ana',
      timeout: 1_800_000,
      expires: undefined,
    })
  })

  it('of a collection has a lock root with its slash', async () => {
    server.answers(granted({...whole, root: 'http://inner:8080/photos/'}))
    const lock = unwrap(await dav.lock('photos'))
    expect(lock).toMatchObject({url: `${server.url}photos`, lockRoot: `${server.url}photos/`})
  })

  it.each(['/srv/files/a.txt', '/a', '/a.txt/b', '/'])(
    'has its own URL as root where the server writes %s',
    async (root) => {
      expect(await take(granted({...whole, root}))).toMatchObject({lockRoot: `${server.url}a.txt`})
    },
  )

  it.each([
    ['Infinite', Infinity],
    ['INFINITE', Infinity],
    // x/net and rclone write this for a lock without an end.
    ['Second-0', Infinity],
  ])('with the time %s has no end', async (timeout, expected) => {
    expect(await take(granted({...whole, timeout}))).toMatchObject({
      timeout: expected,
      expires: undefined,
    })
  })

  it('reads the seconds in any case, as literals of an RFC have none', async () => {
    const lock = await take(granted({...whole, timeout: 'second-30'}))
    expect(lock).toMatchObject({timeout: 30_000})
  })

  it('of a cut answer has the token of the header', async () => {
    const {headers} = granted(whole)
    const lock = await take({
      status: 200,
      headers: {...headers},
      body: ['<D:prop xmlns:D="DAV:"><D:lockdiscovery>', 5, CLOSE],
    })
    expect(lock).toMatchObject({token, timeout: 1_800_000})
  })
})

describe('the token', () => {
  it('is that of the header, with or without <>', async () => {
    const {headers, ...answer} = granted({...whole, token: '1795953865'})
    const bare = {...headers, 'lock-token': '1795953865'}
    expect(await take({...answer, headers: bare})).toMatchObject({token: '1795953865'})
    expect(await take(granted({...whole, token: '1795953865'}))).toMatchObject({
      token: '1795953865',
    })
  })

  it('of the header picks the lock among several', async () => {
    const other = {...whole, owner: 'Bob', timeout: 'Second-10', token: 'urn:other'}
    const answer = granted(whole, other)
    const {body} = granted(other, whole)
    expect(await take({...answer, body: body ?? ''})).toMatchObject({token, timeout: 600_000})
  })

  it('of the header does not take the facts of the lock of somebody else', async () => {
    const bob = {scope: 'shared', depth: 'infinity', owner: 'Bob', timeout: 'Second-10'}
    const answer = {...granted({...bob, token: 'urn:bob'}), headers: {'lock-token': `<${token}>`}}
    expect(await take(answer, {scope: 'shared', depth: 0})).toMatchObject({
      token,
      scope: 'shared',
      depth: 0,
      owner: 'Ana',
      timeout: 1_800_000,
    })
  })

  it('of two resources makes two locks, of which the client holds the second', async () => {
    const {root: _, ...rootless} = whole
    await take(granted(rootless))
    const second = unwrap(await dav.lock('b.txt'))
    expect(second).toMatchObject({token, url: `${server.url}b.txt`, lockRoot: `${server.url}b.txt`})
    expect(dav.locks).toEqual([second])
  })

  it('is that of the second shared lock where the header is hidden', async () => {
    const {headers: _, ...answer} = granted(whole, {...whole, token: 'urn:second'})
    const first = await take(granted(whole), {scope: 'shared'})
    const second = await take(answer, {scope: 'shared'})
    expect(second).toMatchObject({token: 'urn:second'})
    expect(dav.locks).toEqual([first, second])
  })

  it('is that of the only lock where the header is hidden', async () => {
    const {headers: _, ...answer} = granted({...whole, owner: undefined})
    expect(await take(answer)).toMatchObject({token})
  })

  it('is that of the lock with the own owner where the header is hidden', async () => {
    const {headers: _, ...answer} = granted({...whole, owner: 'Bob', token: 'urn:other'}, whole)
    expect(await take(answer)).toMatchObject({token})
  })

  it.each<[string, Answer]>([
    ['no header and no body', {status: 200}],
    ['no header and a lock without a token', {...granted({owner: 'Ana'}), headers: {}}],
    ['an empty header', {status: 200, headers: {'lock-token': '<>'}}],
    ['a token that no header can hold', {status: 200, headers: {'lock-token': '<a b>'}}],
    ['a page', {status: 200, body: '<html><body>It works!</body></html>'}],
  ])('is missing with %s: a Failure that names the header', async (_, answer) => {
    server.script(({method}) => (method === 'LOCK' ? answer : {status: 405}))
    expect(await dav.lock('a.txt', {owner: 'Ana'})).toMatchObject({
      ok: false,
      status: 200,
      reason: 'malformed',
      description: 'The LOCK was answered 200 without a Lock-Token header',
      request: {method: 'LOCK', depth: 'infinity', timeout: 'Second-1800', attempts: 1},
    })
    expect(server.requests.map(({method}) => method)).toEqual(['LOCK', 'PROPFIND'])
    expect(dav.locks).toEqual([])
  })

  it.each<[string, NonNullable<Answer['body']>]>([
    ['broken', ['<D:prop xmlns:D="DAV:"><D:lockdiscovery>', 50, RESET]],
    ['cut', '<D:prop xmlns:D="DAV:"><D:lockdiscovery>'],
  ])('is missing beside a body that is %s', async (_, body) => {
    server.script(({method}) => (method === 'LOCK' ? {status: 200, body} : {status: 405}))
    expect(await dav.lock('a.txt')).toMatchObject({
      ok: false,
      description:
        'The LOCK was answered 200 without a Lock-Token header, and its body cannot be read',
    })
  })

  it('that is missing is looked up by the owner', async () => {
    server.script(({method}) => (method === 'LOCK' ? {status: 200} : shown('/a.txt', [whole])))
    expect(await dav.lock('a.txt', {owner: 'Ana'})).toMatchObject({
      ok: true,
      status: 200,
      token,
      timeout: 600_000,
      description: 'The lock was found by its owner',
    })
  })
})

describe('a Failure', () => {
  it('of a lock of somebody else has the status 423 and its conditions', async () => {
    const body = '<D:error xmlns:D="DAV:"><D:no-conflicting-lock/></D:error>'
    server.answers({status: 423, body})
    expect(await dav.lock('a.txt')).toMatchObject({
      ok: false,
      status: 423,
      reason: 'status',
      conditions: ['no-conflicting-lock'],
    })
    expect(server.requests).toHaveLength(1)
  })

  it('of section 9.10.9 has the member that keeps the collection from its lock', async () => {
    server.answers(
      answer207(await readFile(new URL('../fixtures/rfc4918-9.10.9.xml', import.meta.url), 'utf8')),
    )
    const failure = await dav.lock('webdav/')
    expect(line(failure)).toBe('424 status self http://example.com/webdav/')
    expect(failure.members?.map(line)).toEqual([
      '403 status member http://example.com/webdav/secret',
    ])
  })

  it('is a 207 of successes too, and nobody knows if there is a lock', async () => {
    const {headers} = granted(whole)
    server.script(({method}) =>
      method === 'LOCK' ? answer207(listing('/a.txt'), headers) : shown('/a.txt', []),
    )
    expect(await dav.lock('a.txt')).toMatchObject({
      status: 0,
      reason: 'no-answer',
      description: 'The LOCK was answered with a Multi-Status document',
    })
    expect(dav.locks).toEqual([])
  })

  it('is such a document with the status 200 too', async () => {
    const {headers} = granted(whole)
    const answer = {...answer207(listing('/a.txt', '/a.txt/b'), headers), status: 200}
    server.script(({method}) => (method === 'LOCK' ? answer : shown('/a.txt', [])))
    expect(await dav.lock('a.txt')).toMatchObject({status: 0, reason: 'no-answer'})
    expect(dav.locks).toEqual([])
  })
})

describe('a condition that is false', () => {
  const headers = {'lock-token': `<${token}>`}
  const sent = (): unknown =>
    server.requests.map((request) => [request.method, request.headers['lock-token']])

  it.each([
    [304, {create: true}],
    [412, {ifMatch: '"1"'}],
  ] as const)('leaves no lock behind, where a %i has made it', async (status, options) => {
    server.script(({method}) => (method === 'LOCK' ? {status, headers} : {status: 204}))
    expect(line(await dav.lock('a.txt', options))).toBe(`${status} status self /a.txt`)
    expect(sent()).toEqual([
      ['LOCK', undefined],
      ['UNLOCK', `<${token}>`],
    ])
    expect(dav.locks).toEqual([])
  })

  it.each([
    [423, {create: true}],
    [412, {}],
  ] as const)(
    'is not what a %i tells, and the lock may be of somebody else: %o',
    async (status, options) => {
      server.script(() => ({status, headers}))
      await dav.lock('a.txt', options)
      expect(sent()).toEqual([['LOCK', undefined]])
    },
  )
})

describe('on a server without class 2', () => {
  beforeEach(async () => {
    server.answers({status: 200, headers: {dav: '1', allow: 'OPTIONS, GET, PUT'}})
    await dav.options('')
    server.forget()
    server.answers(granted(whole))
  })

  it('a lock is refused, and nothing is sent', async () => {
    expect(await dav.lock('a.txt')).toMatchObject({
      ok: false,
      status: 0,
      reason: 'refused',
      description: `LOCK ${server.url}a.txt is not sent: its server has no class 2, by its DAV header; say ignoreCapabilities: true if it has locks`,
    })
    expect(server.requests).toEqual([])
  })

  it('ignoreCapabilities sends it, and a success proves that there are locks', async () => {
    expect(await dav.lock('a.txt', {ignoreCapabilities: true})).toMatchObject({ok: true})
    expect(await dav.lock('a.txt')).toMatchObject({ok: true})
    expect(server.requests).toHaveLength(2)
  })
})
