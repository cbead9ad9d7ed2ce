/** A client's settings, checked and complete. */

import type {Decoders} from '../properties/vocabulary.ts'
import type {Limits} from '../multistatus/limits.ts'
import type {ServerState} from '../retry/pace.ts'
import type {ResolvedPolicy} from '../retry/policy.ts'
import type {Auth} from '../transport/auth.ts'
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
  readonly server: ServerState & {refusesInfinity: boolean}
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
