/**
 * Forgets what was listed below collections that were removed before the listing of their parent was repeated. Their workers lose
 * their units, so that nothing of it is stored later.
 */

import {looksLikeCollection} from '../multistatus/selection.ts'
import {below, collectionId, requestOf} from './items.ts'
import type {StoredJob} from './job.ts'
import type {Row, Sql} from './store.ts'
import {numberOf, textOf} from './store.ts'
import {count, tallyOf} from './verdicts.ts'

/** A tree of a job, and the worker that forgets a part of it. */
export interface Forgetting {
  readonly job: StoredJob
  readonly tree: number
  readonly worker: string
}

/** Forgets all below a collection, by its URL. */
export async function forgetBelow(sql: Sql, part: Forgetting, url: string): Promise<void> {
  const own = await collectionId(sql, {id: part.job.id, tree: part.tree}, below(url))
  const removed = await sql.run('delete from entry where collection = ?', [own])
  if (removed > 0) await count(sql, part.job.id, part.worker, new Map([['resources', -removed]]))
  for (const row of await listingsIn(sql, own)) await forgetListing(sql, part, row)
}

/** Forgets all below the former members of a collection that was listed again. What is no collection any more is one of them. */
export async function forgetFormer(sql: Sql, part: Forgetting, url: string): Promise<void> {
  const own = await collectionId(sql, {id: part.job.id, tree: part.tree}, below(url))
  for (const row of await listingsIn(sql, own))
    if (!isStillThere(row, part.job)) await forgetListing(sql, part, row)
}

/** Reads the listings of the members of a collection, with their entries. */
function listingsIn({all}: Sql, collection: number): Promise<readonly Row[]> {
  return all(
    `select i.unit as unit, i.n as n, i.name as name, i.request as request, c.path as path, e.detail as detail
      from item i join collection c on c.id = i.collection
      left join entry e on e.collection = i.collection and e.name = i.name
      where i.collection = ? and i.role = 1`,
    [collection],
  )
}

function isStillThere(row: Row, job: StoredJob): boolean {
  if (row['detail'] === null) return false
  const entry = {url: requestOf(row, job).url, ...JSON.parse(textOf(row, 'detail'))}
  return 'failure' in entry || looksLikeCollection(entry)
}

async function forgetListing(sql: Sql, part: Forgetting, row: Row): Promise<void> {
  const {job, worker} = part
  const [unit, n] = [numberOf(row, 'unit'), numberOf(row, 'n')]
  const verdicts = await sql.all(
    'delete from verdict where unit = ? and n = ? returning ok, doubt, status, reason',
    [unit, n],
  )
  const counts = [...tallyOf(verdicts, 'listing ')].map(
    ([name, number]) => [name, -number] as const,
  )
  await count(sql, job.id, worker, new Map(counts))
  await sql.run('delete from item where unit = ? and n = ?', [unit, n])
  await sql.run(
    'update unit set state = 0, due = 0, epoch = epoch + 1 where id = ? and state = 1',
    [unit],
  )
  await forgetBelow(sql, part, requestOf(row, job).url)
}
