/** The context of the work on a unit, and the transactions that only its holder can make. */

import type {DavClient} from '../client/dav-client.ts'
import type {Failure} from '../multistatus/result.ts'
import {delayAfter, resolvePolicy} from '../retry/policy.ts'
import type {StoredJob} from './job.ts'
import type {Sql, Store} from './store.ts'
import {textOf} from './store.ts'
import type {Unit} from './units.ts'
import {assertHeld, cool} from './units.ts'

/** The context of a worker that holds a unit. */
export interface Work {
  readonly store: Store
  readonly job: StoredJob
  readonly unit: Unit
  readonly dav: DavClient
  readonly worker: string
  /** Milliseconds of the lease. */
  readonly lease: number
  /** The most requests at once. */
  readonly concurrency: number
  /** The number of requests between two transactions, which all units of the worker share. */
  readonly rhythm: Rhythm
  /** Aborted when the worker stops, and when it has lost the unit. */
  readonly signal: AbortSignal
}

/** Milliseconds between two transactions that are neither too few nor too many. */
const [SHORT_MILLISECONDS, LONG_MILLISECONDS] = [100, 500]
/** The most requests between two transactions. */
const MOST = 512

/** The size of the rounds of a worker. A kill leaves the outcome of one round unknown, and each round costs a transaction. */
export class Rhythm {
  #size = 16

  /** The number of requests of the next round. */
  get size(): number {
    return this.#size
  }

  /** Adapts the size to the time of a whole round. */
  note(count: number, milliseconds: number): void {
    if (milliseconds > LONG_MILLISECONDS) this.#size = Math.max(1, Math.floor(this.#size / 2))
    else if (count >= this.#size && milliseconds < SHORT_MILLISECONDS)
      this.#size = Math.min(MOST, this.#size * 2)
  }
}

/** The state of a unit after its work: all of it is done, or the rest is to be done after some milliseconds. */
export type Rest = {readonly isDone: true} | {readonly wait: number}

/** Thrown where the job was cancelled. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError'
}

/**
 * Runs a transaction of the holder. `isOpen` is false after the job was cancelled: results are stored, and nothing new begins.
 *
 * @throws LostUnitError if another worker has the unit by now. CancelledError after the transaction of a cancelled job.
 */
export async function whileHeld<T>(
  {store, unit, lease, job}: Work,
  run: (sql: Sql, isOpen: boolean) => Promise<T>,
): Promise<T> {
  let isOpen = true
  const result = await store.transaction(async (sql) => {
    await assertHeld(sql, unit, lease)
    const [row] = await sql.all('select state from job where id = ?', [job.id])
    isOpen = textOf(row, 'state') === 'open'
    return run(sql, isOpen)
  })
  if (!isOpen) throw new CancelledError(`The job ${job.id} was cancelled`)
  return result
}

/** Computes the milliseconds until the next attempt. */
export function waitAfter({job}: Work, attempts: number, {retryAfter}: Failure): number {
  const {minDelay, maxDelay} = job.options.retry
  const policy = resolvePolicy({minDelay, maxDelay, maxRetryAfter: maxDelay})
  return delayAfter(policy, attempts, retryAfter, Math.random())
}

/** Holds all workers back after an answer that asks for it. RFC 6585, section 4; RFC 9110, section 15.6.4. */
export async function coolAfter(
  sql: Sql,
  {job}: Work,
  {status, retryAfter}: Failure,
  wait: number,
): Promise<void> {
  if (status === 429 || (status === 503 && retryAfter !== undefined))
    await cool(sql, new URL(job.base).origin, wait)
}
