/**
 * Reads the result of one resource from a PROPFIND with Depth 0. Servers report a missing resource by the status of the answer,
 * of a response or of a propstat. `stat`, `exists`, `verify` and the check of a 412 read all of them alike. RFC 4918, sections
 * 9.1 and 9.2.
 */

import type {CallContext} from '../call/call.ts'
import {createFailure, UNREADABLE} from '../multistatus/failure.ts'
import type {DavResult} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import type {Depth} from '../protocol/depth.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import {isMissingStatus} from '../protocol/status.ts'
import type {Listing, ListingQuery} from './query.ts'
import type {ListingAnswer} from './listing.ts'
import {ledElsewhere, list} from './listing.ts'
import {failureOf, listingError, propfindQuery, withAttempts} from './query.ts'

/** Makes the query that tests for a resource. It asks for `resourcetype`, which every resource has. */
export function presenceQuery(url: string, depth: Depth = 0): ListingQuery {
  return propfindQuery(url, formatPropfind({properties: ['resourcetype']}), depth)
}

/**
 * Keeps a result with relation `self`: the first success, the first 404 or 410, and the first other failure. No more are held,
 * however often a server names the resource.
 */
export function keepSelf<P>(selves: DavResult<P>[], result: DavResult<P>): void {
  const isKept = selves.some(
    (kept) => kept.ok === result.ok && isMissing(kept) === isMissing(result),
  )
  if (!isKept) selves.push(result)
}

/**
 * Makes one result for a resource from its kept results; `undefined` without any. A success beside a 404 is a contradiction, and
 * tells nothing.
 *
 * @param status - The status of the whole answer; 0 for a success.
 */
export function selfOf<P>(
  selves: readonly DavResult<P>[],
  url: string,
  status = 0,
): DavResult<P> | undefined {
  const there = selves.find(({ok}) => ok)
  const isRefused = isMissingStatus(status)
  const missing = selves.find((result) => isMissing(result))
  if (there !== undefined && (isRefused || missing !== undefined)) {
    const other = missing?.status ?? status
    const description = `The answer says both ${there.status} and ${other} of the resource`
    return createFailure({url, ...UNREADABLE, description})
  }
  if (selves.length > 0 || !isRefused) return there ?? selves[0]
  return createFailure({url, status, reason: 'status'})
}

/** The results of a PROPFIND with Depth 0. */
interface Reading<P> {
  /** The answer; absent for a refusal. */
  readonly answer?: ListingAnswer<P>
  /** The refusal of the whole request. */
  readonly refusal?: DavHttpError
  readonly self: DavResult<P> | undefined
  /** The first result outside the resource. */
  readonly other?: DavResult<P> | undefined
  readonly count: number
}

/** Reads an answer. A refusal is a Failure of the resource. A refusal by another resource is thrown. */
async function read<P>(listing: Listing, context: CallContext): Promise<Reading<P>> {
  const {url} = listing
  const answer = await list<P>(listing, context).catch((error: unknown) => {
    if (error instanceof DavHttpError) return error
    throw error
  })
  if (answer instanceof DavHttpError) {
    const isOwn = canonicalPathOf(answer.url) === canonicalPathOf(url)
    return {refusal: answer, self: isOwn ? failureOf(answer, url, 'self') : undefined, count: 0}
  }
  const root = answer.isElsewhere ? url : answer.url
  const selves: DavResult<P>[] = []
  let other: DavResult<P> | undefined
  let count = 0
  await answer.read((batch) => {
    for (const result of answer.place(batch, root)) {
      count++
      if (result.relation === 'self') keepSelf(selves, result)
      if (result.relation === 'outside') other ??= result
    }
    return Promise.resolve(true)
  })
  return {answer, self: selfOf(selves, url, answer.status), other, count}
}

/**
 * Reads the resource's own result, at any place of the answer. A refusal is a Failure.
 *
 * @param untold - Makes the result of an answer that does not tell of the resource. Default: throws the error.
 * @throws DavError for an answer without such a result, for a refusal by another resource, and for a broken exchange.
 */
export async function readSelf<P>(
  listing: Listing,
  context: CallContext,
  untold: (error: DavError) => DavResult<P> = rethrow,
): Promise<DavResult<P>> {
  const {url, query} = listing
  const {refusal, self, other, count} = await read<P>(listing, context)
  // Some servers behind a proxy write another path into the only href. A result below the resource is surely not it.
  const result = self ?? (count === 1 ? other : undefined)
  if (result !== undefined) return withAttempts(result, listing)
  const sentence = `PROPFIND ${url} was answered with ${count} results, none of them for it`
  return untold(refusal ?? listingError(query, url, sentence))
}

function rethrow(error: DavError): never {
  throw error
}

/**
 * Tests if a resource is there.
 *
 * @throws DavHttpError for a refusal other than 404 and 410. DavError for an answer that does not tell.
 */
export async function isPresent(url: string, context: CallContext): Promise<boolean> {
  const query = presenceQuery(url)
  const {answer, refusal, self} = await read({query, url, depth: 0, isFirst: true}, context)
  if (answer?.isElsewhere === true) throw ledElsewhere(query, url, answer)
  if (refusal !== undefined && !(self !== undefined && isMissing(self))) throw refusal
  if (self === undefined)
    throw listingError(query, url, `The answer to PROPFIND ${url} does not name it`)
  if (self.ok || self.reason === 'propstat') return true
  if (isMissing(self)) return false
  const {description = `PROPFIND ${url} was answered ${self.status} for it`} = self
  throw listingError(query, url, description)
}

/** Looks for a resource; `undefined` if the server does not tell. */
export async function findPresence(
  url: string,
  context: CallContext,
): Promise<boolean | undefined> {
  try {
    return await isPresent(url, context)
  } catch (error) {
    if (error instanceof DavError) return undefined
    throw error
  }
}
