/**
 * Adds credentials to requests to the client's own origin, and to no others. After a 401 it asks for others, and sends the request
 * again. RFC 9110, section 11.
 */

import {MAX_REFUSALS, SENT_PIECE_BYTES} from '../protocol/bounds.ts'
import {decodeChallenges} from '../protocol/challenge.ts'
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
  /** Sends a request, first with a given value. */
  const exchange = async (
    request: DavRequest,
    call: C,
    first: string | undefined,
  ): Promise<{readonly response: OpenResponse; readonly refusals: number}> => {
    const {body, signal} = request
    let value = first
    for (let refusals = 0; ; refusals++) {
      const response = await transport(authorized(request, value), call)
      if (response.status !== 401) {
        return {
          response: value === undefined ? response : checked(response, request, auth),
          refusals,
        }
      }
      const result = {response, refusals: refusals + 1}
      if (isStreamed(body) || refusals >= MAX_REFUSALS) return result
      const refused = refusal(response, value, result.refusals)
      const next = await untilAborted(askAgain(auth, request, refused), signal).catch(
        async (error: unknown) => {
          await discard(response)
          throw error
        },
      )
      if (next === undefined) return result
      await discard(response)
      value = next
    }
  }
  return async (request, call) => {
    if (new URL(request.url).origin !== origin) return transport(request, call)
    const questions = (isLong(request.body) ? auth.asksFirst?.(request) : undefined) ?? []
    for (const question of questions) {
      // Without credentials at first, so that a refusal shows that the server checks them, and has a fresh challenge.
      const {response, refusals} = await exchange(question, call, undefined)
      // The body is unread, so the caller can send it with other credentials.
      if (response.status === 401) return response
      await discard(response)
      if (refusals > 0) break
    }
    const given = auth(request)
    const value = typeof given === 'object' ? await untilAborted(given, request.signal) : given
    return (await exchange(request, call, value)).response
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
