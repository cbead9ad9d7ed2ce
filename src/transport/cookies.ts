/**
 * Keeps the cookies of a server, for gateways whose session is a cookie. The jar is the caller's, and decides which cookies a URL
 * gets. RFC 6265.
 */

import {isHeaderValue} from './headers.ts'
import type {Transport} from './transport.ts'
import {discard} from './transport.ts'

/** A jar for cookies, such as a `CookieJar` of the package `tough-cookie`. */
export interface CookieJar {
  /** Returns the Cookie header for a URL; empty for none. */
  getCookieString(url: string): string | Promise<string>
  /** Keeps a Set-Cookie header of an answer from a URL. With `ignoreError`, a cookie that the URL may not set is left out. */
  setCookie(header: string, url: string, options: {readonly ignoreError: true}): unknown
}

/**
 * Wraps a transport to send the cookies of a jar, and to keep those that answers set. A lost session is an answer like any other:
 * log in again, and repeat the call. Cookies belong to a host, whatever its port: RFC 6265, section 8.5. In a browser it does nothing;
 * use `fetchTransport({credentials: 'include'})`.
 *
 * @returns The transport with cookies. Its other members stay.
 * @example
 * ```ts
 * const transport = withCookies(undiciTransport(), new CookieJar())
 * ```
 */
export function withCookies<T extends Transport>(transport: T, jar: CookieJar): T {
  const send: Transport = async (request) => {
    const {url, headers} = request
    const kept = await jar.getCookieString(url)
    const cookie = [headers['cookie'] ?? '', kept].filter((text) => text !== '').join('; ')
    // The error of a platform would show it.
    if (!isHeaderValue(cookie)) throw new TypeError('the jar gave a cookie that no header can have')
    const answer = await transport(
      cookie === '' ? request : {...request, headers: {...headers, cookie}},
    )
    // Each is kept before the next request is sent. Most servers renew the session with each answer.
    try {
      for (const header of answer.headers.getSetCookie?.() ?? [])
        await jar.setCookie(header, url, {ignoreError: true})
    } catch (error) {
      await discard(answer)
      throw error
    }
    return answer
  }
  // Members may be getters.
  return Object.defineProperties(send, Object.getOwnPropertyDescriptors(transport)) as T
}
