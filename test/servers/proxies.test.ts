// States what goes through real proxies: tinyproxy 1.11, squid 5.7 with Basic and with TLS, and microsocks 1.0, all of Debian. No error
// shows the credentials of a proxy. RFC 9110, section 9.3.6; RFC 1928; RFC 1929.

import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {createSecureServer as createModernServer} from 'node:http2'
import {createServer, type Server, type Socket} from 'node:net'
import {createServer as createSecureServer} from 'node:tls'
import {fileURLToPath} from 'node:url'
import {inspect} from 'node:util'

import {DavClient, DavNetworkError, DavTimeoutError} from 'multistatus'
import {undiciTransport, type UndiciTransportOptions} from 'multistatus/undici'
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest'

import {readConnections} from './support/port.ts'
import {type Certificate, hasOpenssl} from './support/authority.ts'
import {isEveryServerRequired} from './support/missing.ts'
import {
  type Microsocks,
  PROXY_ACCOUNT,
  type Squid,
  startMicrosocks,
  startSquid,
  startTinyproxy,
  type Tinyproxy,
  withAccount,
} from './support/proxies.ts'
import {findProgram} from './support/recipe.ts'
import {type SecureServers, startSecureServers} from './support/secure-servers.ts'

const PROGRAMS = ['nginx', 'apache2', 'tinyproxy', 'squid', 'microsocks']
const isInstalled = hasOpenssl && PROGRAMS.every((name) => findProgram(name) !== undefined)
const WRONG = {user: PROXY_ACCOUNT.user, password: 'wrong:s/cr%t'}

/** A server of HTTP/2 and of HTTP/1.1, as the client asks for. */
interface Modern {
  readonly port: number
  /** The version of each request. */
  readonly versions: string[]
  stop(): Promise<void>
}

