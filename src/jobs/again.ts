/** Changes jobs from outside: tries their failures again, cancels them, removes them. Workers see it between their requests. */

import {isMissingStatus} from '../protocol/status.ts'
import type {Failure} from '../multistatus/result.ts'
import {keyOfUrl} from './items.ts'
import type {Job} from './job.ts'
import {readJob} from './job.ts'
import type {Ledger} from './ledger.ts'
import {LedgerError, storeOf} from './ledger.ts'
import type {Sql, Store} from './store.ts'
import {numberOf, placeholders, textOf} from './store.ts'
import {OPEN} from './units.ts'
import {block, count, tallyOf} from './verdicts.ts'

/** Rows of one page. */
const PAGE = 1000

/**
 * Opens a job that is done or was cancelled once more. Its retryable failures lose their verdicts and are tried again by `runJob`;
 * the rest keeps them. Collections that were not deleted because of their members are tried again too. Of a cancelled job, also
 * the targets without a verdict are done.
 *
 * @returns The number of failures that will be tried again, listings included. A job without any stays done.
 * @throws {@link LedgerError} `state` for a job that is still open.
 */
export async function retryJob(ledger: Ledger, job: Job | string): Promise<number> {
  const store = storeOf(ledger)
  // No worker begins anything in this state. A call that was interrupted is repeated.
  const stored = await store.transaction(async (sql) => {
    const own = await readJob(sql, job, sql.forUpdate)
    if (own.state === 'open' || own.state === 'filling')
      throw new LedgerError('state', `The job ${own.id} is still ${own.state}`)
    await sql.run("update job set state = 'reopening' where id = ?", [own.id])
    // Workers whose requests are still under way lose their units, so that no verdict comes behind this call.
    await sql.run(
      'update unit set state = ?, due = 0, epoch = epoch + 1 where job = ? and state = 1',
      [OPEN, own.id],
    )
    return own
  })
  const {id, kind, ended} = stored
  let reopened = 0
  for await (const unit of unitsOf(store, id, 'retryable = 1'))
    reopened += await store.transaction((sql) => reopen(sql, id, unit))
  const keys = kind === 'delete' ? await blockingKeys(store, id) : []
  await store.transaction(async (sql) => {
    const {run} = sql
    const isOurs = await run(
      "update job set state = 'open', ended = 0 where id = ? and state = ?",
      [id, 'reopening'],
    )
    if (isOurs === 0) return
    // A side of a diff may be another one by now.
    const [left] = await sql.all(
      "select 1 as one from unit where job = ? and (state < 2 or kind = 'compare') limit 1",
      [id],
    )
    if (left === undefined) {
      await run("update job set state = 'done', ended = ? where id = ?", [ended, id])
      return
    }
    await run('delete from blocked where job = ?', [id])
    await block(sql, id, keys)
    await run(
      "update unit set state = ?, due = 0, crashes = 0 where job = ? and kind = 'compare'",
      [OPEN, id],
    )
    await run('delete from difference where job = ?', [id])
    await run(
      "delete from tally where job = ? and (name = 'not compared' or name like 'difference %')",
      [id],
    )
  })
  return reopened
}

/** Lists the units of a job that have a verdict of some kind. */
async function* unitsOf(store: Store, job: string, verdict: string): AsyncGenerator<number> {
  for (let last = 0; ;) {
    const rows = await store.read(({all}) =>
      all(
        `select id from unit u where job = ? and id > ?
          and exists (select 1 from verdict v where v.unit = u.id and v.${verdict}) order by id limit ?`,
        [job, last, PAGE],
      ),
    )
    for (const row of rows) yield numberOf(row, 'id')
    if (rows.length < PAGE) return
    last = numberOf(rows.at(-1), 'id')
  }
}

