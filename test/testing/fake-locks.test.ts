// States the locks of the fake server, by raw requests and by the client. RFC 4918, sections 6, 7, 9.10, 9.11 and 10.4.

import {DavClient, isSuccess, type Lock} from 'multistatus'
import {type FakeServer, fakeServer} from 'multistatus/testing'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {ask, type Told} from '../support/ask.ts'

let server: FakeServer
let dav: DavClient

beforeEach(() => {
  server = fakeServer({files: {'a.txt': 'one', 'c/1.txt': '1'}})
  dav = new DavClient({url: server.url, transport: server.transport})
})

afterEach(() => {
  vi.useRealTimers()
})

function lockinfo(scope: string, owner = ''): string {
  return `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:${scope}/></D:lockscope><D:locktype><D:write/></D:locktype>${owner}</D:lockinfo>`
}

function lock(
  path: string,
  headers: Record<string, string> = {},
  scope = 'exclusive',
): Promise<Told> {
  return ask(server, 'LOCK', path, headers, lockinfo(scope, '<D:owner>Ana</D:owner>'))
}

function tokenOf({headers}: Told): string {
  return (headers.get('lock-token') ?? '').slice(1, -1)
}

async function statusOf(
  ...request: [method: string, path: string, headers?: Record<string, string>, body?: string]
): Promise<number> {
  return (await ask(server, ...request)).status
}

describe('LOCK', () => {
  it('answers 200 with the token, the lock and the granted time', async () => {
    const answer = await lock('c/', {timeout: 'Infinite'})
    expect(answer.status).toBe(200)
    const token = tokenOf(answer)
    expect(answer.text.replace(/^<\?xml.*\?>\n/, '')).toBe(
      '<D:prop xmlns:D="DAV:"><D:lockdiscovery><D:activelock>' +
        '<D:locktype><D:write/></D:locktype><D:lockscope><D:exclusive/></D:lockscope>' +
        '<D:depth>infinity</D:depth><D:owner>Ana</D:owner><D:timeout>Second-3600</D:timeout>' +
        `<D:locktoken><D:href>${token}</D:href></D:locktoken>` +
        '<D:lockroot><D:href>/c/</D:href></D:lockroot></D:activelock></D:lockdiscovery></D:prop>',
    )
    expect(server.locks).toEqual([
      {path: 'c', token, depth: 'infinity', scope: 'exclusive', owner: 'Ana'},
    ])
  })

  it('of a missing resource makes an empty one', async () => {
    expect((await lock('new.txt')).status).toBe(201)
    expect(server.get('new.txt')).toMatchObject({isCollection: false, text: ''})
    expect((await lock('none/new.txt')).status).toBe(409)
  })

  it('is refused for a locked resource, unless both locks are shared', async () => {
    expect((await lock('a.txt', {}, 'shared')).status).toBe(200)
    expect((await lock('a.txt', {}, 'shared')).status).toBe(200)
    const refused = await lock('a.txt')
    expect(refused.status).toBe(423)
    expect(refused.text).toContain('<D:no-conflicting-lock><D:href>/a.txt</D:href>')
    expect(server.locks.map(({scope}) => scope)).toEqual(['shared', 'shared'])
  })

  it('of a collection with a locked member is a 207 that names the member', async () => {
    server.lock('c/1.txt')
    const answer = await lock('c/')
    expect(answer.status).toBe(207)
    expect(answer.text).toMatch(
      /<D:href>\/c\/1.txt<\/D:href><D:status>HTTP\/1.1 423 <.*<D:href>\/c\/<\/D:href><D:status>HTTP\/1.1 424 </,
    )
    expect((await lock('c/', {depth: '0'})).status).toBe(200)
  })

  it.each([
    [{depth: '1'}, lockinfo('exclusive')],
    [{}, lockinfo('none')],
    [{}, '<D:lockinfo xmlns:D="DAV:"/>'],
    [{}, 'no XML'],
    [{}, undefined],
  ])('with %j and the body %s is refused with 400', async (headers, body) => {
    expect(await statusOf('LOCK', 'a.txt', headers as Record<string, string>, body)).toBe(400)
  })

  it('of a server without locks is refused, and no property tells of one', async () => {
    server = fakeServer({locks: false, files: {a: ''}})
    dav = new DavClient({url: server.url, transport: server.transport})
    expect(await statusOf('LOCK', 'a', {}, lockinfo('exclusive'))).toBe(405)
    expect(await statusOf('UNLOCK', 'a')).toBe(405)
    const found = await dav.stat('a', {properties: ['lockdiscovery', 'supportedlock']})
    expect(found.missing.map(({name, status}) => `${name} ${status}`)).toEqual([
      'lockdiscovery 404',
      'supportedlock 404',
    ])
  })
})

