/** Stores the targets of a job in units, and checks that pairs do not meet. */

import type {DavResult, FailedRequest} from '../multistatus/result.ts'
import {ancestorsOf} from '../protocol/href.ts'
import type {SyncState} from '../sync/state.ts'
import {COLLECTION, UNTAKEN} from '../sync/state.ts'
import {deleteRows} from './again.ts'
import type {NewItem, Place} from './items.ts'
import {collectionId, formatRequest, insertUnit, insertUnits, keyOfUrl, placeOf} from './items.ts'
import type {StoredJob} from './job.ts'
import {LedgerError} from './ledger.ts'
import {hash, shorten, SHORTENED} from './shorten.ts'
import type {Sql, Store} from './store.ts'
import {numberOf, placeholders, textOf} from './store.ts'
import {LISTINGS} from './units.ts'
import {block, recordVerdicts, verdictRow} from './verdicts.ts'

/** Targets that are kept in memory before they are stored. */
const BUFFERED_TARGETS = 10_000

/** The keys of the two ends of a pair. */
interface Ends {
  readonly from: string
  readonly to: string
}

/** Stores the targets of one job. */
export class Filler {
  readonly #store: Store
  readonly #job: StoredJob
  // By collection and level.
  readonly #buffers = new Map<string, {path: string; level: number; items: NewItem[]}>()
  #buffered = 0
  // Equal in a repeated call, which has the same targets.
  #unnamed = 0
  /** True if another process has stored all targets meanwhile. */
  isOvertaken = false

  constructor(store: Store, job: StoredJob) {
    this.#store = store
    this.#job = job
  }

