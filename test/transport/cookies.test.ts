// States the cookies of a session: kept in the caller's jar, sent with each request to the host that set them, and to no other one.
// RFC 6265.

import {inspect} from 'node:util'

import {DavClient, DavNetworkError, type Transport, withCookies} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {CookieJar} from 'tough-cookie'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  NEVER,
  startFaultServer,
} from '../support/fault-server.ts'

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})
afterEach(() => server.close())

/** A gateway with a session, whose cookie is another one after each answer. `login` sets the first. */
function serveSessions(refused: {status: number; headers?: Record<string, string>}): {end(): void} {
  let [session, count] = ['', 0]
  server.script(({method, url, headers}) => {
    const given = /\bsid=(\w+)/.exec(headers.cookie ?? '')?.[1]
    const isLogin = url === '/login' && method === 'POST'
    if (!isLogin && (session === '' || given !== session))
      return url === '/login' ? {status: 200, body: '<html>Log in</html>'} : refused
    session = `s${++count}`
    const cookies = {'set-cookie': [`sid=${session}; Path=/; HttpOnly`, 'theme=dark; Path=/']}
    if (method === 'PROPFIND')
      return url === '/old'
        ? {status: 301, headers: {...cookies, location: '/old/'}}
        : answer207(listing(url), cookies)
    return {status: 204, headers: cookies}
  })
  return {end: () => void (session = '')}
}

describe.each<[string, () => Transport]>([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
])('over %s', (_, make) => {
  const open = (): DavClient =>
    new DavClient({url: server.url, transport: withCookies(make(), new CookieJar())})
  const login = async (dav: DavClient): Promise<void> => {
    await (await dav.request('POST', 'login')).body?.cancel?.()
  }

  it('a jar that fails ends the exchange, whose connection is free again', async () => {
    server.answers({status: 200, headers: {'set-cookie': 'a=b'}, body: ['x', NEVER]})
    const jar = {
      getCookieString: () => '',
      setCookie() {
        throw new Error('the jar is full')
      },
    }
    const dav = new DavClient({url: server.url, transport: withCookies(make(), jar)})
    await expect(dav.request('GET', 'a')).rejects.toThrow('the jar is full')
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('a session whose cookie changes with each answer goes on', async () => {
    serveSessions({status: 401})
    const dav = open()
    await login(dav)
    expect((await dav.propfind('').collect()).successes).toHaveLength(1)
    expect(await dav.delete('a')).toMatchObject({ok: true})
    expect(await dav.put('b', 'text')).toMatchObject({ok: true})
    expect(server.requests.at(-1)?.headers.cookie?.split('; ').toSorted()).toEqual([
      'sid=s3',
      'theme=dark',
    ])
  })

  it('a cookie of a redirect goes with the request that follows it', async () => {
    serveSessions({status: 401})
    const dav = open()
    await login(dav)
    expect((await dav.propfind('old').collect()).successes).toMatchObject([{href: '/old/'}])
    expect(server.requests.map(({headers}) => /sid=\w+/.exec(headers.cookie ?? '')?.[0])).toEqual([
      undefined,
      'sid=s1',
      'sid=s2',
    ])
  })

  it('a lost session is an outcome: 401, or a redirect to the page for logging in', async () => {
    const gateway = serveSessions({status: 401})
    const dav = open()
    await login(dav)
    gateway.end()
    expect(await dav.delete('a')).toMatchObject({ok: false, status: 401})
    serveSessions({status: 302, headers: {location: '/login'}})
    expect(await dav.delete('a')).toMatchObject({ok: false, status: 302})
    await expect(dav.propfind('').collect()).rejects.toMatchObject({name: 'MultiStatusError'})
    await login(dav)
    expect(await dav.delete('a')).toMatchObject({ok: true})
  })

  it('go to their own host only', async () => {
    serveSessions({status: 401})
    const jar = new CookieJar()
    const transport = withCookies(make(), jar)
    const dav = new DavClient({url: server.url, transport})
    await login(dav)
    const elsewhere = server.url.replace('127.0.0.1', 'localhost')
    server.answers({status: 204})
    await new DavClient({url: elsewhere, transport}).delete('a')
    expect(server.requests.at(-1)?.headers).not.toHaveProperty('cookie')
    expect(await jar.getCookieString(elsewhere)).toBe('')
  })

  it('do not go to another origin by a redirect', async () => {
    const other = await startFaultServer()
    const dav = open()
    server.answers({status: 302, headers: {'set-cookie': 'a=1', location: other.url}})
    await dav
      .propfind('')
      .collect()
      .catch(() => {})
    expect(other.requests).toEqual([])
    await other.close()
  })

  it('one that the host may not set is left out, and the others are kept', async () => {
    server.answers({
      status: 204,
      headers: {
        'set-cookie': [
          'a=1; Domain=other.example',
          '',
          'b=2; Expires=Wed, 21 Oct 2099 07:28:00 GMT',
        ],
      },
    })
    const dav = open()
    await dav.delete('a')
    await dav.delete('a')
    expect(server.requests.at(-1)?.headers.cookie).toBe('b=2')
  })

  it('of the caller’s own headers are sent too', async () => {
    server.answers({status: 204, headers: {'set-cookie': 'a=1'}})
    const transport = withCookies(make(), new CookieJar())
    const dav = new DavClient({url: server.url, transport, headers: {cookie: 'own=1'}})
    await dav.delete('a')
    await dav.delete('a')
    expect(server.requests.map(({headers}) => headers.cookie)).toEqual(['own=1', 'own=1; a=1'])
  })

  it.each(['sid=hidden\u20AC', 'sid=hidden\r\nx: y'])(
    'that no header can have is an error without it: %j',
    async (cookie) => {
      const jar = {getCookieString: () => cookie, setCookie: () => undefined}
      const dav = new DavClient({url: server.url, transport: withCookies(make(), jar)})
      const error = await dav.delete('a').catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(DavNetworkError)
      expect(inspect(error, {depth: 9, showHidden: true})).not.toContain('hidden')
      expect(server.requests).toEqual([])
    },
  )

  it('each Set-Cookie of a raw answer can be read', async () => {
    const headers = {'set-cookie': ['a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT', 'b=2']}
    server.answers({status: 204, headers})
    const dav = new DavClient({url: server.url, transport: make()})
    const answer = await dav.request('OPTIONS', '')
    expect(answer.headers.getSetCookie?.()).toEqual(headers['set-cookie'])
  })
})

it('a wrapped transport keeps its other members', async () => {
  const transport = Object.assign(undiciTransport(), {connections: 3})
  const wrapped = withCookies(transport, new CookieJar())
  expect(wrapped.givesChunksAway).toBe(true)
  expect({...wrapped}).toMatchObject({sendsLength: true, connections: 3})
  await wrapped.close()
  await expect(wrapped({method: 'GET', url: server.url, headers: {}})).rejects.toThrow(Error)
})

it('an error of the jar ends the call, and frees the connection of the answer', async () => {
  const jar = {
    getCookieString: () => '',
    setCookie: () => Promise.reject(new Error('the disk is full')),
  }
  server.answers({status: 207, headers: {'set-cookie': 'a=1'}, body: ['<', NEVER]})
  const dav = new DavClient({url: server.url, transport: withCookies(undiciTransport(), jar)})
  await expect(dav.propfind('').collect()).rejects.toBeInstanceOf(DavNetworkError)
  expect(await server.requests[0]?.ended).toBe('closed')
})
