/**
 * The ledger in one SQLite file, by `node:sqlite`. Many processes of one machine share the file. Network file systems do not lock
 * it reliably, so there PostgreSQL is the store.
 */

import type {FileHandle} from 'node:fs/promises'
import {open} from 'node:fs/promises'
import {resolve as absolute} from 'node:path'
import type {DatabaseSync, StatementSync} from 'node:sqlite'

import {memberOf} from '../protocol/members.ts'
import type {Ledger, LedgerErrorReason} from './ledger.ts'
import {createLedger, LedgerError} from './ledger.ts'
import {prepareTables, SCHEMA_VERSION} from './schema.ts'
import type {Row, Sql, Store} from './store.ts'
import {placeholders} from './store.ts'

/** Milliseconds that one attempt at the write lock blocks the process. */
const BUSY_MILLISECONDS = 1000
/** Milliseconds after which a transaction without the write lock is given up. */
const PATIENCE_MILLISECONDS = 60_000
/** Milliseconds of work after which the process does other things. */
const TURN_MILLISECONDS = 20
/** The most statements that are kept prepared. */
const KEPT_STATEMENTS = 100

const DIALECT = {
  int: 'integer',
  // Numbers are not used again: a late worker of a removed job would take another job's unit for its own.
  id: 'integer primary key autoincrement',
  keyed: ' strict, without rowid',
  plain: ' strict',
}

/** Primary result codes of SQLite, and an extended one. */
const REASONS: Readonly<Record<number, LedgerErrorReason>> = {
  5: 'busy',
  6: 'busy',
  8: 'read-only',
  10: 'unreachable',
  11: 'corrupt',
  13: 'full',
  14: 'unreachable',
  26: 'corrupt',
  // `SQLITE_IOERR_SHMSIZE`: on a full disk, the first process cannot make the shared memory.
  4874: 'full',
}

const WORDS: Readonly<Record<string, string>> = {
  busy: 'is held by another process; try again later',
  'read-only': 'cannot be written; it and its folder need write permission',
  unreachable: 'cannot be opened, read or written',
  corrupt: 'is damaged or no ledger; restore it from a copy, or begin with a new file',
  full: 'has no space left; free some space and go on, nothing is lost',
}

/**
 * Opens a ledger in a file, and makes the file if it is missing. The journal is a write-ahead log, so two files lie beside it
 * while it is open. Copy it with `VACUUM INTO`, never alone.
 *
 * @param file - The path of the file.
 * @throws {@link LedgerError} for a file that cannot be opened, is no ledger, or was made by a later version.
 * @example
 * ```ts
 * await using ledger = await sqliteLedger('job.sqlite')
 * ```
 */
export async function sqliteLedger(file: string): Promise<Ledger> {
  if (typeof file !== 'string' || file === '' || file === ':memory:')
    throw new TypeError('sqliteLedger: give the path of a file')
  return createLedger('sqlite', await openSqlite(file))
}

