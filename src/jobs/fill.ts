/** Stores the targets of a job in units, and checks that pairs do not meet. */

import type {DavResult, FailedRequest} from '../multistatus/result.ts'
import {ancestorsOf} from '../protocol/href.ts'
import type {SyncState} from '../sync/state.ts'
import {COLLECTION, UNTAKEN} from '../sync/state.ts'
import {deleteRows} from './again.ts'
import type {NewItem, Place} from './items.ts'
import {collectionId, formatRequest, insertUnit, insertUnits, keyOfUrl, placeOf} from './items.ts'
import type {StoredJob} from './job.ts'
import type {Sql, Store} from './store.ts'
import {placeholders, textOf} from './store.ts'
import {LISTINGS} from './units.ts'

/** Targets that are kept in memory before they are stored. */
const BUFFERED_TARGETS = 10_000

/** Stores the targets of one job. */
export class Filler {
  readonly #store: Store
  readonly #job: StoredJob
  // By collection and level.
  readonly #buffers = new Map<string, {path: string; level: number; items: NewItem[]}>()
  #buffered = 0

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
        ? {
            name: `${place.name} refused ${await hash(JSON.stringify(plan))}`,
            request: '',
            verdict: plan,
          }
        : {
            name: await nameOf(request, place),
            request: formatRequest(request, place, this.#job.base),
          }
    const key = `${level} ${place.path}`
    const buffer = this.#buffers.get(key) ?? {path: place.path, level, items: []}
    this.#buffers.set(key, buffer)
    buffer.items.push(item)
    this.#buffered++
    if (buffer.items.length >= this.#job.options.unitSize) await this.#write(key)
    else if (this.#buffered >= BUFFERED_TARGETS) await this.flush()
  }

  /** Stores all that is left in memory. */
  async flush(): Promise<void> {
    for (const key of this.#buffers.keys()) await this.#write(key)
  }

  /** Adds a collection to list. */
  async addListing(root: string, tree = 0): Promise<void> {
    const {id} = this.#job
    const {path, name} = placeOf(root)
    await this.#store.transaction(async (sql) => {
      const collection = await collectionId(sql, {id, tree}, path)
      const request = {method: 'PROPFIND', url: root, depth: 1, attempts: 0} as const
      const items = [{name, request: formatRequest(request, {path, name}, this.#job.base)}]
      await insertUnit(sql, id, {kind: 'list', level: LISTINGS, collection}, items)
    })
  }

  /** Adds the comparison of the sides, after their listings. */
  async addComparison(): Promise<void> {
    const {id} = this.#job
    await this.#store.transaction(async (sql) => {
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
      await this.#store.transaction(async (sql) => {
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
      const place = placeOf(state.urlOf(path))
      const properties = propertiesOf(state.find(path) ?? UNTAKEN, collections.has(path))
      rows.push([place, JSON.stringify({properties})])
      if (rows.length >= BUFFERED_TARGETS) await write()
    }
    await write()
  }

  /** Keeps the reasons for which the source of the targets did not list all. */
  async noteIncomplete(incomplete: readonly unknown[]): Promise<void> {
    const text = JSON.stringify(incomplete)
    await this.#store.transaction(({run}) =>
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
    const page = async (
      unit: number,
      n: number,
    ): Promise<readonly {unit: number; n: number; from: string; to: string}[]> => {
      const rows = await this.#store.read(({all}) =>
        all(
          `select i.unit as unit, i.n as n, i.request as request from item i join unit u on u.id = i.unit
            where u.job = ? and (i.unit > ? or (i.unit = ? and i.n > ?)) and i.request <> ''
            order by i.unit, i.n limit 500`,
          [id, unit, unit, n],
        ),
      )
      return rows.map((row) => {
        const {url, destination = url} = JSON.parse(textOf(row, 'request')) as FailedRequest
        return {
          unit: Number(row['unit']),
          n: Number(row['n']),
          from: keyOfUrl(url),
          to: keyOfUrl(destination),
        }
      })
    }
    const each = async (
      work: (
        sql: Sql,
        pairs: readonly {unit: number; n: number; from: string; to: string}[],
      ) => Promise<void>,
    ): Promise<void> => {
      let [unit, n] = [0, -1]
      for (;;) {
        const pairs = await page(unit, n)
        const last = pairs.at(-1)
        if (last === undefined) return
        await this.#store.transaction((sql) => work(sql, pairs))
        ;[unit, n] = [last.unit, last.n]
      }
    }
    // Rows of an earlier call that was interrupted.
    await this.#store.transaction(({run}) => run('delete from blocked where job = ?', [id]))
    let problem: string | undefined
    await each(async (sql, pairs) => {
      const [first] = pairs
      const mark = `@${first?.unit} ${first?.n}`
      const isNew = (await sql.insert('blocked', ['job', 'path'], [[id, mark]], 'path')).length > 0
      // A transaction may run twice after a lost connection.
      if (!isNew) return
      for (const [sign, end] of [
        ['<', 'from'],
        ['>', 'to'],
      ] as const) {
        const rows = pairs.map((pair) => [id, sign + pair[end]])
        const stored = await sql.insert('blocked', ['job', 'path'], rows, 'path')
        if (stored.length === rows.length || (sign === '<' && !isMove)) continue
        const fresh = new Set(stored.map((row) => textOf(row, 'path').slice(1)))
        const twice = pairs.find((pair) => !fresh.delete(pair[end]))?.[end]
        problem ??= `${twice} of one pair meets ${twice} of another`
      }
    })
    await each(async ({all}, pairs) => {
      if (problem !== undefined) return
      const sought = new Map<string, string>()
      for (const {from, to} of pairs) {
        const [aboveFrom, aboveTo] = [ancestorsOf(from), ancestorsOf(to)]
        for (const path of [from, ...aboveFrom]) sought.set(`>${path}`, from)
        for (const path of [to, ...aboveTo]) sought.set(`<${path}`, to)
        for (const path of aboveTo) sought.set(`>${path}`, to)
        if (isMove) for (const path of aboveFrom) sought.set(`<${path}`, from)
      }
      const paths = [...sought.keys()]
      for (let begin = 0; begin < paths.length; begin += 5000) {
        const part = paths.slice(begin, begin + 5000)
        const [met] = await all(
          `select path from blocked where job = ? and path in (${placeholders(part.length)}) limit 1`,
          [id, ...part],
        )
        if (met === undefined) continue
        const path = textOf(met, 'path')
        problem = `${sought.get(path)} of one pair meets ${path.slice(1)} of another`
        return
      }
    })
    await this.#store.transaction(async (sql) => {
      await sql.run('delete from blocked where job = ?', [id])
      if (problem !== undefined) await deleteRows(sql, id)
    })
    if (problem !== undefined)
      throw new TypeError(`createJob: workers keep no order, and ${problem}`)
  }

