/**
 * Units of work: how one worker gets one, keeps it, and gives it back. A lease ends by the clock of the store. Whoever claims the
 * unit then raises its epoch, and each write of the earlier holder is refused.
 */

import type {Sql} from './store.ts'
import {numberOf, textOf} from './store.ts'

/** The kinds of units: requests to send, collections to list, and two sides to compare. */
export type UnitKind = 'send' | 'list' | 'compare'

/** The states of a unit in its column. */
export const OPEN = 0
const CLAIMED = 1
export const DONE = 2
export const SET_ASIDE = 3

/** The level of listings: they come before all requests. */
export const LISTINGS = 2_000_000
/** The level of resources that are known to have no members. Collections have their depth, or this minus their depth. */
export const FILES = 1_000_000

/** Losses of a unit without any progress, after which it is set aside. */
export const MOST_CRASHES = 3

/** A claimed unit. */
export interface Unit {
  readonly id: number
  readonly kind: UnitKind
  readonly collection: number
  readonly level: number
  readonly epoch: number
  /** Losses without any progress since. After one, progress is stored in small steps, so that few of them set a unit aside. */
  readonly crashes: number
}

/** What a claim found: a unit; the milliseconds until there may be one; a unit that kills its workers; or that all is done. */
export type Claim =
  | {readonly unit: Unit}
  | {readonly wait: number}
  | {readonly poisoned: Unit}
  | {readonly isDone: true}

/** Thrown where a unit belongs to another worker by now. */
export class LostUnitError extends Error {
  override readonly name = 'LostUnitError'
}

interface ClaimOptions {
  readonly job: string
  readonly worker: string
  readonly lease: number
  readonly origin: string
}

/** Claims a unit of the highest level that has unfinished ones. */
export async function claim(sql: Sql, {job, worker, lease, origin}: ClaimOptions): Promise<Claim> {
  const {all, run, now} = sql
  const [top] = await all(
    'select level from unit where job = ? and state < 2 order by level desc limit 1',
    [job],
  )
  if (top === undefined) return {isDone: true}
  const held = await cooldownOf(sql, origin)
  if (held > 0) return {wait: held}
  const level = numberOf(top, 'level')
  const open = 'job = ? and level = ? and state < 2'
  const [row] = await all(
    `select id, kind, collection, level, epoch, state, crashes from unit
      where ${open} and due <= ${now} order by due, id limit 1${sql.skipLocked}`,
    [job, level],
  )
  if (row === undefined) {
    const [next] = await all(`select min(due) - ${now} as wait from unit where ${open}`, [
      job,
      level,
    ])
    return {wait: Math.max(0, numberOf(next, 'wait'))}
  }
  const id = numberOf(row, 'id')
  // A unit that is claimed and due was lost by its holder.
  const crashes = numberOf(row, 'crashes') + (numberOf(row, 'state') === CLAIMED ? 1 : 0)
  const epoch = numberOf(row, 'epoch') + 1
  await run(
    `update unit set state = ?, epoch = ?, worker = ?, crashes = ?, due = ${now} + cast(? as bigint) where id = ?`,
    [CLAIMED, epoch, worker, crashes, lease, id],
  )
  const unit = {
    id,
    kind: textOf(row, 'kind') as UnitKind,
    collection: numberOf(row, 'collection'),
    level,
    epoch,
    crashes,
  }
  return crashes >= MOST_CRASHES ? {poisoned: unit} : {unit}
}

/**
 * Checks in a transaction that the unit still belongs to its holder, and prolongs the lease.
 *
 * @throws LostUnitError
 */
export async function assertHeld(
  {all, run, now, forUpdate}: Sql,
  {id, epoch}: Unit,
  lease: number,
): Promise<void> {
  const [row] = await all(
    `select due - ${now} as held from unit where id = ? and epoch = ? and state = ?${forUpdate}`,
    [id, epoch, CLAIMED],
  )
  if (row === undefined) throw new LostUnitError('Another worker has claimed the unit')
  // Each change of `due` costs an entry of an index, so it is changed at a third of the lease.
  if (numberOf(row, 'held') < (lease * 2) / 3)
    await run(`update unit set due = ${now} + cast(? as bigint) where id = ?`, [lease, id])
}

/** Forgets the losses of a unit that has made progress. */
export async function noteProgress({run}: Sql, {id}: Unit): Promise<void> {
  await run('update unit set crashes = 0 where id = ? and crashes > 0', [id])
}

/** Gives a unit back: done, set aside, or to be claimed again after some milliseconds. */
export async function release(
  {run, now}: Sql,
  {id, epoch}: Unit,
  state: typeof OPEN | typeof DONE | typeof SET_ASIDE,
  wait = 0,
): Promise<void> {
  await run(
    `update unit set state = ?, due = ${wait === 0 ? '0' : `${now} + cast(? as bigint)`} where id = ? and epoch = ?`,
    [state, ...(wait === 0 ? [] : [Math.ceil(wait)]), id, epoch],
  )
}

/** Milliseconds for which no worker sends anything to an origin. */
export async function cooldownOf({all, now}: Sql, origin: string): Promise<number> {
  const [row] = await all(`select until - ${now} as held from cooldown where origin = ?`, [origin])
  return Math.max(0, numberOf(row, 'held'))
}

/** Holds all workers back from an origin. A longer cooldown stays. */
export async function cool(sql: Sql, origin: string, milliseconds: number): Promise<void> {
  const {run, now, insert} = sql
  await insert('cooldown', ['origin', 'until'], [[origin, 0]])
  const until = `${now} + cast(? as bigint)`
  await run(`update cooldown set until = ${until} where origin = ? and until < ${until}`, [
    Math.ceil(milliseconds),
    origin,
    Math.ceil(milliseconds),
  ])
}
