/**
 * A stream of results: read once, one by one or in batches, with a summary at the end. Nothing happens before the first read, and
 * an early stop ends the source. Knows no HTTP. RFC 4918, section 13.
 */

import type {Properties} from '../properties/vocabulary.ts'
import {isObject} from '../protocol/members.ts'
import type {Pull} from './pull.ts'
import {Bell, flatMap, pull} from './pull.ts'
import type {DavResult, Failure, Success} from './result.ts'
import {iterate} from './source.ts'
import type {Summary} from './summary.ts'

/** All results of a stream, sorted. */
export interface Collected<P = Properties> {
  /** The results with `ok: true`, in the order of their arrival. */
  readonly successes: readonly Success<P>[]
  /** The results with `ok: false`, in the order of their arrival. */
  readonly failures: readonly Failure[]
  /** The summary of the stream. */
  readonly summary: Summary
}

/**
 * The results of one request or many, as they arrive. Nothing is sent before the first read. A stream is read once: a second
 * reader gets a TypeError. `break` cancels the requests under way and frees their connections.
 */
export interface ResultStream<
  P = Properties,
  R extends DavResult<P> = DavResult<P>,
> extends AsyncIterable<R> {
  /**
   * Reads the stream to its end and holds all results.
   *
   * @throws The error of the stream. The results before it are lost; use `for await` to keep them.
   */
  collect(): Promise<Collected<P>>
  /** Reads the results in batches as they arrive, none of them empty. Faster than one by one. */
  batches(): AsyncIterable<readonly R[]>
  /**
   * The summary. Settles at the end of the stream, and rejects with its error. Awaiting the summary of an unread stream reads the
   * stream and drops the results. If nobody awaits it, its error is no unhandled rejection.
   */
  readonly summary: Promise<Summary>
}

/** Recognizes a stream of results among other sources. Reads nothing. */
export function isResultStream(source: unknown): source is ResultStream<unknown> {
  return (
    isObject(source) && 'batches' in source && 'summary' in source && Symbol.asyncIterator in source
  )
}

/** The summary of a source. The stream adds the counts of results, and `complete`. */
export type Ending = Pick<Summary, 'incomplete'> & Partial<Summary>

/** Emits a batch. Resolves when it was read, with `false` after the reader has gone. */
export type Sink<T> = (batch: readonly T[]) => Promise<boolean>

/** The source of a stream. */
export interface ResultSource<P> {
  /** Emits the results. Called once, when the stream is read. */
  read(emit: Sink<DavResult<P>>): Promise<Ending>
  /** Ends the source after its reader has gone. `isWaiting` if the reader waited for results. */
  stop(isWaiting: boolean): void
  /** Returns the signal that ends the stream between two results, once there is one. Default: none. */
  signal?(): AbortSignal | undefined
  /** Prepares an error of the source for the reader, by a better stack for example. */
  explain?(error: unknown): unknown
  /** Makes the summary after an early end. */
  stopped(): Ending
}

/** Makes the stream of a source. */
export function createResultStream<P>(source: ResultSource<P>): ResultStream<P> {
  const reading = new Reading(source)
  return new Stream(() => reading.open(), new Lazy(() => reading.settled()))
}

/**
 * Picks results from a source. From a stream it makes a stream with the same summary. From any other source it makes an iterable,
 * which can be read as often as the source.
 */
export function pickResults(
  source: Iterable<Result> | AsyncIterable<Result>,
  isPicked: (result: Result) => boolean,
): AsyncIterable<Result> {
  if (!isResultStream(source)) {
    const pick = (result: Result): readonly Result[] => (isPicked(result) ? [result] : [])
    return {[Symbol.asyncIterator]: () => flatMap(iterate(source), pick)}
  }
  const pick = (batch: readonly Result[]): readonly (readonly Result[])[] => {
    const picked = batch.filter(isPicked)
    return picked.length === 0 ? [] : [picked]
  }
  return new Stream(
    () => flatMap(source.batches()[Symbol.asyncIterator](), pick),
    new Lazy(() => source.summary),
  )
}

type Result = DavResult<unknown>

/** A stream over batches, with a summary from elsewhere. Its batches are read once. */
class Stream<P> implements ResultStream<P> {
  readonly summary: Promise<Summary>
  readonly #open: () => Pull<readonly DavResult<P>[]>

  constructor(open: () => Pull<readonly DavResult<P>[]>, summary: Promise<Summary>) {
    this.#open = open
    this.summary = summary
  }

