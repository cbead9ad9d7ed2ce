/**
 * Results as they arrive: read once, one by one or in batches, with a summary at the end. Nothing happens until it is
 * read, and stopping early cleans up. RFC 4918, section 13.
 */

import type {Properties} from '../properties/vocabulary.ts'
import type {DavResult, Failure, Success} from './result.ts'
import type {Incomplete, Summary} from './summary.ts'

/** All results of a stream, sorted. */
export interface Collected<P = Properties> {
  /** Those with `ok: true`, in the order in which they came. */
  readonly successes: readonly Success<P>[]
  /** Those with `ok: false`, in the order in which they came. */
  readonly failures: readonly Failure[]
  /** What can be said of the whole. */
  readonly summary: Summary
}

/**
 * The results of a request, or of many, as they arrive. Nothing is sent until it is read, and it is read once: a second
 * reader gets a TypeError. `break` cancels what is still under way and frees its connections.
 */
export interface ResultStream<
  P = Properties,
  R extends DavResult<P> = DavResult<P>,
> extends AsyncIterable<R> {
  /**
   * Reads to the end and holds all results.
   *
   * @throws What the stream throws; the results before that are lost, so prefer `for await` where they count.
   */
  collect(): Promise<Collected<P>>
  /** Gives the results in batches as they arrive, none of them empty, for throughput. */
  batches(): AsyncIterable<readonly R[]>
  /** Settles when the stream has ended: rejects with what it threw. It never settles for a stream that nobody reads. */
  readonly summary: Promise<Summary>
}

/** Whether something is a stream of results, and not any other source of them. */
export function isResultStream(source: unknown): source is ResultStream<unknown> {
  return (
    typeof source === 'object' &&
    source !== null &&
    'batches' in source &&
    'summary' in source &&
    Symbol.asyncIterator in source
  )
}

/** What a source of results says at its end; the stream counts the results itself. */
export interface SourceSummary {
  readonly incomplete: readonly Incomplete[]
  readonly requests: number
  readonly description?: string | undefined
  readonly syncToken?: string | undefined
}

/** Where a stream gets its results from. */
export interface ResultSource<P> {
  /** Gives out the results. It is called once, when the stream is read. */
  read(): AsyncGenerator<readonly DavResult<P>[], SourceSummary, undefined>
  /** Ends what the source is waiting for, where the reader stops meanwhile. */
  stop?(): void
  /** Gives the error to be thrown for one of the source, such as the same with more of a stack. */
  explain?(error: unknown): unknown
  /** What can be said where the reader stopped before the end. */
  stopped(): SourceSummary
}

/** Makes the stream of a source. */
export function createResultStream<P>(source: ResultSource<P>): ResultStream<P> {
  return new Stream(source)
}

/** The one reader of a stream. */
interface Batches<P> {
  next(): Promise<IteratorResult<readonly DavResult<P>[], undefined>>
  return(): Promise<IteratorResult<readonly DavResult<P>[], undefined>>
}

class Stream<P> implements ResultStream<P> {
  readonly summary: Promise<Summary>
  readonly #source: ResultSource<P>
  readonly #settle: PromiseWithResolvers<Summary>
  #batch: readonly DavResult<P>[] = []
  #isRead = false
  #isWaiting = false
  #isStopped = false
  #successes = 0
  #failures = 0

  constructor(source: ResultSource<P>) {
    this.#source = source
    this.#settle = Promise.withResolvers()
    this.summary = this.#settle.promise
    // Whoever reads the stream hears of its error there; nobody has to ask for the summary.
    this.summary.catch(() => {})
  }

