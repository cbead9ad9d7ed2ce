/**
 * Lists the collections of units, each by PROPFIND with Depth 1, into the ledger. What an earlier attempt stored of a collection is
 * removed first. A collection is whole or not: only a whole one has a Success as verdict. RFC 4918, section 9.1.
 */

import {reasonOf} from '../call/answer.ts'
import {createFailure, pathOf} from '../multistatus/failure.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import {isCollection, looksLikeCollection} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {MAX_LEVELS} from '../protocol/bounds.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import {isMissingStatus} from '../protocol/status.ts'
import {forgetBelow, forgetFormer} from './forget.ts'
import type {Item, NewItem, Place} from './items.ts'
import {
  below,
  collectionId,
  depthOf,
  formatRequest,
  insertUnits,
  keyOfUrl,
  noteAttempts,
  placeOf,
  readItems,
  slashOf,
} from './items.ts'
import type {Sql, Value} from './store.ts'
import {cooldownOf, FILES, LISTINGS, noteBegin, noteProgress} from './units.ts'
import {block, count, recordVerdicts, verdictRow} from './verdicts.ts'
import type {Rest, Work} from './work.ts'
import {asksForRest, coolDown, restOf, TIMEOUT, waitAfter, whileHeld} from './work.ts'

/** Resources that are kept in memory before they are stored. */
const BATCH = 500
/** Ended listings that are kept in memory before they are stored. */
const ENDED = 50
/** The most collections of one unit of listings. */
const COLLECTIONS = 200

/** The properties that are stored by default. */
const LISTED_PROPERTIES: readonly string[] = [
  'resourcetype',
  'getetag',
  'getcontentlength',
  'getlastmodified',
]

/** Lists each collection of the units once. */
export async function listUnits(work: Work): Promise<Rest> {
  const {store, job, units, slots, signal} = work
  const ids = units.map(({id}) => id)
  const items = await store.read((sql) => readItems(sql, ids, job))
  const held = await whileHeld(work, async (sql, {isOpen, isHeld}) => {
    const cooldown = await cooldownOf(sql, job.origin)
    const isWhole = units.every(({id}) => isHeld(id))
    if (isOpen && cooldown === 0 && isWhole) await begin(sql, work, items)
    return cooldown
  })
  if (held > 0) return restOf(units, held)
  const writer = new Writer(work)
  const queue = items.values()
  const stop = new AbortController()
  const ending = AbortSignal.any([signal, stop.signal])
  // Each takes the next collection when it has ended one. The first error ends all of them.
  const run = async (): Promise<void> => {
    try {
      for (const item of queue) {
        ending.throwIfAborted()
        await listOne({...work, signal: ending}, item, writer)
      }
    } catch (error) {
      stop.abort(error)
      throw error
    }
  }
  const most = items.length
  await slots.use(most, (slot) => Promise.allSettled(Array.from({length: slot}, run)))
  ending.throwIfAborted()
  await writer.flush()
  return writer.rest
}

/** Marks the collections as begun, and removes what earlier attempts stored of them. */
async function begin(sql: Sql, {job, units, worker}: Work, items: readonly Item[]): Promise<void> {
  let removed = 0
  for (const {request, attempts, isMaybe, tree} of items) {
    if (attempts === 0 && !isMaybe) continue
    const own = await collectionId(sql, {id: job.id, tree}, below(request.url))
    removed += await sql.run('delete from entry where collection = ?', [own])
  }
  await noteAttempts(
    sql,
    items.map((item) => ({...item, isMaybe: true})),
  )
  await noteBegin(sql, units)
  if (removed > 0) await count(sql, job.id, worker, new Map([['resources', -removed]]))
}

