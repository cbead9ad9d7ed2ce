/**
 * Redirects that may be followed without asking: within the origin, with the same method and body. What deletes is
 * followed only where the server asks for the slash that a collection ends with. RFC 9110, section 15.4.
 */

import {DavError, DavNetworkError} from '../protocol/errors.ts'
import {canonicalPath} from '../protocol/href.ts'
import {isSafe} from './methods.ts'
import type {DavResponse, Transport} from './transport.ts'
import {discard} from './transport.ts'

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308])
const MOST = 5

/** A redirect that a browser hides. It is the server's answer: sending the request again gives the same one. */
export class HiddenRedirectError extends DavNetworkError {}

/** Another resource, or another server, has answered. Sending the request again would reach that one again. */
export class ElsewhereError extends DavError {}

/** Follows such redirects. Any other one is given to the caller as the answer that it is. */
export function withRedirects(transport: Transport): Transport {
  return async (request) => {
    let asked = request
    for (let followed = 0; ; followed++) {
      const response = await transport(asked)
      const {method, url} = asked
      const next = followed < MOST ? redirectTarget(method, url, response) : undefined
      if (next === undefined) return asked === request ? response : moved(response, url)
      await discard(response)
      asked = {...request, url: next}
    }
  }
}

/** The URL that a redirect leads to, `undefined` if it must not be followed. */
function redirectTarget(method: string, url: string, response: DavResponse): string | undefined {
  if (!REDIRECTS.has(response.status)) return undefined
  const from = new URL(url)
  const to = URL.parse(response.headers.get('location') ?? '', from)
  if (to === null) return undefined
  // Servers behind a proxy write their inner host or scheme: the slash is meant, and our own origin is kept.
  if (isSlashAdded(from.pathname, to.pathname)) {
    from.pathname += '/'
    return from.href
  }
  if (!isSafe(method) || to.origin !== from.origin || to.href === from.href) return undefined
  to.hash = ''
  to.username = ''
  to.password = ''
  return to.href
}

function isSlashAdded(from: string, to: string): boolean {
  return !from.endsWith('/') && to.endsWith('/') && canonicalPath(from) === canonicalPath(to)
}

function moved({status, headers, body}: DavResponse, url: string): DavResponse {
  return {status, headers, body, url}
}
