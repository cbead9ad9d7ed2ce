/**
 * A transport at the pace of a call. Each exchange takes a slot before it is sent. It keeps the slot until its body has ended,
 * because a body is work for the server too.
 */

import {DavNetworkError} from '../protocol/errors.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import type {OpenResponse} from '../transport/deadlines.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import type {Send} from '../transport/transport.ts'
import {NotSentError, sleep} from './not-sent.ts'
import type {Pace, Slot} from './pace.ts'
import type {ResolvedPolicy} from './policy.ts'

/** The part of a call that concerns its pace. */
export interface PacedCall {
  readonly pace: Pace
  /** Tells how long a Retry-After holds back every request. Without a policy, no time. */
  readonly policy: Pick<ResolvedPolicy, 'maxRetryAfter' | 'minDelay'> | undefined
  /** Aborted when no new request may start. */
  readonly ending: AbortSignal
  /** The number of received bytes in bodies. */
  bytes: number
}

/**
 * Makes a transport that waits for a slot.
 *
 * @throws NotSentError if the call ends before there is one.
 */
export function withPace<C extends PacedCall>(
  transport: Send<OpenResponse, C>,
): Send<OpenResponse, C> {
  return async (request, call) => {
    const {pace, policy} = call
    const slot = await enter(pace, call.ending)
    const onEnd = (error?: unknown): void => {
      if (isOvercharge(error)) slot.report(false)
      slot.free()
    }
    let response: OpenResponse
    try {
      response = await transport(request, call)
    } catch (error) {
      onEnd(error)
      throw error
    }
    const {status, headers, body} = response
    const isOverdone = status === 429 || status === 503
    slot.report(!isOverdone)
    const asked =
      isOverdone && policy ? readRetryAfter(headers, Date.now(), policy.minDelay) : undefined
    if (asked !== undefined) pace.hold(Math.min(asked, policy?.maxRetryAfter ?? 0))
    if (body === null) slot.free()
    else body.watch({onBytes: (length) => (call.bytes += length), onEnd})
    return response
  }
}

/** Reports if an error may mean an overloaded server. A redirect that a browser hides is an answer. */
function isOvercharge(error: unknown): boolean {
  return error instanceof DavNetworkError && !(error instanceof HiddenRedirectError)
}

async function enter(pace: Pace, ending: AbortSignal): Promise<Slot> {
  for (;;) {
    if (pace.held > 0) {
      await sleep(pace.held, ending)
      continue
    }
    const slot = await pace.enter()
    if (ending.aborted) {
      slot.free()
      throw new NotSentError(ending.reason)
    }
    if (pace.held === 0) return slot
    slot.free()
  }
}
