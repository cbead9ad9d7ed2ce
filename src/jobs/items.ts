/**
 * The resources of a job, stored in units of one collection. A resource is stored by its collection and its name, so a second
 * spelling of it is found. A plain request is not stored: it follows from the job.
 */

import type {DavResult, FailedRequest} from '../multistatus/result.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import {memberOf} from '../protocol/members.ts'
import type {StoredJob} from './job.ts'
import {shorten} from './shorten.ts'
import type {Row, Sql} from './store.ts'
import {numberOf, placeholders, textOf} from './store.ts'
import type {UnitKind} from './units.ts'
import {DONE, OPEN} from './units.ts'
import {block, recordVerdicts, verdictRow} from './verdicts.ts'

/** The roles of an item: a request to send, or a collection to list. */
const SEND = 0
const LIST = 1

/** The place of a resource: its collection, by canonical path with a slash, and the rest of its URL. */
export interface Place {
  readonly path: string
  readonly name: string
}

/** A resource to store. */
export interface NewItem {
  readonly name: string
  /** The request; empty for a plain one, and a slash for a plain one of a collection. */
  readonly request: string
  /** The verdict on a target that must not be sent. */
  readonly verdict?: DavResult
}

/** A stored resource without a verdict. */
export interface Item {
  readonly unit: number
  readonly n: number
  /** The tree that it belongs to. */
  readonly tree: number
  /** The canonical path and the query, by which results are matched. */
  readonly key: string
  /** Requests with a known outcome. */
  readonly attempts: number
  /** True if a request may have been sent whose outcome is unknown. */
  readonly isMaybe: boolean
  /** The request. Its number of attempts is above zero if one may have been sent. */
  readonly request: FailedRequest
}

/** Splits the URL of a resource. The root of a server has an empty name. What is too long is replaced by its hash. */
export function placeOf(url: string): Place {
  const {path, name} = wholePlaceOf(url)
  return {path: shorten(path), name: shorten(name)}
}

/** Splits the URL of a resource, at any length. */
export function wholePlaceOf(url: string): Place {
  const key = keyOfUrl(url)
  const end = key.replace(/\?.*$/su, '').lastIndexOf('/') + 1
  return {path: key.slice(0, end) || '/', name: key.slice(end)}
}

/** Makes the path of a collection with its slash, for the resources in it. */
export function below(url: string): string {
  return shorten(`${keyOfUrl(url)}/`)
}

/** Makes the key of a resource within its server. */
export function keyOfUrl(url: string): string {
  return canonicalPathOf(url) + (url.includes('?') ? new URL(url).search : '')
}

/** The end of the URL of a listed resource, by its type. */
export function slashOf(properties: unknown): '/' | '' {
  const types = memberOf(properties, 'resourcetype')
  return Array.isArray(types) && types.includes('collection') ? '/' : ''
}

/** Counts the segments of a key. */
export function depthOf(key: string): number {
  return key.replace(/\?.*$/su, '').split('/').length - 1
}

/** Writes the request of a resource as short as possible. */
export function formatRequest(
  request: FailedRequest,
  {path, name}: Place,
  {origin}: StoredJob,
): string {
  const {url, conditions, destination} = request
  if (conditions === undefined && destination === undefined) {
    const plain = origin + path + name
    if (url === plain) return ''
    if (url === `${plain}/`) return '/'
  }
  return JSON.stringify(request)
}

/** Reads the resources of units that have no verdict. */
export async function readItems(
  {all}: Sql,
  ids: readonly number[],
  job: StoredJob,
): Promise<readonly Item[]> {
  const rows = await all(
    `select i.unit as unit, i.n as n, i.name as name, i.request as request, i.attempts as attempts,
        i.maybe as maybe, c.path as path, c.tree as tree
      from item i join collection c on c.id = i.collection
      where i.unit in (${placeholders(ids.length)})
        and not exists (select 1 from verdict v where v.unit = i.unit and v.n = i.n)
      order by i.unit, i.n`,
    ids,
  )
  return rows.map((row) => {
    const attempts = numberOf(row, 'attempts')
    const isMaybe = numberOf(row, 'maybe') === 1
    const request = {...requestOf(row, job), attempts: Math.max(attempts, isMaybe ? 1 : 0)}
    const path = textOf(row, 'path')
    // The key of the root has no slash.
    const isPlain = textOf(row, 'request').length <= 1 && path !== '/'
    const key = isPlain ? path + textOf(row, 'name') : keyOfUrl(request.url)
    return {
      unit: numberOf(row, 'unit'),
      n: numberOf(row, 'n'),
      tree: numberOf(row, 'tree'),
      key,
      attempts,
      isMaybe,
      request,
    }
  })
}

