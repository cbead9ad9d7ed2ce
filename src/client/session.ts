/** What all requests of one client share. */

import type {Decoders} from '../properties/vocabulary.ts'
import type {Limits} from '../multistatus/limits.ts'
import type {ResolvedPolicy} from '../retry/policy.ts'
import type {Auth} from '../transport/auth.ts'
import {withAuth} from '../transport/auth.ts'
import {withDeadlines} from '../transport/deadlines.ts'
import {withRedirects} from '../transport/redirects.ts'
import type {Transport} from '../transport/transport.ts'

/** A client's settings, checked and complete. */
export interface Session {
  readonly base: URL
  readonly transport: Transport
  readonly auth: Auth | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly concurrency: number
  readonly retry: ResolvedPolicy | undefined
  readonly limits: Partial<Limits> | undefined
  readonly malformed: 'throw' | 'skip' | undefined
  readonly timeouts: {readonly headers: number; readonly idle: number}
  readonly decoders: Decoders | undefined
  readonly signal: AbortSignal | undefined
  /** What the server has shown of itself. */
  readonly server: {refusesInfinity: boolean}
}

/** The way to the server for one call: counts what is sent, and heeds the client's signal and the call's. */
export interface Line {
  readonly send: Transport
  readonly signal: AbortSignal | undefined
  /** How many requests were sent so far. */
  requests: number
}

/**
 * How many requests may be under way at once.
 *
 * @throws RangeError where that is no whole number above zero.
 */
export function resolveConcurrency(concurrency: number): number {
  if (Number.isSafeInteger(concurrency) && concurrency > 0) return concurrency
  throw new RangeError(`concurrency is a whole number above zero, not ${concurrency}`)
}

/** Opens the way to the server for one call, which any of the signals ends. */
export function openLine(session: Session, ...ends: readonly (AbortSignal | undefined)[]): Line {
  const signals = [session.signal, ...ends].filter((one) => one !== undefined)
  const line: Line = {
    signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0],
    requests: 0,
    send: (request) =>
      send({...request, headers: {...session.headers, ...request.headers}, ...inside(line.signal)}),
  }
  const counted: Transport = (request) => {
    line.requests++
    return session.transport(request)
  }
  const timed = withDeadlines(counted, session.timeouts)
  const authorized =
    session.auth === undefined ? timed : withAuth(timed, session.auth, session.base.origin)
  const send = withRedirects(authorized)
  return line
}

function inside(signal: AbortSignal | undefined): {signal?: AbortSignal} {
  return signal === undefined ? {} : {signal}
}