  async #write(key: string): Promise<void> {
    const buffer = this.#buffers.get(key)
    if (buffer === undefined) return
    this.#buffers.delete(key)
    const {path, level, items} = buffer
    this.#buffered -= items.length
    const {id, options} = this.#job
    await this.#store.transaction(async (sql) => {
      const collection = await collectionId(sql, {id}, path)
      const unit = {kind: 'send', level, collection} as const
      await insertUnits(sql, id, unit, items, options.unitSize)
    })
  }
}

/** Makes the name of a request. Two pairs with one destination are two, so that their meeting is seen. */
async function nameOf({url, destination}: FailedRequest, {name}: Place): Promise<string> {
  return destination === undefined ? name : `${name} from ${await hash(keyOfUrl(url))}`
}

/** Names are in an index, in which PostgreSQL takes no long texts. */
async function hash(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Buffer.from(bytes).toString('hex')
}

/** Makes the properties of a resource in a state. An ETag alone does not tell a file from a collection. */
function propertiesOf(etag: string, hasMembers: boolean): Readonly<Record<string, unknown>> {
  const isCollection = hasMembers || etag === COLLECTION
  return {
    ...(isCollection ? {resourcetype: ['collection']} : etag === '' && {resourcetype: []}),
    ...(etag !== '' && etag !== COLLECTION && etag !== UNTAKEN && {getetag: etag}),
  }
}
