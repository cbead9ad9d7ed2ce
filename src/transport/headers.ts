/** Checks the headers of requests, and reads the text of headers in answers. RFC 9110, section 5. */

import {decodeBytes, escapeByte, restoreBytes} from '../protocol/byte-string.ts'
import {quoted} from '../protocol/errors.ts'
import {namesOf} from '../protocol/members.ts'
import {checkBody} from './request-body.ts'
import type {DavHeaders, DavRequest} from './transport.ts'
import {isWorkerd} from './workerd.ts'

const TOKEN = /^[!#$%&'*+\-.^`|~\w]+$/
const VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/

// Headers of the connection. undici refuses them, and browsers drop them in silence.
const OF_CONNECTION = /^(?:content-length|expect|keep-alive|transfer-encoding|upgrade)$/i

// Methods that no `fetch` sends. RFC 9110, sections 9.3.6 and 9.3.8.
const FORBIDDEN_METHODS = /^(?:CONNECT|TRACE|TRACK)$/i

/** Tests if a text can be the value of a header. The platform's own error would quote the value, which may be a secret. */
export function isHeaderValue(value: string): boolean {
  return VALUE.test(value)
}

/**
 * Checks headers, and converts their names to lower case. An ETag in a condition gets the bytes that the server sent.
 *
 * @throws TypeError for an invalid header. It names the header and never the value, which may be a secret.
 */
export function resolveHeaders(
  given: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  if (Symbol.iterator in given)
    throw new TypeError("headers: give an object such as {'user-agent': 'backup/2'}")
  return Object.fromEntries(
    Array.from(namesOf(given), (name) => [name.toLowerCase(), readHeader(name, given[name])]),
  )
}

/**
 * Checks a request before it is sent, and resolves its headers. Every later error counts as one of the network.
 *
 * @throws TypeError for an argument that cannot be sent.
 */
export function checkRequest(request: DavRequest): DavRequest {
  const {method, url, headers, body} = request
  if (!TOKEN.test(method) || FORBIDDEN_METHODS.test(method))
    throw new TypeError(`${quoted(method)} is no method that can be sent`)
  if (!/^https?:\/\/[^/?#]/.test(url))
    throw new TypeError(`${method}: the URL begins with https:// or http://`)
  checkBody(body)
  return {...request, headers: resolveHeaders(headers)}
}

function readHeader(name: string, value: unknown): string {
  if (!TOKEN.test(name)) throw new TypeError(`headers: ${quoted(name)} is no header name`)
  if (OF_CONNECTION.test(name)) throw new TypeError(`headers: ${name} is set by the transport`)
  const text = typeof value === 'string' ? value : '\n'
  const bytes = /^if\b/i.test(name) ? restoreBytes(text) : text
  if (!isHeaderValue(bytes))
    throw new TypeError(`headers: the value of ${name} can be in no header`)
  // workerd sends text in UTF-8, other platforms send a byte for each character.
  return isWorkerd() ? text : bytes
}

// Headers with URL references, in which each byte counts.
const REFERENCES = /^(?:(?:content-)?location|link)$/i

// Headers with parts that go back to the server byte for byte.
const RETURNED = /etag$|^(?:www-)?authenticat/i

/**
 * Reads headers of an answer as UTF-8. Platforms read their bytes as Latin-1, but CivetWeb and nginx send a Location in raw
 * UTF-8. Bytes of a URL reference that are not UTF-8 become escapes. An ETag and a challenge are decoded only if the text is beyond
 * Latin-1, so that {@link restoreBytes} finds their bytes.
 */
export function withHeaderText(headers: DavHeaders): DavHeaders {
  return {
    get(name) {
      const value = headers.get(name)
      if (value === null || !/[\x80-\xFF]/.test(value)) return value
      // workerd reads UTF-8. Elsewhere a character beyond Latin-1 shows that the platform has decoded the value.
      if (isWorkerd() || /[^\0-\xFF]/.test(value)) return value
      const text = decodeBytes(value)
      if (text === undefined)
        return REFERENCES.test(name) ? value.replaceAll(/[\x80-\xFF]/g, escapeByte) : value
      return RETURNED.test(name) && VALUE.test(text) ? value : text
    },
    getSetCookie: () => headers.getSetCookie?.() ?? [],
  }
}
