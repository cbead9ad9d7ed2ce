/**
 * Units of work: how a worker gets them, keeps them, and gives them back. A lease ends by the clock of the store. Whoever claims the
 * unit then raises its epoch, and each write of the earlier holder is refused. If that clock is set back, the stored times follow.
 */

import type {Sql, Value} from './store.ts'
import {numberOf, placeholders, textOf} from './store.ts'

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

/** Beginnings of a unit without any progress, after which it is set aside. */
export const MOST_CRASHES = 3

/** The most units of one claim. */
const CLAIMED_UNITS = 64

/** Milliseconds beyond which no cooldown can be meant: the longest delay of a job. */
const LONGEST_MILLISECONDS = 43_200_000
/** Milliseconds by which the clock of the store may go back unnoticed. Leases and waits are longer by as much. */
const SLACK_MILLISECONDS = 5000

/** A claimed unit. */
export interface Unit {
  readonly id: number
  readonly kind: UnitKind
  readonly epoch: number
  /** The number of times that work on it began without any progress. */
  readonly crashes: number
}

/** The outcome of a claim: units of one kind, the milliseconds until there may be some, or the end of the job. */
export type Claim =
  | {readonly units: readonly Unit[]}
  | {readonly wait: number}
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
  /** The most resources of all claimed units. One unit may have more. */
  readonly most: number
}

/** Claims units of the highest level that has unfinished ones. Small ones are claimed together. */
export async function claim(
  sql: Sql,
  {job, worker, lease, origin, most}: ClaimOptions,
): Promise<Claim> {
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
  const rows = await all(
    `select id, kind, epoch, items, crashes from unit
      where ${open} and due <= ${now} order by due, id limit ?${sql.skipLocked}`,
    [job, level, CLAIMED_UNITS],
  )
  if (rows.length === 0) {
    const [next] = await all(`select min(due) - ${now} as wait from unit where ${open}`, [
      job,
      level,
    ])
    return {wait: Math.max(0, numberOf(next, 'wait'))}
  }
  const units: Unit[] = []
  let resources = 0
  for (const row of rows) {
    resources += numberOf(row, 'items')
    const kind = textOf(row, 'kind') as UnitKind
    const crashes = numberOf(row, 'crashes')
    // A unit whose last worker ended is claimed alone.
    const isApart = crashes > 0 || (units[0]?.crashes ?? 0) > 0
    if (units.length > 0 && (resources > most || kind !== units[0]?.kind || isApart)) break
    units.push({id: numberOf(row, 'id'), kind, epoch: numberOf(row, 'epoch') + 1, crashes})
  }
  const ids = units.map(({id}) => id)
  await run(
    `update unit set state = ?, epoch = epoch + 1, worker = ?, due = ${now} + cast(? as bigint)
      where id in (${placeholders(ids.length)})`,
    [CLAIMED, worker, lease, ...ids],
  )
  return {units}
}

/** Writes the condition on units with their epochs. */
function among(units: readonly Unit[]): {readonly condition: string; readonly values: Value[]} {
  const pairs = units.map(() => '(cast(? as bigint), cast(? as bigint))')
  return {
    condition: `(id, epoch) in (values ${pairs.join(', ')})`,
    values: units.flatMap(({id, epoch}) => [id, epoch]),
  }
}

/** Finds the units that still belong to their holder, and prolongs the lease. */
export async function heldOf(
  {all, run, now, forUpdate}: Sql,
  units: readonly Unit[],
  lease: number,
): Promise<ReadonlySet<number>> {
  const {condition, values} = among(units)
  const rows = await all(
    `select id, due - ${now} as held from unit where ${condition} and state = ? order by id${forUpdate}`,
    [...values, CLAIMED],
  )
  const ids = rows.map((row) => numberOf(row, 'id'))
  // Each change of `due` costs an entry of an index, so it is changed at a third of the lease.
  if (rows.some((row) => numberOf(row, 'held') < (lease * 2) / 3))
    await run(
      `update unit set due = ${now} + cast(? as bigint) where id in (${placeholders(ids.length)})`,
      [lease, ...ids],
    )
  return new Set(ids)
}

/** Counts the beginning of work, until there is some progress. */
export async function noteBegin({run}: Sql, units: readonly Unit[]): Promise<void> {
  for (const {id, crashes} of units)
    await run('update unit set crashes = ? where id = ?', [crashes + 1, id])
}

/** Forgets the beginnings of units that have made progress. */
export async function noteProgress({run}: Sql, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  await run(
    `update unit set crashes = 0 where crashes > 0 and id in (${placeholders(ids.length)})`,
    ids,
  )
}

/** Gives units back: done, set aside, or to be claimed again after some milliseconds. */
export async function release(
  {run, now}: Sql,
  units: readonly Unit[],
  state: typeof OPEN | typeof DONE | typeof SET_ASIDE,
  wait = 0,
): Promise<void> {
  if (units.length === 0) return
  const {condition, values} = among(units)
  const due = wait === 0 ? '0' : `${now} + cast(? as bigint)`
  await run(
    `update unit set state = ?, crashes = 0, due = ${due} where ${condition} and state = ?`,
    [state, ...(wait === 0 ? [] : [Math.ceil(wait)]), ...values, CLAIMED],
  )
}

/** Gives units back whose work broke, which counts as a beginning without progress. */
export async function giveUp(sql: Sql, units: readonly Unit[]): Promise<void> {
  const {condition, values} = among(units)
  const {run} = sql
  for (const {id, epoch, crashes} of units)
    await run(
      'update unit set crashes = ? where id = ? and epoch = ? and state = ? and crashes = ?',
      [crashes + 1, id, epoch, CLAIMED, crashes],
    )
  await run(`update unit set state = ?, due = 0 where ${condition} and state = ?`, [
    OPEN,
    ...values,
    CLAIMED,
  ])
}

/**
 * Moves the stored times back if the clock of the store was set back. Workers sign each second, so the latest sign tells by how much.
 */
export async function followClock({all, run, now, forUpdate}: Sql): Promise<void> {
  const aheadOf = async (lock: string): Promise<number> => {
    const [last] = await all(
      `select seen - ${now} as ahead from worker where seen > ${now} + ${SLACK_MILLISECONDS}
        order by seen desc limit 1${lock}`,
    )
    return numberOf(last, 'ahead')
  }
  if ((await aheadOf('')) === 0) return
  // Of several workers that notice it, the first one moves the times.
  const ahead = await aheadOf(forUpdate)
  if (ahead === 0) return
  for (const [table, column] of [
    ['worker', 'seen'],
    ['unit', 'due'],
    ['cooldown', 'until'],
  ])
    await run(
      `update ${table} set ${column} = ${column} - cast(? as bigint) where ${column} > ${now}`,
      [ahead],
    )
}

/** Milliseconds for which no worker sends anything to an origin. */
export async function cooldownOf({all, now}: Sql, origin: string): Promise<number> {
  const [row] = await all(`select until - ${now} as held from cooldown where origin = ?`, [origin])
  const held = numberOf(row, 'held')
  return held > LONGEST_MILLISECONDS ? 0 : Math.max(0, held)
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