/** Lists one collection. */
async function listOne(work: Work, item: Item, writer: Writer): Promise<void> {
  const {dav, job, signal} = work
  const {url} = item.request
  const attempts = item.attempts + 1
  const properties =
    job.kind === 'delete' ? ['resourcetype'] : (job.options.properties ?? LISTED_PROPERTIES)
  const gaps: Incomplete[] = []
  let failure: Failure | undefined
  const stream = dav.propfind(url, {depth: 1, properties, retry: 1, signal, timeout: TIMEOUT})
  try {
    for await (const batch of stream.batches()) {
      for (const result of batch) {
        const gap = await writer.add(item, result)
        if (gap !== undefined) gaps.push(gap)
      }
      await writer.flushIfFull()
    }
    gaps.push(...(await stream.summary).incomplete)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof DavError)) throw error
    failure = failureOf(error, url, attempts)
  }
  const [gap] = gaps
  if (gap !== undefined) failure ??= failForGap(gap, url, attempts)
  const isMissing = failure !== undefined && isMissingStatus(failure.status)
  // A missing root is told as a gap: its URL may be wrong.
  const isRoot = writer.isRoot(item)
  if (isMissing && (job.kind === 'delete' || !isRoot)) {
    // Some servers answer 404 for a collection that cannot be opened. Its members would be deleted unseen.
    const isThere = await mayBeThere(url, work)
    if (!isThere && !isRoot) return writer.drop(item)
    if (isThere && job.kind === 'delete')
      failure = failForGap({href: url, reason: 'refused'}, url, attempts)
  }
  if (failure !== undefined && isRetryable(failure) && attempts < job.options.retry.attempts)
    await writer.leave(item, failure)
  else await writer.decide(item, failure)
}

/** Looks whether a collection is there, although its listing is 404. */
async function mayBeThere(url: string, {dav, signal}: Work): Promise<boolean> {
  try {
    return await dav.exists(url, {retry: 1, signal, timeout: TIMEOUT})
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DavError) return true
    throw error
  }
}

/** Makes the Failure of a collection whose listing broke. */
function failureOf(error: DavError, url: string, attempts: number): Failure {
  const request = {method: 'PROPFIND', url, depth: 1, attempts} as const
  const description = error.message
  if (!(error instanceof DavHttpError) || error.status < 300) {
    return createFailure({url, status: 0, ...reasonOf(error), description, request})
  }
  const {status, conditions, retryAfter} = error
  const facts = {url, status, reason: 'status', conditions, retryAfter, description} as const
  return createFailure({...facts, request})
}

/** Makes the Failure of a collection whose listing had gaps. */
function failForGap(
  {href, reason, status = 0}: Incomplete,
  url: string,
  attempts: number,
): Failure {
  const request = {method: 'PROPFIND', url, depth: 1, attempts} as const
  const description = `Not fully listed (${reason}): ${href}`
  return createFailure({url, status, reason: 'malformed', description, request})
}

/** A listed resource as it is stored: an entry, or a request to delete it; and a listing if it is a collection. */
interface Listed {
  readonly tree: number
  readonly place: Place
  readonly entry?: string
  readonly request?: NewItem & {readonly level: number}
  readonly listing?: NewItem
}

/** The end of a listing. Without a failure the collection is whole. */
interface Ended {
  readonly item: Item
  readonly failure?: Failure | undefined
  /** `left`: it is to be listed again. `gone`: it was removed since its parent was listed. */
  readonly state?: 'left' | 'gone'
}

/** Stores listed resources and verdicts in batches. */
class Writer {
  readonly #work: Work
  #listed: Listed[] = []
  #ended: Ended[] = []
  #writing: Promise<void> = Promise.resolve()
  /** The units of collections that are to be listed again, with the milliseconds until then. */
  readonly rest = new Map<number, number>()

  constructor(work: Work) {
    this.#work = work
  }

