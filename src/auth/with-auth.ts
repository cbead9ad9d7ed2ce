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
import type {Answered, SendAnswered} from './turns.ts'
import {release, withTurns} from './turns.ts'

/** Wraps a transport to add credentials to requests to `origin`. A redirect elsewhere gets none. */
export function withAuth<C>(
  transport: Send<OpenResponse, C>,
  auth: Auth,
  origin: string,
): Send<OpenResponse, C> {
  /** The index of the first question whose credentials the server checks. */
  let checked: number | undefined

  const credentials = async (request: DavRequest): Promise<string | undefined> => {
    const given = auth(request)
    return typeof given === 'object' ? untilAborted(given, request.signal) : given
  }

  /** Sends a request, first with given credentials, and after each refusal with others. */
  const exchange = async (
    request: DavRequest,
    call: C,
    first: string | undefined,
    most = MAX_REFUSALS,
  ): Promise<Answered> => {
    let sent = first
    for (let refusals = 0; ; refusals++) {
      const response = await transport(authorized(request, sent), call)
      if (response.status !== 401) {
        const hasNone = sent === undefined
        return {response: hasNone ? response : withChecks(response, request, auth), sent, refusals}
      }
      const result = {response, sent, refusals: refusals + 1}
      if (isStreamed(request.body) || refusals >= most) return result
      const next = await replace(auth, request, result)
      if (next !== undefined) sent = next
      else if (refusals === 0 && sent === undefined && isBare(response)) await release(response)
      else return result
    }
  }

  /** Asks before a long body. Returns the credentials for it, or the answer that refuses them. */
  const ask = async (request: DavRequest, call: C): Promise<Answered | string | undefined> => {
    for (const [index, question] of [...(auth.asksFirst?.(request) ?? [])].entries()) {
      if (index < (checked ?? 0)) continue
      const known = await credentials(question)
      if (index !== checked || known === undefined || auth.isReusable?.(request) !== false) {
        // Without credentials, so that a refusal shows that the server checks them, and has a fresh challenge.
        const first = await exchange(question, call, undefined)
        // The body is unread, so the caller can send it with other credentials.
        if (first.response.status === 401) return first
        await release(first.response)
        if (first.refusals === 0) continue
        checked = index
        if (auth.isReusable?.(request) !== false) break
      }
      // A server that takes a nonce once refuses it now, and its challenge has one for the body.
      const second = await exchange(question, call, known ?? (await credentials(question)), 0)
      if (second.response.status === 401) return (await replace(auth, request, second)) ?? second
      await release(second.response)
      // It takes a nonce more than once, maybe twice, so the body needs another one.
      const third = await exchange(question, call, undefined)
      if (third.response.status === 401) return third
      await release(third.response)
      break
    }
    return credentials(request)
  }

  const send: SendAnswered<C> = async (request, call, onBody) => {
    const asked = await (isLong(request.body) ? ask : credentials)(request, call)
    onBody?.()
    return typeof asked === 'object' ? asked : exchange(request, call, asked)
  }
  const sendInTurn = auth.isReusable === undefined ? send : withTurns(send, auth)
  return async (request, call) => {
    if (new URL(request.url).origin !== origin) return transport(request, call)
    return (await sendInTurn(request, call)).response
  }
}

/** Tells if a body can be read once only, or is so long that a server may refuse it before it has read it. */
function isLong(body: RequestBody | undefined): boolean {
  return body !== undefined && (sizeOf(body) ?? Number.POSITIVE_INFINITY) > SENT_PIECE_BYTES
}

/** Gives the answer to the credentials to check: its headers now, its trailers at the end of its body. */
function withChecks(response: OpenResponse, request: DavRequest, auth: Auth): OpenResponse {
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

/** Asks for other credentials than the refused ones, and discards the refusal if there are some. */
async function replace(
  auth: Auth,
  request: DavRequest,
  {response, sent, refusals}: Answered,
): Promise<string | undefined> {
  let next: string | undefined
  try {
    const refused = refusal(response, sent, refusals)
    next = await untilAborted(askAgain(auth, request, refused), request.signal)
  } catch (error) {
    await discard(response)
    throw error
  }
  if (next !== undefined) await release(response)
  return next
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

/**
 * Tells if a challenge is the name of Digest alone. Cyrus answers so after a success on the same connection, to a request without
 * credentials. Its next challenge is whole.
 */
function isBare({headers}: OpenResponse): boolean {
  return headers.get('www-authenticate')?.trim().toLowerCase() === 'digest'
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
