/**
 * A transport at the pace of a call. Each exchange takes a slot before it is sent. It keeps the slot until its body has ended,
 * because a body is work for the server too.
 */

import {DavNetworkError} from '../protocol/errors.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import type {OpenResponse, OpenTransport} from '../transport/deadlines.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import {NotSentError, sleep} from './not-sent.ts'
import type {Pace, Slot} from './pace.ts'

/** Options of a paced transport. */
export interface PacedOptions {
  /** The longest time in milliseconds that a Retry-After holds back every request; 0 for none. */
  readonly maxRetryAfter: number
  /** The shortest time in milliseconds for a date in Retry-After. */
  readonly minDelay: number
  /** Aborted when no new request may start. */
  readonly ending: AbortSignal
  /** Called with the number of bytes of an answer that arrived. */
  readonly onBytes: (length: number) => void
}

/**
 * Makes a transport that waits for a slot.
 *
 * @throws NotSentError if the call ends before there is one.
 */
export function withPace(
  transport: OpenTransport,
  pace: Pace,
  {maxRetryAfter, minDelay, ending, onBytes}: PacedOptions,
): OpenTransport {
  return async (request) => {
    const slot = await enter(pace, ending)
    const onEnd = (error?: unknown): void => {
      if (isOvercharge(error)) slot.report(false)
      slot.free()
    }
    let response: OpenResponse
    try {
      response = await transport(request)
    } catch (error) {
      onEnd(error)
      throw error
    }
    const {status, headers, body} = response
    const isOverdone = status === 429 || status === 503
    slot.report(!isOverdone)
    const asked = isOverdone ? readRetryAfter(headers, Date.now(), minDelay) : undefined
    if (asked !== undefined) pace.hold(Math.min(asked, maxRetryAfter))
    if (body === null) slot.free()
    else body.watch({onBytes, onEnd})
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
