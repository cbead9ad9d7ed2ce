/** The context of the work on a unit, and the transactions that only its holder can make. */

import type {DavClient} from '../client/dav-client.ts'
import type {Failure} from '../multistatus/result.ts'
import {delayAfter, resolvePolicy} from '../retry/policy.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import type {StoredJob} from './job.ts'
import type {Sql, Store} from './store.ts'
import {textOf} from './store.ts'
import type {Unit} from './units.ts'
import {cool, heldOf, LostUnitError} from './units.ts'

/** The context of the work on claimed units. */
export interface Work {
  readonly store: Store
  readonly job: StoredJob
  /** The units, all of one kind. */
  readonly units: readonly Unit[]
  readonly dav: DavClient
  readonly worker: string
  /** Milliseconds of the lease. */
  readonly lease: number
  /** The requests that the worker may have at once. */
  readonly slots: Slots
  /** The number of requests between two transactions. */
  readonly rhythm: Rhythm
  /** Aborted when the worker stops, and when it has lost a unit. */
  readonly signal: AbortSignal
}

/** The requests that a worker may have at once, shared by its lanes. A lane that is alone gets all of them. */
export class Slots {
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #free: number
  #lanes = 0

  constructor(most: number) {
    this.#most = most
    this.#free = most
  }

  /** Runs the work of a lane, which takes part in the sharing. */
  async share<T>(run: () => Promise<T>): Promise<T> {
    this.#lanes++
    try {
      return await run()
    } finally {
      this.#lanes--
    }
  }

  /** Runs requests with the slots of a lane, not more than it needs. Waits until there is one. */
  async use<T>(needed: number, run: (slots: number) => Promise<T>): Promise<T> {
    while (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const share = Math.ceil(this.#most / this.#lanes)
    const taken = Math.max(1, Math.min(this.#free, needed, share))
    this.#free -= taken
    try {
      return await run(taken)
    } finally {
      this.#free += taken
      for (const resume of this.#waiting.splice(0)) resume()
    }
  }
}

/** The time limits of each call: a job has no limit for a whole call, because its rounds are no calls of the caller. */
export const TIMEOUT: Timeouts = {total: Number.POSITIVE_INFINITY}

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

/** The units that are not done after the work, with the milliseconds until their next claim. */
export type Rest = ReadonlyMap<number, number>

/** Leaves all units for a later claim. */
export function restOf(units: readonly Unit[], wait: number): Rest {
  return new Map(units.map(({id}) => [id, wait]))
}

/** Thrown where the job was cancelled. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError'
}

/** The state of the work in a transaction of its holder. */
export interface Holding {
  /** False after the job was cancelled: results are stored, and nothing new begins. */
  readonly isOpen: boolean
  /** Tells of a unit that still belongs to the worker. Nothing is written to another one. */
  readonly isHeld: (unit: number) => boolean
}

/**
 * Runs a transaction of the holder.
 *
 * @throws LostUnitError after the transaction if a unit belongs to another worker by now. CancelledError after that of a cancelled
 *   job.
 */
export async function whileHeld<T>(
  {store, units, lease, job}: Work,
  run: (sql: Sql, holding: Holding) => Promise<T>,
): Promise<T> {
  const {result, held, isOpen} = await store.transaction(async (sql) => {
    const ids = await heldOf(sql, units, lease)
    const [row] = await sql.all('select state from job where id = ?', [job.id])
    const holding = {isOpen: textOf(row, 'state') === 'open', isHeld: (id: number) => ids.has(id)}
    if (ids.size === 0) throw new LostUnitError('Another worker has claimed the units')
    return {result: await run(sql, holding), held: ids, isOpen: holding.isOpen}
  })
  if (held.size < units.length) throw new LostUnitError('Another worker has claimed a unit')
  if (!isOpen) throw new CancelledError(`The job ${job.id} was cancelled`)
  return result
}

/** Computes the milliseconds until the next attempt. */
export function waitAfter({job}: Work, attempts: number, {retryAfter}: Failure): number {
  const {minDelay, maxDelay} = job.options.retry
  const policy = resolvePolicy({minDelay, maxDelay, maxRetryAfter: maxDelay})
  return delayAfter(policy, attempts, retryAfter, Math.random())
}

/** Recognizes an answer after which all workers wait. RFC 6585, section 4; RFC 9110, section 15.6.4. */
export function asksForRest({status, retryAfter}: Failure): boolean {
  return status === 429 || (status === 503 && retryAfter !== undefined)
}

/** Holds all workers back from the server. */
export async function coolDown(sql: Sql, {job}: Work, wait: number): Promise<void> {
  if (wait > 0) await cool(sql, job.origin, wait)
}
