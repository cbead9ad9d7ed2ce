/**
 * Turns of the requests to a server that may bind credentials to a connection, as Cyrus does with Digest. There a request must be
 * sent again on the connection of its challenge. No transport takes orders about connections, but a request that goes alone finds
 * the one that has just become free.
 */

import {
  DRAIN_MILLISECONDS,
  MAX_DISPROOFS,
  MAX_TURNS,
  TURN_ALONE_MILLISECONDS,
} from '../protocol/bounds.ts'
import {untilAborted, within} from '../protocol/wait.ts'
import {NotSentError, sleep} from '../protocol/not-sent.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {DavRequest} from '../transport/transport.ts'
import type {Answered, Nonces, SendAnswered, TurningCall} from './turn.ts'
import {isBare, isPassed, NO_TURN, release, untilFree} from './turn.ts'

/**
 * Sends requests beside each other, until a refused one of them is accepted alone. From then on each goes alone. A server that was
 * seen to take a nonce twice is never doubted.
 *
 * @param pool - The owner of the connections. All its requests to an origin share their turns.
 */
export function withTurns<C extends TurningCall>(
  send: SendAnswered<C>,
  isReusable: Nonces['isReusable'],
  pool: object,
  origin: string,
): (request: DavRequest, call: C) => Promise<Answered> {
  const turns = turnsFrom(pool, origin)
  /** The number of requests that were refused alone too. */
  let disproofs = 0
  const mayBind = (): boolean => turns.isBound || disproofs < MAX_DISPROOFS

  /** Sends a request in its turn, and tells if it is worth another one. */
  const takeTurn = async (
    request: DavRequest,
    call: C,
    isLast: boolean,
  ): Promise<{readonly answered: Answered; readonly isWorthAnother: boolean}> => {
    const {isAlone, begin, end, leave, wasBeside} = await turns.take(call, mayBind)
    const mayHaveMoved = (): boolean => isReusable(request) !== true && wasBeside() && mayBind()
    const isDoubtful = (): boolean => !isAlone && mayHaveMoved()
    try {
      if (isAlone || isReusable(request) === false) await untilFree()
      if (call.ending.aborted) throw new NotSentError(call.ending.reason)
      const answered = await send(request, call, {begin, isDoubtful})
      const {response, sent, isUnread = false} = answered
      // The answer to a question may have been read. Then nobody hears of its end.
      if (response.body === null || isUnread) leave()
      else response.body.watch({onEnd: leave})
      // Only a nonce can be bound to a connection.
      const hasNonce = sent === undefined ? isBare(response) : sent.startsWith('Digest ')
      const isRefused = response.status === 401 && hasNonce
      const canRepeat = isUnread || !isStreamed(request.body)
      const isWorthAnother = isRefused && canRepeat && mayHaveMoved() && !isLast
      // The next one to go alone waits for the connection of this answer.
      if (isWorthAnother) await release(response)
      return {answered, isWorthAnother}
    } catch (error) {
      leave()
      throw error
    } finally {
      end()
    }
  }

  return async (request, call) => {
    if (isReusable(request) === true) return send(request, call, NO_TURN)
    let result = await takeTurn(request, call, false)
    for (let number = 2; result.isWorthAnother; number++) {
      turns.doubted++
      try {
        // Credentials may be kept for each request, so this is another one.
        result = await takeTurn({...request}, call, number === MAX_TURNS)
      } finally {
        turns.doubted--
      }
      const {status} = result.answered.response
      if (status === 401) disproofs += turns.isBound ? 0 : 1
      else if (isPassed(status)) turns.isBound = true
    }
    return result.answered
  }
}

/** A turn that was taken. */
interface TakenTurn {
  /** True if no other request is sent in the same time. */
  readonly isAlone: boolean
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

function turnsFrom(pool: object, origin: string): Turns {
  const byOrigin = pools.get(pool) ?? new Map<string, Turns>()
  pools.set(pool, byOrigin)
  const turns = byOrigin.get(origin) ?? new Turns()
  byOrigin.set(origin, turns)
  return turns
}

/** The turns of the requests to one origin: beside each other, or one alone. */
class Turns {
  /** True after a request was accepted alone that was refused beside others. */
  isBound = false
  /** The number of requests that were refused and now go alone. */
  doubted = 0
  /** The turns that have not ended. */
  readonly #running = new Set<Promise<void>>()
  /** The exchanges that may hold a connection. */
  readonly #open = new Set<Promise<void>>()
  #begun = 0
  /** Resolves after the last turn alone. */
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Takes a turn. One alone begins after the others have ended, and the later ones wait for its end. An attempt of some time is not
   * waited for: it may be a long upload, or wait for another request of this client.
   *
   * @param mayBind - Tells if the server may still be one that binds.
   * @throws NotSentError if the call ends before the turn.
   */
  async take(call: TurningCall, mayBind: () => boolean): Promise<TakenTurn> {
    for (;;) {
      const turn = await this.#enter(call, mayBind)
      const {held} = call.pace
      if (held === 0) return turn
      turn.end()
      turn.leave()
      await sleep(held, call.ending)
    }
  }

  async #enter({ending}: Pick<TurningCall, 'ending'>, mayBind: () => boolean): Promise<TakenTurn> {
    const {promise: ended, resolve} = Promise.withResolvers<void>()
    const isAlone = mayBind() && (this.isBound || this.doubted > 0)
    const before = this.#last
    if (isAlone) this.#last = before.then(() => ended)
    try {
      if (isAlone) {
        await untilAborted(before, ending)
        await untilAborted(within(Promise.all(this.#running), TURN_ALONE_MILLISECONDS), ending)
        // Those that are left are slow. Nobody waits for them again.
        this.#running.clear()
        // The end of an answer would free a connection between two attempts.
        await untilAborted(within(Promise.all(this.#open), DRAIN_MILLISECONDS), ending)
      } else {
        for (let last; last !== this.#last;) {
          last = this.#last
          await untilAborted(last, ending)
        }
      }
    } catch {
      resolve()
      throw new NotSentError(ending.reason)
    }
    if (isAlone && !mayBind()) {
      resolve()
      return this.#enter({ending}, mayBind)
    }
    const others = this.#open.size
    const {promise: left, resolve: free} = Promise.withResolvers<void>()
    this.#open.add(left)
    const number = ++this.#begun
    this.#running.add(ended)
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = (): void => {
      clearTimeout(timer)
      this.#running.delete(ended)
      resolve()
    }
    const begin = (): void => {
      clearTimeout(timer)
      if (isAlone) timer = setTimeout(end, TURN_ALONE_MILLISECONDS)
    }
    begin()
    const leave = (): void => {
      this.#open.delete(left)
      free()
    }
    const wasBeside = (): boolean => others > 0 || this.#begun > number
    return {isAlone, begin, end, leave, wasBeside}
  }
}
