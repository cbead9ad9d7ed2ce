/** One exchange, repeated where it was refused for now or broke before an answer. Its body is not looked at. */

import type {Failure} from '../multistatus/result.ts'
import {DavNetworkError, DavTimeoutError} from '../protocol/errors.ts'
import {decodeRetryAfter} from '../protocol/retry-after.ts'
import type {DavRequest, DavResponse, Transport} from '../transport/transport.ts'
import {discard} from '../transport/transport.ts'
import type {ResolvedPolicy} from './policy.ts'
import {delayAfter} from './policy.ts'
import {sleep} from './sleep.ts'

/**
 * Sends a request until its answer is one to keep, or until the policy has no more attempts.
 *
 * @throws What the last attempt threw, and the signal's reason.
 */
export async function sendUntilAnswered(
  send: Transport,
  request: DavRequest,
  policy: ResolvedPolicy | undefined,
  signal: AbortSignal | undefined,
): Promise<DavResponse> {
  for (let attempt = 1; ; attempt++) {
    let response: DavResponse | undefined
    let problem: unknown
    try {
      response = await send(request)
    } catch (error) {
      if (!(error instanceof DavNetworkError || error instanceof DavTimeoutError)) throw error
      problem = error
    }
    const again =
      policy === undefined ? undefined : delayBeforeNext(policy, attempt, request, response)
    if (again === undefined) {
      if (response === undefined) throw problem
      return response
    }
    if (response !== undefined) await discard(response)
    await sleep(again, signal)
  }
}

function delayBeforeNext(
  policy: ResolvedPolicy,
  attempt: number,
  {url}: DavRequest,
  response: DavResponse | undefined,
): number | undefined {
  if (attempt >= policy.attempts || (response !== undefined && response.status < 300))
    return undefined
  const failure: Failure = {
    ok: false,
    href: url,
    url,
    relation: 'self',
    status: response?.status ?? 0,
    reason: response === undefined ? 'no-answer' : 'status',
    conditions: [],
    missing: [],
  }
  if (!policy.retryable(failure)) return undefined
  const retryAfter = decodeRetryAfter(response?.headers.get('retry-after'), Date.now())
  return delayAfter(policy, attempt, retryAfter, Math.random())
}
