/**
 * Lists the collections of a unit, each by PROPFIND with Depth 1, into the ledger. What an earlier attempt stored of a collection is
 * removed first. A collection is whole or not: only a whole one has a Success as verdict. RFC 4918, section 9.1.
 */

import {causeOf} from '../call/answer.ts'
import {createFailure, pathOf} from '../multistatus/failure.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import {isCollection, looksLikeCollection} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {MAX_LEVELS} from '../protocol/bounds.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import {isMissingStatus} from '../protocol/status.ts'
import type {Item, NewItem} from './items.ts'
import {
  collectionId,
  depthOf,
  formatRequest,
  insertUnits,
  keyOfUrl,
  placeOf,
  readItem,
  slashOf,
} from './items.ts'
import type {Sql, Value} from './store.ts'
import {numberOf} from './store.ts'
import {cooldownOf, FILES, LISTINGS, noteProgress} from './units.ts'
import type {VerdictRow} from './verdicts.ts'
import {block, count, recordVerdicts, verdictRow} from './verdicts.ts'
import type {Rest, Work} from './work.ts'
import {coolAfter, waitAfter, whileHeld} from './work.ts'

/** Resources that are kept in memory before they are stored. */
const BATCH = 500
/** The most collections of one unit of listings. */
const COLLECTIONS = 200

/** The properties that are stored by default. */
const LISTED_PROPERTIES: readonly string[] = [
  'resourcetype',
  'getetag',
  'getcontentlength',
  'getlastmodified',
]

const UNDECIDED = `select i.n as n, i.name as name, i.request as request, i.attempts as attempts,
    c.path as path, c.tree as tree
  from item i join collection c on c.id = i.collection
  where i.unit = ? and not exists (select 1 from verdict v where v.unit = i.unit and v.n = i.n)
  order by i.n`

/** Lists each collection of a unit once. */
export async function listUnit(work: Work): Promise<Rest> {
  const {store, job, unit, concurrency, signal} = work
  const rows = await store.read(({all}) => all(UNDECIDED, [unit.id]))
  const items = rows.map((row) => readItem(row, job))
  const tree = numberOf(rows[0], 'tree')
  const held = await whileHeld(work, async (sql, isOpen) => {
    const cooldown = await cooldownOf(sql, new URL(job.base).origin)
    if (isOpen && cooldown === 0) await begin(sql, work, items, tree)
    return cooldown
  })
  if (held > 0) return {wait: held}
  const writer = new Writer(work, tree)
  let wait = -1
  const queue = items.values()
  // Each takes the next collection when it has ended one.
  const run = async (): Promise<void> => {
    for (const item of queue) {
      signal.throwIfAborted()
      const rest = await listOne(work, item, writer)
      // Read after the wait, in which another one may have changed it.
      wait = Math.max(wait, rest)
    }
  }
  try {
    await Promise.all(Array.from({length: concurrency}, run))
  } finally {
    if (!signal.aborted) await writer.flush()
  }
  return wait < 0 ? {isDone: true} : {wait}
}

/** Marks the collections as begun, and removes what earlier attempts stored of them. */
async function begin(sql: Sql, work: Work, items: readonly Item[], tree: number): Promise<void> {
  const {job, unit} = work
  await sql.run(
    `update item set attempts = attempts + 1 where unit = ?
      and not exists (select 1 from verdict v where v.unit = item.unit and v.n = item.n)`,
    [unit.id],
  )
  for (const {request} of items) {
    if (request.attempts === 0) continue
    const {path, name} = placeOf(request.url)
    const own = await collectionId(sql, {id: job.id, tree}, below({path, name}))
    const removed = await sql.run('delete from entry where collection = ?', [own])
    if (removed > 0) await count(sql, job.id, work.worker, new Map([['resources', -removed]]))
  }
}

/** The path of a collection with its slash, for the resources in it. */
function below({path, name}: {readonly path: string; readonly name: string}): string {
  return name === '' ? path : `${path}${name}/`
}

