/** Verdicts in the ledger: each target gets one, in the transaction that checks the lease. Counts are kept beside them. */

import {pathOf} from '../multistatus/failure.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import {ancestorsOf} from '../protocol/href.ts'
import {shorten} from './shorten.ts'
import type {Row, Sql, Value} from './store.ts'
import {numberOf, textOf} from './store.ts'

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
 * nothing, so one that was refused is tried again too. So is a refused upload: its local file may have been away for a moment.
 */
function mayRetry(failure: Failure): boolean {
  const {reason, request} = failure
  if (isRetryable(failure) || reason === 'member' || request?.method === 'PROPFIND') return true
  return reason === 'refused' && request?.method === 'PUT'
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

/**
 * Keeps the collections around failed targets, by the keys of these. From the root down, so that transactions do not lock each
 * other out.
 */
export async function block({insert}: Sql, job: string, keys: Iterable<string>): Promise<void> {
  const paths = new Set<string>()
  for (const key of keys)
    for (const path of ancestorsOf(key.replace(/\?.*$/su, ''))) if (path !== '') paths.add(path)
  const rows = [...paths].toSorted().map((path) => [job, shorten(path)])
  await insert('blocked', ['job', 'path'], rows)
}