/** Opens the store of a file. */
export async function openSqlite(path: string): Promise<Store> {
  const file = absolute(path)
  const {DatabaseSync: Database} = await import('node:sqlite').catch((error: unknown) => {
    throw new TypeError('sqliteLedger needs node:sqlite, as of Node 22.19', {cause: error})
  })
  let database: DatabaseSync
  try {
    database = new Database(file, {timeout: BUSY_MILLISECONDS})
  } catch (error) {
    throw explain(file, error)
  }
  const store = new SqliteStore(database, file)
  try {
    await store.open()
  } catch (error) {
    database.close()
    throw error
  }
  return store
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync
  readonly #file: string
  readonly #statements = new Map<string, StatementSync>()
  readonly #sql: Sql
  // Transactions of one connection run one after another.
  #last: Promise<unknown> = Promise.resolve()
  #log: Promise<FileHandle> | undefined
  #turn = performance.now()
  #isClosed = false

  constructor(database: DatabaseSync, file: string) {
    this.#database = database
    this.#file = file
    const prepare = (text: string): StatementSync => this.#prepare(text)
    this.#sql = {
      now: "cast(unixepoch('subsec') * 1000 as integer)",
      skipLocked: '',
      forUpdate: '',
      // A Value is never an object, which would be taken for named parameters.
      all: async (text, values = []) => prepare(text).all(...values) as Row[],
      run: async (text, values = []) => Number(prepare(text).run(...values).changes),
      async insert(table, columns, rows, returning) {
        const values = placeholders(columns.length)
        const text = `insert into ${table} (${columns.join(', ')}) values (${values}) on conflict do nothing`
        const asked = returning?.split(', ') ?? []
        // A statement with RETURNING takes twice as long, so only a number that the database gives is returned by it.
        const isGiven = asked.every((name) => columns.includes(name))
        const statement = prepare(isGiven ? text : `${text} returning ${returning}`)
        const places = asked.map((name) => [name, columns.indexOf(name)] as const)
        const inserted: Row[] = []
        for (const row of rows) {
          if (!isGiven) inserted.push(...(statement.all(...row) as Row[]))
          else if (Number(statement.run(...row).changes) > 0)
            inserted.push(Object.fromEntries(places.map(([name, at]) => [name, row[at] ?? ''])))
        }
        return inserted
      },
    }
  }

  /** Makes the tables. Another program's database is refused before anything of it is changed. */
  async open(): Promise<void> {
    const {tables, version} = await this.read(async ({all}) => ({
      tables: (await all("select name from sqlite_schema where type = 'table'")).map(
        ({name}) => name,
      ),
      version: Number((await all('pragma user_version'))[0]?.['user_version'] ?? 0),
    }))
    // The tables of a ledger and its version are made in one transaction.
    if (tables.length > 0 && (version === 0 || !tables.includes('verdict')))
      throw new LedgerError('corrupt', `${this.#file} is a database, but no ledger`)
    if (version > SCHEMA_VERSION) {
      throw new LedgerError(
        'version',
        `The ledger ${this.#file} was made by a later version of multistatus: its schema is ${version}, and this one knows ${SCHEMA_VERSION}`,
      )
    }
    const place = {kind: 'file', name: this.#file} as const
    if (version > 0) await this.read((sql) => prepareTables(sql, DIALECT, place, version))
    // Reading the mode needs no write lock, and setting it needs the only connection.
    await this.#attempt(async () => {
      const mode = this.#database.prepare('pragma journal_mode').get()?.['journal_mode']
      if (mode !== 'wal') this.#database.exec('pragma journal_mode = wal')
      // Commits do not wait for the disk; `flush` does, beside the requests.
      this.#database.exec('pragma synchronous = normal')
    })
    if (version === SCHEMA_VERSION) return
    await this.transaction(async (sql) => {
      await prepareTables(sql, DIALECT, place, version)
      await sql.run(`pragma user_version = ${SCHEMA_VERSION}`)
    })
  }

  /** Syncs the write-ahead log. SQLite would do it at each commit, and block the process meanwhile. */
  async flush(): Promise<void> {
    this.#log ??= open(`${this.#file}-wal`, 'r+')
    try {
      await (await this.#log).datasync()
    } catch (error) {
      throw new LedgerError('unreachable', `The ledger ${this.#file} cannot be synced`, error)
    }
  }

  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#queue(() =>
      this.#attempt(async () => {
        // A deferred transaction could not get the write lock after another one's commit.
        this.#database.exec('begin immediate')
        try {
          const result = await work(this.#sql)
          this.#database.exec('commit')
          return result
        } catch (error) {
          // SQLite itself rolls some failed transactions back.
          if (this.#database.isTransaction) this.#database.exec('rollback')
          throw error
        }
      }),
    )
  }

  read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#queue(() => this.#attempt(() => work(this.#sql)))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#last
    this.#statements.clear()
    this.#database.close()
    await this.#log?.then((log) => log.close()).catch(() => {})
  }

  /** Runs work when all earlier work has ended. */
  #queue<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed)
      return Promise.reject(new LedgerError('closed', `The ledger ${this.#file} was closed`))
    const done = this.#last.then(async () => {
      // SQLite blocks the process. Timers and sockets get their turn between two transactions.
      if (performance.now() - this.#turn > TURN_MILLISECONDS) {
        await new Promise((next) => void setImmediate(next))
        this.#turn = performance.now()
      }
      return work()
    })
    this.#last = done.catch(() => {})
    return done
  }

  /** Repeats work while another process holds the file. SQLite lets processes in without any order, so the pauses are random. */
  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    const begun = performance.now()
    for (;;) {
      try {
        return await work()
      } catch (error) {
        const explained = explain(this.#file, error)
        const isBusy = explained instanceof LedgerError && explained.reason === 'busy'
        if (!isBusy || performance.now() - begun > PATIENCE_MILLISECONDS) throw explained
        await new Promise((resolve) => void setTimeout(resolve, 5 + Math.random() * 50))
      }
    }
  }

  #prepare(text: string): StatementSync {
    const known = this.#statements.get(text)
    if (known !== undefined) return known
    const statement = this.#database.prepare(text)
    const [oldest] = this.#statements.keys()
    if (this.#statements.size >= KEPT_STATEMENTS && oldest !== undefined)
      this.#statements.delete(oldest)
    this.#statements.set(text, statement)
    return statement
  }
}

/** Makes the error of the ledger for an error of SQLite; any other error stays. */
function explain(file: string, error: unknown): unknown {
  const code = memberOf(error, 'errcode')
  const reason = typeof code === 'number' ? (REASONS[code] ?? REASONS[code % 256]) : undefined
  if (reason === undefined) return error
  return new LedgerError(reason, `The ledger ${file} ${WORDS[reason]}`, error)
}
