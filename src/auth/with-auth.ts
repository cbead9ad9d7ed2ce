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
import type {Answered, SendAnswered, Turn, TurningCall} from './turns.ts'
import {release, withTurns} from './turns.ts'

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
  const hasNonces = auth.isReusable !== undefined
  const dismiss = hasNonces ? release : discard
  /** The index of the question whose credentials the server was last seen to check. */
  let checked = 0

  const credentials = async (request: DavRequest): Promise<string | undefined> => {
    const given = auth(request)
    return typeof given === 'object' ? untilAborted(given, request.signal) : given
  }

  /** Asks for other credentials than the refused ones, and dismisses the refusal if there are some. */
  const replace = async (
    request: DavRequest,
    {response, sent, refusals}: Answered,
  ): Promise<string | undefined> => {
    let next: string | undefined
    try {
      const refused = refusal(response, sent, refusals)
      next = await untilAborted(askAgain(auth, request, refused), request.signal)
    } catch (error) {
      await discard(response)
      throw error
    }
    if (next !== undefined) await dismiss(response)
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
      else if (hasNonces && refusals === 0 && sent === undefined && isBare(response))
        await release(response)
      else return result
    }
  }

  /** Asks before a long body. Returns the credentials for it, or the answer that refuses them. */
  const ask = async (
    request: DavRequest,
    call: C,
    turn: Turn,
  ): Promise<Answered | string | undefined> => {
    const questions = [...(auth.asksFirst?.(request) ?? [])].map((question, index) => ({
      question,
      index,
    }))
    const [last] = questions.splice(checked, 1)
    for (const {question, index} of last === undefined ? [] : [last, ...questions]) {
      let known: string | undefined
      if (index === checked && auth.isReusable?.(request) === false)
        known = await credentials(question)
      if (known === undefined) {
        // Without credentials at first, so that a refusal shows that the server checks them, and has a fresh challenge.
        const answered = await exchange(question, call, turn, undefined)
        // The body is unread, so the caller can send it with other credentials.
        if (answered.response.status === 401) return {...answered, isUnread: true}
        await dismiss(answered.response)
        if (answered.refusals === 0) continue
        checked = index
        if (!hasNonces || auth.isReusable(request) === true || !isStreamed(request.body)) break
        known = await credentials(question)
        if (known === undefined) break
      }
      // Cyrus takes a nonce once, so it refuses this one. Its challenge has one for the body.
      const answered = await exchange(question, call, turn, known, 0)
      if (answered.response.status === 401) {
        const next = await replace(request, answered)
        const mayChange = auth.isReusable?.(request) === false && turn.isDoubtful()
        return next === undefined || mayChange ? {...answered, isUnread: true} : next
      }
      await dismiss(answered.response)
      break
    }
    return credentials(request)
  }

  const send: SendAnswered<C> = async (request, call, turn) => {
    const asked = isLong(request.body) ? await ask(request, call, turn) : await credentials(request)
    return typeof asked === 'object' ? asked : exchange(request, call, turn, asked)
  }
  const sendInTurn = hasNonces
    ? withTurns(send, auth, pool, origin)
    : (request: DavRequest, call: C) => send(request, call, NO_TURN)
  return async (request, call) => {
    if (new URL(request.url).origin !== origin) return transport(request, call)
    return (await sendInTurn(request, call)).response
  }
}

const NO_TURN: Turn = {begin: () => {}, isDoubtful: () => false}

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
