/**
 * Adds credentials to requests to the client's own origin, and to no others. After a 401 it asks for others, and sends the request
 * again. RFC 9110, section 11.
 */

import {MAX_REFUSALS, MAX_TURNS, SENT_PIECE_BYTES} from '../protocol/bounds.ts'
import {decodeChallenges, hasExpired} from '../protocol/challenge.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import {untilAborted} from '../protocol/wait.ts'
import type {OpenResponse} from '../transport/deadlines.ts'
import {isHeaderValue} from '../transport/headers.ts'
import {isStreamed, sizeOf} from '../transport/request-body.ts'
import type {DavRequest, RequestBody, Send} from '../transport/transport.ts'
import {discard} from '../transport/transport.ts'
import type {Auth, RefusedChallenge} from './auth.ts'
import type {Answered, SendAnswered, Turn, TurningCall} from './turn.ts'
import {isBare, NO_TURN, noncesOf, release} from './turn.ts'

/**
 * Wraps a transport to add credentials to requests to `origin`. A redirect elsewhere gets none.
 *
 * @param pool - The owner of the connections.
 */
export function withAuth<C extends TurningCall>(
  transport: Send<OpenResponse, C>,
  auth: Auth,
  origin: string,
  pool: object,
): Send<OpenResponse, C> {
  const {isReusable, takeTurns} = noncesOf(auth) ?? {}
  /** The method of the question whose credentials the server was last seen to check. */
  let checked: string | undefined

  /** Ends an answer that is no longer needed. If a nonce may be bound to the connection, the next request needs it. */
  const dismiss = (response: OpenResponse, request: DavRequest): Promise<void> =>
    isReusable === undefined || isReusable(request) === true ? discard(response) : release(response)

  const credentials = async (request: DavRequest): Promise<string | undefined> => {
    const given = auth(request)
    const isAtHand = typeof given === 'string' || given === undefined
    return readValue(isAtHand ? given : await untilAborted(Promise.resolve(given), request.signal))
  }

  /** Asks for other credentials than the refused ones, and dismisses the refusal if there are some. */
  const replace = async (
    request: DavRequest,
    {response, sent, refusals}: Answered,
  ): Promise<string | undefined> => {
    let next: string | undefined
    try {
      const refused = refusal({response, sent, refusals})
      next = readValue(await untilAborted(askAgain(auth, request, refused), request.signal))
    } catch (error) {
      await discard(response)
      throw error
    }
    if (next !== undefined) await dismiss(response, request)
    return next
  }

  /** Sends a request, first with given credentials, and after each refusal with others. */
  const exchange = async (
    request: DavRequest,
    call: C,
    {begin}: Turn,
    first: string | undefined,
    most = MAX_REFUSALS,
  ): Promise<Answered> => {
    let sent = first
    for (let refusals = 0; ; refusals++) {
      if (refusals > 0 && call.ending.aborted) throw new NotSentError(call.ending.reason)
      begin()
      const response = await transport(authorized(request, sent), call)
      if (response.status !== 401) {
        const checkedResponse = sent === undefined ? response : withChecks(response, request, auth)
        return {response: checkedResponse, sent, refusals}
      }
      const result = {response, sent, refusals: refusals + 1}
      if (isStreamed(request.body) || refusals >= most) return result
      const next = await replace(request, result)
      if (next !== undefined) sent = next
      else if (isReusable && refusals === 0 && sent === undefined && isBare(response))
        await release(response)
      else return result
    }
  }

  /** Asks before a long body. Returns the credentials for it, or the answer that refuses them. */
  const ask = async (
    request: DavRequest,
    call: C,
    turn: Turn,
    attempt = 1,
  ): Promise<Answered | string | undefined> => {
    const questions = [...(auth.asksFirst?.(request) ?? [])]
    const best = questions.filter(({method}) => method === checked)
    for (const question of new Set([...best, ...questions])) {
      const isKnown = best.includes(question) && isReusable?.(request) === false
      // Asked without credentials. The refusal proves that the server checks them, and brings a fresh challenge.
      const first = isKnown ? await credentials(question) : undefined
      const answered = await exchange(question, call, turn, first)
      // The body is unread, so the caller can send it with other credentials.
      if (answered.response.status === 401) return {...answered, isUnread: true}
      await dismiss(answered.response, request)
      if (first === undefined && answered.refusals === 0) continue
      checked = question.method
      if (isReusable === undefined || !isStreamed(request.body)) break
      const next =
        isReusable(request) === false ? await probe(question, request, call, turn) : undefined
      if (next !== undefined) return next
      // An odd answer proves nothing, and a refusal of another request may have taken the nonce away.
      if (isReusable(request) !== true && attempt < MAX_TURNS)
        return ask(request, call, turn, attempt + 1)
      break
    }
    return credentials(request)
  }

  /**
   * Asks with a nonce that was taken before. A server that takes a nonce once, as Cyrus, refuses it with one for the body. Returns
   * the credentials for that, or the answer that refuses them; `undefined` if it does not refuse the nonce.
   */
  const probe = async (
    question: DavRequest,
    request: DavRequest,
    call: C,
    turn: Turn,
  ): Promise<Answered | string | undefined> => {
    const answered = await exchange(question, call, turn, await credentials(question), 0)
    if (answered.response.status !== 401) {
      await dismiss(answered.response, request)
      return undefined
    }
    const isStale = refusal(answered).challenges.some(hasExpired)
    const next = await replace(request, answered)
    // A nonce for the body may be bound to this connection.
    const isUnsure = !isStale && turn.isDoubtful()
    return next === undefined || isUnsure ? {...answered, isUnread: true} : next
  }

  const send: SendAnswered<C> = async (request, call, turn) => {
    const asked = isLong(request.body) ? await ask(request, call, turn) : await credentials(request)
    return typeof asked === 'object' ? asked : exchange(request, call, turn, asked)
  }
  const sendInTurn =
    isReusable && takeTurns
      ? takeTurns(send, isReusable, pool, origin)
      : (request: DavRequest, call: C) => send(request, call, NO_TURN)
  return async (request, call) => {
    if (new URL(request.url).origin !== origin) return transport(request, call)
    return (await sendInTurn(request, call)).response
  }
}

/** Recognizes a body that can be read once only, or that is long: a server may refuse it before its end. */
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

function refusal({response: {headers}, sent, refusals: attempt}: Answered): RefusedChallenge {
  const challenges = decodeChallenges(headers.get('www-authenticate'))
  const [first = {scheme: '', parameters: {}}] = challenges
  const retryAfter = readRetryAfter(headers, Date.now(), 0)
  return {...first, challenges, sent, attempt, retryAfter}
}

/** Checks a value of a function of the application, which may have no types. */
function readValue(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && isHeaderValue(value))) return value
  throw new TypeError('auth gave a value that no header can have: a string, or undefined for none')
}

function authorized(request: DavRequest, value: string | undefined): DavRequest {
  if (value === undefined) return request
  return {...request, headers: {...request.headers, authorization: value}}
}
