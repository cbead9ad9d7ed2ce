/** Sets units aside that end their workers, so that the rest of the job goes on. */

import {createFailure} from '../multistatus/failure.ts'
import {readItem} from './items.ts'
import type {StoredJob} from './job.ts'
import type {Sql} from './store.ts'
import {textOf} from './store.ts'
import type {Unit} from './units.ts'
import {MOST_CRASHES, release, SET_ASIDE} from './units.ts'
import {block, recordVerdicts, verdictRow} from './verdicts.ts'

/** Sets a unit aside whose workers ended one after another. What has no verdict becomes a Failure, which `retryJob` tries again. */
export async function setAside(
  sql: Sql,
  job: StoredJob,
  unit: Unit,
  worker: string,
): Promise<void> {
  const {id, kind} = job
  const rows = await sql.all(
    `select i.n as n, i.name as name, i.request as request, i.attempts as attempts, c.path as path
      from item i join collection c on c.id = i.collection
      where i.unit = ? and not exists (select 1 from verdict v where v.unit = i.unit and v.n = i.n)`,
    [unit.id],
  )
  const description = `Set aside: ${MOST_CRASHES} workers ended while they held its unit`
  const verdicts = rows.map((row) => {
    const {n, request} = readItem(row, job)
    const {url, attempts} = request
    const own =
      unit.kind === 'list' ? ({method: 'PROPFIND', url, depth: 1, attempts} as const) : request
    const facts = {url, status: 0, reason: 'no-answer', cause: 'unreadable'} as const
    return verdictRow(unit.id, n, createFailure({...facts, description, request: own}), false)
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
