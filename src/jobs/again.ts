/** Changes jobs from outside: tries their failures again, cancels them, removes them. Workers see it between their requests. */

import type {Job} from './job.ts'
import {readJob} from './job.ts'
import type {Ledger} from './ledger.ts'
import {LedgerError, storeOf} from './ledger.ts'
import type {Row, Sql} from './store.ts'
import {numberOf, placeholders, textOf} from './store.ts'
import {DONE, OPEN} from './units.ts'
import {block, count, tallyOf} from './verdicts.ts'

/** Units of one transaction. */
const PAGE = 20

/**
 * Opens a job that is done or was cancelled once more. Its retryable failures lose their verdicts and are tried again by `runJob`;
 * the rest keeps them. Collections that were not deleted because of their members are tried again too. Of a cancelled job, also
 * the targets without a verdict are done.
 *
 * @returns The number of failures that will be tried again.
 * @throws {@link LedgerError} `state` for a job that is still open.
 */
export async function retryJob(ledger: Ledger, job: Job | string): Promise<number> {
  const store = storeOf(ledger)
  const {id, kind, state} = await store.read((sql) => readJob(sql, job))
  if (state === 'open' || state === 'filling')
    throw new LedgerError('state', `The job ${id} is still ${state}`)
  let reopened = 0
  for (let last = 0; ;) {
    const units = await store.read(({all}) =>
      all(
        `select id, kind from unit u where job = ? and id > ? and state >= 2
          and exists (select 1 from verdict v where v.unit = u.id and v.retryable = 1) order by id limit ?`,
        [id, last, PAGE],
      ),
    )
    for (const unit of units)
      reopened += await store.transaction((sql) =>
        reopen(sql, id, numberOf(unit, 'id'), textOf(unit, 'kind')),
      )
    if (units.length < PAGE) break
    last = numberOf(units.at(-1), 'id')
  }
  if (kind === 'delete') await blockAgain(ledger, id)
  await store.transaction(async ({run}) => {
    await run(
      "update unit set state = ?, due = 0, crashes = 0 where job = ? and kind = 'compare'",
      [OPEN, id],
    )
    await run("delete from tally where job = ? and name = 'not compared'", [id])
    await run("update job set state = 'open', ended = 0 where id = ?", [id])
  })
  return reopened
}

/** Takes the retryable verdicts of a unit back. */
async function reopen(sql: Sql, job: string, unit: number, kind: string): Promise<number> {
  const {all, run} = sql
  const rows = await all(
    'select n, ok, doubt, status, reason from verdict where unit = ? and retryable = 1',
    [unit],
  )
  // The transaction may run twice after a lost connection.
  if (rows.length === 0) return 0
  const counts = tallyOf(rows, kind === 'list' ? 'listing ' : '')
  await count(sql, job, '', new Map([...counts].map(([name, number]) => [name, -number])))
  const numbers = rows.map((row) => numberOf(row, 'n'))
  const listed = placeholders(numbers.length)
  // One attempt stays: the request may have been sent.
  await run(`update item set attempts = 1 where unit = ? and n in (${listed}) and attempts > 1`, [
    unit,
    ...numbers,
  ])
  await run(`delete from verdict where unit = ? and n in (${listed})`, [unit, ...numbers])
  await run('update unit set state = ?, due = 0, crashes = 0 where id = ? and state >= ?', [
    OPEN,
    unit,
    DONE,
  ])
  return rows.length
}

/** Keeps only the collections blocked in which a failure is left. */
async function blockAgain(ledger: Ledger, job: string): Promise<void> {
  const store = storeOf(ledger)
  await store.transaction(({run}) => run('delete from blocked where job = ?', [job]))
  for (let [unit, n] = [0, -1]; ;) {
    const rows = await store.read(({all}) =>
      all(
        `select u.id as id, u.kind as kind, v.n as n, c.path as path, i.name as name
          from unit u join verdict v on v.unit = u.id and v.ok = 0 and v.status not in (404, 410)
          join item i on i.unit = v.unit and i.n = v.n join collection c on c.id = i.collection
          where u.job = ? and u.id >= ? and (u.id > ? or v.n > ?) order by u.id, v.n limit 1000`,
        [job, unit, unit, n],
      ),
    )
    const last = rows.at(-1)
    if (last === undefined) return
    const paths = new Set(rows.map(keptBy))
    await store.transaction(async (sql) => {
      for (const path of paths) await block(sql, job, path)
    })
    ;[unit, n] = [numberOf(last, 'id'), numberOf(last, 'n')]
  }
}

/** Names the collection that a failure keeps: the one around a target, or the one that was not listed as a whole. */
function keptBy(row: Row): string {
  const path = textOf(row, 'path')
  return textOf(row, 'kind') === 'list' ? `${path}${textOf(row, 'name')}/` : path
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
      `update job set state = 'cancelled', ended = ${sql.now} where id = ? and state = 'open'`,
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
