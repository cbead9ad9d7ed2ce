/**
 * Whether a resource is there, by the answer to a PROPFIND with Depth 0: one reading of it for all who ask. Servers say
 * "missing" by the status of the answer, of a response or of a propstat. RFC 4918, sections 9.1 and 9.2.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import type {CallContext} from './listing.ts'
import {ledElsewhere, list} from './listing.ts'

/** What is asked for to find out whether a resource is there. */
export const PRESENCE_BODY: string = /* @__PURE__ */ formatPropfind({properties: ['resourcetype']})

/** Whether a status says that there is nothing. RFC 9110, sections 15.5.5 and 15.5.11. */
export function isMissingStatus(status: number): boolean {
  return status === 404 || status === 410
}

/** Whether a result says that the resource is not there. */
export function isMissing(result: DavResult<unknown>): boolean {
  return !result.ok && result.reason === 'status' && isMissingStatus(result.status)
}

/**
 * Adds a result with the relation `self` to those that are kept: the first success, the first that says missing, the first
 * other failure. No more of them are held, however often a server names the resource.
 */
export function keepSelf<P>(selves: DavResult<P>[], result: DavResult<P>): void {
  const isKept = selves.some(
    (kept) => kept.ok === result.ok && isMissing(kept) === isMissing(result),
  )
  if (!isKept) selves.push(result)
}

/**
 * The one result for a resource, of those with the relation `self` in an answer; `undefined` where there is none.
 *
 * @param status - The status of the answer as a whole, where that is no success.
 */
export function selfOf<P>(
  selves: readonly DavResult<P>[],
  url: string,
  status?: number,
): DavResult<P> | undefined {
  const there = selves.find(({ok}) => ok)
  const isRefused = status !== undefined && isMissingStatus(status)
  const missing = selves.find((result) => isMissing(result))
  if (there !== undefined && (isRefused || missing !== undefined)) {
    const other = missing?.status ?? status
    return failureFor(url, {
      status: 0,
      reason: 'no-answer',
      cause: 'unreadable',
      description: `The answer says both ${there.status} and ${other} of the resource`,
    })
  }
  if (selves.length > 0 || !isRefused) return there ?? selves[0]
  return failureFor(url, {status, reason: 'status'})
}

/**
 * Whether a resource is still there.
 *
 * @throws DavError where that is not known.
 */
export async function isPresent(url: string, context: CallContext): Promise<boolean> {
  const selves: DavResult<unknown>[] = []
  let status: number | undefined
  try {
    const answer = await list({url, depth: 0, body: PRESENCE_BODY, decoders: {}}, context)
    for await (const batch of answer.batches) {
      for (const result of batch) if (result.relation === 'self') keepSelf(selves, result)
    }
    if (answer.isElsewhere) throw ledElsewhere(url, answer)
    ;({status} = answer)
  } catch (error) {
    const isMissed = error instanceof DavHttpError && isMissingStatus(error.status)
    if (isMissed && canonicalPathOf(error.url) === canonicalPathOf(url)) return false
    throw error
  }
  const result = selfOf(selves, url, status)
  if (result === undefined)
    throw new DavError(`The answer to PROPFIND ${url} does not name it`, {method: 'PROPFIND', url})
  if (result.ok || result.reason === 'propstat') return true
  if (isMissing(result)) return false
  const {description = `PROPFIND ${url} was answered ${result.status} for it`} = result
  throw new DavError(description, {method: 'PROPFIND', url})
}

function failureFor(
  url: string,
  facts: Pick<Failure, 'status' | 'reason'> & Pick<Partial<Failure>, 'cause' | 'description'>,
): Failure {
  const href = new URL(url).pathname
  return {ok: false, href, url, relation: 'self', ...facts, conditions: [], missing: []}
}
