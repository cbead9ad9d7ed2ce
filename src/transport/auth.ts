/**
 * Adds credentials to requests to the client's own origin, and to no others. RFC 7617 (Basic), RFC 6750 (Bearer); RFC 9110,
 * section 11.
 */

import {formatBase64} from '../protocol/base64.ts'
import {untilAborted} from '../protocol/wait.ts'
import {isHeaderValue} from './headers.ts'
import type {DavRequest, DavResponse, Send} from './transport.ts'

/** Returns the Authorization header for a request; `undefined` to send none. Called for each request. */
export type Auth = (request: DavRequest) => string | undefined | Promise<string | undefined>

/**
 * Makes Basic credentials, in UTF-8.
 *
 * @throws TypeError for a user name with a colon, and for a control character in either, as RFC 7617 forbids.
 * @example
 * ```ts
 * new DavClient({url, auth: basicAuth('ana', secret)})
 * ```
 */
export function basicAuth(username: string, password: string): Auth {
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw new TypeError('basicAuth takes a user name and a password, both strings')
  }
  if (username.includes(':')) throw new TypeError('basicAuth: a user name cannot have a colon')
  if (/\p{Cc}/u.test(username + password))
    throw new TypeError('basicAuth: there is a control character')
  const value = `Basic ${formatBase64(`${username}:${password}`)}`
  return () => value
}

/**
 * Makes the credentials of a Bearer token.
 *
 * @throws TypeError for a token with characters that RFC 6750 does not allow.
 * @example
 * ```ts
 * new DavClient({url, auth: bearerAuth(token)})
 * ```
 */
export function bearerAuth(token: string): Auth {
  if (typeof token !== 'string' || !/^[\w\-.~+/]+=*$/.test(token)) {
    throw new TypeError('bearerAuth: the token has characters that a Bearer token cannot have')
  }
  const value = `Bearer ${token}`
  return () => value
}

/** Wraps a transport to add credentials to requests to `origin`. A redirect elsewhere gets none. */
export function withAuth<R extends DavResponse, C>(
  transport: Send<R, C>,
  auth: Auth,
  origin: string,
): Send<R, C> {
  return async (request, call) => {
    if (new URL(request.url).origin !== origin) return transport(request, call)
    const given = auth(request)
    const isThere = typeof given === 'string' || given === undefined
    const value = isThere ? given : await untilAborted(Promise.resolve(given), request.signal)
    if (value === undefined) return transport(request, call)
    if (!isHeaderValue(value)) throw new TypeError('auth gave a value that no header can have')
    return transport({...request, headers: {...request.headers, authorization: value}}, call)
  }
}
