/**
 * Results that are passed on while they stream: the members of a collection, or the collections among them. Holds
 * nothing, and whoever stops reading stops the source. RFC 4918, sections 9.1 and 15.9.
 */

import type {DavResult, Success} from './result.ts'

/**
 * Leaves the collection itself out of a listing: gives every result but a Success with the relation `self`, in the order in
 * which they come. Failures are kept, also one of the collection itself, and so is what is `outside`.
 *
 * @returns What can be read as often as the source: a stream of results once. Reading it throws what the source throws.
 *   `break` ends the reading of the source.
 * @example
 * ```ts
 * for await (const result of members(dav.propfind('photos/'))) console.log(result.status, result.href)
 * ```
 */
export function members<R extends DavResult<unknown>>(
  results: Iterable<R> | AsyncIterable<R>,
): AsyncIterable<R> {
  return select(results, (result) => (result.ok && result.relation === 'self' ? undefined : result))
}

/**
 * The collections among results: each Success whose `resourcetype` has `collection` or, where that property is not
 * there, whose URL ends with a slash, in the order in which they come. The collection that was listed is one of them;
 * `collections(members(…))` leaves it out. A failure is never one, because nobody knows what it is.
 *
 * @returns What can be read as often as the source: a stream of results once. Reading it throws what the source throws.
 *   `break` ends the reading of the source.
 * @example
 * ```ts
 * const listing = dav.propfind('photos/', {properties: ['resourcetype']})
 * for await (const album of collections(members(listing))) console.log(album.url)
 * ```
 */
export function collections<P>(
  results: Iterable<DavResult<P>> | AsyncIterable<DavResult<P>>,
): AsyncIterable<Success<P>> {
  return select(results, (result) => (result.ok && isCollection(result) ? result : undefined))
}

/** Whether a resource is a collection: by its type or, where that is not told, by the slash at its end. */
export function isCollection({url, properties}: Success<unknown>): boolean {
  return typesOf(properties)?.includes('collection') ?? url.endsWith('/')
}

/** The `resourcetype`, where it is told. A decoder of the caller may have made something else of it. */
export function typesOf(properties: unknown): readonly unknown[] | undefined {
  if (typeof properties !== 'object' || properties === null) return undefined
  if (!('resourcetype' in properties)) return undefined
  const {resourcetype} = properties
  return Array.isArray(resourcetype) ? resourcetype : undefined
}

/** What a source gives, as far as it is picked. */
function select<T, S>(
  source: Iterable<T> | AsyncIterable<T>,
  pick: (item: T) => S | undefined,
): AsyncIterable<S> {
  return {[Symbol.asyncIterator]: () => new Selection(iterate(source), pick)}
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
