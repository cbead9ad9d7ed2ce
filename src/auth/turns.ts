/**
 * Turns of the requests to a server that may bind credentials to a connection, as Cyrus does with Digest. There a request must be
 * sent again on the connection of its challenge. No transport takes orders about connections, but a request alone stays on one.
 */

import {MAX_DOUBTS, MAX_TURNS} from '../protocol/bounds.ts'
import {untilAborted} from '../protocol/wait.ts'
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
}

/** Sends a request with credentials. `onBody` is called before its body is sent for the first time. */
export type SendAnswered<C> = (
  request: DavRequest,
  call: C,
  onBody?: () => void,
) => Promise<Answered>

/**
 * Sends requests beside each other, until a refused one of them is accepted alone. From then on each goes alone, and a refused one
 * again, because an answer to another request may have ended in the same moment.
 */
export function withTurns<C>(send: SendAnswered<C>, auth: Auth): SendAnswered<C> {
  const turns = new Turns()
  let isBound = false
  /** The number of requests that were refused and now go alone. */
  let doubted = 0
  /** The number of requests that were refused alone too. */
  let disproofs = 0

  /** Sends a request in its turn, and tells if it is worth another one. */
  const takeTurn = async (
    request: DavRequest,
    call: C,
  ): Promise<{readonly answered: Answered; readonly isDoubtful: boolean}> => {
    const {body, signal} = request
    const isAlone = isBound || doubted > 0
    const turn = await turns.take(isAlone, signal)
    try {
      if (isAlone || auth.isReusable?.(request) === false) await untilFree()
      const answered = await send(request, call, () => {
        // The source of the body may wait for another request of this client.
        if (isStreamed(body)) turn.end()
      })
      const isRefused = answered.response.status === 401 && answered.sent !== undefined
      const mayBeBound = isBound || (!isAlone && turn.wasBeside() && disproofs < MAX_DOUBTS)
      return {answered, isDoubtful: isRefused && mayBeBound && !isStreamed(body)}
    } finally {
      turn.end()
    }
  }

  return async (request, call) => {
    let result = await takeTurn(request, call)
    for (let number = 2; result.isDoubtful && number <= MAX_TURNS; number++) {
      doubted++
      try {
        await release(result.answered.response)
        // Credentials may be kept for each request, so this is another one.
        result = await takeTurn({...request}, call)
      } finally {
        doubted--
      }
      if (result.answered.response.status !== 401) isBound = true
      else if (!isBound) disproofs++
    }
    return result.answered
  }
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

/** One turn. */
interface Turn {
  /** Tells if another request had a turn in the same time. */
  wasBeside(): boolean
  /** Ends the turn. A second end has no effect. */
  end(): void
}

/** The turns of one client: beside each other, or one alone. */
class Turns {
  readonly #running = new Set<Promise<void>>()
  #started = 0
  /** Resolves after the last turn alone. */
  #alone: Promise<unknown> = Promise.resolve()

  /**
   * Takes a turn. One alone begins after all others have ended, and the later ones wait for its end.
   *
   * @throws The signal's reason, if it is aborted before the turn.
   */
  async take(isAlone: boolean, signal: AbortSignal | undefined): Promise<Turn> {
    const {promise: ended, resolve} = Promise.withResolvers<void>()
    if (isAlone) {
      const before = this.#alone
      this.#alone = before.then(() => ended)
      try {
        await untilAborted(before, signal)
        await untilAborted(Promise.all(this.#running), signal)
      } catch (error) {
        resolve()
        throw error
      }
    } else {
      for (let last; last !== this.#alone;) {
        last = this.#alone
        await untilAborted(last, signal)
      }
    }
    const others = this.#running.size
    const number = ++this.#started
    this.#running.add(ended)
    return {
      wasBeside: () => others > 0 || this.#started > number,
      end: () => {
        this.#running.delete(ended)
        resolve()
      },
    }
  }
}
