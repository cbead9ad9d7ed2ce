/**
 * The connection of one call to the server: its signals, its counters and its pace. It retries nothing by itself.
 */

import {DavTimeoutError} from '../protocol/errors.ts'
import {Group} from '../protocol/group.ts'
import type {SentScheme} from '../protocol/challenge.ts'
import {keepAlive, startTimer} from '../protocol/wait.ts'
import {Pace} from '../retry/pace.ts'
import type {ResolvedPolicy} from '../retry/policy.ts'
import {Repeats} from '../retry/repeats.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import type {OpenResponse} from '../transport/deadlines.ts'
import type {ResolvedTimeouts, Timeouts} from '../transport/timeouts.ts'
import {resolveTimeouts} from '../transport/timeouts.ts'
import type {DavRequest} from '../transport/transport.ts'
import type {StoredLock} from './lock-store.ts'
import type {CallState, Session} from './session.ts'

/** Settings of a connection. */
export interface ConnectionOptions {
  readonly policy: ResolvedPolicy | undefined
  readonly concurrency?: number
  /** The fewest exchanges at once, of a call that needs so many. Default: 1. */
  readonly minimum?: number
  /** The call's own signal. */
  readonly signal: AbortSignal | undefined
  /** The call's own time limits. */
  readonly timeout?: number | Timeouts | undefined
  /** Milliseconds for sent requests to be answered after a signal. Default: none. */
  readonly grace?: number
}

const IN_TIME: Pick<AbortSignal, 'aborted' | 'reason'> = {aborted: false, reason: undefined}

/** The connection of one call. The client's signal and the call's own signal end it. */
export class Connection implements CallState {
  readonly policy: ResolvedPolicy | undefined
  readonly pace: Pace
  /** The repetitions, for a call with a policy. */
  readonly repeats: Repeats | undefined
  /** Aborted when no new request may start. */
  readonly ending: AbortSignal
  /** Aborted to end the exchanges under way. */
  readonly signal: AbortSignal
  readonly exchanges: CallState['exchanges'] = new Group()
  readonly timeouts: ResolvedTimeouts
  /** True if sent requests have time to be answered after `ending` and before `signal`, so that each target has its verdict. */
  readonly isGraceful: boolean
  /** The locks that were lost during the call. */
  readonly lost: StoredLock[] = []
  /** The number of sent requests. */
  requests = 0
  /** The number of received bytes in bodies. */
  bytes = 0
  /** The scheme of the last sent credentials. */
  sent: SentScheme = 'none'
  readonly #session: Session
  readonly #grace: number
  // Not AbortSignal.any: its signals stay in memory as long as their sources, and a client lives long.
  readonly #ending = new AbortController()
  readonly #end: AbortController
  readonly #stop = new AbortController()
  /** The signal of this call alone. */
  readonly #own: AbortSignal | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Holds the error of the call after its time limit. */
  #late = IN_TIME
  #lateTimer: ReturnType<typeof setTimeout> | undefined

  /** @throws TypeError or RangeError for an invalid time limit. */
  constructor(session: Session, options: ConnectionOptions) {
    const {policy, concurrency = session.concurrency, minimum, signal, grace = 0} = options
    this.timeouts = resolveTimeouts(options.timeout, session.timeouts)
    this.#session = session
    this.#grace = grace
    this.#own = signal
    this.#end = grace === 0 ? this.#ending : new AbortController()
    this.ending = this.#ending.signal
    this.signal = this.#end.signal
    this.isGraceful = grace > 0
    this.policy = policy
    this.pace = new Pace(concurrency, session.server, minimum)
    this.repeats = policy && new Repeats(policy, this.pace, this.ending)
    session.calls.add(this)
    signal?.addEventListener('abort', this.onAbort, {once: true})
    this.onAbort()
    const {total} = this.timeouts
    if (total < Number.POSITIVE_INFINITY) this.#limit(performance.now() + total)
  }

  /**
   * The locks whose tokens a request may submit: those of the client, and lost ones. No request of the call may write what the
   * caller believes to be locked.
   */
  get locks(): readonly StoredLock[] {
    return [...this.#session.locks, ...this.lost]
  }

  /** Aborted by `stop`. */
  get stopping(): AbortSignal {
    return this.#stop.signal
  }

  /** Sends a request at the pace of the call. Throws NotSentError if the call ends first. */
  send(request: DavRequest): Promise<OpenResponse> {
    const {headers, send} = this.#session
    const all = {...headers, ...request.headers}
    return send({...request, headers: all, signal: this.signal}, this)
  }

  /** Reports if an error means the end of the call. */
  isEnd(error: unknown): boolean {
    const {aborted, reason} = this.ending
    return error instanceof NotSentError || (aborted && error === reason)
  }

  /** Reports if an error is that of the time limit of the call. It is of no other call, unlike the reason of a signal. */
  isLate(error: unknown): boolean {
    return this.#late.aborted && error === this.#late.reason
  }

  /** Ends everything at once: the reader has gone, or a listener has thrown the reason. */
  stop(reason?: unknown): void {
    this.#stop.abort(reason)
    this.onAbort()
  }

  /** Stops listening to the signals. */
  close(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#lateTimer)
    this.#session.calls.delete(this)
    this.#own?.removeEventListener('abort', this.onAbort)
  }

  /** Ends the call if one of its signals is aborted. */
  readonly onAbort = (): void => {
    const {stopping} = this
    const sources = [...this.#session.calls.ends, this.#own, stopping, this.#late]
    const source = sources.find((one) => one?.aborted === true)
    if (source === undefined) return
    this.#ending.abort(source.reason)
    if (this.#grace === 0 || stopping.aborted) this.#abort(stopping.reason)
    else this.#timer ??= setTimeout(() => this.#abort(), this.#grace)
  }

  #abort(reason: unknown = this.ending.reason): void {
    this.#end.abort(reason)
    for (const exchange of this.exchanges.all()) exchange.break(this.signal.reason)
  }

  /** Ends the call at a time. One timer may not hold all of a long wait. A call that nobody reads does not keep the process alive. */
  #limit(end: number): void {
    const rest = end - performance.now()
    if (rest > 0) {
      this.#lateTimer = startTimer(() => this.#limit(end), rest)
      keepAlive(this.#lateTimer, false)
      return
    }
    const sentence = `The call did not end within ${this.timeouts.total} ms: if it may take longer, raise timeout.total`
    this.#late = {aborted: true, reason: new DavTimeoutError(sentence, 'total')}
    this.onAbort()
  }
}
