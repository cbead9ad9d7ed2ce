/**
 * Selects results while they stream: the members of a collection, or the collections. Holds no results; an early stop ends the
 * source. Reads the type of a resource, and never guesses it. RFC 4918, sections 9.1 and 15.9.
 */

import type {DavResult, Success} from './result.ts'
import type {ResultStream} from './result-stream.ts'
import {pickResults} from './result-stream.ts'

/**
 * Leaves the collection itself out of a listing: passes on every result but a Success with relation `self`, in order. Keeps
 * failures, even one of the collection itself, and results that are `outside`.
 *
 * @returns For a stream, another stream with the summary of the listing. For any other source, an iterable that can be read as
 *   often as the source. Reading throws the errors of the source. `break` ends the source.
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
  return pickResults(results, ({ok, relation}) => !ok || relation !== 'self')
}

/**
 * Picks the collections among results, in order: each Success with `collection` in its `resourcetype`. Without a known type, a
 * slash at the end of the URL counts. The listed collection is included; `collections(members(…))` leaves it out. Failures are
 * left out, because nobody knows their type.
 *
 * @returns For a stream, another stream with the summary of the listing. For any other source, an iterable that can be read as
 *   often as the source. Reading throws the errors of the source. `break` ends the source.
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
  return pickResults(results, (result) => result.ok && looksLikeCollection(result))
}

/**
 * Tests by its `resourcetype` if a resource is a collection.
 *
 * @returns `undefined` for a Failure, and for a result whose type is absent or unknown. A missing type does not mean a file,
 *   and a slash at the end of the URL does not mean a collection.
 * @example
 * ```ts
 * for await (const result of dav.propfind('photos/')) if (isCollection(result) === false) console.log(result.url)
 * ```
 */
export function isCollection(result: DavResult<unknown>): boolean | undefined {
  const kind = result.ok ? kindOf(result.properties) : undefined
  return kind && kind === 'collection'
}

export function isBelow({relation}: DavResult<unknown>): boolean {
  return relation === 'member' || relation === 'descendant'
}

/** Recognizes a collection by its type or, without a known type, by the slash at the end of its URL. */
export function looksLikeCollection({url, properties}: Success<unknown>): boolean {
  const kind = kindOf(properties)
  return kind === undefined ? url.endsWith('/') : kind === 'collection'
}

// DAV:principal is in RFC 3744, section 4, DAV:redirectref in RFC 4437, section 12.
const PLAIN_TYPES: ReadonlySet<unknown> = new Set(['principal', 'redirectref'])

/**
 * Reads the kind of a resource from its `resourcetype`; `undefined` without a known type. A list of unknown types may hide a
 * collection: Bitrix24 writes `collection` in no namespace.
 */
export function kindOf(properties: unknown): 'collection' | 'plain' | undefined {
  const types = typesOf(properties)
  if (types === undefined) return undefined
  if (types.includes('collection')) return 'collection'
  return types.length === 0 || types.some((type) => PLAIN_TYPES.has(type)) ? 'plain' : undefined
}

/** Reads the `resourcetype`, if it is a list. A decoder of the caller may have changed it. */
export function typesOf(properties: unknown): readonly unknown[] | undefined {
  if (typeof properties !== 'object' || properties === null) return undefined
  if (!('resourcetype' in properties)) return undefined
  const {resourcetype} = properties
  return Array.isArray(resourcetype) ? resourcetype : undefined
}