describe('a lock', () => {
  it('keeps everybody without its token from changing its resource and its members', async () => {
    const token = tokenOf(await lock('c/'))
    const own = {if: `<${server.url}c/> (<${token}>)`}
    const requests: [string, string, Record<string, string>?, string?][] = [
      ['PUT', 'c/1.txt', {}, 'x'],
      ['PUT', 'c/new.txt', {}, 'x'],
      ['MKCOL', 'c/new/'],
      [
        'PROPPATCH',
        'c/1.txt',
        {},
        '<D:propertyupdate xmlns:D="DAV:"><D:remove><D:prop><D:x/></D:prop></D:remove></D:propertyupdate>',
      ],
      ['COPY', 'a.txt', {destination: `${server.url}c/copy.txt`}],
      ['MOVE', 'a.txt', {destination: `${server.url}c/moved.txt`}],
      ['DELETE', 'c/'],
    ]
    for (const [method, path, headers = {}, body] of requests)
      expect([method, await statusOf(method, path, headers, body)]).toEqual([method, 423])
    expect(server.files).toEqual({'a.txt': 'one', 'c/1.txt': '1'})
    const statuses: number[] = []
    for (const [method, path, headers = {}, body] of requests)
      statuses.push(await statusOf(method, path, {...headers, ...own}, body))
    expect(statuses).toEqual([204, 201, 201, 207, 201, 201, 204])
    expect(server.locks).toEqual([])
  })

  it('with Depth 0 keeps the members of its collection, and not their content', async () => {
    await lock('c/', {depth: '0'})
    expect(await statusOf('PUT', 'c/new.txt', {}, 'x')).toBe(423)
    expect(await statusOf('PUT', 'c/1.txt', {}, 'x')).toBe(204)
  })

  it('is submitted by any list of If, which may fail as a condition', async () => {
    const token = tokenOf(await lock('a.txt'))
    const etag = server.get('a.txt')?.etag
    const statuses: number[] = []
    for (const header of [
      `(<${token}x>)`,
      `(<${token}> ["x"])`,
      `(<${token}x>) (Not <DAV:no-lock>)`,
      `(<${token}> [${etag}])`,
    ])
      statuses.push(await statusOf('PUT', 'a.txt', {if: header}, 'x'))
    expect(statuses).toEqual([412, 412, 423, 204])
  })

  it('ends by UNLOCK with its own token', async () => {
    const token = tokenOf(await lock('c/'))
    expect(await statusOf('UNLOCK', 'c/')).toBe(400)
    expect(await statusOf('UNLOCK', 'a.txt', {'lock-token': `<${token}>`})).toBe(409)
    expect(await statusOf('UNLOCK', 'none', {'lock-token': `<${token}>`})).toBe(404)
    expect(await statusOf('UNLOCK', 'c/1.txt', {'lock-token': `<${token}>`})).toBe(204)
    expect(server.locks).toEqual([])
  })

  it('ends by its time, and lives longer by a refresh', async () => {
    vi.useFakeTimers({now: 0})
    const token = tokenOf(await lock('a.txt', {timeout: 'Second-60'}))
    vi.advanceTimersByTime(59_000)
    expect(await statusOf('LOCK', 'a.txt', {if: `(<${token}>)`, timeout: 'Second-60'})).toBe(200)
    vi.advanceTimersByTime(59_000)
    expect(server.locks).toHaveLength(1)
    vi.advanceTimersByTime(1000)
    expect(server.locks).toEqual([])
    expect(await statusOf('LOCK', 'a.txt', {if: `(<${token}>)`})).toBe(412)
  })

  it('does not go with a moved resource, and stays on a replaced one', async () => {
    const [from, to] = [tokenOf(await lock('a.txt')), tokenOf(await lock('c/1.txt'))]
    const header = `<${server.url}a.txt> (<${from}>) <${server.url}c/1.txt> (<${to}>)`
    expect(await statusOf('MOVE', 'a.txt', {destination: `${server.url}c/1.txt`, if: header})).toBe(
      204,
    )
    expect(server.locks.map(({path}) => path)).toEqual(['c/1.txt'])
  })
})

describe('the client', () => {
  it('locks, writes, refreshes and unlocks', async () => {
    const taken = await dav.lock('a.txt', {timeout: 60_000, owner: 'Ana'})
    if (!isSuccess(taken)) throw new Error('not locked')
    const held: Lock = taken
    expect(held.timeout).toBe(60_000)
    expect(await dav.put('a.txt', 'two')).toMatchObject({ok: true, status: 204})
    expect(await held.refresh()).toMatchObject({ok: true})
    expect(await held.unlock()).toMatchObject({ok: true, status: 204})
    expect(server.locks).toEqual([])
  })
})

describe('lock and unlock', () => {
  it('take and end the lock of somebody else', () => {
    const token = server.lock('c/1.txt', {depth: 0, scope: 'shared', timeout: 1000})
    expect(server.locks).toEqual([{path: 'c/1.txt', token, depth: 0, scope: 'shared', owner: ''}])
    expect(() => server.lock('c')).toThrow(new TypeError('lock: c is missing or locked'))
    expect(() => server.lock('none')).toThrow(new TypeError('lock: none is missing or locked'))
    const member: object = {depth: 1}
    expect(() => server.lock('a.txt', member)).toThrow(
      new TypeError("lock: depth is 0 or 'infinity'"),
    )
    server.unlock(token)
    expect(server.locks).toEqual([])
  })
})
