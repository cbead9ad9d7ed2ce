/**
 * Knows the rules of browsers for the requests of a page. A browser hides why a request failed, so its error can only say the
 * conditions of the request. Fetch standard, section "CORS protocol".
 */

import {isStreamed} from './request-body.ts'
import type {DavRequest} from './transport.ts'

/** Tests if a browser makes the rules for requests, in pages and in workers. Browsers alone drop headers such as Host. */
export function isBrowser(): boolean {
  return !new Request('http://localhost/', {headers: {host: 'localhost'}}).headers.has('host')
}

// Headers that the client reads, and that a page cannot see unless the server exposes them.
const EXPOSED =
  'Allow, Authentication-Info, Content-Range, DAV, Date, ETag, Link, Location, Lock-Token, Retry-After, Server, WWW-Authenticate'

// Headers and types for which a browser does not ask the server first. Fetch standard, section "Safelisted request header".
const SAFE_HEADER = /^(?:accept|accept-language|content-language|content-type)$/
const SAFE_TYPE = /^(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b|^$/i

/** Adds to the error of a browser's `fetch` what the request needs. Other errors, and those elsewhere, stay as they are. */
export function explainInBrowser(
  error: unknown,
  {method, url, headers, body}: DavRequest,
  credentials: RequestCredentials,
): unknown {
  if (!(error instanceof TypeError && isBrowser())) return error
  const hints: string[] = []
  if (isStreamed(body) && 'duplex' in Request.prototype)
    hints.push('the browser sends a stream over HTTP/2 only, and a Blob always')
  const own: unknown = Reflect.get(globalThis, 'origin')
  if (own !== new URL(url).origin) {
    // Without the headers that the browser drops.
    const sent = [...new Request(url, {headers}).headers.keys()]
    const names = sent.filter((name) => !SAFE_HEADER.test(name))
    const {'content-type': type = body instanceof Blob ? body.type : ''} = headers
    if (!SAFE_TYPE.test(type)) names.push('content-type')
    const needs = [
      `the origin ${String(own)}${credentials === 'include' ? ' with credentials' : ''}`,
    ]
    if (!/^(?:GET|HEAD|POST)$/.test(method)) needs.push(`the method ${method}`)
    if (names.length > 0) needs.push(`the headers ${names.join(', ')}`)
    const asked = needs.length > 1 ? 'answer OPTIONS without a login, and ' : ''
    hints.push(
      `if the server can be reached, it must ${asked}allow by name ${needs.join(', ')}, and expose ${EXPOSED}`,
    )
  }
  if (hints.length === 0) return error
  return new TypeError([error.message.replace(/\.$/, ''), ...hints].join('; '), {cause: error})
}