/** Reads the request of a row, which has the path of its collection too. */
export function requestOf(row: Row, job: StoredJob): FailedRequest {
  const stored = textOf(row, 'request')
  if (stored.length > 1) return JSON.parse(stored)
  const url = job.origin + textOf(row, 'path') + textOf(row, 'name') + stored
  return {...plainRequest(job, stored === '/'), url, attempts: 0}
}

/** Writes the number of attempts of items, and whether there may be one more. Both are absolute, so that it may run twice. */
export async function noteAttempts(
  {run}: Sql,
  items: readonly Pick<Item, 'unit' | 'n' | 'attempts' | 'isMaybe'>[],
): Promise<void> {
  const groups = Map.groupBy(items, ({unit, attempts, isMaybe}) =>
    [unit, attempts, isMaybe ? 1 : 0].join(' '),
  )
  for (const [key, group] of groups) {
    const [unit = 0, attempts = 0, maybe = 0] = key.split(' ').map(Number)
    await run(
      `update item set attempts = ?, maybe = ? where unit = ? and n in (${placeholders(group.length)})`,
      [attempts, maybe, unit, ...group.map(({n}) => n)],
    )
  }
}

function plainRequest(
  {kind, options}: StoredJob,
  isCollection: boolean,
): Omit<FailedRequest, 'url' | 'attempts'> {
  const {ifMissing, verify} = options
  const verified = verify === true && {verify}
  if (kind === 'put')
    return isCollection ? {method: 'MKCOL', parents: true} : {method: 'PUT', ...verified}
  return {
    method: 'DELETE',
    depth: 'infinity',
    ...(ifMissing === 'success' && {ifMissing}),
    ...verified,
  }
}

/** Finds or makes the row of a collection. */
export async function collectionId(
  {all, insert}: Sql,
  {id, tree = 0}: {readonly id: string; readonly tree?: number},
  path: string,
): Promise<number> {
  const key = [id, tree, path]
  const [made] = await insert('collection', ['job', 'tree', 'path'], [key], 'id')
  if (made !== undefined) return numberOf(made, 'id')
  const [found] = await all(
    'select id from collection where job = ? and tree = ? and path = ?',
    key,
  )
  return numberOf(found, 'id')
}

/** A unit to store. */
export interface NewUnit {
  readonly kind: UnitKind
  readonly level: number
  readonly collection: number
}

const UNIT = [
  'job',
  'kind',
  'level',
  'collection',
  'items',
  'state',
  'epoch',
  'due',
  'worker',
  'crashes',
]
const ITEM = ['unit', 'n', 'collection', 'role', 'name', 'request', 'attempts', 'maybe']

/** Stores resources of one collection in units of a size. */
export async function insertUnits(
  sql: Sql,
  job: string,
  unit: NewUnit,
  items: readonly NewItem[],
  size: number,
): Promise<void> {
  for (let begin = 0; begin < items.length; begin += size)
    await insertUnit(sql, job, unit, items.slice(begin, begin + size))
}

/** Stores a unit with resources of one collection. Those that the job has already are passed over. */
export async function insertUnit(
  sql: Sql,
  job: string,
  {kind, level, collection}: NewUnit,
  items: readonly NewItem[],
): Promise<void> {
  const {run, insert} = sql
  const isDecided = items.length > 0 && items.every(({verdict}) => verdict !== undefined)
  const state = isDecided ? DONE : OPEN
  const row = [job, kind, level, collection, items.length, state, 0, 0, '', 0]
  const [made] = await insert('unit', UNIT, [row], 'id')
  if (items.length === 0) return
  const unit = numberOf(made, 'id')
  const role = kind === 'list' ? LIST : SEND
  const rows = items.map(({name, request}, n) => [unit, n, collection, role, name, request, 0, 0])
  const inserted = await insert('item', ITEM, rows, 'n')
  if (inserted.length === 0) await run('delete from unit where id = ?', [unit])
  else if (inserted.length < items.length)
    await run('update unit set items = ? where id = ?', [inserted.length, unit])
  const refused = inserted.flatMap((one) => {
    const n = numberOf(one, 'n')
    const verdict = items[n]?.verdict
    return verdict === undefined ? [] : [{n, verdict}]
  })
  const verdicts = refused.map(({n, verdict}) => verdictRow(unit, n, verdict, false))
  await recordVerdicts(sql, {job, worker: ''}, verdicts)
  // A refused target stays, and so do the collections around it.
  await block(
    sql,
    job,
    refused.map(({verdict}) => keyOfUrl(verdict.url)),
  )
}
