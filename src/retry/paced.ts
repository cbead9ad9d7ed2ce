/**
 * A transport at the pace of a call. Each exchange takes a slot before it is sent. It keeps the slot until its body has ended,
 * because a body is work for the server too.
 *
 * If the transport has few connections, the exchange also takes one of the places that all calls of the client share. Nobody waits
 * for ever for a place. Its holder waits for the server alone, within its time limits. A body that is not read loses its place, such
 * as that of a listing whose members are being deleted. A streamed request body takes no place, because its source may need other
 * requests.
 */

import {UNREAD_PLACE_MILLISECONDS} from '../protocol/bounds.ts'
import {DavNetworkError} from '../protocol/errors.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import {untilAborted} from '../protocol/wait.ts'
import type {BodyWatcher, OpenResponse} from '../transport/deadlines.ts'
import {BarredError} from '../transport/barred.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {Send} from '../transport/transport.ts'
import {NotSentError, sleep} from '../protocol/not-sent.ts'
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
 * @param places - The places of the client. Default: no limit.
 * @throws NotSentError if the call ends before there is one.
 */
export function withPace<C extends PacedCall>(
  transport: Send<OpenResponse, C>,
  places?: Pace,
): Send<OpenResponse, C> {
  return async (request, call) => {
    const {pace, policy} = call
    const {slot, place} = await enter(call, isStreamed(request.body) ? undefined : places)
    const onEnd = (error?: unknown): void => {
      if (isOvercharge(error)) slot.report(false)
      slot.free()
      place?.free()
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
    if (body === null) onEnd()
    else {
      body.watch({onBytes: (length) => (call.bytes += length), onEnd})
      if (place !== undefined) body.watch(lapse(place))
    }
    return response
  }
}

/** Reports if an error may mean an overloaded server. */
function isOvercharge(error: unknown): boolean {
  return error instanceof DavNetworkError && !(error instanceof BarredError)
}

/** Frees a place at the end of a body, or before that if the body stays unread. */
function lapse(place: Slot): BodyWatcher {
  const start = (): ReturnType<typeof setTimeout> =>
    setTimeout(() => place.free(), UNREAD_PLACE_MILLISECONDS)
  let timer = start()
  return {
    onRead: () => clearTimeout(timer),
    onBytes: () => (timer = start()),
    onEnd: () => clearTimeout(timer),
  }
}

/** The right to one exchange: a slot of the call and, if the client has places, one of these. */
interface Entry {
  readonly slot: Slot
  readonly place: Slot | undefined
}

async function enter({pace, ending}: PacedCall, places: Pace | undefined): Promise<Entry> {
  for (;;) {
    if (pace.held > 0) {
      await sleep(pace.held, ending)
      continue
    }
    const slot = await pace.enter()
    const place = places && (await enterUntil(ending, places))
    if (!ending.aborted && pace.held === 0) return {slot, place}
    slot.free()
    place?.free()
    if (ending.aborted) throw new NotSentError(ending.reason)
  }
}

/** Waits for a place until the call ends: `undefined` then. Calls before it in the queue may take long. */
async function enterUntil(ending: AbortSignal, places: Pace): Promise<Slot | undefined> {
  const entered = places.enter()
  try {
    return await untilAborted(entered, ending)
  } catch {
    void entered.then((place) => place.free())
    return undefined
  }
}
