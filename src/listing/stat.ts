/** `stat` and `exists`: a PROPFIND with Depth 0, for one resource. RFC 4918, section 9.1. */

import {runCall} from '../call/call.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import type {DavResult} from '../multistatus/result.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, readOptions, SIGNAL} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {isPresent, readSelf} from './presence.ts'
import type {StatOptions} from './propfind.ts'
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

/** Resolves with the resource's own result. A refusal is a Failure. */
export async function stat<P>(
  session: Session,
  target: Target,
  given: StatOptions,
): Promise<DavResult<P>> {
  const options = readOptions('stat', given, STAT_OPTIONS)
  const query = makeQuery(session, target, options, 0)
  return runCall(session, options, (context) => readSelf<P>(firstListing(query, session), context))
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