/** Lists one collection. Returns the milliseconds until it is to be listed again; -1 if it has its verdict. */
async function listOne(work: Work, item: Item, writer: Writer): Promise<number> {
  const {dav, job, unit, signal} = work
  const {request} = item
  const {url} = request
  const attempts = request.attempts + 1
  const properties =
    job.kind === 'delete' ? ['resourcetype'] : (job.options.properties ?? LISTED_PROPERTIES)
  const problems: Incomplete[] = []
  let failure: Failure | undefined
  const stream = dav.propfind(url, {depth: 1, properties, retry: 1, signal})
  try {
    for await (const batch of stream.batches()) {
      for (const result of batch) {
        const problem = writer.add(item, result)
        if (problem !== undefined) problems.push(problem)
      }
      await writer.flushIfFull()
    }
    problems.push(...(await stream.summary).incomplete)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof DavError)) throw error
    failure = failureOf(error, url, attempts)
  }
  const [problem] = problems
  if (problem !== undefined) failure ??= gap(problem, url, attempts)
  const wait = failure === undefined ? 0 : waitAfter(work, attempts, failure)
  if (failure !== undefined && isRetryable(failure) && attempts < job.options.retry.attempts) {
    await writer.flush(failure, wait)
    return wait
  }
  const verdict = failure ?? listed(url)
  // What was not listed has no verdict, and would be deleted with its collection.
  const isUnseen = failure !== undefined && !isMissingStatus(failure.status)
  if (job.kind === 'delete' && isUnseen) writer.keep(below(placeOf(url)))
  await writer.decide(verdictRow(unit.id, item.n, verdict, false), failure, wait)
  return -1
}

function listed(url: string): Success {
  const place = {href: pathOf(url), url, relation: 'self'} as const
  return {ok: true, ...place, status: 207, properties: {}, missing: []}
}

/** Makes the Failure of a collection whose listing broke. */
function failureOf(error: DavError, url: string, attempts: number): Failure {
  const request = {method: 'PROPFIND', url, depth: 1, attempts} as const
  const description = error.message
  if (!(error instanceof DavHttpError) || error.status < 300) {
    const cause = causeOf(error)
    return createFailure({url, status: 0, reason: 'no-answer', cause, description, request})
  }
  const {status, conditions, retryAfter} = error
  const facts = {url, status, reason: 'status', conditions, retryAfter, description} as const
  return createFailure({...facts, request})
}

/** Makes the Failure of a collection whose listing had gaps. */
function gap({href, reason, status = 0}: Incomplete, url: string, attempts: number): Failure {
  const request = {method: 'PROPFIND', url, depth: 1, attempts} as const
  const description = `Not fully listed (${reason}): ${href}`
  return createFailure({url, status, reason: 'malformed', description, request})
}

