/** Exchanges at the pace of their call: each takes its slot before it is sent, and keeps it until its body has ended. */

import {DavNetworkError} from '../protocol/errors.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import type {OpenResponse, OpenTransport} from '../transport/deadlines.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import {NotSentError, sleep} from './not-sent.ts'
import type {Pace, Slot} from './pace.ts'

/** The waits of exchanges. */
export interface PacedOptions {
  /** The most milliseconds that a Retry-After holds back every request; 0 if it holds back none. */
  readonly maxRetryAfter: number
  /** The least milliseconds that a date in Retry-After holds them back. */
  readonly minDelay: number
  /** Aborted when nothing more may be sent. */
  readonly ending: AbortSignal
  /** Called with the number of bytes of an answer that arrived. */
  readonly onBytes: (length: number) => void
}

/**
 * A transport that waits for a slot.
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

/** Reports if an error may mean that the server bears no more. A redirect that a browser hides is an answer. */
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
