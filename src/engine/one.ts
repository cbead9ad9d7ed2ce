/** One request for one target: a promise of its verdict. RFC 4918, section 13. */

import {runCall} from '../call/call.ts'
import type {Session} from '../call/session.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, SIGNAL} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {ElsewhereError, HiddenRedirectError} from '../transport/redirects.ts'
import {sendWithRetries} from './attempts.ts'
import type {TargetRequest, Verb} from './verb.ts'
import {plan} from './verdict.ts'

/** Options that each call of a verb has. */
export interface VerbOptions {
  /**
   * Sends nothing. The result of each target is a Success with status 0, and its `request` is the one that would be sent. A
   * target that would go with another one has none.
   *
   * @defaultValue `false`
   */
  readonly dryRun?: boolean | undefined
  /**
   * Sends again what failed for now: first the members that failed, then the target. Only the last attempt is reported, and
   * results are held until then.
   */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export const VERB_OPTIONS: Rules<VerbOptions> = {dryRun: BOOLEAN, retry: ANY, signal: SIGNAL}

/** Sends the request and resolves with the verdict, which has the members that the answer named. */
export async function runOne(
  session: Session,
  verb: Verb,
  request: TargetRequest | Failure,
  options: VerbOptions,
): Promise<DavResult> {
  if ('ok' in request) return request
  if (options.dryRun === true) return plan(request)
  return runCall(session, options, async (context) => {
    const members: DavResult[] = []
    const {verdict, problem} = await sendWithRetries(request, {...context, verb}, (batch) => {
      for (const member of batch) members.push(member)
      return Promise.resolve(true)
    })
    // Both are answers: a redirect that a browser hides, and an answer by another resource.
    const isAnswer = problem instanceof HiddenRedirectError || problem instanceof ElsewhereError
    if (problem !== undefined && !isAnswer) throw problem
    return members.length === 0 ? verdict : {...verdict, members}
  })
}