/** Stores listed resources and verdicts of one unit in batches. */
class Writer {
  readonly #work: Work
  readonly #tree: number
  readonly #root: string
  #results: {readonly item: Item; readonly result: DavResult}[] = []
  #verdicts: VerdictRow[] = []
  // Collections that were not listed as a whole.
  #kept: string[] = []
  #requests = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(work: Work, tree: number) {
    this.#work = work
    this.#tree = tree
    const {root = '', sides = []} = work.job.options
    this.#root = sides.find((side) => side.tree === tree && side.job === '')?.root ?? root
  }

  /** Takes a result of a listing. Returns a gap that it shows. */
  add(item: Item, result: DavResult): Incomplete | undefined {
    const {relation, href} = result
    // Nobody else reports the root.
    const isRoot = keyOfUrl(this.#root) === item.key
    if (relation === 'self' && !isRoot) return undefined
    if (relation === 'outside') return {href, reason: 'malformed'}
    // It went away while the collection was listed.
    if (!result.ok && isMissingStatus(result.status)) return undefined
    // As in a walk: a link to a parent collection would have no end.
    if (
      isBranch(result) &&
      depthOf(placeOf(result.url)) > MAX_LEVELS + depthOf(placeOf(this.#root))
    )
      return {href, reason: 'shallow'}
    this.#results.push({item, result})
    return result.ok ? undefined : {href, reason: 'malformed', status: result.status}
  }

  /** Stores the results if there are many. */
  async flushIfFull(): Promise<void> {
    if (this.#results.length >= BATCH) await this.flush()
  }

  /** Keeps a collection from being deleted. */
  keep(path: string): void {
    this.#kept.push(path)
  }

  /** Stores a verdict, after the results of its collection. */
  async decide(verdict: VerdictRow, failure: Failure | undefined, wait: number): Promise<void> {
    this.#verdicts.push(verdict)
    if (failure !== undefined) return this.flush(failure, wait)
    this.#requests++
    const most = this.#work.unit.crashes > 0 ? 1 : BATCH / 10
    if (this.#verdicts.length >= most) await this.flush()
    else await this.flushIfFull()
  }

  /** Stores all that was taken. A failure may hold all workers back. */
  flush(failure?: Failure, wait = 0): Promise<void> {
    const write = async (): Promise<void> => {
      const [results, verdicts, kept] = [this.#results, this.#verdicts, this.#kept]
      this.#results = []
      this.#verdicts = []
      this.#kept = []
      if (failure !== undefined) this.#requests++
      const requests = this.#requests
      this.#requests = 0
      const work = this.#work
      const {job, unit, worker} = work
      await whileHeld(work, async (sql) => {
        await this.#store(sql, results)
        await recordVerdicts(sql, {job: job.id, worker, name: 'listing '}, verdicts)
        for (const path of kept) await block(sql, job.id, path)
        await count(sql, job.id, worker, new Map([['requests', requests]]))
        if (results.length > 0 || verdicts.length > 0) await noteProgress(sql, unit)
        if (failure !== undefined) await coolAfter(sql, work, failure, wait)
      })
    }
    this.#writing = this.#writing.then(write)
    return this.#writing
  }

  async #store(
    sql: Sql,
    results: readonly {readonly item: Item; readonly result: DavResult}[],
  ): Promise<void> {
    const {job, worker} = this.#work
    const tree = {id: job.id, tree: this.#tree}
    const entries: Value[][] = []
    const ids = new Map<string, number>()
    const requests = new Map<string, {collection: number; level: number; items: NewItem[]}>()
    const listings = new Map<number, NewItem[]>()
    for (const {item, result} of results) {
      const place = placeOf(result.url)
      const collection = ids.get(place.path) ?? (await collectionId(sql, tree, place.path))
      ids.set(place.path, collection)
      const isOwn = result.relation === 'self'
      if (isBranch(result)) {
        const items = listings.get(collection) ?? []
        listings.set(collection, items)
        const url = result.url.endsWith('/') ? result.url : `${result.url}/`
        const request = {method: 'PROPFIND', url, depth: 1, attempts: 0} as const
        items.push({name: place.name, request: formatRequest(request, place, job.base)})
      }
      if (job.kind !== 'delete') {
        entries.push([collection, place.name, detailOf(result, place, job.base)])
        continue
      }
      // The root has its request since the job was created.
      if (isOwn || !result.ok) continue
      const level = isCollection(result) === false ? FILES : depthOf(place)
      const key = `${collection} ${level}`
      const group = requests.get(key) ?? {collection, level, items: []}
      requests.set(key, group)
      group.items.push(await this.#requestOf(item, result, place))
    }
    const stored = await sql.insert(
      'entry',
      ['collection', 'name', 'detail'],
      entries,
      'collection',
    )
    if (stored.length > 0) await count(sql, job.id, worker, new Map([['resources', stored.length]]))
    const {unitSize} = job.options
    for (const [collection, items] of listings) {
      const unit = {kind: 'list', level: LISTINGS, collection} as const
      await insertUnits(sql, job.id, unit, items, Math.min(unitSize, COLLECTIONS))
    }
    for (const {collection, level, items} of requests.values())
      await insertUnits(sql, job.id, {kind: 'send', level, collection}, items, unitSize)
  }

  /** Makes the request of a listed resource, by the guards of the client. */
  async #requestOf(
    {request}: Item,
    result: Success,
    place: {readonly path: string; readonly name: string},
  ): Promise<NewItem> {
    const {dav, job} = this.#work
    const {ifMissing, verify, unguarded} = job.options
    const rules = {ifMissing, verify, unguarded, dryRun: true}
    const {name} = place
    try {
      const plan = await dav.delete(result, rules)
      if (!plan.ok || plan.request === undefined) return {name, request: '', verdict: plan}
      return {name, request: formatRequest(plan.request, place, job.base)}
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      const description = `${error.message} (listed in ${request.url})`
      const facts = {url: result.url, status: 0, reason: 'refused', description} as const
      return {name, request: '', verdict: createFailure(facts)}
    }
  }
}

/** Recognizes a collection that is to be listed too. */
function isBranch(result: DavResult): boolean {
  return result.ok && result.relation !== 'self' && looksLikeCollection(result)
}

/** Writes what is stored of a listed resource. */
function detailOf(
  result: DavResult,
  {path, name}: {readonly path: string; readonly name: string},
  base: string,
): string {
  if (!result.ok) return JSON.stringify({failure: result})
  const {url, properties} = result
  const isPlain = url === new URL(base).origin + path + name + slashOf(properties)
  return JSON.stringify({...(!isPlain && {url}), properties})
}
