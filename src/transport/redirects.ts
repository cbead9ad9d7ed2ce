/**
 * Redirects that may be followed without asking: within the origin, with the same method and body. A method that changes
 * something follows one redirect only, the one to the slash that a collection ends with. RFC 9110, section 15.4.
 */

import {MAX_REDIRECTS} from '../protocol/bounds.ts'
import {DavError, DavNetworkError} from '../protocol/errors.ts'
import {canonicalPath} from '../protocol/href.ts'
import {isSafe} from './methods.ts'
import {isReplayable} from './request-body.ts'
import type {DavRequest, DavResponse, Send} from './transport.ts'
import {discard} from './transport.ts'

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308])

/** A redirect that a browser hides. It is the server's answer: sending the request again gives the same one. */
export class HiddenRedirectError extends DavNetworkError {}

/** Another resource, or another server, has answered. Sending the request again would reach that one again. */
export class ElsewhereError extends DavError {}

/** Refuses an answer by another one than was asked. Its body is given up. */
export async function refuseElsewhere(
  response: DavResponse,
  {method, url}: Pick<DavRequest, 'method' | 'url'>,
  answerer: string,
): Promise<never> {
  await discard(response)
  throw new ElsewhereError(`${method} ${url} was answered by ${answerer}`, {method, url})
}

/**
 * Follows such redirects. Any other one is given to the caller as the answer, and so is one of a request whose body can be read
 * once only.
 */
export function withRedirects<R extends DavResponse>(transport: Send<R>): Send<R> {
  return async (request) => {
    let asked = request
    for (let followed = 0; ; followed++) {
      const response = await transport(asked)
      const {method, url} = asked
      const mayFollow = followed < MAX_REDIRECTS && isReplayable(asked.body)
      const next = mayFollow ? redirectTarget(method, url, response) : undefined
      if (next === undefined) return asked === request ? response : {...response, url}
      await discard(response)
      asked = {...request, url: next}
    }
  }
}

/** The target of a redirect, `undefined` for one that must not be followed. */
function redirectTarget(method: string, url: string, response: DavResponse): string | undefined {
  if (!REDIRECTS.has(response.status)) return undefined
  const from = new URL(url)
  const to = URL.parse(response.headers.get('location') ?? '', from)
  if (to === null) return undefined
  // Servers behind a proxy write their inner host or scheme. Only the slash is taken from it, and our own origin is kept.
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
