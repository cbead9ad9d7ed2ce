/**
 * Compares two listed trees, collection by collection. Nothing is said before both are whole: a resource that an incomplete listing
 * did not show is not gone. A comparison that begins again finds its earlier rows and passes over them.
 */

import {memberOf} from '../protocol/members.ts'
import {keyOfUrl, wholePlaceOf} from './items.ts'
import type {StoredJob, StoredOptions, StoredSide} from './job.ts'
import {shorten, SHORTENED} from './shorten.ts'
import type {Row, Sql, Store, Value} from './store.ts'
import {numberOf, textOf} from './store.ts'
import {noteBegin} from './units.ts'
import {count} from './verdicts.ts'
import type {Rest, Work} from './work.ts'
import {whileHeld} from './work.ts'

/** The change of one resource from the side before to the side after. `unknown`: equal or not, a side does not tell. */
export type Change = 'created' | 'removed' | 'changed' | 'unknown'

const DONE: Rest = new Map()

/** Rows that are compared in one transaction. */
const PAGE = 1000

/** A side of a diff with the path of its root, with a slash. */
interface Side {
  readonly job: string
  readonly isOwn: boolean
  readonly isState: boolean
  readonly tree: number
  readonly root: string
  readonly path: string
}

/** Compares the sides of a job. */
export async function compareUnits(work: Work): Promise<Rest> {
  const {store, job, units, signal, worker} = work
  const [before, after] = sidesOf(job)
  const isWhole = (): Promise<boolean> =>
    store.read(async (sql) => (await isWholeSide(sql, before)) && (await isWholeSide(sql, after)))
  const compareNothing = async (): Promise<Rest> => {
    await whileHeld(work, async (sql) => {
      await sql.run('delete from difference where job = ?', [job.id])
      await sql.run("delete from tally where job = ? and name like 'difference %'", [job.id])
      await count(sql, job.id, worker, new Map([['not compared', 1]]))
    })
    return DONE
  }
  await whileHeld(work, (sql) => noteBegin(sql, units))
  if (!(await isWhole())) return compareNothing()
  await eachCollection(work, before, async (id, path) => {
    const other = await findCollection(work, after, path)
    await comparePages(work, path, COMMON, [other, id])
    if (other !== NONE) await comparePages(work, path, ADDED, [other, id])
  })
  await eachCollection(work, after, async (id, path) => {
    const other = await findCollection(work, before, path)
    if (other === NONE) await comparePages(work, path, ADDED, [id, NONE])
  })
  signal.throwIfAborted()
  // Somebody may have removed a list job since.
  return (await isWhole()) ? DONE : compareNothing()
}

/** The sides of a diff, before and after. */
function sidesOf({id, options}: StoredJob): readonly [Side, Side] {
  const [before, after] = (options.sides ?? []).map((side: StoredSide) => ({
    job: side.job === '' ? id : side.job,
    isOwn: side.job === '',
    isState: side.isState === true,
    tree: side.tree,
    root: side.root,
    path: `${keyOfUrl(side.root)}/`,
  }))
  if (before === undefined || after === undefined) throw new TypeError(`${id} has no two sides`)
  return [before, after]
}

/** The number of no collection. */
const NONE = -1

// The last parameters are the name to go on after and the size of the page.
const COMMON = `select a.name as name, a.detail as before, b.detail as after
  from entry a left join entry b on b.collection = ? and b.name = a.name
  where a.collection = ? and a.name > ? order by a.name limit ?`
const ADDED = `select b.name as name, '' as before, b.detail as after from entry b
  where b.collection = ? and not exists (select 1 from entry a where a.collection = ? and a.name = b.name)
  and b.name > ? order by b.name limit ?`

/**
 * Tells if each collection of a side has a whole listing. A `SyncState` has none to be made. A list job may have been removed, and
 * another one may have its name.
 */
async function isWholeSide(sql: Sql, {job, tree, root, isState, isOwn}: Side): Promise<boolean> {
  const {all} = sql
  if (!isOwn) {
    const [own] = await all('select kind, state, options from job where id = ?', [job])
    if (own === undefined || textOf(own, 'kind') !== 'list' || textOf(own, 'state') !== 'done')
      return false
    const {root: listed} = JSON.parse(textOf(own, 'options')) as StoredOptions
    if (listed !== root) return false
  }
  const [row] = await all(
    `select count(*) as listings, sum(case when exists
        (select 1 from verdict v where v.unit = i.unit and v.n = i.n and v.ok = 1) then 0 else 1 end) as gaps
      from item i join collection c on c.id = i.collection where c.job = ? and c.tree = ? and i.role = 1`,
    [job, tree],
  )
  const isListed = isState || numberOf(row, 'listings') > 0
  return isListed && numberOf(row, 'gaps') === 0
}

