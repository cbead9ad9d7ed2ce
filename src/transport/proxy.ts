/**
 * Proxies: an address with its credentials, the tunnel through an HTTP proxy by CONNECT, and the errors of proxies. No error holds
 * the credentials. RFC 9110, sections 9.3.6 and 11.7. Node only.
 */

import {request} from 'node:http'
import type {Socket} from 'node:net'

import {DavNetworkError, DavTimeoutError, visible} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rule} from '../protocol/options.ts'
import {BarredError} from './barred.ts'
import {adviseOnTls} from './certificates.ts'
import type {DavRequest} from './transport.ts'
import {USER_AGENT} from './user-agent.ts'

/** The address of a proxy. */
export interface Proxy {
  readonly kind: 'http' | 'https' | 'socks'
  /** The name or the address of its host, without brackets. */
  readonly hostname: string
  readonly port: string
  /** The host and the port, for messages. */
  readonly host: string
  readonly credentials: {readonly username: string; readonly password: string} | undefined
}

export const PROXY: Rule = {
  words: 'the URL of a proxy, such as http://proxy.example:3128',
  accepts: (value) => typeof value === 'string' || value instanceof URL,
}

const KINDS: ReadonlyMap<string, readonly [kind: Proxy['kind'], port: string]> = new Map([
  ['http:', ['http', '80']],
  ['https:', ['https', '443']],
  ['socks5:', ['socks', '1080']],
  ['socks5h:', ['socks', '1080']],
])

/** The most bytes of a user, a password or the name of a host. RFC 1928, section 5; RFC 1929, section 2. */
export const SOCKS_BYTES = 255

/**
 * Reads the URL of a proxy.
 *
 * @param name - The name of the option or the variable, which begins the message.
 * @throws TypeError, without any part of the URL.
 */
export function readProxy(name: string, given: string | URL): Proxy {
  const url = URL.parse(String(given))
  const [kind, port] = KINDS.get(url?.protocol ?? '') ?? []
  if (url === null || url.hostname === '' || kind === undefined || port === undefined) {
    throw new TypeError(
      `${name} is no URL of a proxy; write http://, https:// or socks5:// with a host and a port`,
    )
  }
  return {
    kind,
    hostname: url.hostname.replace(/^\[(.+)\]$/, '$1'),
    port: url.port === '' ? port : url.port,
    host: `${url.hostname}:${url.port === '' ? port : url.port}`,
    credentials: readCredentials(name, url, kind),
  }
}

function readCredentials(name: string, url: URL, kind: Proxy['kind']): Proxy['credentials'] {
  if (url.username === '' && url.password === '') return undefined
  const [username, password] = [url.username, url.password].map((text) => {
    try {
      return decodeURIComponent(text)
    } catch {
      throw new TypeError(`${name} has a user or a password with a bare %; write it as %25`)
    }
  })
  const texts = {username: username ?? '', password: password ?? ''}
  const isFitting = Object.values(texts).every((text) => {
    const length = Buffer.byteLength(text)
    return length > 0 && length <= SOCKS_BYTES
  })
  if (kind === 'socks' && !isFitting)
    throw new TypeError(`${name} needs a user and a password of 1 to 255 bytes each for SOCKS`)
  // The proxy would read the rest of the name as the password. RFC 7617, section 2.
  if (kind !== 'socks' && texts.username.includes(':'))
    throw new TypeError(`${name} has a user with a colon, which no HTTP proxy can read`)
  return texts
}

/** Formats the header that an HTTP proxy asks for, if the proxy has credentials. RFC 7617. */
export function formatProxyAuthorization({credentials}: Proxy): Record<string, string> {
  if (credentials === undefined) return {}
  const {username, password} = credentials
  const encoded = Buffer.from(`${username}:${password}`).toString('base64')
  return {'Proxy-Authorization': `Basic ${encoded}`}
}

/** An error of a proxy, before anything was sent to the server. It does not hold the credentials. */
export class ProxyError extends Error {
  readonly #isLasting: boolean

