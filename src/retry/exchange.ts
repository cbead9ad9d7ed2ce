/** One exchange, repeated where it was refused for now or broke before an answer. Its body is not looked at. */

import type {Failure} from '../multistatus/result.ts'
import {DavNetworkError, DavTimeoutError} from '../protocol/errors.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import type {DavRequest, DavResponse, Transport} from '../transport/transport.ts'
import {discard} from '../transport/transport.ts'
import type {Repeats} from './repeats.ts'

/**
 * Sends a request until its answer is one to keep, or until there is no other attempt.
 *
 * @param mayRepeat - Says which failures are no refusal for good, whatever the policy says.
 * @throws What the last attempt threw, and the signal's reason.
 */
export async function sendUntilAnswered(
  send: Transport,
  request: DavRequest,
  repeats: Repeats | undefined,
  mayRepeat: (status: number) => boolean = () => true,
): Promise<DavResponse> {
  for (let attempt = 1; ; attempt++) {
    let response: DavResponse | undefined
    let problem: unknown
    try {
      response = await send(request)
    } catch (error) {
      const isBroken = error instanceof DavNetworkError || error instanceof DavTimeoutError
      if (!isBroken || error instanceof HiddenRedirectError) throw error
      problem = error
    }
    const status = response?.status ?? 0
    const isFinal = (status > 0 && status < 300) || !mayRepeat(status)
    let wait: (() => Promise<void>) | undefined
    try {
      if (!isFinal) wait = repeats?.next(attempt, [failureOf(request, response)])
    } catch (error) {
      if (response !== undefined) await discard(response)
      throw error
    }
    if (wait === undefined) {
      if (response === undefined) throw problem
      return response
    }
    if (response !== undefined) await discard(response)
    await wait()
  }
}

function failureOf({url}: DavRequest, response: DavResponse | undefined): Failure {
  const retryAfter = response && readRetryAfter(response.headers, Date.now())
  return {
    ok: false,
    href: new URL(url).pathname,
    url,
    relation: 'self',
    status: response?.status ?? 0,
    reason: response === undefined ? 'no-answer' : 'status',
    conditions: [],
    missing: [],
    ...(retryAfter !== undefined && {retryAfter}),
  }
}
