/** Basic credentials. RFC 7617. */

import {formatBase64} from '../protocol/byte-string.ts'
import type {Auth} from './auth.ts'

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
  checkAccount('basicAuth', username, password)
  if (username.includes(':')) throw new TypeError('basicAuth: a user name cannot have a colon')
  const value = formatBasic(username, password)
  return () => value
}

/** Formats the Authorization header of Basic credentials. */
export function formatBasic(username: string, password: string): string {
  return `Basic ${formatBase64(`${username}:${password}`)}`
}

/** @throws TypeError for a name or password that is no string, or has a control character. */
export function checkAccount(maker: string, username: string, password: string): void {
  if (typeof username !== 'string' || typeof password !== 'string')
    throw new TypeError(`${maker} takes a user name and a password, both strings`)
  if (/\p{Cc}/u.test(username + password))
    throw new TypeError(`${maker}: there is a control character`)
}