/** Takes the retryable verdicts of a unit back. Only rows that this transaction deletes are counted. */
async function reopen(sql: Sql, job: string, unit: number): Promise<number> {
  const {all, run} = sql
  // Another call may have opened the job meanwhile.
  if ((await readJob(sql, job, sql.forUpdate)).state !== 'reopening') return 0
  const [own] = await all('select kind from unit where id = ?', [unit])
  const rows = await all(
    'delete from verdict where unit = ? and retryable = 1 returning n, ok, doubt, status, reason',
    [unit],
  )
  if (rows.length === 0) return 0
  const counts = tallyOf(rows, textOf(own, 'kind') === 'list' ? 'listing ' : '')
  await count(sql, job, '', new Map([...counts].map(([name, number]) => [name, -number])))
  const numbers = rows.map((row) => numberOf(row, 'n'))
  // The attempts begin anew. What may have been sent is still known.
  await run(
    `update item set attempts = 0 where unit = ? and n in (${placeholders(numbers.length)})`,
    [unit, ...numbers],
  )
  await run('update unit set state = ?, due = 0, crashes = 0 where id = ?', [OPEN, unit])
  return rows.length
}

/** Finds the targets whose failures are left, and the collections that were not listed as a whole, by their keys. */
async function blockingKeys(store: Store, job: string): Promise<readonly string[]> {
  const keys = new Map<string, string>()
  for await (const unit of unitsOf(store, job, 'ok = 0')) {
    const rows = await store.read(({all}) =>
      all(
        `select i.name as name, i.request as request, i.role as role, c.path as path, v.status as status,
            v.detail as detail
          from verdict v join item i on i.unit = v.unit and i.n = v.n
          join collection c on c.id = i.collection where v.unit = ? and v.ok = 0`,
        [unit],
      ),
    )
    for (const row of rows) {
      if (isMissingStatus(numberOf(row, 'status'))) continue
      // A refused target has no request of its own.
      const {request, url} = JSON.parse(textOf(row, 'detail')) as Failure
      const key = keyOfUrl(request?.url ?? url)
      // One key for each collection is enough.
      const isListing = numberOf(row, 'role') === 1
      keys.set(isListing ? `${key}/` : textOf(row, 'path'), isListing ? `${key}/` : key)
    }
  }
  return [...keys.values()]
}

/**
 * Cancels a job. Its workers store the verdicts of requests under way and send nothing more. Verdicts stay; `retryJob` opens the
 * job again.
 *
 * @throws {@link LedgerError} without such a job, and `state` for one whose targets are not all stored: remove it.
 */
export async function cancelJob(ledger: Ledger, job: Job | string): Promise<void> {
  await storeOf(ledger).transaction(async (sql) => {
    const {id, state} = await readJob(sql, job)
    // Once opened again, it would be taken for whole.
    if (state === 'filling')
      throw new LedgerError('state', `The targets of the job ${id} are not all stored; remove it`)
    await sql.run(
      `update job set state = 'cancelled', ended = ${sql.now} where id = ? and state in ('open', 'reopening')`,
      [id],
    )
  })
}

/**
 * Removes a job with all its verdicts from the ledger. Nothing at the server changes.
 *
 * @throws {@link LedgerError} `state` for an open job: cancel it first.
 */
export async function removeJob(ledger: Ledger, job: Job | string): Promise<void> {
  await storeOf(ledger).transaction(async (sql) => {
    const {id, state} = await readJob(sql, job)
    if (state === 'open') throw new LedgerError('state', `The job ${id} is open; cancel it first`)
    await deleteRows(sql, id)
  })
}

/** Deletes all rows of a job. */
export async function deleteRows({run}: Sql, job: string): Promise<void> {
  const units = 'unit in (select id from unit where job = ?)'
  await run(`delete from verdict where ${units}`, [job])
  await run(`delete from item where ${units}`, [job])
  await run('delete from entry where collection in (select id from collection where job = ?)', [
    job,
  ])
  for (const table of ['unit', 'collection', 'blocked', 'tally', 'worker', 'difference'])
    await run(`delete from ${table} where job = ?`, [job])
  await run('delete from job where id = ?', [job])
}
