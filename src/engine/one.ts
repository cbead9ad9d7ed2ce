/** Sends the request for a single target. A refusal is a verdict, and only an unreadable answer rejects. RFC 4918, section 13. */

import type {CallContext} from '../call/call.ts'
import {runCall} from '../call/call.ts'
import type {Session} from '../call/session.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, SIGNAL} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {ElsewhereError, HiddenRedirectError} from '../transport/redirects.ts'
import {sendWithRetries} from './attempts.ts'
import type {TargetRequest, Verb} from './verb.ts'
import {plan, refuseLack} from './verdict.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of every call of a verb. */
export interface VerbOptions {
  /**
   * Sends nothing. The result of each target is a Success with status 0, and `request` is the request that would be sent. A
   * target that would be deleted with an outer one has no `request`.
   *
   * @defaultValue `false`
   */
  readonly dryRun?: boolean | undefined
  /**
   * Sends requests even if the server is known not to have their method: by its answer to `options`, or by an earlier 501.
   *
   * @defaultValue `false`: such a target is a Failure `refused`
   */
  readonly ignoreCapabilities?: boolean | undefined
  /**
   * Retries failed requests: first the failed members, then the target. Only the last attempt is reported, so results are held
   * until then.
   */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

export const VERB_OPTIONS: Rules<VerbOptions> = {
  dryRun: BOOLEAN,
  ignoreCapabilities: BOOLEAN,
  retry: ANY,
  signal: SIGNAL,
  timeout: TIMEOUT,
}

/**
 * Sends the request, and resolves with the verdict and its members.
 *
 * @param check - Asks the server first, in the same call. Its Failure is the verdict, and the request is not sent.
 */
export async function runOne(
  session: Session,
  verb: Verb,
  request: TargetRequest | Failure,
  options: VerbOptions,
  check?: (context: CallContext) => Promise<Failure | undefined>,
): Promise<DavResult> {
  if ('ok' in request) return request
  const lack = refuseLack(session, request, options)
  if (lack !== undefined) return lack
  if (options.dryRun === true) return plan(request)
  return runCall(session, options, async (context) => {
    const refused = await check?.(context)
    if (refused !== undefined) return refused
    const members: DavResult[] = []
    const {verdict, problem} = await sendWithRetries(request, {...context, verb}, (batch) => {
      for (const member of batch) members.push(member)
      return Promise.resolve(true)
    })
    // A redirect that a browser hides and an answer by another resource are answers, so they make a verdict.
    const isAnswer = problem instanceof HiddenRedirectError || problem instanceof ElsewhereError
    if (problem !== undefined && !isAnswer) throw problem
    return members.length === 0 ? verdict : {...verdict, members}
  })
}
