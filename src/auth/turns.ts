/**
 * Turns of the requests to a server that may bind credentials to a connection, as Cyrus does with Digest. There a request must be
 * sent again on the connection of its challenge. No transport takes orders about connections, but a request that goes alone finds
 * the one that has just become free.
 */

import {CALM_TURNS, MAX_DISPROOFS, MAX_TURNS, TURN_ALONE_MILLISECONDS} from '../protocol/bounds.ts'
import {untilAborted, within} from '../protocol/wait.ts'
import {NotSentError, sleep} from '../protocol/not-sent.ts'
import type {OpenResponse} from '../transport/deadlines.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {DavRequest} from '../transport/transport.ts'
import {drain} from '../transport/transport.ts'
import type {Auth} from './auth.ts'

/** A request that was answered, after its refusals. */
export interface Answered {
  readonly response: OpenResponse
  /** The last Authorization header. */
  readonly sent: string | undefined
  readonly refusals: number
  /** True if a question before the body was refused, so the body is unread. */
  readonly isUnread?: boolean
}

/** The part of a call that concerns its turns. */
export interface TurningCall {
  /** Aborted when no new request may start. */
  readonly ending: AbortSignal
  /** Tells how many milliseconds the server wants to wait. */
  readonly pace: {readonly held: number}
}

/** The turn of a request, for the function that sends it. */
export interface Turn {
  /** Called before each attempt. */
  readonly begin: () => void
  /** Tells if a refusal may be due to a change of the connection, so the request is worth a turn alone. */
  readonly isDoubtful: () => boolean
}

/** Sends a request with credentials in its turn. */
export type SendAnswered<C> = (request: DavRequest, call: C, turn: Turn) => Promise<Answered>

/**
 * Sends requests beside each other, until a refused one of them is accepted alone. From then on each goes alone, until some more
 * were accepted at once than a server with bound credentials accepts.
 *
 * @param pool - The owner of the connections. All its requests to an origin share their turns.
 */
export function withTurns<C extends TurningCall>(
  send: SendAnswered<C>,
  auth: Auth,
  pool: object,
  origin: string,
): (request: DavRequest, call: C) => Promise<Answered> {
  const turns = turnsOf(pool, origin)

  /** Sends a request in its turn, and tells if it is worth another one. */
  const takeTurn = async (
    request: DavRequest,
    call: C,
  ): Promise<{readonly answered: Answered; readonly isWorthAnother: boolean}> => {
    const isAlone = turns.isBound || turns.doubted > 0
    const {begin, end, leave, wasBeside} = await turns.take(isAlone, call.ending)
    const isDoubtful = (): boolean =>
      !isAlone && (turns.isBound || (wasBeside() && turns.disproofs < MAX_DISPROOFS))
    try {
      while (call.pace.held > 0) await sleep(call.pace.held, call.ending)
      if (isAlone || auth.isReusable?.(request) !== true) await untilFree()
      const answered = await send(request, call, {begin, isDoubtful})
      const {response, sent, refusals, isUnread = false} = answered
      if (response.body === null) leave()
      else response.body.watch({onEnd: leave})
      if (isAlone && refusals === 0 && isAccepted(answered)) turns.calm()
      const isRefused = response.status === 401 && sent !== undefined
      const canRepeat = isUnread || !isStreamed(request.body)
      const isWorthIt = isDoubtful() || (isAlone && turns.isBound && wasBeside())
      return {answered, isWorthAnother: isRefused && canRepeat && isWorthIt}
    } catch (error) {
      leave()
      throw error
    } finally {
      end()
    }
  }

  return async (request, call) => {
    let result = await takeTurn(request, call)
    for (let number = 2; result.isWorthAnother && number <= MAX_TURNS; number++) {
      turns.doubted++
      try {
        await release(result.answered.response)
        // Credentials may be kept for each request, so this is another one.
        result = await takeTurn({...request}, call)
      } finally {
        turns.doubted--
      }
      if (isAccepted(result.answered)) turns.bind()
      else if (!turns.isBound) turns.disproofs++
    }
    return result.answered
  }
}