/** Runs work for each collection at or below the root, with its path below the root. */
async function eachCollection(
  {store, signal}: Work,
  {job, tree, path: root}: Side,
  run: (id: number, path: string) => Promise<void>,
): Promise<void> {
  for (let last = 0; ;) {
    const rows = await store.read(({all}) =>
      all(
        'select id, path from collection where job = ? and tree = ? and id > ? order by id limit ?',
        [job, tree, last, PAGE],
      ),
    )
    for (const row of rows) {
      signal.throwIfAborted()
      const id = numberOf(row, 'id')
      const path = await wholePath(store, id, textOf(row, 'path'))
      if (path.startsWith(root)) await run(id, path.slice(root.length))
    }
    if (rows.length < PAGE) return
    last = numberOf(rows.at(-1), 'id')
  }
}

/** Finds the path of a collection that was too long in one of its resources. One without any has nothing to compare. */
async function wholePath(store: Store, id: number, path: string): Promise<string> {
  if (!path.startsWith(SHORTENED)) return path
  const [row] = await store.read(({all}) =>
    all('select detail from entry where collection = ? limit 1', [id]),
  )
  return row === undefined ? '' : wholePlaceOf(urlOf(parse(textOf(row, 'detail')))).path
}

async function findCollection(
  {store}: Work,
  {job, tree, path: root}: Side,
  path: string,
): Promise<number> {
  const [row] = await store.read(({all}) =>
    all('select id from collection where job = ? and tree = ? and path = ?', [
      job,
      tree,
      shorten(root + path),
    ]),
  )
  return row === undefined ? NONE : numberOf(row, 'id')
}

/** Compares the resources of a collection in pages, and stores their differences. */
async function comparePages(
  work: Work,
  path: string,
  query: string,
  sides: readonly [number, number],
): Promise<void> {
  const {job} = work
  for (let last = ''; ;) {
    const rows = await whileHeld(work, async (sql) => {
      const page = await sql.all(query, [...sides, last, PAGE])
      const differences = page.flatMap((row) => differenceOf(row, path, job))
      const columns = ['job', 'path', 'change', 'detail']
      const stored = await sql.insert('difference', columns, differences, 'change')
      const changes = Map.groupBy(stored, (row) => `difference ${textOf(row, 'change')}`)
      const counts = Array.from(changes, ([name, all]) => [name, all.length] as const)
      await count(sql, job.id, work.worker, new Map(counts))
      return page
    })
    if (rows.length < PAGE) return
    last = textOf(rows.at(-1), 'name')
  }
}

function differenceOf(row: Row, path: string, job: StoredJob): readonly Value[][] {
  const [before, after] = [textOf(row, 'before'), textOf(row, 'after')].map(parse)
  const change = changeOf(before, after, job.options.by ?? [])
  if (change === undefined) return []
  const end = isCollection(after ?? before) === true ? '/' : ''
  const stored = textOf(row, 'name')
  const isLong = stored.startsWith(SHORTENED)
  const whole = path + (isLong ? wholePlaceOf(urlOf(after ?? before)).name : stored) + end
  const key = shorten(whole)
  const detail = JSON.stringify({...(key !== whole && {path: whole}), before, after})
  return [[job.id, key, change, detail]]
}

/** The stored facts of a resource: its properties, or the Failure that stood in their place. */
function parse(detail: string): Readonly<Record<string, unknown>> | undefined {
  return detail === '' ? undefined : JSON.parse(detail)
}

function changeOf(before: unknown, after: unknown, by: readonly string[]): Change | undefined {
  if (before === undefined) return 'created'
  if (after === undefined) return 'removed'
  const types = [isCollection(before), isCollection(after)] as const
  if (!types.includes(undefined)) {
    if (types[0] !== types[1]) return 'changed'
    if (types[0] === true) return undefined
  }
  const values = by.map((name) => [valueOf(before, name), valueOf(after, name)] as const)
  // The ETag of a collection may change with its members.
  if (values.some(([one, other]) => one !== undefined && other !== undefined && one !== other))
    return types.includes(false) ? 'changed' : 'unknown'
  return values.some((pair) => pair.includes(undefined)) ? 'unknown' : undefined
}

function isCollection(facts: unknown): boolean | undefined {
  const types = valueOf(facts, 'resourcetype')
  return Array.isArray(types) ? types.includes('collection') : undefined
}

/** The URL of a resource, which is stored if its path or name is too long. */
function urlOf(facts: unknown): string {
  return String(memberOf(facts, 'url') ?? memberOf(memberOf(facts, 'failure'), 'url'))
}

function valueOf(facts: unknown, name: string): unknown {
  return memberOf(memberOf(facts, 'properties'), name)
}
