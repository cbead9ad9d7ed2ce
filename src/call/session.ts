/** The session of a client: its checked settings, and the facts about its server that all calls share. */

import type {Decoders} from '../properties/vocabulary.ts'
import type {Limits} from '../multistatus/limits.ts'
import type {ServerState} from '../retry/pace.ts'
import type {ResolvedPolicy, RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import type {Auth} from '../transport/auth.ts'
import type {ResolvedTimeouts} from '../transport/deadlines.ts'
import type {Transport} from '../transport/transport.ts'
import type {SentBodies} from '../transport/withheld.ts'
import type {KnownCapabilities} from './capabilities.ts'

/** The settings of a client, checked and complete. */
export interface Session {
  readonly base: URL
  readonly transport: Transport
  readonly auth: Auth | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly concurrency: number
  readonly retry: ResolvedPolicy | undefined
  readonly limits: Partial<Limits> | undefined
  readonly malformed: 'throw' | 'skip' | undefined
  readonly timeouts: ResolvedTimeouts
  readonly decoders: Decoders | undefined
  /** The bodies of requests that can be sent once only. */
  readonly sentBodies: SentBodies
  /** Ends calls whose answer was dropped unread. */
  readonly dropped: FinalizationRegistry<() => void>
  /** The client's own signal and its closing. Each of them ends every call. */
  readonly signals: readonly AbortSignal[]
  /** Facts about the server, learnt by earlier calls. */
  readonly server: ServerState & {
    refusesInfinity: boolean
    /** Resolves at the end of a probe for conditional headers that is under way. */
    probing?: Promise<void> | undefined
    /** True if the server has told that it takes uploads by TUS. */
    hasTus?: boolean
    /** The form of the Destination header that the server accepts, once that is known. */
    destinationForm?: 'url' | 'path'
    readonly capabilities: KnownCapabilities
  }
}

/** Finds the retry policy of a call: its own, else the client's. */
export function resolveRetry(
  session: Session,
  {retry}: {readonly retry?: RetryPolicy | undefined},
): ResolvedPolicy | undefined {
  return retry === undefined ? session.retry : resolvePolicy(retry)
}

/**
 * Checks the number of requests at once.
 *
 * @throws RangeError for a number that is not whole or not above zero.
 */
export function resolveConcurrency(concurrency: number): number {
  if (Number.isSafeInteger(concurrency) && concurrency > 0) return concurrency
  throw new RangeError(`concurrency is a whole number above zero, not ${concurrency}`)
}