  [Symbol.asyncIterator](): Pull<DavResult<P>> {
    return flatMap(this.#open(), (batch) => batch)
  }

  batches(): AsyncIterable<readonly DavResult<P>[]> {
    return {[Symbol.asyncIterator]: () => this.#open()}
  }

  async collect(): Promise<Collected<P>> {
    const successes: Success<P>[] = []
    const failures: Failure[] = []
    for await (const batch of this.batches()) {
      for (const result of batch) {
        if (result.ok) successes.push(result)
        else failures.push(result)
      }
    }
    return {successes, failures, summary: await this.summary}
  }
}

/** A promise whose work begins when somebody awaits it. */
class Lazy<T> extends Promise<T> {
  // `then` and `catch` give plain promises, which must not begin the work again.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  readonly #begin: () => Promise<T>

  constructor(begin: () => Promise<T>) {
    super(() => {})
    this.#begin = begin
  }

  // oxlint-disable-next-line unicorn/no-thenable -- to be awaited is its job
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#begin().then(onFulfilled, onRejected)
  }
}

/** A batch that waits for the reader, with the function that resolves its `emit`. */
interface Waiting<P> {
  readonly batch: readonly DavResult<P>[]
  readonly read: (goOn: boolean) => void
}

/** The one reading of a source. */
class Reading<P> {
  readonly #source: ResultSource<P>
  readonly #summary = Promise.withResolvers<Summary>()
  readonly #news = new Bell()
  #waiting: Waiting<P>[] = []
  /** The functions of the batches that the reader has now. */
  #taken: readonly Waiting<P>['read'][] = []
  #run: Promise<void> | undefined
  #error: {readonly reason: unknown} | undefined
  #isOpen = false
  #isStopped = false
  /** True after results were withheld because of the signal. */
  #isCut = false
  #isEnded = false
  #successes = 0
  #failures = 0

  constructor(source: ResultSource<P>) {
    this.#source = source
    // The reader of the results gets the error, so an unread summary must not be an unhandled rejection.
    this.#summary.promise.catch(() => {})
  }

  open(): Pull<readonly DavResult<P>[]> {
    if (this.#isOpen)
      throw new TypeError('This stream of results is read already: it can be read once')
    this.#isOpen = true
    return pull({
      isOver: () => this.#source.signal?.()?.aborted === true,
      take: () => this.#take(),
      more: () => this.#more(),
      stop: () => this.#stop(),
    })
  }

  /** Returns the summary. Reads an unread stream and drops its results. */
  settled(): Promise<Summary> {
    void this.#drain()
    return this.#summary.promise
  }

  async #drain(): Promise<void> {
    // In `Promise.all([stream.summary, stream.collect()])` a reader begins in the same turn. It must find the stream unread.
    await Promise.resolve()
    if (this.#isOpen) return
    const batches = this.open()
    try {
      while ((await batches.next()).done !== true);
    } catch {
      // The summary rejects with this error already.
    }
  }

  /** Takes all waiting batches as one. Lets the sources of the batches before go on, whose results have been read now. */
  #take(): readonly DavResult<P>[] | undefined {
    this.#release(true)
    const [first, ...others] = this.#waiting
    if (first === undefined) return undefined
    const batch =
      others.length === 0 ? first.batch : this.#waiting.flatMap((waiting) => waiting.batch)
    this.#taken = this.#waiting.map(({read}) => read)
    this.#waiting = []
    for (const {ok} of batch) {
      if (ok) this.#successes++
      else this.#failures++
    }
    return batch
  }

  #release(goOn: boolean): void {
    for (const read of this.#taken) read(goOn)
    this.#taken = []
  }

  async #more(): Promise<boolean> {
    this.#run ??= this.#readSource()
    for (;;) {
      if (this.#source.signal?.()?.aborted === true) this.#cut()
      if (this.#waiting.length > 0) return true
      if (this.#isEnded) break
      await this.#news.wait()
    }
    const error = this.#error
    // Thrown once. After that the iteration has ended, like any other.
    this.#error = undefined
    if (error !== undefined) throw error.reason
    return false
  }

  async #readSource(): Promise<void> {
    try {
      const ending = await this.#source.read(this.#emit)
      if (this.#isCut && !this.#isStopped) this.#source.signal?.()?.throwIfAborted()
      this.#settle(this.#isStopped ? this.#source.stopped() : ending)
    } catch (thrown) {
      // After the reader has gone, errors of the source have no receiver.
      if (this.#isStopped) this.#settle(this.#source.stopped())
      else {
        const reason = this.#source.explain?.(thrown) ?? thrown
        this.#error = {reason}
        this.#summary.reject(reason)
      }
    }
    this.#isEnded = true
    this.#news.ring()
  }

  readonly #emit: Sink<DavResult<P>> = (batch) => {
    if (this.#isStopped) return Promise.resolve(false)
    if (batch.length === 0) return Promise.resolve(true)
    return new Promise((read) => {
      this.#waiting.push({batch, read})
      this.#news.ring()
    })
  }

  /** Withholds the results that have arrived. For the source it is as if the reader had gone, so none of them counts as read. */
  #cut(): void {
    this.#isCut = true
    this.#taken = [...this.#taken, ...this.#waiting.splice(0).map(({read}) => read)]
    this.#release(false)
  }

  async #stop(): Promise<void> {
    if (!this.#isStopped && !this.#isEnded) {
      this.#isStopped = true
      if (this.#run === undefined) this.#settle(this.#source.stopped())
      else this.#source.stop(this.#taken.length + this.#waiting.length === 0)
      this.#cut()
    }
    await this.#run
  }

  #settle(ending: Ending): void {
    this.#summary.resolve({
      requests: 0,
      ...ending,
      complete: ending.incomplete.length === 0,
      successes: this.#successes,
      failures: this.#failures,
    })
  }
}
