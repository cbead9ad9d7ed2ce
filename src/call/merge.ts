/**
 * Many streams as one: as many run at once as there is room for, and a source is taken only when there is, so that the one
 * who reads sets the pace for the one who gives.
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
  /** Is aborted when the reader goes away before the end, so that what was begun ends too. */
  readonly stop: AbortController
}

// Milliseconds after which timers have their turn.
const LONGEST_TURN = 20

/** Lets timers have their turn in work that waits for nothing: an abort could not end it else. */
export class Turns {
  #began = performance.now()

  /** Waits where the turn has been long. */
  async end(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0))
    this.#began = performance.now()
  }

  get isLong(): boolean {
    return performance.now() - this.#began > LONGEST_TURN
  }
}

/** Gives results out. Resolves when they were read: `false` where nobody reads any more. */
export type Sink<T> = (batch: readonly T[]) => Promise<boolean>

/**
 * Runs something for each source and gives out what that gives, in the order in which it comes. Ends when all have ended.
 *
 * @throws What a source or a run throws, after what was under way has ended; no further source is then taken.
 */
export function merge<S, T>(
  sources: Iterable<S> | AsyncIterable<S>,
  options: MergeOptions,
  run: (source: S, emit: Sink<T>) => Promise<void>,
): AsyncIterable<readonly T[]> {
  return {[Symbol.asyncIterator]: () => new Merge(sources, options, run)}
}

/** Gives out the batches of a stream. */
export async function pour<T>(stream: AsyncIterable<readonly T[]>, emit: Sink<T>): Promise<void> {
  for await (const batch of stream) if (!(await emit(batch))) return
}

/** One iteration. Not a generator: each of the steps that one takes for a batch costs as much as reading an answer does. */
class Merge<S, T> implements AsyncIterator<readonly T[], undefined, undefined> {
  readonly #sources: Iterable<S> | AsyncIterable<S>
  readonly #options: MergeOptions
  readonly #run: (source: S, emit: Sink<T>) => Promise<void>
  readonly #onAbort = (): void => this.#break(this.#options.signal.reason)
  readonly #onRoom = (): void => this.#roomMade?.()
  #unlisten: (() => void) | undefined
  #waiting: {readonly batch: readonly T[]; readonly read: (goOn: boolean) => void}[] = []
  /** Those whose batches are being read. */
  #reading: ((goOn: boolean) => void)[] = []
  #running = 0
  #isBegun = false
  /** No source comes any more. */
  #isExhausted = false
  /** There is nobody to give to. */
  #isLeft = false
  #error: {readonly reason: unknown} | undefined
  #wake: (() => void) | undefined
  #roomMade: (() => void) | undefined

  constructor(
    sources: Iterable<S> | AsyncIterable<S>,
    options: MergeOptions,
    run: (source: S, emit: Sink<T>) => Promise<void>,
  ) {
    this.#sources = sources
    this.#options = options
    this.#run = run
  }

  async next(): Promise<IteratorResult<readonly T[], undefined>> {
    if (!this.#isBegun) this.#begin()
    for (const read of this.#reading.splice(0)) read(true)
    while (this.#waiting.length === 0 && !this.#isLeft && !this.#isOver) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#waiting.length > 0) {
      const taken = this.#waiting
      this.#waiting = []
      this.#reading = taken.map(({read}) => read)
      const [first] = taken
      const value = taken.length === 1 && first ? first.batch : taken.flatMap(({batch}) => batch)
      return {value, done: false}
    }
    await this.#close()
    if (this.#error !== undefined) throw this.#error.reason
    return {value: undefined, done: true}
  }

  async return(): Promise<IteratorResult<readonly T[], undefined>> {
    if (!this.#isOver) this.#options.stop.abort()
    await this.#close()
    return {value: undefined, done: true}
  }

  get #isOver(): boolean {
    return (this.#isExhausted || this.#error !== undefined) && this.#running === 0
  }

  #begin(): void {
    this.#isBegun = true
    const {pace, signal, ending} = this.#options
    if (signal.aborted) this.#onAbort()
    signal.addEventListener('abort', this.#onAbort, {once: true})
    ending?.addEventListener('abort', this.#onRoom, {once: true})
    this.#unlisten = pace.onRoom(this.#onRoom)
    void this.#runAll()
  }

  /** Ends what was begun. A source may be silent for ever; what was begun is not. */
  async #close(): Promise<void> {
    const {signal, ending} = this.#options
    signal.removeEventListener('abort', this.#onAbort)
    ending?.removeEventListener('abort', this.#onRoom)
    this.#unlisten?.()
    this.#isLeft = true
    for (const read of this.#reading.splice(0)) read(false)
    for (const {read} of this.#waiting.splice(0)) read(false)
    this.#roomMade?.()
    while (this.#running > 0) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  readonly #emit: Sink<T> = (batch) => {
    if (batch.length === 0) return Promise.resolve(true)
    if (this.#isLeft) return Promise.resolve(false)
    return new Promise((read) => {
      this.#waiting.push({batch, read})
      this.#wake?.()
    })
  }

  async #runAll(): Promise<void> {
    const {pace, ending} = this.#options
    let sources: Sources<S> | undefined
    let isDone = false
    const turns = new Turns()
    try {
      sources = open(this.#sources, ending)
      while (this.#takesMore) {
        const coming = sources.next()
        const next = coming instanceof Promise ? await coming : coming
        isDone = next.done === true
        // It may come long after the end.
        if (next.done === true || this.#isLeft || this.#error !== undefined) break
        this.#runOne(next.value)
        if (turns.isLong) await turns.end()
        while (!pace.hasRoom(this.#running) && this.#takesMore) {
          await new Promise<void>((resolve) => (this.#roomMade = resolve))
        }
      }
    } catch (error) {
      if (ending?.aborted !== true || error !== ending.reason) this.#error ??= {reason: error}
    }
    // Not waited for: what is silent returns only when it is not.
    if (!isDone) void sources?.return().catch(() => {})
    this.#isExhausted = true
    this.#wake?.()
  }

  get #takesMore(): boolean {
    const {ending} = this.#options
    return !this.#isLeft && this.#error === undefined && ending?.aborted !== true
  }

  #runOne(source: S): void {
    this.#running++
    const ended = (): void => {
      this.#running--
      this.#roomMade?.()
      if (this.#isExhausted || this.#isLeft || this.#error !== undefined) this.#wake?.()
    }
    this.#run(source, this.#emit).then(ended, (reason: unknown) => {
      this.#error ??= {reason}
      ended()
    })
  }

  /** Gives nothing more, whatever is under way. */
  #break(reason: unknown): void {
    this.#error ??= {reason}
    this.#isLeft = true
    this.#roomMade?.()
    this.#wake?.()
  }
}

/** What gives the sources one by one. */
export interface Sources<S> {
  next(): IteratorResult<S, unknown> | Promise<IteratorResult<S, unknown>>
  return(): Promise<unknown>
}

/** Those that are there are given at once. Others are waited for until nothing is to be begun any more. */
export function open<S>(
  sources: Iterable<S> | AsyncIterable<S>,
  ending: AbortSignal | undefined,
): Sources<S> {
  if (Symbol.asyncIterator in sources) {
    const iterator = sources[Symbol.asyncIterator]()
    return {
      next: () => untilAborted(iterator.next(), ending),
      return: async () => iterator.return?.(),
    }
  }
  const iterator = sources[Symbol.iterator]()
  return {next: () => iterator.next(), return: async () => iterator.return?.()}
}