  /** Takes a result of a listing. Returns a gap that it shows. */
  async add(item: Item, result: DavResult): Promise<Incomplete | undefined> {
    const {tree} = item
    const {relation, href, url} = result
    // Nobody else reports the root.
    if (relation === 'self' && !this.isRoot(item)) return undefined
    if (relation === 'outside') return {href, reason: 'malformed'}
    // It went away while the collection was listed.
    if (!result.ok && isMissingStatus(result.status)) return undefined
    const place = placeOf(url)
    const isBranch = result.ok && relation !== 'self' && looksLikeCollection(result)
    // As in a walk: a link to a parent collection would have no end.
    if (isBranch && depthOfUrl(url) > MAX_LEVELS + depthOfUrl(this.#rootOf(tree)))
      return {href, reason: 'shallow'}
    const listing = isBranch && {listing: this.#listingOf(url, place)}
    if (this.#work.job.kind !== 'delete') {
      const entry = detailOf(result, place, this.#work.job.base)
      this.#listed.push({tree, place, entry, ...listing})
    } else if (result.ok && relation !== 'self') {
      // The root has its request since the job was created.
      this.#listed.push({
        tree,
        place,
        request: await this.#requestOf(item, result, place),
        ...listing,
      })
    }
    return result.ok ? undefined : {href, reason: 'malformed', status: result.status}
  }

  /** Stores the results if there are many. */
  async flushIfFull(): Promise<void> {
    if (this.#listed.length >= BATCH || this.#ended.length >= ENDED) await this.flush()
  }

  /** Ends the listing of a collection by its verdict, which is stored after its resources. */
  decide(item: Item, failure: Failure | undefined): Promise<void> {
    this.#ended.push({item, failure})
    // After a loss, progress is stored in small steps, so that few of them set a unit aside.
    const isSuspect = this.#work.units.some(({crashes}) => crashes > 0)
    return isSuspect || failure !== undefined ? this.flush() : this.flushIfFull()
  }

  /** Leaves a collection to be listed again. */
  leave(item: Item, failure: Failure): Promise<void> {
    const wait = waitAfter(this.#work, item.attempts + 1, failure)
    this.rest.set(item.unit, Math.max(this.rest.get(item.unit) ?? 0, wait))
    this.#ended.push({item, failure, state: 'left'})
    return this.flush()
  }

  /** Forgets a collection that was removed after its parent was listed. If it comes back, it is listed as a new one. */
  drop(item: Item): Promise<void> {
    this.#ended.push({item, state: 'gone'})
    return this.flush()
  }

  /** Stores all that was taken. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  async #write(): Promise<void> {
    const [listed, ended] = [this.#listed, this.#ended]
    this.#listed = []
    this.#ended = []
    const work = this.#work
    const {job, worker} = work
    const left = ended.filter(({state}) => state === 'left')
    const decided = ended.filter(({state}) => state === undefined)
    const verdicts = decided.map(({item, failure}) =>
      verdictRow(item.unit, item.n, failure ?? succeeded(item.request.url), false),
    )
    // What was not listed has no verdict, and would be deleted with its collection.
    const unseen = decided.filter(({failure}) => failure && !isMissingStatus(failure.status))
    const rests = ended.map(({item, failure}) =>
      failure && asksForRest(failure) ? waitAfter(work, item.attempts + 1, failure) : 0,
    )
    await whileHeld(work, async (sql, {isHeld}) => {
      // What was listed of a lost unit is listed again by its new holder.
      if (!work.units.every(({id}) => isHeld(id))) return
      await this.#store(sql, listed)
      await recordVerdicts(sql, {job: job.id, worker, name: 'listing '}, verdicts)
      if (job.kind === 'delete')
        await block(
          sql,
          job.id,
          unseen.map(({item}) => `${item.key}/`),
        )
      await noteAttempts(
        sql,
        left.map(({item: {unit, n, attempts}}) => ({
          unit,
          n,
          attempts: attempts + 1,
          isMaybe: true,
        })),
      )
      for (const {item, state} of ended) if (state === 'gone') await this.#forget(sql, item)
      for (const {item, failure} of decided) {
        const {tree, request} = item
        const isRepeated = item.attempts > 0 || item.isMaybe
        if (isRepeated && failure === undefined && job.kind !== 'delete')
          await forgetFormer(sql, {job, tree, worker}, request.url)
      }
      await count(sql, job.id, worker, new Map([['requests', ended.length]]))
      const moved = ended.filter(({state}) => state !== 'left')
      await noteProgress(sql, [...new Set(moved.map(({item}) => item.unit))])
      await coolDown(sql, work, Math.max(0, ...rests))
    })
  }

  /** Stores listed resources. Those that are there already are passed over. */
  async #store(sql: Sql, listed: readonly Listed[]): Promise<void> {
    const {job, worker} = this.#work
    const ids = new Map<string, number>()
    const entries: Value[][] = []
    const units = new Map<string, {collection: number; level: number; items: NewItem[]}>()
    const put = (collection: number, level: number, item: NewItem): void => {
      const key = `${collection} ${level}`
      const unit = units.get(key) ?? {collection, level, items: []}
      units.set(key, unit)
      unit.items.push(item)
    }
    for (const {tree, place, entry, request, listing} of listed) {
      const key = `${tree} ${place.path}`
      const collection = ids.get(key) ?? (await collectionId(sql, {id: job.id, tree}, place.path))
      ids.set(key, collection)
      if (entry !== undefined) entries.push([collection, place.name, entry])
      if (request !== undefined) put(collection, request.level, request)
      if (listing !== undefined) put(collection, LISTINGS, listing)
    }
    const columns = ['collection', 'name', 'detail']
    const stored = await sql.insert('entry', columns, entries, 'collection')
    await count(sql, job.id, worker, new Map([['resources', stored.length]]))
    for (const {collection, level, items} of units.values()) {
      const isListing = level === LISTINGS
      const unit = {kind: isListing ? 'list' : 'send', level, collection} as const
      const size = isListing ? COLLECTIONS : job.options.unitSize
      await insertUnits(sql, job.id, unit, items, size)
    }
  }

  /** Removes a collection, its entry in its parent, and all that was listed below it. */
  async #forget(sql: Sql, {unit, n, tree, request}: Item): Promise<void> {
    const {job, worker} = this.#work
    const {path, name} = placeOf(request.url)
    const parent = await collectionId(sql, {id: job.id, tree}, path)
    await sql.run('delete from item where unit = ? and n = ?', [unit, n])
    const removed = await sql.run('delete from entry where collection = ? and name = ?', [
      parent,
      name,
    ])
    if (removed > 0) await count(sql, job.id, worker, new Map([['resources', -removed]]))
    await forgetBelow(sql, {job, tree, worker}, request.url)
  }

  /** Recognizes the root of its tree. */
  isRoot({key, tree}: Item): boolean {
    return key === keyOfUrl(this.#rootOf(tree))
  }

  #rootOf(tree: number): string {
    const {root = '', sides = []} = this.#work.job.options
    return sides.find((side) => side.tree === tree && side.job === '')?.root ?? root
  }

  #listingOf(url: string, place: Place): NewItem {
    const own = url.endsWith('/') ? url : `${url}/`
    const request = {method: 'PROPFIND', url: own, depth: 1, attempts: 0} as const
    return {name: place.name, request: formatRequest(request, place, this.#work.job)}
  }

  /** Makes the request of a listed resource, by the guards of the client. */
  async #requestOf(
    {request}: Item,
    result: Success,
    place: Place,
  ): Promise<NewItem & {readonly level: number}> {
    const {dav, job} = this.#work
    const {ifMissing, verify, unguarded} = job.options
    const {name} = place
    // A file with a slash may have members all the same.
    const isFile = isCollection(result) === false && !result.url.endsWith('/')
    const level = isFile ? FILES : depthOfUrl(result.url)
    try {
      const plan = await dav.delete(result, {ifMissing, verify, unguarded, dryRun: true})
      return plan.ok && plan.request !== undefined
        ? {name, level, request: formatRequest(plan.request, place, job)}
        : {name, level, request: '', verdict: plan}
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      const description = `${error.message} (listed in ${request.url})`
      const facts = {url: result.url, status: 0, reason: 'refused', description} as const
      return {name, level, request: '', verdict: createFailure(facts)}
    }
  }
}

function succeeded(url: string): Success {
  const place = {href: pathOf(url), url, relation: 'self'} as const
  return {ok: true, ...place, status: 207, properties: {}, missing: []}
}

function depthOfUrl(url: string): number {
  return depthOf(keyOfUrl(url))
}

/** Writes what is stored of a listed resource. */
function detailOf(result: DavResult, {path, name}: Place, base: string): string {
  if (!result.ok) return JSON.stringify({failure: result})
  const {url, properties} = result
  const isPlain = url === new URL(base).origin + path + name + slashOf(properties)
  return JSON.stringify({...(!isPlain && {url}), properties})
}
