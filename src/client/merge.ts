/**
 * Many streams as one: as many run at once as are allowed, and a source is taken only when there is room for it, so that
 * the one who reads sets the pace for the one who gives.
 */

import type {Pace} from '../retry/pace.ts'
import {untilAborted} from '../transport/abort.ts'

/** How streams are merged. */
export interface MergeOptions {
  /** Says how many run at once. */
  readonly pace: Pace
  /** Ends the iteration with its reason, whatever the sources and streams do. */
  readonly signal: AbortSignal
  /** No source is taken any more once it is aborted; the iteration ends when what was begun has ended. */
  readonly ending?: AbortSignal
  /** Is aborted when the iteration ends early, so that the streams end too. */
  readonly stop: AbortController
}

/**
 * Runs a stream for each source and gives what they give, in the order in which it comes. Ends when all have ended.
 *
 * @throws What a source or a stream throws, after what was under way has ended; no further source is then taken.
 */
export async function* merge<S, T>(
  sources: Iterable<S> | AsyncIterable<S>,
  {pace, signal, ending, stop}: MergeOptions,
  run: (source: S) => AsyncIterable<T>,
): AsyncGenerator<T, undefined, undefined> {
  const channel = new Channel<T>()
  const running = new Set<Promise<void>>()
  let roomMade: (() => void) | undefined
  const wake = (): void => roomMade?.()
  const isEnding = (): boolean => ending?.aborted === true
  const onAbort = (): void => channel.break(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, {once: true})
  ending?.addEventListener('abort', wake, {once: true})
  const unlisten = pace.onRoom(wake)

  const runOne = async (source: S): Promise<void> => {
    for await (const item of run(source)) {
      if (!(await channel.put(item))) return
    }
  }
  const runAll = async (): Promise<void> => {
    for await (const source of untilEnding(sources, ending)) {
      if (!channel.isOpen) break
      const task = runOne(source).catch((error: unknown) => channel.fail(error))
      running.add(task)
      void task.finally(() => {
        running.delete(task)
        wake()
      })
      // Room first, then the next source.
      while (!pace.hasRoom(running.size) && channel.isOpen && !isEnding()) {
        const {promise, resolve} = Promise.withResolvers<void>()
        roomMade = resolve
        await promise
      }
    }
    await Promise.all(running)
  }
  void runAll()
    .catch((error: unknown) => channel.fail(error))
    .then(() => Promise.all(running))
    .then(() => channel.end())
  let isWhole = false
  try {
    yield* channel
    isWhole = true
  } finally {
    signal.removeEventListener('abort', onAbort)
    ending?.removeEventListener('abort', wake)
    unlisten()
    channel.end()
    if (!isWhole) stop.abort()
    // A source may be silent for ever; what was begun is not.
    await Promise.all(running)
  }
  return undefined
}

/** Sources until nothing is to be begun any more. One that is silent then is not waited for. */
async function* untilEnding<S>(
  sources: Iterable<S> | AsyncIterable<S>,
  ending: AbortSignal | undefined,
): AsyncGenerator<S, undefined, undefined> {
  const isAsync = Symbol.asyncIterator in sources
  const iterator = isAsync ? sources[Symbol.asyncIterator]() : sources[Symbol.iterator]()
  const isEnding = (): boolean => ending?.aborted === true
  let isOpen = true
  try {
    while (!isEnding()) {
      const coming = iterator.next()
      const next = isAsync ? await untilAborted(Promise.resolve(coming), ending) : await coming
      isOpen = next.done !== true
      if (next.done === true) return undefined
      yield next.value
    }
  } catch (error) {
    if (!isEnding() || error !== ending?.reason) throw error
  } finally {
    // Not waited for: what is silent returns only when it is not.
    if (isOpen) void Promise.resolve(iterator.return?.()).catch(() => {})
  }
  return undefined
}

/** Hands items from those who put to the one who takes: nobody who puts goes on before the item was taken. */
class Channel<T> implements AsyncIterable<T> {
  readonly #waiting: {item: T; taken: (goOn: boolean) => void}[] = []
  #wake: (() => void) | undefined
  #error: {readonly reason: unknown} | undefined
  #isEnded = false

  /** Whether there is someone to take, and nothing has failed. */
  get isOpen(): boolean {
    return !this.#isEnded && this.#error === undefined
  }

  /** Resolves when the item was taken: `false` where nobody takes any more. */
  put(item: T): Promise<boolean> {
    if (this.#isEnded) return Promise.resolve(false)
    const {promise, resolve} = Promise.withResolvers<boolean>()
    this.#waiting.push({item, taken: resolve})
    this.#wake?.()
    return promise
  }

  /** The taker gets the error after what was put. */
  fail(reason: unknown): void {
    this.#error ??= {reason}
  }

  /** The taker gets the error after what was put, and nothing more can be put. */
  break(reason: unknown): void {
    this.fail(reason)
    this.#isEnded = true
    this.#wake?.()
  }

  /** Nothing more can be put, and nobody takes any more. */
  end(): void {
    this.#isEnded = true
    for (const {taken} of this.#waiting.splice(0)) taken(false)
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined, undefined> {
    for (;;) {
      const next = this.#waiting.shift()
      if (next !== undefined) {
        let goesOn = false
        try {
          yield next.item
          goesOn = true
        } finally {
          next.taken(goesOn)
        }
        continue
      }
      if (this.#isEnded) break
      const {promise, resolve} = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    if (this.#error !== undefined) throw this.#error.reason
    return undefined
  }
}
