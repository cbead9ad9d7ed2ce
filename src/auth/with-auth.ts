/**
 * Adds credentials to requests to the client's own origin, and to no others. After a 401 it asks for others, and sends the request
 * again. RFC 9110, section 11.
 */

import {MAX_REFUSALS, SENT_PIECE_BYTES} from '../protocol/bounds.ts'
import {decodeChallenges} from '../protocol/challenge.ts'
import {randomHex} from '../protocol/random.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import {untilAborted} from '../protocol/wait.ts'
import type {OpenResponse} from '../transport/deadlines.ts'
import {isHeaderValue} from '../transport/headers.ts'
import {isStreamed, sizeOf} from '../transport/request-body.ts'
import type {DavRequest, RequestBody, Send} from '../transport/transport.ts'
import {discard} from '../transport/transport.ts'
import type {Auth, RefusedChallenge} from './auth.ts'

/** Wraps a transport to add credentials to requests to `origin`. A redirect elsewhere gets none. */
export function withAuth<C>(
  transport: Send<OpenResponse, C>,
  auth: Auth,
  origin: string,
): Send<OpenResponse, C> {
  const send: Send<OpenResponse, C> = async (request, call) => {
    const {body, signal} = request
    const given = auth(request)
    let value = typeof given === 'object' ? await untilAborted(given, signal) : given
    for (let attempt = 1; ; attempt++) {
      const response = await transport(authorized(request, value), call)
      if (response.status !== 401) return checked(response, request, auth)
      if (isStreamed(body) || attempt > MAX_REFUSALS) return response
      const refused = refusal(response, value, attempt)
      const next = await untilAborted(askAgain(auth, request, refused), signal).catch(
        async (error: unknown) => {
          await discard(response)
          throw error
        },
      )
      if (next === undefined) return response
      await discard(response)
      value = next
    }
  }
  return async (request, call) => {
    if (new URL(request.url).origin !== origin) return transport(request, call)
    if (!isLong(request.body) || auth.asksFirst?.(request) !== true) return send(request, call)
    const answer = await send(withoutBody(request), call)
    // The body is unread, so the caller can send it with other credentials.
    if (answer.status === 401) return answer
    await discard(answer)
    return send(request, call)
  }
}

/** Tells if a body can be read once only, or is so long that a server may refuse it before it has read it. */
function isLong(body: RequestBody | undefined): boolean {
  return body !== undefined && (sizeOf(body) ?? Number.POSITIVE_INFINITY) > SENT_PIECE_BYTES
}

/** Gives the answer to the credentials to check: its headers now, its trailers at the end of its body. */
function checked(response: OpenResponse, request: DavRequest, auth: Auth): OpenResponse {
  const {onAnswer} = auth
  if (onAnswer === undefined) return response
  const {status, body, trailers} = response
  try {
    onAnswer(request, response)
  } catch (error) {
    void discard(response)
    throw error
  }
  if (trailers !== undefined)
    body?.watch({onDone: () => onAnswer(request, {status, headers: trailers()})})
  return response
}

/** Asks for other credentials. A plain function that returns the same value again has no others. */
async function askAgain(
  auth: Auth,
  request: DavRequest,
  refused: RefusedChallenge,
): Promise<string | undefined> {
  if (auth.onRefused !== undefined) return auth.onRefused(request, refused)
  const next = await auth(request, refused)
  return next === refused.sent ? undefined : next
}

function refusal(
  {headers}: OpenResponse,
  sent: string | undefined,
  attempt: number,
): RefusedChallenge {
  const challenges = decodeChallenges(headers.get('www-authenticate'))
  const [first = {scheme: '', parameters: {}}] = challenges
  const retryAfter = readRetryAfter(headers, Date.now(), 0)
  return {...first, challenges, sent, attempt, retryAfter}
}

function authorized(request: DavRequest, value: string | undefined): DavRequest {
  if (value === undefined) return request
  if (typeof value !== 'string' || !isHeaderValue(value))
    throw new TypeError('auth gave a value that no header can have')
  return {...request, headers: {...request.headers, authorization: value}}
}

// Headers of one request. The others may be those that a gateway wants.
const OF_REQUEST = /^(?:content-|if|destination$|overwrite$|depth$|oc-|x-oc-|upload-|tus-)/

/**
 * Makes the request that is sent before one whose body can be read once only. An UNLOCK needs the same rights as a PUT, where a
 * PROPFIND may need none. No lock has the token, so nothing changes. RFC 4918, section 9.11.
 */
function withoutBody({url, headers, signal}: DavRequest): DavRequest {
  const others = Object.entries(headers).filter(([name]) => !OF_REQUEST.test(name))
  const token = `<urn:uuid:${randomHex().replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}>`
  return {
    method: 'UNLOCK',
    url,
    headers: {...Object.fromEntries(others), 'lock-token': token},
    ...(signal !== undefined && {signal}),
  }
}
