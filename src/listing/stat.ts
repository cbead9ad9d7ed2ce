/** `stat` and `exists`: a PROPFIND with Depth 0, for one resource. RFC 4918, section 9.1. */

import {runCall} from '../call/call.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {createFailure, UNREADABLE} from '../multistatus/failure.ts'
import type {DavResult} from '../multistatus/result.ts'
import {DavHttpError} from '../protocol/errors.ts'
import type {Rules} from '../protocol/options.ts'
import {isMissingStatus} from '../protocol/status.ts'
import {ANY, readOptions, SIGNAL} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {isPresent, readSelf} from './presence.ts'
import type {StatOptions} from './propfind.ts'
import {withRequest} from './query.ts'
import {firstListing, makeQuery, STAT_OPTIONS} from './propfind.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of `exists`. */
export interface ExistsOptions {
  /** The policy by which a refused or broken request is sent again. Default: the client's. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

const EXISTS_OPTIONS: Rules<ExistsOptions> = {retry: ANY, signal: SIGNAL, timeout: TIMEOUT}

/** Resolves with the resource's own result. A refusal is a Failure, and so is an answer that does not tell of the resource. */
export async function stat<P>(
  session: Session,
  target: Target,
  given: StatOptions,
): Promise<DavResult<P>> {
  const options = readOptions('stat', given, STAT_OPTIONS)
  const query = makeQuery(session, target, options, 0)
  return runCall(session, options, (context) => {
    const listing = firstListing(query, session)
    // The server answered, so there is a verdict.
    return readSelf<P>(listing, context, (error) => {
      const {message: description} = error
      // Another resource, to which a redirect led, has refused. Its 404 is none of this one.
      const why =
        error instanceof DavHttpError
          ? {
              status: isMissingStatus(error.status) ? 0 : error.status,
              reason: 'refused' as const,
              location: error.url,
            }
          : UNREADABLE
      return withRequest(createFailure({url: listing.url, ...why, description}), listing)
    })
  })
}

/** Resolves with true if the resource is there. Rejects if nobody knows. */
export async function exists(
  session: Session,
  target: Target,
  given: ExistsOptions = {},
): Promise<boolean> {
  const options = readOptions('exists', given, EXISTS_OPTIONS)
  const {href} = resolveTarget(target, session.base)
  return runCall(session, options, (context) => isPresent(href, context))
}
