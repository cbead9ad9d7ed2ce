/**
 * The requests under way that submit tokens of locks. rclone 1.60 and x/net 0.7 know a token for one request at a time. Another one is
 * answered 412 meanwhile. With such a server, each request waits for those before it with a token of its own.
 */

import {unlessEnded} from '../protocol/not-sent.ts'

/** A request that was begun. */
interface Turn {
  readonly tokens: readonly string[]
  /** True if no request with one of its tokens may go beside it. */
  readonly isAlone: boolean
  /** Resolves with its answer or its failure. */
  readonly ended: Promise<void>
  /** True if a request with one of its tokens went beside it. */
  isBeside: boolean
}

/** An answer. */
interface InTurn<T> {
  readonly answer: T
  /** True if a request with one of its tokens was under way meanwhile. */
  readonly isBeside: boolean
}

/** The turns of all requests of a client, in the order in which they began. */
export class LockTurns {
  /** True once the server was seen to know a token for one request at a time. */
  isOneByOne = false
  readonly #turns = new Set<Turn>()

  /**
   * Sends a request with these tokens in its turn.
   *
   * @param isAlone - True to wait for all others with one of the tokens, and to let later ones wait.
   * @throws NotSentError if the call ends before its turn. The errors of `send`.
   */
  async send<T>(
    tokens: readonly string[],
    isAlone: boolean,
    ending: AbortSignal,
    send: () => Promise<T>,
  ): Promise<InTurn<T>> {
    if (tokens.length === 0) return {answer: await send(), isBeside: false}
    const others = Array.from(this.#turns).filter((other) =>
      other.tokens.some((token) => tokens.includes(token)),
    )
    const {promise: ended, resolve} = Promise.withResolvers<void>()
    const turn: Turn = {tokens, isAlone: isAlone || this.isOneByOne, ended, isBeside: false}
    this.#turns.add(turn)
    try {
      const before = others.filter((other) => turn.isAlone || other.isAlone)
      if (before.length > 0)
        await unlessEnded(Promise.all(before.map((other) => other.ended)), ending)
      for (const other of others) {
        if (!this.#turns.has(other)) continue
        other.isBeside = true
        turn.isBeside = true
      }
      const answer = await send()
      return {answer, isBeside: turn.isBeside}
    } finally {
      this.#turns.delete(turn)
      resolve()
    }
  }
}
