/** The tables of a ledger, the same for SQLite and PostgreSQL. */

import {messageOf} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import {LedgerError} from './ledger.ts'
import type {Sql} from './store.ts'

/** The version of the tables. A ledger of a later one is refused. */
export const SCHEMA_VERSION = 1

/** The words that differ between the stores. */
export interface Dialect {
  /** The type of a whole number. */
  readonly int: string
  /** The type and default of a column that numbers its rows. */
  readonly id: string
  /** The end of a table whose primary key is its only index. */
  readonly keyed: string
  /** The end of any other table. */
  readonly plain: string
}

/**
 * Writes the statements that make the tables.
 *
 * A target is an `item` of a `unit`, and at most one row of `verdict` decides about it. A unit is a part of the work that one
 * worker claims. Its `epoch` rises with each claim, so the writes of an earlier holder are refused. Units of a higher `level` end
 * before those of a lower one begin. `due` is the time of the next claim: 0 at first, and the end of the lease while it is held.
 * `crashes` counts the times that work on it began, and ended without any progress or word.
 */
function createTables({int, id, keyed, plain}: Dialect): readonly string[] {
  return [
    `create table if not exists job (
      id text not null primary key, kind text not null, base text not null, options text not null,
      state text not null, created ${int} not null, ended ${int} not null, incomplete text not null
    )${plain}`,
    // A collection by its canonical path with a slash. A diff of two trees has two, 0 and 1.
    `create table if not exists collection (
      id ${id}, job text not null, tree ${int} not null, path text not null, unique (job, tree, path)
    )${plain}`,
    // States: 0 open, 1 claimed, 2 done, 3 set aside.
    `create table if not exists unit (
      id ${id}, job text not null, kind text not null, level ${int} not null,
      collection ${int} not null, items ${int} not null, state ${int} not null,
      epoch ${int} not null, due ${int} not null, worker text not null, crashes ${int} not null
    )${plain}`,
    'create index if not exists unit_open on unit (job, level, due, id) where state < 2',
    'create index if not exists unit_job on unit (job, id)',
    // Roles: 0 a request, 1 a listing. An empty request is a plain one, of the resource `name` in the collection. `attempts` counts
    // requests with a known outcome. `maybe` is 1 if there was one that may have been sent, and whose outcome is unknown.
    `create table if not exists item (
      unit ${int} not null, n ${int} not null, collection ${int} not null, role ${int} not null,
      name text not null, request text not null, attempts ${int} not null, maybe ${int} not null,
      primary key (unit, n)
    )${keyed}`,
    'create unique index if not exists item_name on item (collection, role, name)',
    `create table if not exists verdict (
      unit ${int} not null, n ${int} not null, ok ${int} not null, retryable ${int} not null,
      doubt ${int} not null, status ${int} not null, reason text not null, detail text not null,
      primary key (unit, n)
    )${keyed}`,
    // A listed resource. The root of a tree has an empty name.
    `create table if not exists entry (
      collection ${int} not null, name text not null, detail text not null, primary key (collection, name)
    )${keyed}`,
    // Collections in which a target failed: their own DELETE is not sent.
    `create table if not exists blocked (
      job text not null, path text not null, primary key (job, path)
    )${keyed}`,
    // Counts by worker, so that workers do not wait for one another.
    `create table if not exists tally (
      job text not null, worker text not null, name text not null, count ${int} not null,
      primary key (job, worker, name)
    )${keyed}`,
    `create table if not exists worker (
      job text not null, id text not null, host text not null, pid ${int} not null, started ${int} not null,
      seen ${int} not null, rate ${int} not null, primary key (job, id)
    )${keyed}`,
    `create table if not exists cooldown (
      origin text not null primary key, until ${int} not null
    )${keyed}`,
    `create table if not exists difference (
      job text not null, path text not null, change text not null, detail text not null, primary key (job, path)
    )${keyed}`,
  ]
}

/** The file or the schema of a ledger, for messages. */
export interface TablePlace {
  readonly kind: 'file' | 'schema'
  readonly name: string
}

/**
 * Makes the tables that are missing. With the current version it only reads them.
 *
 * @throws LedgerError for a table of that name which is another program's, or older.
 */
export async function prepareTables(
  sql: Sql,
  dialect: Dialect,
  place: TablePlace,
  version: number,
): Promise<void> {
  for (const statement of createTables(dialect)) {
    if (version < SCHEMA_VERSION) await sql.run(statement)
    const [, table, columns = ''] = TABLE.exec(statement) ?? []
    const names = Array.from(columns.matchAll(COLUMN), ([, name = '']) => name)
    if (table !== undefined) await assertTable(sql, table, names, place)
  }
}

const TABLE = /^create table if not exists (\w+) \((.*)\)/su
const COLUMN = /(\w+) (?:text|integer|bigint)\b/gu

/**
 * Reads columns of a table.
 *
 * @throws LedgerError if it has none of that name.
 */
export async function assertTable(
  {all}: Sql,
  table: string,
  columns: readonly string[],
  {kind, name}: TablePlace,
): Promise<void> {
  try {
    await all(`select ${columns.join(', ')} from ${table} limit 0`)
  } catch (error) {
    // The general error of SQLite; an unknown column, an unknown table, and a name that is no table in PostgreSQL.
    const isOther = ['42703', '42P01', '42809'].includes(String(memberOf(error, 'code')))
    if (!isOther && memberOf(error, 'errcode') !== 1) throw error
    const found = `The ${kind} ${name} has a table ${table} that is not one of this ledger: ${messageOf(error)}`
    throw new LedgerError('corrupt', `${found}; use another ${kind}`, error)
  }
}
