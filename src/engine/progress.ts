/** Counts the verdicts of a bulk call, and reports the progress at a bearable pace. */

import type {DavResult} from '../multistatus/result.ts'
import {PROGRESS_MILLISECONDS, RATE_MILLISECONDS} from '../protocol/bounds.ts'
import type {Connection} from '../call/connection.ts'

/** The progress of a bulk call. */
export interface Progress {
  /** Targets with a verdict, failed ones included. A repeated target counts each time. */
  readonly done: number
  /** Targets with a Failure as verdict. */
  readonly failed: number
  /** Repeated requests. */
  readonly retried: number
  /** Targets that have begun and have no verdict yet. */
  readonly inFlight: number
  /** The number of targets, if they are an array. */
  readonly total?: number
  /** Bytes of the bodies of answers so far, before they are decoded to text. Uploaded bytes are not counted. */
  readonly bytes: number
  /** Verdicts per second, over the last 5 seconds or since the beginning. */
  readonly rate: number
}

/** Counts verdicts and reports them. */
export class ProgressMeter {
  readonly #connection: Connection
  readonly #total: number | undefined
  readonly #listener: ((progress: Progress) => void) | undefined
  readonly #samples: {readonly at: number; readonly done: number}[]
  #started = 0
  #done = 0
  #failed = 0
  #reportedAt = Number.NEGATIVE_INFINITY

  constructor(
    connection: Connection,
    total: number | undefined,
    listener: ((progress: Progress) => void) | undefined,
  ) {
    this.#connection = connection
    this.#total = total
    this.#listener = listener
    this.#samples = [{at: performance.now(), done: 0}]
  }

  /** Counts a target that begins. */
  start(): void {
    this.#started++
  }

  /** Counts a repeated target. */
  fold(): void {
    this.#done++
  }

  /** Counts the verdicts among results. */
  add(results: readonly DavResult<unknown>[]): void {
    if (this.#listener === undefined) return
    for (const result of results) {
      if (result.relation !== 'self') continue
      this.#done++
      if (!result.ok) this.#failed++
    }
    if (performance.now() - this.#reportedAt >= PROGRESS_MILLISECONDS) this.report()
  }

  /** Reports at once, whatever the time of the last report. */
  report(): void {
    const now = performance.now()
    this.#reportedAt = now
    this.#listener?.({
      done: this.#done,
      failed: this.#failed,
      retried: this.#connection.repeats?.count ?? 0,
      inFlight: this.#started - this.#done,
      ...(this.#total !== undefined && {total: this.#total}),
      bytes: this.#connection.bytes,
      rate: this.#rate(now),
    })
  }

  #rate(now: number): number {
    const samples = this.#samples
    samples.push({at: now, done: this.#done})
    while (samples.length > 2 && now - (samples[1]?.at ?? now) >= RATE_MILLISECONDS) samples.shift()
    const [oldest] = samples
    if (oldest === undefined || oldest.at === now) return 0
    return ((this.#done - oldest.done) / (now - oldest.at)) * 1000
  }
}
