/** Sets units aside that end their workers, so that the rest of the job goes on. */

import {createFailure} from '../multistatus/failure.ts'
import {readItems} from './items.ts'
import type {StoredJob} from './job.ts'
import type {Sql} from './store.ts'
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
  const isListing = unit.kind === 'list'
  const items = await readItems(sql, [unit.id], job)
  const description = `Set aside: ${MOST_CRASHES} workers ended while they held its unit`
  const verdicts = items.map(({n, request}) => {
    const {url, attempts} = request
    const own = isListing ? ({method: 'PROPFIND', url, depth: 1, attempts} as const) : request
    const facts = {url, status: 0, reason: 'no-answer', cause: 'unreadable'} as const
    return verdictRow(unit.id, n, createFailure({...facts, description, request: own}), false)
  })
  await recordVerdicts(sql, {job: id, worker, name: isListing ? 'listing ' : ''}, verdicts)
  // A collection that was not listed is kept itself.
  const keys = items.map(({key}) => (isListing ? `${key}/` : key))
  if (kind === 'delete') await block(sql, id, keys)
  await release(sql, [unit], SET_ASIDE)
}