/** Tells if an answer shows that the server has accepted credentials. */
function isAccepted({response: {status}, sent}: Answered): boolean {
  return sent !== undefined && status < 500 && ![401, 403, 407, 429].includes(status)
}

/** Reads an answer to its end, so that the next request has its connection. */
export async function release(response: OpenResponse): Promise<void> {
  await drain(response)
  await untilFree()
}

/** Waits until a pool has noticed that the connection of the last answer is free. */
function untilFree(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}

/** A turn that was taken. */
interface TakenTurn {
  /** Begins the time of a turn alone again. */
  readonly begin: () => void
  /** Ends the turn. A second end has no effect. */
  readonly end: () => void
  /** Notes the end of the answer. */
  readonly leave: () => void
  /** Tells if another exchange held a connection in the same time. */
  readonly wasBeside: () => boolean
}

const pools = new WeakMap<object, Map<string, Turns>>()

function turnsOf(pool: object, origin: string): Turns {
  const byOrigin = pools.get(pool) ?? new Map<string, Turns>()
  pools.set(pool, byOrigin)
  const turns = byOrigin.get(origin) ?? new Turns()
  byOrigin.set(origin, turns)
  return turns
}

/** The turns of the requests to one origin: beside each other, or one alone. */
class Turns {
  isBound = false
  /** The number of requests that were refused and now go alone. */
  doubted = 0
  /** The number of requests that were refused alone too. */
  disproofs = 0
  /** The number of turns alone whose first attempt was accepted. */
  #calm = 0
  /** The turns that have not ended. */
  readonly #running = new Set<Promise<void>>()
  /** The number of exchanges that may hold a connection. */
  #open = 0
  #begun = 0
  /** Resolves after the last turn alone. */
  #alone: Promise<unknown> = Promise.resolve()

  /** Notes that a request was accepted alone which was refused beside others. */
  bind(): void {
    this.isBound = true
    this.#calm = 0
  }

  /** Notes that a request was accepted at once. */
  calm(): void {
    if (++this.#calm >= CALM_TURNS) this.isBound = false
  }

  /**
   * Takes a turn. One alone begins after the others have ended, and the later ones wait for its end. Nobody waits long: an attempt
   * without an answer may be a long upload, or wait for another request of this client.
   *
   * @throws NotSentError if the call ends before the turn.
   */
  async take(isAlone: boolean, ending: AbortSignal): Promise<TakenTurn> {
    const {promise: ended, resolve} = Promise.withResolvers<void>()
    const before = this.#alone
    if (isAlone) this.#alone = before.then(() => ended)
    try {
      if (isAlone) {
        await untilAborted(before, ending)
        const others = Promise.all(this.#running)
        await untilAborted(within(others, TURN_ALONE_MILLISECONDS), ending)
        // Those that are left are slow. Nobody waits for them again.
        this.#running.clear()
      } else {
        for (let last; last !== this.#alone;) {
          last = this.#alone
          await untilAborted(last, ending)
        }
      }
    } catch {
      resolve()
      throw new NotSentError(ending.reason)
    }
    const others = this.#open++
    const number = ++this.#begun
    this.#running.add(ended)
    let timer: ReturnType<typeof setTimeout> | undefined
    let hasLeft = false
    const end = (): void => {
      clearTimeout(timer)
      this.#running.delete(ended)
      resolve()
    }
    return {
      begin: () => {
        clearTimeout(timer)
        if (isAlone) timer = setTimeout(end, TURN_ALONE_MILLISECONDS)
      },
      end,
      leave: () => {
        if (!hasLeft) this.#open--
        hasLeft = true
      },
      wasBeside: () => others > 0 || this.#begun > number,
    }
  }
}
