/**
 * Follows redirects within the origin, with the same method and body. A method that changes something follows only the redirect
 * that adds the slash of a collection: any other one may lead to another resource. An upload goes on by 307 and 308, which keep
 * the method. RFC 9110, section 15.4.
 */

import {MAX_REDIRECTS} from '../protocol/bounds.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPath} from '../protocol/href.ts'
import {BarredError} from './barred.ts'
import {isSafe} from './methods.ts'
import {isReplayable} from './request-body.ts'
import type {DavRequest, DavResponse, Send} from './transport.ts'
import {discard} from './transport.ts'

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308])
const KEEPS_METHOD: ReadonlySet<number> = new Set([307, 308])

/** A redirect that a browser hides. It is the server's answer, so a retry would get the same one. */
export class HiddenRedirectError extends BarredError {
  static override readonly name = 'DavNetworkError'
}

/** An answer by another resource or server than the requested one. A retry would reach the same one. */
export class ElsewhereError extends DavError {
  static override readonly name = 'DavError'
}

/** Gives up the body of an answer by another resource, and throws. */
export async function refuseElsewhere(
  response: DavResponse,
  request: Pick<DavRequest, 'method' | 'url'>,
  answerer: string,
): Promise<never> {
  await discard(response)
  throw elsewhere(request, `${answerer}, which is another resource`)
}

/** Makes the error for an answer by another resource. */
export function elsewhere(
  {method, url}: Pick<DavRequest, 'method' | 'url'>,
  answerer: string,
): ElsewhereError {
  return new ElsewhereError(`${method} ${url} was answered by ${answerer}`, {method, url})
}

/**
 * Wraps a transport to follow redirects. A redirect that must not be followed is returned as the answer. So is any redirect of a
 * request whose body can be read once only.
 *
 * @param mayUpload - Tells if an upload may be redirected to a URL.
 */
export function withRedirects<R extends DavResponse, C>(
  transport: Send<R, C>,
  mayUpload: (url: URL) => boolean,
): Send<R, C> {
  return async (request, call) => {
    let asked = request
    for (let followed = 0; ; followed++) {
      const response = await transport(asked, call)
      const {url} = asked
      const mayFollow = followed < MAX_REDIRECTS && isReplayable(asked.body)
      const next = mayFollow ? redirectTarget(asked, response, mayUpload) : undefined
      if (next === undefined) return asked === request ? response : {...response, url}
      await discard(response)
      asked = {...request, url: next, headers: withSlash(request.headers, next)}
    }
  }
}

/** Finds the URL to follow; `undefined` for a redirect that must not be followed. */
function redirectTarget(
  {method, url, headers}: DavRequest,
  response: DavResponse,
  mayUpload: (url: URL) => boolean,
): string | undefined {
  // A 303 leads to an answer for GET, which keeps its method then.
  const isOther = response.status === 303 && (method === 'GET' || method === 'HEAD')
  if (!isOther && !REDIRECTS.has(response.status)) return undefined
  const from = new URL(url)
  const location = response.headers.get('location') ?? ''
  const to = URL.parse(location, from)
  if (to === null) return undefined
  // Servers behind a proxy write their inner host or scheme. So only the slash is taken, and the origin stays the same.
  if (isSlashAdded(from.pathname, to.pathname)) {
    // The slash tells of a collection. Radicale would replace all its members by the body of a PUT.
    if (method === 'PUT') return undefined
    from.pathname += '/'
    return from.href
  }
  // Two fields were joined, and nobody knows which one counts.
  const isJoined = location.includes(', ')
  if (isJoined || to.origin !== from.origin || to.href === from.href) return undefined
  // A chunk, which has a Destination, must not become a resource of its own.
  const isWhole = method === 'PUT' && headers['destination'] === undefined
  const isUpload = isWhole && KEEPS_METHOD.has(response.status) && mayUpload(to)
  if (!isSafe(method) && !isUpload) return undefined
  to.hash = ''
  to.username = ''
  to.password = ''
  return to.href
}

/** Gives the Destination of a collection its slash too. RFC 4918, section 5.2. */
function withSlash(headers: DavRequest['headers'], url: string): DavRequest['headers'] {
  const {destination} = headers
  if (destination === undefined || destination.endsWith('/') || !url.endsWith('/')) return headers
  return {...headers, destination: `${destination}/`}
}

function isSlashAdded(from: string, to: string): boolean {
  return !from.endsWith('/') && to.endsWith('/') && canonicalPath(from) === canonicalPath(to)
}