async function startModern({cert, key}: Certificate): Promise<Modern> {
  const versions: string[] = []
  const server = createModernServer({cert, key, allowHTTP1: true}, (request, response) => {
    versions.push(request.httpVersion)
    request.resume().on('end', () => response.writeHead(204).end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {port: address.port, versions, stop: async () => void server.close()}
}

describe.skipIf(!isInstalled && !isEveryServerRequired)('through a proxy', () => {
  let servers: SecureServers
  let tinyproxy: Tinyproxy
  let squid: Squid
  let socks: Microsocks
  let openSocks: Microsocks
  let modern: Modern
  beforeAll(async () => {
    servers = await startSecureServers()
    const certificate = await servers.authority.issue('proxy', {names: 'DNS:localhost'})
    const tunnels = [servers.portOf('good'), servers.portOf('expired')]
    modern = await startModern(await servers.authority.issue('http2', {names: 'DNS:localhost'}))
    tunnels.push(modern.port)
    tinyproxy = await startTinyproxy(tunnels)
    squid = await startSquid(tunnels, certificate)
    socks = await startMicrosocks(true)
    openSocks = await startMicrosocks(false)
  })
  afterAll(() =>
    Promise.all(
      [servers, tinyproxy, squid, socks, openSocks, modern].map((daemon) => daemon?.stop()),
    ),
  )

  const PROXIES = {
    tinyproxy: () => tinyproxy.url,
    'squid with Basic': () => withAccount(squid.url),
    'squid with TLS and Basic': () => withAccount(squid.secureUrl),
    'microsocks with a password': () => withAccount(socks.url),
    microsocks: () => openSocks.url,
    'microsocks, with a password that it does not want': () => withAccount(openSocks.url),
  } as const
  const names = Object.keys(PROXIES) as (keyof typeof PROXIES)[]

  const open = (url: string, options: UndiciTransportOptions): DavClient =>
    new DavClient({url, transport: undiciTransport({ca: servers.authority.ca, ...options})})
  const failure = async (url: string, options: UndiciTransportOptions): Promise<unknown> => {
    await using dav = open(url, options)
    return await dav.stat('').catch((error: unknown) => error)
  }

  describe.each(names)('%s', (name) => {
    it.each(['good', 'plain'] as const)('reads and writes on a server: %s', async (kind) => {
      await using dav = open(servers.url(kind), {proxy: PROXIES[name]()})
      const text = 'x'.repeat(300_000)
      expect(await dav.put('long.txt', text)).toMatchObject({ok: true})
      const got = await dav.get('long.txt')
      expect(got.ok && (await got.text())).toBe(text)
      const {successes} = await dav.propfind('', {depth: 1}).collect()
      expect(successes.map(({href}) => href)).toContain('/long.txt')
      expect(await dav.delete('long.txt')).toMatchObject({ok: true, status: 204})
    })

    it('offers HTTP/2 to a server behind a tunnel', async () => {
      const url = `https://localhost:${modern.port}/`
      for (const http2 of [true, false]) {
        await using dav = open(url, {proxy: PROXIES[name](), http2})
        expect(await dav.put('a.txt', 'text')).toMatchObject({ok: true})
      }
      expect(modern.versions.splice(0)).toEqual(['2.0', '1.1'])
    })

    it('keeps its connection: 20 requests one after another', async () => {
      await using dav = open(servers.url('good'), {proxy: PROXIES[name]()})
      await dav.stat('')
      const before = await readConnections(servers.portOf('good'))
      for (let count = 0; count < 20; count++) await dav.stat('')
      const after = await readConnections(servers.portOf('good'))
      expect([...before].every((connection) => after.has(connection))).toBe(true)
      expect(after.size).toBe(before.size)
    })
  })

  it('takes a URL object, and tells squid the account', async () => {
    await using dav = open(servers.url('good'), {proxy: new URL(withAccount(squid.url))})
    expect(await dav.stat('')).toMatchObject({ok: true})
    expect(await squid.read('access')).toMatch(/\/204 .* ana@corp /)
  })

  it('sends names of headers in Title-Case, in a tunnel, forwarded, and through SOCKS', async () => {
    const heads: string[] = []
    const keep = (socket: Socket): void => {
      socket
        .on('error', () => {})
        .once('data', (bytes) => {
          heads.push(bytes.toString('latin1').split('\r\n\r\n')[0] ?? '')
          socket.end('HTTP/1.1 204 No Content\r\n\r\n')
        })
    }
    const {cert, key} = await servers.authority.issue('raw', {names: 'IP:127.0.0.1'})
    const plain = await portOf(createServer(keep))
    const secure = await portOf(createSecureServer({cert, key}, keep))
    const tunneling = await startTinyproxy([secure])
    onTestFinished(() => tunneling.stop())
    for (const [url, proxy] of [
      [`http://127.0.0.1:${plain}/`, openSocks.url],
      [`http://127.0.0.1:${plain}/`, `http://127.0.0.1:${plain}`],
      [`https://127.0.0.1:${secure}/`, openSocks.url],
      [`https://127.0.0.1:${secure}/`, tunneling.url],
    ] as const) {
      await using dav = open(url, {proxy})
      await dav.put('a.txt', 'text', {type: 'text/plain'})
    }
    expect(heads.map((head) => head.split('\r\n')[0])).toEqual([
      'PUT /a.txt HTTP/1.1',
      `PUT http://127.0.0.1:${plain}/a.txt HTTP/1.1`,
      'PUT /a.txt HTTP/1.1',
      'PUT /a.txt HTTP/1.1',
    ])
    for (const head of heads) {
      const headers = head.split('\r\n').slice(1)
      expect(headers).toContain('Content-Length: 4')
      expect(headers).toContain('Content-Type: text/plain')
      expect(headers.filter((line) => !/^[A-Z][a-z]*(?:-[A-Z][a-z]*)*: /.test(line))).toEqual([])
    }
  })

  it('takes the 401 of tinyproxy to a tunnel for a refusal of its credentials', async () => {
    const account = {user: 'ana', password: 'secret'}
    const closed = await startTinyproxy([servers.portOf('good')], account)
    onTestFinished(() => closed.stop())
    const url = servers.url('good')
    await using dav = open(url, {proxy: withAccount(closed.url, account)})
    expect(await dav.stat('')).toMatchObject({ok: true})
    const wrong = await failure(url, {proxy: withAccount(closed.url, WRONG)})
    expect(String(wrong)).toContain(
      'refused the credentials (401): check the user and the password',
    )
    const missing = await failure(url, {proxy: closed.url})
    expect(String(missing)).toContain('wants credentials (407): write a user and a password')
  })

  it('names a proxy that wants credentials or refuses them, and never shows any', async () => {
    const cases = [
      [servers.url('good'), squid.url, 'wants credentials (407): write a user and a password'],
      [servers.url('plain'), squid.url, 'wants credentials (407): write a user and a password'],
      [servers.url('good'), withAccount(squid.url, WRONG), 'refused the credentials (407)'],
      [servers.url('plain'), withAccount(squid.url, WRONG), 'refused the credentials (407)'],
      [servers.url('good'), socks.url, 'wants a login: write a user and a password'],
      [servers.url('plain'), withAccount(socks.url, WRONG), 'refused the credentials'],
      [servers.url('elsewhere'), withAccount(squid.url), 'answered 403 to a tunnel to localhost:'],
      [servers.url('elsewhere'), tinyproxy.url, 'answered 403 to a tunnel to localhost:'],
      [
        'https://localhost:1/',
        withAccount(openSocks.url),
        'gave no connection to localhost:1, reply 5',
      ],
      [
        'http://no.such.invalid/',
        withAccount(openSocks.url),
        'gave no connection to no.such.invalid:80',
      ],
      [
        servers.url('good'),
        'http://ana%40corp:p%3As%2Fw%25rd@127.0.0.1:1',
        'gave no connection (ECONNREFUSED)',
      ],
      [
        servers.url('plain'),
        'socks5://ana%40corp:p%3As%2Fw%25rd@127.0.0.1:1',
        'gave no connection (ECONNREFUSED)',
      ],
      [
        servers.url('good'),
        'http://ana%40corp:p%3As%2Fw%25rd@no.such.invalid:1',
        'gave no connection (E',
      ],
      [
        servers.url('good'),
        withAccount(openSocks.url.replace('socks5', 'http')),
        'gave no connection (HPE_',
      ],
      [
        servers.url('plain'),
        withAccount(openSocks.url.replace('socks5', 'http')),
        'gave no answer: ',
      ],
    ] as const
    for (const [url, proxy, words] of cases) {
      const error = await failure(url, {proxy})
      expect(error).toBeInstanceOf(DavNetworkError)
      expect(error).toMatchObject({
        message: expect.stringContaining(`the proxy ${new URL(proxy).host} ${words}`),
      })
      expectNoSecret(error)
    }
  })

  it('retries a proxy that is not reached, and none that refuses', async () => {
    const attempts = async (proxy: string): Promise<number> => {
      let count = 1
      const retry = {attempts: 3, minDelay: 1, maxDelay: 1, onRetry: () => count++}
      await using dav = open(servers.url('good'), {proxy})
      const {failures} = await dav.deleteMany(['a.txt'], {retry}).collect()
      expect(failures).toHaveLength(1)
      return count
    }
    expect(await attempts('http://127.0.0.1:1')).toBe(3)
    expect(await attempts(squid.url)).toBe(1)
    expect(await attempts(withAccount(socks.url, WRONG))).toBe(1)
  })

  it('tells a fault of the certificate of the server from one of the proxy', async () => {
    const expired = await failure(servers.url('expired'), {proxy: withAccount(squid.secureUrl)})
    expect(expired).toMatchObject({
      message: expect.stringMatching(/failed: the certificate has expired/),
    })
    const proxy = squid.secureUrl.replace('localhost', '127.0.0.1')
    expect(await failure(servers.url('good'), {proxy: withAccount(proxy)})).toMatchObject({
      message: expect.stringMatching(
        /the proxy 127\.0\.0\.1:\d+: the certificate is for DNS:localhost/,
      ),
    })
  })

  it('counts the tunnel against the time to connect', async () => {
    const silent = createServer(() => {})
    const port = await portOf(silent)
    for (const kind of ['http', 'https', 'socks5']) {
      const proxy = `${kind}://ana%40corp:p%3As%2Fw%25rd@127.0.0.1:${port}`
      const error = await failure(servers.url('good'), {proxy, connectTimeout: 100})
      expect(error).toBeInstanceOf(DavTimeoutError)
      expect(error).toMatchObject({
        timeout: 'connect',
        message: expect.stringContaining(`could not connect in time: the proxy 127.0.0.1:${port}`),
      })
      expectNoSecret(error)
    }
  })

  it('has no limit for Infinity, and none at once for more than a timer holds', async () => {
    for (const connectTimeout of [Infinity, 3_000_000_000]) {
      await using dav = open(servers.url('good'), {proxy: withAccount(squid.url), connectTimeout})
      expect(await dav.stat('')).toMatchObject({ok: true})
    }
  })

  it('counts the handshake of TLS in the tunnel against the same time', async () => {
    const opens = await portOf(
      createServer((socket) => {
        socket.on('error', () => {}).once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
      }),
    )
    const proxy = `http://127.0.0.1:${opens}`
    const error = await failure(servers.url('good'), {proxy, connectTimeout: 100})
    expect(error).toBeInstanceOf(DavTimeoutError)
    expect(error).toMatchObject({
      timeout: 'connect',
      message: expect.stringContaining('could not connect within 100 ms'),
    })
  })

  it('ends a tunnel that nobody waits for', async () => {
    let ended = 0
    const silent = createServer((socket) => {
      socket
        .resume()
        .on('error', () => {})
        .on('close', () => ended++)
    })
    const port = await portOf(silent)
    for (const kind of ['http', 'https', 'socks5']) {
      await using dav = open(servers.url('good'), {proxy: `${kind}://127.0.0.1:${port}`})
      const signal = AbortSignal.timeout(50)
      await expect(dav.stat('', {signal})).rejects.toHaveProperty('name', 'TimeoutError')
    }
    await expect.poll(() => ended).toBe(3)
  })

  describe('of the environment', () => {
    const SOURCES = new URL('../support/use-sources.ts', import.meta.url).href
    const PROGRAM = fileURLToPath(new URL('support/ask-once.ts', import.meta.url))
    const ask = async (
      url: string,
      env: Readonly<Record<string, string>>,
      flags: readonly string[] = [],
    ): Promise<string> => {
      const child = spawn(process.execPath, ['--import', SOURCES, ...flags, PROGRAM, url], {
        env: {PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: servers.authority.caFile, ...env},
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [text] = await Promise.all([child.stdout.toArray(), once(child, 'close')])
      return Buffer.concat(text).toString().trim()
    }
    const dead = 'http://127.0.0.1:1'

    it('is used with NODE_USE_ENV_PROXY=1 or --use-env-proxy, and not without', async () => {
      const env = {HTTPS_PROXY: dead, HTTP_PROXY: dead}
      const refused = expect.stringContaining('the proxy 127.0.0.1:1 gave no connection')
      expect(await ask(servers.url('good'), env)).toBe('200')
      expect(await ask(servers.url('good'), {...env, NODE_USE_ENV_PROXY: '1'})).toEqual(refused)
      expect(await ask(servers.url('plain'), {...env, NODE_USE_ENV_PROXY: '1'})).toEqual(refused)
      expect(await ask(servers.url('good'), env, ['--use-env-proxy'])).toEqual(refused)
      const NODE_OPTIONS = '--use-env-proxy'
      expect(await ask(servers.url('good'), {...env, NODE_OPTIONS})).toEqual(refused)
      expect(await ask(servers.url('good'), {...env, NODE_OPTIONS, NO_PROXY: 'localhost'})).toBe(
        '200',
      )
    })

    it('sends through tinyproxy, with names of variables in lower case too', async () => {
      const env = {NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: dead, https_proxy: tinyproxy.url}
      const before = (await tinyproxy.read('log')).split('CONNECT localhost').length
      expect(await ask(servers.url('good'), env)).toBe('200')
      expect((await tinyproxy.read('log')).split('CONNECT localhost').length).toBeGreaterThan(
        before,
      )
    })
  })

  function expectNoSecret(error: unknown): void {
    const shown = [String(error), inspect(error, {depth: 9, showHidden: true})].join('\n')
    for (const {user, password} of [PROXY_ACCOUNT, WRONG]) {
      const encoded = Buffer.from(`${user}:${password}`).toString('base64')
      for (const secret of [
        user,
        password,
        encodeURIComponent(user),
        encodeURIComponent(password),
        encoded,
      ])
        expect(shown).not.toContain(secret)
    }
  }
})

/** Lets a server listen on loopback until the end of the test. Returns its port. */
async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
