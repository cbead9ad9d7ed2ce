/** Writes what a job came to as JSON lines, in pages, so that a job of any size takes little memory. */

import type {DavResult, Success} from '../multistatus/result.ts'
import {pathOf} from '../multistatus/failure.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, readOptions} from '../protocol/options.ts'
import {requestOf, slashOf} from './items.ts'
import type {Job, StoredJob} from './job.ts'
import {readJob} from './job.ts'
import type {Ledger} from './ledger.ts'
import {storeOf} from './ledger.ts'
import type {Row, Sql, Value} from './store.ts'
import {numberOf, textOf} from './store.ts'

/** Rows of one page. */
const PAGE = 1000

/** Options of `exportVerdicts`. */
export interface ExportOptions {
  /**
   * Leaves out the successes that are not in doubt.
   *
   * @defaultValue `false`
   */
  readonly failuresOnly?: boolean | undefined
}

const EXPORT_OPTIONS: Rules<ExportOptions> = {failuresOnly: BOOLEAN}

/**
 * Writes the verdicts of a job as JSON lines, each with its line end. A line is a {@link DavResult}, with `inDoubt: true` where an
 * earlier request may have done it. A Failure can be given to `dav.retry`.
 *
 * The lines of a `list` job are its resources, and a Failure for each collection that is not whole. The lines of a `diff` are
 * `{path, change, before, after}`, with paths below the roots of the two sides.
 *
 * @throws {@link LedgerError} without such a job, when it is read.
 * @example
 * ```ts
 * await pipeline(exportVerdicts(ledger, job), createWriteStream('verdicts.jsonl'))
 * ```
 */
export async function* exportVerdicts(
  ledger: Ledger,
  job: Job | string,
  options: ExportOptions = {},
): AsyncGenerator<string, void, undefined> {
  const {failuresOnly = false} = readOptions('exportVerdicts', options, EXPORT_OPTIONS)
  const store = storeOf(ledger)
  const stored = await store.read((sql) => readJob(sql, job))
  const read = (text: string, values: readonly Value[]): Promise<readonly Row[]> =>
    store.read((sql: Sql) => sql.all(text, values))
  if (stored.kind === 'diff') {
    for (let last = ''; ;) {
      const rows = await read(DIFFERENCES, [stored.id, last, PAGE])
      for (const row of rows)
        yield line({
          path: textOf(row, 'path'),
          change: textOf(row, 'change'),
          ...JSON.parse(textOf(row, 'detail')),
        })
      if (rows.length < PAGE) return
      last = textOf(rows.at(-1), 'path')
    }
  }
  if (stored.kind === 'list' && !failuresOnly) yield* entries(stored, read)
  const role = stored.kind === 'list' ? 1 : 0
  const failed = failuresOnly || role === 1 ? 'and (v.ok = 0 or v.doubt = 1)' : ''
  for (let [unit, n] = [0, -1]; ;) {
    const rows = await read(verdictsWhere(failed), [stored.id, unit, unit, unit, n, PAGE])
    for (const row of rows) if (numberOf(row, 'role') === role) yield line(verdictOf(row, stored))
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) return
    ;[unit, n] = [numberOf(last, 'unit'), numberOf(last, 'n')]
  }
}

type Read = (text: string, values: readonly Value[]) => Promise<readonly Row[]>

const DIFFERENCES =
  'select path, change, detail from difference where job = ? and path > ? order by path limit ?'

function verdictsWhere(condition: string): string {
  return `select v.unit as unit, v.n as n, v.ok as ok, v.doubt as doubt, v.status as status, v.detail as detail,
      i.role as role, i.name as name, i.request as request, i.attempts as attempts, c.path as path
    from unit u join verdict v on v.unit = u.id join item i on i.unit = v.unit and i.n = v.n
      join collection c on c.id = i.collection
    where u.job = ? and u.id >= ? and v.unit >= ? and (u.id > ? or v.n > ?) ${condition} order by u.id, v.n limit ?`
}

async function* entries(job: StoredJob, read: Read): AsyncGenerator<string> {
  const {origin} = job
  for (let last = 0; ;) {
    const collections = await read(
      'select id, path from collection where job = ? and tree = 0 and id > ? order by id limit ?',
      [job.id, last, PAGE],
    )
    for (const collection of collections) {
      for (let name = '', isFirst = true; ; isFirst = false) {
        const rows = await read(
          `select name, detail from entry where collection = ? and name ${isFirst ? '>=' : '>'} ? order by name limit ?`,
          [numberOf(collection, 'id'), name, PAGE],
        )
        for (const row of rows)
          yield line(entryOf(row, origin + textOf(collection, 'path') + textOf(row, 'name'), job))
        if (rows.length < PAGE) break
        name = textOf(rows.at(-1), 'name')
      }
    }
    if (collections.length < PAGE) return
    last = numberOf(collections.at(-1), 'id')
  }
}

/** Makes the result of a listed resource. Dates are text, as JSON has them. */
function entryOf(row: Row, plain: string, {options}: StoredJob): unknown {
  const {failure, url, properties} = JSON.parse(textOf(row, 'detail'))
  const own = failure?.url ?? url ?? plain + slashOf(properties)
  const relation = relate(canonicalPathOf(own), canonicalPathOf(options.root ?? ''))
  return failure === undefined
    ? {...success(own, 200, relation), properties}
    : {...failure, relation}
}

function verdictOf(row: Row, job: StoredJob): unknown {
  const detail = textOf(row, 'detail')
  const result: DavResult =
    detail === ''
      ? success(requestOf(row, job).url, numberOf(row, 'status'), 'self')
      : JSON.parse(detail)
  return numberOf(row, 'doubt') === 1 ? {...result, inDoubt: true} : result
}

function success(url: string, status: number, relation: Success['relation']): Success {
  return {ok: true, href: pathOf(url), url, relation, status, properties: {}, missing: []}
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
