/** The session of a client: its checked settings, and the facts about its server that all calls share. */

import type {Decoders} from '../properties/vocabulary.ts'
import type {KnownMarkup} from '../multistatus/known-markup.ts'
import type {Limits} from '../multistatus/limits.ts'
import type {SentScheme} from '../protocol/challenge.ts'
import {assertCount} from '../protocol/options.ts'
import type {ServerState} from '../retry/pace.ts'
import type {PacedCall} from '../retry/paced.ts'
import type {ResolvedPolicy, RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import type {Auth} from '../auth/auth.ts'
import type {EndingCall, OpenResponse} from '../transport/deadlines.ts'
import type {ExchangeListener} from '../transport/dav-exchange.ts'
import type {ResolvedTimeouts} from '../transport/timeouts.ts'
import type {Send, Transport} from '../transport/transport.ts'
import type {Calls} from './calls.ts'
import type {KnownCapabilities} from './capabilities.ts'
import type {LockStore} from './lock-store.ts'
import type {LockTurns} from './lock-turns.ts'

/** The settings of a client, checked and complete. */
export interface Session {
  readonly base: URL
  readonly transport: Transport
  /** Sends a request of a call, with all that the client adds to the transport. */
  readonly send: Send<OpenResponse, CallState>
  readonly auth: Auth | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly concurrency: number
  readonly retry: ResolvedPolicy | undefined
  readonly limits: Partial<Limits> | undefined
  readonly malformed: 'throw' | 'skip' | undefined
  /** The time limits of a call without its own. */
  readonly timeouts: ResolvedTimeouts
  readonly decoders: Decoders | undefined
  readonly onExchange?: ExchangeListener | undefined
  /** The locks that the client holds. */
  readonly locks: LockStore
  /** The requests under way with tokens of locks. */
  readonly lockTurns: LockTurns
  /** Ends calls whose answer was dropped unread; `undefined` if the platform does so. */
  readonly dropped: FinalizationRegistry<UnreadAnswer> | undefined
  /** The calls under way. The client's own signal and its closing end them. */
  readonly calls: Calls
  /** The markup of earlier answers. */
  readonly markup: KnownMarkup
  /** Facts about the server, learnt by earlier calls. */
  readonly server: ServerState & {
    refusesInfinity: boolean
    /** Resolves at the end of a probe for conditional headers that is under way. */
    probing?: Promise<void> | undefined
    /** The most bytes of an upload by TUS, if the server has told that it takes such uploads. */
    tusBytes?: number | undefined
    /** The form of the Destination header that the server accepts, once that is known. */
    destinationForm?: 'url' | 'path'
    readonly capabilities: KnownCapabilities
  }
}

/** The part of a call that its exchanges change. */
export interface CallState extends PacedCall, EndingCall {
  /** The number of sent requests. */
  requests: number
  /** The scheme of the last sent credentials. */
  sent: SentScheme
}

/** An answer for the caller. Emptied at the end of its call, because V8 keeps it until it collects all garbage. */
export interface UnreadAnswer {
  end: (() => void) | undefined
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
  assertCount('concurrency', concurrency)
  return concurrency
}
