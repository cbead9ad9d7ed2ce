/**
 * Results that are passed on while they stream: the members of a collection, or the collections among them. Holds
 * nothing, and whoever stops reading stops the source. RFC 4918, sections 9.1 and 15.9.
 */

import type {DavResult, Success} from './result.ts'
import {partition} from './result.ts'
import type {Collected, ResultStream} from './result-stream.ts'
import {isResultStream} from './result-stream.ts'
import type {Summary} from './summary.ts'

/**
 * Leaves the collection itself out of a listing: gives every result but a Success with the relation `self`, in the order in
 * which they come. Failures are kept, also one of the collection itself, and so is what is `outside`.
 *
 * @returns Of a stream of results another one, with the summary of the listing; of anything else what can be read as often.
 *   Reading it throws what the source throws. `break` ends the reading of the source.
 * @example
 * ```ts
 * for await (const result of members(dav.propfind('photos/'))) console.log(result.status, result.href)
 * ```
 */
export function members<P, R extends DavResult<P>>(results: ResultStream<P, R>): ResultStream<P, R>
export function members<R extends DavResult<unknown>>(
  results: Iterable<R> | AsyncIterable<R>,
): AsyncIterable<R>
export function members(
  results: Iterable<DavResult<unknown>> | AsyncIterable<DavResult<unknown>>,
): AsyncIterable<DavResult<unknown>> {
  return select(results, (result) => (result.ok && result.relation === 'self' ? undefined : result))
}

/**
 * The collections among results: each Success whose `resourcetype` has `collection` or, where that property does not tell,
 * whose URL ends with a slash, in the order in which they come. The collection that was listed is one of them;
 * `collections(members(…))` leaves it out. A failure is never one, because nobody knows what it is.
 *
 * @returns Of a stream of results another one, with the summary of the listing; of anything else what can be read as often.
 *   Reading it throws what the source throws. `break` ends the reading of the source.
 * @example
 * ```ts
 * const listing = dav.propfind('photos/', {properties: ['resourcetype']})
 * for await (const album of collections(members(listing))) console.log(album.url)
 * ```
 */
export function collections<P>(results: ResultStream<P>): ResultStream<P, Success<P>>
export function collections<P>(
  results: Iterable<DavResult<P>> | AsyncIterable<DavResult<P>>,
): AsyncIterable<Success<P>>
export function collections(
  results: Iterable<DavResult<unknown>> | AsyncIterable<DavResult<unknown>>,
): AsyncIterable<DavResult<unknown>> {
  return select(results, (result) => (result.ok && isCollection(result) ? result : undefined))
}

/** Whether a resource is a collection: by its type or, where that is not told, by the slash at its end. */
export function isCollection({url, properties}: Success<unknown>): boolean {
  const kind = kindOf(properties)
  return kind === undefined ? url.endsWith('/') : kind === 'collection'
}

// DAV:principal is in RFC 3744, section 4, DAV:redirectref in RFC 4437, section 12.
const PLAIN_TYPES: ReadonlySet<unknown> = new Set(['principal', 'redirectref'])

/**
 * What a resource is by its `resourcetype`; `undefined` where that is not told. A list without a known type tells nothing:
 * Bitrix24 writes `collection` in no namespace.
 */
export function kindOf(properties: unknown): 'collection' | 'plain' | undefined {
  const types = typesOf(properties)
  if (types === undefined) return undefined
  if (types.includes('collection')) return 'collection'
  return types.length === 0 || types.some((type) => PLAIN_TYPES.has(type)) ? 'plain' : undefined
}

/** The `resourcetype`, where it is told. A decoder of the caller may have made something else of it. */
export function typesOf(properties: unknown): readonly unknown[] | undefined {
  if (typeof properties !== 'object' || properties === null) return undefined
  if (!('resourcetype' in properties)) return undefined
  const {resourcetype} = properties
  return Array.isArray(resourcetype) ? resourcetype : undefined
}

type Result = DavResult<unknown>

/** What a source gives, as far as it is picked. */
function select(
  source: Iterable<Result> | AsyncIterable<Result>,
  pick: (result: Result) => Result | undefined,
): AsyncIterable<Result> {
  if (isResultStream(source)) return new SelectedStream(source, pick)
  return {[Symbol.asyncIterator]: () => new Selection(iterate(source), pick)}
}

/** A stream of results as far as they are picked. What it says of the whole is what the source says. */
class SelectedStream implements ResultStream<unknown> {
  readonly #source: ResultStream<unknown>
  readonly #pick: (result: Result) => Result | undefined

  constructor(source: ResultStream<unknown>, pick: (result: Result) => Result | undefined) {
    this.#source = source
    this.#pick = pick
  }

  get summary(): Promise<Summary> {
    return this.#source.summary
  }

  [Symbol.asyncIterator](): AsyncIterator<Result, undefined, undefined> {
    return new Selection(this.#source[Symbol.asyncIterator](), this.#pick)
  }

  batches(): AsyncIterable<readonly Result[]> {
    const batches = this.#source.batches()[Symbol.asyncIterator]()
    const pick = (batch: readonly Result[]): readonly Result[] | undefined => {
      const picked = batch.filter((result) => this.#pick(result) !== undefined)
      return picked.length === 0 ? undefined : picked
    }
    return {[Symbol.asyncIterator]: () => new Selection(batches, pick)}
  }

  async collect(): Promise<Collected<unknown>> {
    const {successes, failures} = await partition(this)
    return {successes, failures, summary: await this.summary}
  }
}

/** One reading. Not a generator: one that waits for its source cannot be stopped before the source gives something. */
class Selection<T, S> implements AsyncIterator<S, undefined, undefined> {
  readonly #source: AsyncIterator<T>
  readonly #pick: (item: T) => S | undefined
  #last: Promise<unknown> = Promise.resolve()
  #isEnded = false

  constructor(source: AsyncIterator<T>, pick: (item: T) => S | undefined) {
    this.#source = source
    this.#pick = pick
  }

  next(): Promise<IteratorResult<S, undefined>> {
    // A call that comes before the one before it was answered waits for it, or it might get ahead.
    const next = this.#last.then(this.#advance, this.#advance)
    this.#last = next
    return next
  }

  async return(): Promise<IteratorResult<S, undefined>> {
    this.#isEnded = true
    await this.#source.return?.()
    return {value: undefined, done: true}
  }

  readonly #advance = async (): Promise<IteratorResult<S, undefined>> => {
    while (!this.#isEnded) {
      const next = await this.#source.next()
      if (next.done === true) break
      const value = this.#pick(next.value)
      if (value !== undefined && !this.#isEnded) return {value, done: false}
    }
    return {value: undefined, done: true}
  }
}

function iterate<T>(source: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]()
  const iterator = source[Symbol.iterator]()
  return {
    next: async () => iterator.next(),
    return: async () => iterator.return?.() ?? {value: undefined, done: true},
  }
}
