/**
 * The transport of all calls of a client: with credentials, redirects, time limits and the pace of the call. It retries nothing by
 * itself.
 */

import {platformListener} from '#diagnostics'

import type {SentScheme} from '../protocol/challenge.ts'
import {visible} from '../protocol/errors.ts'
import {tell} from '../protocol/listener.ts'
import {Pace} from '../retry/pace.ts'
import {withPace} from '../retry/paced.ts'
import {withAuth} from '../auth/with-auth.ts'
import type {DavExchange} from '../transport/dav-exchange.ts'
import {recordExchanges} from '../transport/dav-exchange.ts'
import type {ExchangeWatcher} from '../transport/deadlines.ts'
import {withDeadlines} from '../transport/deadlines.ts'
import {elsewhere, withRedirects} from '../transport/redirects.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {DavRequest, DavResponse} from '../transport/transport.ts'
import {markSent} from '../transport/withheld.ts'
import type {CallState, Session} from './session.ts'
import {findDestructiveProblem, isCollectionPath} from './target.ts'

/** Adds the transport to the settings of a client. */
export function openSession(settings: Omit<Session, 'send'>): Session {
  const {auth, base, server, transport} = settings
  const counted = (request: DavRequest, call: CallState): Promise<DavResponse> => {
    call.requests++
    call.sent = schemeOf(request)
    return transport(request)
  }
  const check = (request: DavRequest, {status, url = ''}: DavResponse): void => {
    // A transport that follows redirects by itself may bring an answer from another origin.
    const isOther = url !== '' && url !== request.url
    if (isOther && URL.parse(url, request.url)?.origin !== base.origin)
      throw elsewhere(request, `${visible(url, 200)}, another origin`)
    server.capabilities.addSeen(request.method, status)
  }
  const timed = withDeadlines(counted, check, watcherOf(settings))
  const sentOnce: Session['send'] = (request, call) => {
    const {body} = request
    if (isStreamed(body)) markSent(body, request)
    return timed(request, call)
  }
  const authorized =
    auth === undefined ? sentOnce : withAuth(sentOnce, auth, base.origin, transport)
  const {connections} = transport
  const send = withPace(
    withRedirects(authorized, (url) => mayUpload(url, base)),
    connections === undefined ? undefined : new Pace(connections, server),
  )
  return {...settings, send}
}

type Watch = (request: DavRequest, call: CallState) => ExchangeWatcher | undefined

/** Makes the function that follows an exchange while somebody listens; `undefined` if nobody ever can. */
function watcherOf({onExchange}: Pick<Session, 'onExchange'>): Watch | undefined {
  if (onExchange === undefined && platformListener === undefined) return undefined
  const record = recordExchanges((exchange: DavExchange) => {
    // Diagnostics must not change the outcome of a call.
    tell(onExchange, exchange)
    if (platformListener?.isOn === true) platformListener.hear(exchange)
  })
  return (request, call) =>
    onExchange !== undefined || platformListener?.isOn === true ? record(request, call) : undefined
}

/** Tells if an upload may be redirected to a URL, which has the guards of a target then. */
function mayUpload(url: URL, base: URL): boolean {
  try {
    const isFile = !isCollectionPath(url.pathname)
    return isFile && findDestructiveProblem({method: 'PUT', url, base}) === undefined
  } catch {
    return false
  }
}

const SCHEMES = ['Basic', 'Bearer', 'Digest'] as const

/** Reads the scheme of the credentials of a request. Keeps nothing else of them. */
function schemeOf({headers}: DavRequest): SentScheme {
  const {authorization} = headers
  if (authorization === undefined) return 'none'
  const [scheme] = authorization.split(' ', 1)
  return SCHEMES.find((known) => known.toLowerCase() === scheme?.toLowerCase()) ?? 'other'
}
