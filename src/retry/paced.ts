/** Exchanges at the pace of their call: each takes its place before it is sent, and keeps it until its body has ended. */

import {readChunks} from '../multistatus/source.ts'
import {DavNetworkError} from '../protocol/errors.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import type {DavBody, DavResponse, Transport} from '../transport/transport.ts'
import {discard} from '../transport/transport.ts'
import type {Pace, Place} from './pace.ts'
import {sleep} from './sleep.ts'
import {NotSentError} from './not-sent.ts'

/** How exchanges wait. */
export interface PacedOptions {
  /** Milliseconds that Retry-After holds back every request at the most, 0 where it holds back none. */
  readonly maxRetryAfter: number
  /** Milliseconds that a date in Retry-After holds them back at the least. */
  readonly minDelay: number
  /** Nothing is sent any more once it is aborted. */
  readonly ending: AbortSignal
  /** Is told how many bytes of an answer have arrived. */
  readonly onBytes: (length: number) => void
}

/**
 * A transport that waits for a place.
 *
 * @throws NotSentError where the call ends before there is one.
 */
export function withPace(transport: Transport, pace: Pace, options: PacedOptions): Transport {
  return async (request) => {
    const place = await enter(pace, options.ending)
    let response: DavResponse
    try {
      response = await transport(request)
    } catch (error) {
      if (isOvercharge(error)) place.tell(false)
      place.leave()
      throw error
    }
    const {status, headers, body} = response
    const isOverdone = status === 429 || status === 503
    place.tell(!isOverdone)
    const asked = isOverdone ? readRetryAfter(headers, Date.now(), options.minDelay) : undefined
    if (asked !== undefined) pace.hold(Math.min(asked, options.maxRetryAfter))
    if (body === null) {
      place.leave()
      return response
    }
    return {...response, body: leaving(response, body, place, options)}
  }
}

/** Reports if an error may mean that the server bears no more. A redirect that a browser hides is an answer. */
function isOvercharge(error: unknown): boolean {
  return error instanceof DavNetworkError && !(error instanceof HiddenRedirectError)
}

async function enter(pace: Pace, ending: AbortSignal): Promise<Place> {
  for (;;) {
    if (pace.held > 0) {
      await sleep(pace.held, ending)
      continue
    }
    const place = await pace.enter()
    if (ending.aborted) {
      place.leave()
      throw new NotSentError(ending.reason)
    }
    if (pace.held === 0) return place
    place.leave()
  }
}

/** A body at whose end, whatever that is, the place is left. */
function leaving(
  response: DavResponse,
  body: DavBody,
  place: Place,
  {onBytes}: PacedOptions,
): DavBody {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for await (const chunk of readChunks(body)) {
          if (typeof chunk === 'string') continue
          onBytes(chunk.length)
          yield chunk
        }
      } catch (error) {
        if (isOvercharge(error)) place.tell(false)
        throw error
      } finally {
        place.leave()
      }
    },
    async cancel() {
      await discard(response)
      place.leave()
    },
  }
}