  /** Adds a target with its plan: a Success of a dry run, or its verdict. */
  async add(plan: DavResult, level: number): Promise<void> {
    const request = plan.ok ? plan.request : undefined
    const place = placeOf(request?.destination ?? plan.url)
    const item =
      request === undefined
        ? {name: this.#nameOfRefused(plan, place), request: '', verdict: plan}
        : {name: nameOf(request, place), request: formatRequest(request, place, this.#job)}
    const key = `${level} ${place.path}`
    const buffer = this.#buffers.get(key) ?? {path: place.path, level, items: []}
    this.#buffers.set(key, buffer)
    buffer.items.push(item)
    this.#buffered++
    if (buffer.items.length >= this.#job.options.unitSize) await this.#write(key)
    else if (this.#buffered >= BUFFERED_TARGETS) await this.flush()
  }

  /** Adds a collection that could not be listed. It is not deleted, and has one verdict, as the others of its kind. */
  async keep(plan: DavResult, level: number): Promise<void> {
    await this.flush()
    const {path, name} = placeOf(plan.url)
    await this.#transact(async (sql) => {
      const {id} = this.#job
      await block(sql, id, [`${keyOfUrl(plan.url)}/`])
      const collection = await collectionId(sql, {id}, path)
      const items = [{name, request: '', verdict: plan}]
      await insertUnits(sql, id, {kind: 'send', level, collection}, items, 1)
      // Its parent has reported it before, so that it has a request. This verdict comes first.
      const [own] = await sql.all(
        'select unit, n from item where collection = ? and role = 0 and name = ?',
        [collection, name],
      )
      const row = verdictRow(numberOf(own, 'unit'), numberOf(own, 'n'), plan, false)
      await recordVerdicts(sql, {job: id, worker: ''}, [row])
    })
  }

  /** Opens the job. */
  end(): Promise<void> {
    return this.#transact(async ({run}) => {
      await run("update job set state = 'open' where id = ?", [this.#job.id])
    })
  }

  /** Stores all that is left in memory. */
  async flush(): Promise<void> {
    for (const key of this.#buffers.keys()) await this.#write(key)
  }

  /** Adds a collection to list. */
  async addListing(root: string, tree = 0): Promise<void> {
    const {id} = this.#job
    const {path, name} = placeOf(root)
    await this.#transact(async (sql) => {
      const collection = await collectionId(sql, {id, tree}, path)
      const request = {method: 'PROPFIND', url: root, depth: 1, attempts: 0} as const
      const items = [{name, request: formatRequest(request, {path, name}, this.#job)}]
      await insertUnits(sql, id, {kind: 'list', level: LISTINGS, collection}, items, 1)
    })
  }

  /** Adds the comparison of the sides, after their listings. */
  async addComparison(): Promise<void> {
    const {id} = this.#job
    await this.#transact(async (sql) => {
      const [known] = await sql.all("select id from unit where job = ? and kind = 'compare'", [id])
      if (known === undefined)
        await insertUnit(sql, id, {kind: 'compare', level: 0, collection: 0}, [])
    })
  }

  /** Adds the resources of a state as the first tree. */
  async addState(state: SyncState): Promise<void> {
    const {id} = this.#job
    let rows: [Place, string][] = []
    const write = async (): Promise<void> => {
      const written = rows
      rows = []
      await this.#transact(async (sql) => {
        const ids = new Map<string, number>()
        const entries = []
        for (const [{path, name}, detail] of written) {
          const collection = ids.get(path) ?? (await collectionId(sql, {id}, path))
          ids.set(path, collection)
          entries.push([collection, name, detail])
        }
        await sql.insert('entry', ['collection', 'name', 'detail'], entries)
      })
    }
    const collections = new Set<string>()
    for (const path of state.paths())
      if (path.includes('/')) collections.add(path.slice(0, path.lastIndexOf('/')))
    for (const path of state.paths()) {
      const url = state.urlOf(path)
      const place = placeOf(url)
      const properties = propertiesOf(state.find(path) ?? UNTAKEN, collections.has(path))
      const isLong = place.path.startsWith(SHORTENED) || place.name.startsWith(SHORTENED)
      rows.push([place, JSON.stringify({...(isLong && {url}), properties})])
      if (rows.length >= BUFFERED_TARGETS) await write()
    }
    await write()
  }

  /** Keeps the reasons for which the source of the targets did not list all. */
  async noteIncomplete(incomplete: readonly unknown[]): Promise<void> {
    const text = JSON.stringify(incomplete)
    await this.#transact(({run}) =>
      run('update job set incomplete = ? where id = ?', [text, this.#job.id]),
    )
  }

  /**
   * Checks that no end of a pair is at, in or above an end of another pair. Two copies may have one source.
   *
   * @throws TypeError with the first two pairs. The job is removed.
   */
  async assertApart(): Promise<void> {
    const {id, kind} = this.#job
    const isMove = kind === 'move'
    const each = async (
      work: (sql: Sql, pairs: readonly Ends[], unit: number) => Promise<void>,
    ): Promise<void> => {
      for (let last = 0; ;) {
        const [next] = await this.#store.read(({all}) =>
          all('select id from unit where job = ? and id > ? order by id limit 1', [id, last]),
        )
        if (next === undefined) return
        last = numberOf(next, 'id')
        await this.#transact(async (sql) => {
          const rows = await sql.all(
            "select request from item where unit = ? and request <> '' order by n",
            [last],
          )
          const pairs = rows.map((row) => {
            const {url, destination = url} = JSON.parse(textOf(row, 'request')) as FailedRequest
            return {from: keyOfUrl(url), to: keyOfUrl(destination)}
          })
          if (pairs.length > 0) await work(sql, pairs, last)
        })
      }
    }
    // Rows of an earlier call that was interrupted.
    await this.#transact(({run}) => run('delete from blocked where job = ?', [id]))
    let problem: string | undefined
    await each(async (sql, pairs, unit) => {
      const mark = `@${unit}`
      const isNew = (await sql.insert('blocked', ['job', 'path'], [[id, mark]], 'path')).length > 0
      // A transaction may run twice after a lost connection.
      if (!isNew) return
      for (const [sign, end] of [
        ['<', 'from'],
        ['>', 'to'],
      ] as const) {
        const rows = pairs.map((pair) => [id, shorten(sign + pair[end])])
        const stored = await sql.insert('blocked', ['job', 'path'], rows, 'path')
        if (stored.length === rows.length || (sign === '<' && !isMove)) continue
        const fresh = new Set(stored.map((row) => textOf(row, 'path')))
        const twice = pairs.find((pair) => !fresh.delete(shorten(sign + pair[end])))?.[end]
        problem ??= `${twice} of one pair meets ${twice} of another`
      }
    })
    await each(async ({all}, pairs) => {
      if (problem !== undefined) return
      const sought = new Map<string, string>()
      for (const {from, to} of pairs) {
        const [aboveFrom, aboveTo] = [ancestorsOf(from), ancestorsOf(to)]
        const seek = (sign: '<' | '>', path: string, end: string): void =>
          void sought.set(shorten(sign + path), `${end} of one pair meets ${path} of another`)
        for (const path of [from, ...aboveFrom]) seek('>', path, from)
        for (const path of [to, ...aboveTo]) seek('<', path, to)
        for (const path of aboveTo) seek('>', path, to)
        if (isMove) for (const path of aboveFrom) seek('<', path, from)
      }
      const paths = [...sought.keys()]
      for (let begin = 0; begin < paths.length; begin += 5000) {
        const part = paths.slice(begin, begin + 5000)
        const [met] = await all(
          `select path from blocked where job = ? and path in (${placeholders(part.length)}) limit 1`,
          [id, ...part],
        )
        if (met === undefined) continue
        problem = sought.get(textOf(met, 'path'))
        return
      }
    })
    await this.#transact(async (sql) => {
      await sql.run('delete from blocked where job = ?', [id])
      if (problem !== undefined) await deleteRows(sql, id)
    })
    if (problem !== undefined)
      throw new TypeError(`createJob: workers keep no order, and ${problem}`)
  }

  /**
   * Runs a transaction while the targets of the job are stored.
   *
   * @throws LedgerError if another process has opened, cancelled or removed the job.
   */
  #transact<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const {id, created} = this.#job
    return this.#store.transaction(async (sql) => {
      const [row] = await sql.all(`select state, created from job where id = ?${sql.forUpdate}`, [
        id,
      ])
      const state = textOf(row, 'state')
      const isSame = numberOf(row, 'created') === created
      this.isOvertaken = isSame && (state === 'open' || state === 'done')
      if (!isSame || state !== 'filling')
        throw new LedgerError('state', `Another process has ended the creation of the job ${id}`)
      return work(sql)
    })
  }

  /** Makes the name of a refused target. A pair, or a value without an href, has its number in it, because its Failure names no more. */
  #nameOfRefused(plan: DavResult, {name}: Place): string {
    const isNamed = plan.href !== '' && ['delete', 'put'].includes(this.#job.kind)
    return `${name} refused ${hash(JSON.stringify(plan))}${isNamed ? '' : ` ${++this.#unnamed}`}`
  }

  async #write(key: string): Promise<void> {
    const buffer = this.#buffers.get(key)
    if (buffer === undefined) return
    this.#buffers.delete(key)
    const {path, level, items} = buffer
    this.#buffered -= items.length
    const {id, options} = this.#job
    await this.#transact(async (sql) => {
      const collection = await collectionId(sql, {id}, path)
      await insertUnits(sql, id, {kind: 'send', level, collection}, items, options.unitSize)
    })
  }
}

/** Makes the name of a request. Two pairs with one destination are two, so that their meeting is seen. */
function nameOf({url, destination}: FailedRequest, {name}: Place): string {
  return destination === undefined ? name : `${name} from ${hash(keyOfUrl(url))}`
}

/** Makes the properties of a resource in a state. An ETag alone does not tell a file from a collection. */
function propertiesOf(etag: string, hasMembers: boolean): Readonly<Record<string, unknown>> {
  const isCollection = hasMembers || etag === COLLECTION
  return {
    ...(isCollection ? {resourcetype: ['collection']} : etag === '' && {resourcetype: []}),
    ...(etag !== '' && etag !== COLLECTION && etag !== UNTAKEN && {getetag: etag}),
  }
}