  /** @param isLasting - True if the same request will fail in the same way each time. */
  constructor(message: string, isLasting = false, cause?: unknown) {
    super(message, cause === undefined ? undefined : {cause})
    this.#isLasting = isLasting
  }

  /** Makes the public error of a request that failed with this one. */
  explain({method, url}: DavRequest): DavNetworkError | DavTimeoutError {
    const facts = {cause: this, method, url}
    const code = memberOf(this.cause, 'code')
    if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
      return new DavTimeoutError(
        `${method} ${url} could not connect in time: ${this.message}`,
        'connect',
        facts,
      )
    const words = `${method} ${url} failed: ${this.message}`
    return this.#isLasting ? new BarredError(words, facts) : new DavNetworkError(words, facts)
  }
}

/** Makes the error for a proxy to which no connection came about, or whose connection broke. */
export function proxyUnreachable({host}: Proxy, error: unknown): ProxyError {
  if (error instanceof ProxyError) return error
  const advice = adviseOnTls(error)
  if (advice !== undefined) return new ProxyError(`the proxy ${host}: ${advice}`, true, error)
  const code = memberOf(error, 'code')
  const words = typeof code === 'string' ? ` (${code})` : ''
  return new ProxyError(
    `the proxy ${host} gave no connection${words}: check its address, its kind, and that it runs`,
    false,
    error,
  )
}

/** Makes the error for a proxy that forwarded a request and no answer. */
export function proxyBroken({host}: Proxy, error: Error): ProxyError {
  return new ProxyError(
    `the proxy ${host} gave no answer: ${visible(error.message, 300)}`,
    false,
    error,
  )
}

/** Makes the error for a proxy that wants other credentials, by its challenges. */
export function proxyUnauthorized(
  {host, credentials}: Proxy,
  challenges: string,
  status = 407,
): ProxyError {
  const isBasic = challenges === '' || /\bbasic\b/i.test(challenges)
  const [found, remedy] =
    credentials === undefined
      ? ['wants credentials', 'write a user and a password']
      : ['refused the credentials', 'check the user and the password']
  const help = isBasic
    ? `${remedy} in its URL, such as http://user:password@host:port`
    : 'it does not take Basic, the only scheme of this transport'
  return new ProxyError(`the proxy ${host} ${found} (${status}): ${help}`, true)
}

/**
 * Asks an HTTP proxy for a tunnel.
 *
 * @param socket - A connection to the proxy.
 * @param authority - The host and the port of the server.
 * @throws ProxyError
 */
export async function openTunnel(proxy: Proxy, socket: Socket, authority: string): Promise<void> {
  const asked = request({
    createConnection: () => socket,
    method: 'CONNECT',
    path: authority,
    setHost: false,
    headers: {Host: authority, 'User-Agent': USER_AGENT, ...formatProxyAuthorization(proxy)},
  })
  const {promise, resolve, reject} = Promise.withResolvers<void>()
  asked.on('error', (error) => reject(proxyUnreachable(proxy, error)))
  asked.on('connect', ({statusCode = 0, headers}, _, head) => {
    if (statusCode >= 200 && statusCode < 300) {
      if (head.length > 0) socket.unshift(head)
      resolve()
      return
    }
    socket.destroy()
    const {'proxy-authenticate': challenges = []} = headers
    // tinyproxy answers 401 to a wrong password.
    reject(
      statusCode === 407 || statusCode === 401
        ? proxyUnauthorized(proxy, String(challenges), statusCode)
        : tunnelRefused(proxy, authority, statusCode),
    )
  })
  asked.end()
  return await promise
}

function tunnelRefused({host}: Proxy, authority: string, status: number): ProxyError {
  const answered = `the proxy ${host} answered ${status} to a tunnel to ${authority}`
  return status >= 500
    ? new ProxyError(`${answered}: it may not reach that server`)
    : new ProxyError(`${answered}: let it allow CONNECT to this host and port`, true)
}
