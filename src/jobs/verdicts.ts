/** Verdicts in the ledger: each target gets one, in the transaction that checks the lease. Counts are kept beside them. */

import {createFailure, pathOf} from '../multistatus/failure.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import {ancestorsOf} from '../protocol/href.ts'
import type {StoredJob} from './job.ts'
import type {Row, Sql, Value} from './store.ts'
import {numberOf, textOf} from './store.ts'
import type {Unit} from './units.ts'
import {release, SET_ASIDE} from './units.ts'

/** A verdict to store, as a row of its table. */
export type VerdictRow = readonly Value[]

/** The columns of a verdict. */
const VERDICT = ['unit', 'n', 'ok', 'retryable', 'doubt', 'status', 'reason', 'detail']

/** Makes the row of a verdict. A plain Success is stored as its status alone. */
export function verdictRow(
  unit: number,
  n: number,
  result: DavResult,
  isInDoubt: boolean,
): VerdictRow {
  const {ok, status} = result
  const reason = result.ok ? '' : result.reason
  const detail = isPlain(result) ? '' : JSON.stringify(result)
  return [
    unit,
    n,
    ok ? 1 : 0,
    !result.ok && mayRetry(result) ? 1 : 0,
    isInDoubt ? 1 : 0,
    status,
    reason,
    detail,
  ]
}

/**
 * Tells of failures for which another run of the job may do better. A collection waits for its members only. A listing changes
 * nothing, so one that was refused is tried again too.
 */
function mayRetry(failure: Failure): boolean {
  const {reason, request} = failure
  return isRetryable(failure) || reason === 'member' || request?.method === 'PROPFIND'
}

/** Recognizes a Success of which the ledger keeps nothing but its status. */
function isPlain(result: DavResult): boolean {
  if (!result.ok || result.relation !== 'self') return false
  const {href, url, properties, missing, description, attempts = 1, request, ...others} = result
  const facts = Object.keys(others).filter((name) => !['ok', 'relation', 'status'].includes(name))
  return (
    facts.length === 0 &&
    attempts === 1 &&
    request === undefined &&
    description === undefined &&
    href === pathOf(url) &&
    Object.keys(properties).length === 0 &&
    missing.length === 0
  )
}

/** Stores verdicts, each once, and counts them. */
export async function recordVerdicts(
  sql: Sql,
  {job, worker, name = ''}: {readonly job: string; readonly worker: string; readonly name?: string},
  rows: readonly VerdictRow[],
): Promise<void> {
  if (rows.length === 0) return
  const inserted = await sql.insert('verdict', VERDICT, rows, 'ok, doubt, status, reason')
  await count(sql, job, worker, tallyOf(inserted, name))
}

/** Counts verdicts by their kind. Those of listings have names of their own. */
export function tallyOf(verdicts: readonly Row[], name: string): Map<string, number> {
  const counts = new Map<string, number>()
  const add = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)
  for (const verdict of verdicts) {
    if (numberOf(verdict, 'ok') === 1) add(`${name}ok`)
    else add(`${name}${textOf(verdict, 'reason')} ${numberOf(verdict, 'status')}`)
    if (numberOf(verdict, 'doubt') === 1) add(`${name}doubt`)
  }
  return counts
}

/** Adds counts to those of a worker. */
export async function count(
  {run, insert}: Sql,
  job: string,
  worker: string,
  counts: ReadonlyMap<string, number>,
): Promise<void> {
  const names = [...counts.keys()].toSorted()
  await insert(
    'tally',
    ['job', 'worker', 'name', 'count'],
    names.map((name) => [job, worker, name, 0]),
  )
  for (const name of names) {
    await run(
      'update tally set count = count + cast(? as bigint) where job = ? and worker = ? and name = ?',
      [counts.get(name) ?? 0, job, worker, name],
    )
  }
}

/** Keeps the collections around a failed target. From the root down, so that transactions do not lock each other out. */
export async function block({insert}: Sql, job: string, path: string): Promise<void> {
  const around = ancestorsOf(path).filter((one) => one !== '')
  const rows = around.toReversed().map((one) => [job, one])
  await insert('blocked', ['job', 'path'], rows)
}

/** Sets a unit aside whose workers ended one after another. What has no verdict becomes a Failure, which `retryJob` tries again. */
export async function setAside(
  sql: Sql,
  {id, base, kind}: StoredJob,
  unit: Unit,
  worker: string,
): Promise<void> {
  const rows = await sql.all(
    `select i.n as n, i.name as name, c.path as path from item i join collection c on c.id = i.collection
      where i.unit = ? and not exists (select 1 from verdict v where v.unit = i.unit and v.n = i.n)`,
    [unit.id],
  )
  const {origin} = new URL(base)
  const description = `Set aside: ${unit.epoch - 1} workers ended while they held its unit`
  const verdicts = rows.map((row) => {
    const url = origin + textOf(row, 'path') + textOf(row, 'name')
    const facts = {url, status: 0, reason: 'no-answer', cause: 'unreadable', description} as const
    return verdictRow(unit.id, numberOf(row, 'n'), createFailure(facts), false)
  })
  const name = unit.kind === 'list' ? 'listing ' : ''
  await recordVerdicts(sql, {job: id, worker, name}, verdicts)
  // Requests of one unit have one collection. A collection that was not listed is kept itself.
  const kept = rows.map((row) =>
    unit.kind === 'list' ? `${textOf(row, 'path')}${textOf(row, 'name')}/` : textOf(row, 'path'),
  )
  if (kind === 'delete') for (const path of new Set(kept)) await block(sql, id, path)
  await release(sql, unit, SET_ASIDE)
}