  [Symbol.asyncIterator](): AsyncIterator<DavResult<P>, undefined, undefined> {
    return singly(this.#read())
  }

  batches(): AsyncIterable<readonly DavResult<P>[]> {
    const batches = this.#read()
    return {[Symbol.asyncIterator]: () => batches}
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

  #read(): Batches<P> {
    if (this.#isRead) {
      throw new TypeError('This stream of results is read already: it can be read once')
    }
    this.#isRead = true
    const batches = this.#batches()
    let isBegun = false
    return {
      next() {
        isBegun = true
        return batches.next()
      },
      return: () => {
        // A generator that was not begun would end without a word, and one that waits for the source would wait on.
        if (!isBegun) this.#settle.resolve(this.#summarize(this.#source.stopped()))
        this.#isStopped = true
        if (this.#isWaiting) this.#source.stop?.()
        return batches.return(undefined)
      },
    }
  }

  async *#batches(): AsyncGenerator<readonly DavResult<P>[], undefined, undefined> {
    const batches = this.#source.read()
    let ended = false
    try {
      for (;;) {
        const end = await this.#pull(batches)
        if (end !== undefined) {
          ended = true
          this.#settle.resolve(this.#summarize(end))
          return undefined
        }
        if (this.#batch.length > 0) yield this.#take()
      }
    } catch (thrown) {
      if (this.#isStopped) return undefined
      ended = true
      const error = this.#source.explain?.(thrown) ?? thrown
      this.#settle.reject(error)
      throw error
    } finally {
      if (!ended) {
        // Whoever stops reading does not want to hear how the rest would have failed.
        await batches.return(this.#source.stopped()).catch(() => {})
        this.#settle.resolve(this.#summarize(this.#source.stopped()))
      }
    }
  }

  /** Waits for the next batch. Returns what the source says at its end. */
  async #pull(
    batches: AsyncIterator<readonly DavResult<P>[], SourceSummary, undefined>,
  ): Promise<SourceSummary | undefined> {
    this.#isWaiting = true
    const next = await batches.next()
    this.#isWaiting = false
    if (next.done === true) return next.value
    this.#batch = next.value
    return undefined
  }

  /** Gives the batch out, and does not hold it: a generator would while it waits for the next one. */
  #take(): readonly DavResult<P>[] {
    const batch = this.#batch
    this.#batch = []
    for (const result of batch) {
      if (result.ok) this.#successes++
      else this.#failures++
    }
    return batch
  }

  #summarize({incomplete, requests, description, syncToken}: SourceSummary): Summary {
    return {
      complete: incomplete.length === 0,
      incomplete,
      successes: this.#successes,
      failures: this.#failures,
      requests,
      ...(description !== undefined && {description}),
      ...(syncToken !== undefined && {syncToken}),
    }
  }
}

/** The results of batches one by one. Written by hand: a generator would cost each result as much as reading it does. */
function singly<P>(batches: Batches<P>): AsyncIterator<DavResult<P>, undefined, undefined> {
  let batch: readonly DavResult<P>[] = []
  let index = 0
  // Calls that come before the one before them was answered wait for it.
  let pending: Promise<unknown> | undefined

  const take = (): IteratorResult<DavResult<P>, undefined> | undefined => {
    const value = batch[index]
    if (value === undefined) return undefined
    index++
    return {value, done: false}
  }
  const refill = async (): Promise<IteratorResult<DavResult<P>, undefined>> => {
    const held = take()
    if (held !== undefined) return held
    batch = []
    const next = await batches.next()
    if (next.done === true) return {value: undefined, done: true}
    batch = next.value
    index = 0
    return take() ?? {value: undefined, done: true}
  }
  return {
    next() {
      if (pending === undefined) {
        const held = take()
        if (held !== undefined) return Promise.resolve(held)
      }
      const next: Promise<IteratorResult<DavResult<P>, undefined>> =
        pending === undefined ? refill() : pending.then(refill, refill)
      const settled = next.then(clear, clear)
      pending = settled
      function clear(): void {
        if (pending === settled) pending = undefined
      }
      return next
    },
    async return() {
      batch = []
      await batches.return()
      return {value: undefined, done: true}
    },
  }
}
