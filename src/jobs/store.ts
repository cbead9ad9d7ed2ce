/**
 * The store of a ledger: transactions over SQL that SQLite and PostgreSQL share. A store knows its engine and no job. Each
 * transaction may run twice after a lost connection, so each is written to be repeatable.
 */

/** A value of a parameter or a column. Integers stay below 2^53. */
export type Value = string | number

/** A row by its columns. */
export type Row = Readonly<Record<string, Value>>

/** The statements of one transaction. Parameters are written `?`, and never anything but a {@link Value}. */
export interface Sql {
  /** The expression of the store's own clock, in milliseconds since 1970. The clocks of workers may differ. */
  readonly now: string
  /** The end of a SELECT that claims one row: other transactions pass over it. Empty where transactions write one at a time. */
  readonly skipLocked: string
  /** The end of a SELECT that keeps its row from changes of other transactions. */
  readonly forUpdate: string
  /** Returns all rows. */
  readonly all: (text: string, values?: readonly Value[]) => Promise<readonly Row[]>
  /** Returns the number of changed rows. */
  readonly run: (text: string, values?: readonly Value[]) => Promise<number>
  /** Inserts rows, and passes over those whose key is there. Returns the columns of `returning` of each inserted row. */
  readonly insert: (
    table: string,
    columns: readonly string[],
    rows: readonly (readonly Value[])[],
    returning?: string,
  ) => Promise<readonly Row[]>
}

/** A database with the tables of a ledger. */
export interface Store {
  /** Runs a transaction that writes. An error rolls it back. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** Runs statements that only read. */
  read<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** Resolves when all earlier transactions outlive a loss of power. They outlive the process at once. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** Reads an integer of a row. */
export function numberOf(row: Row | undefined, column: string): number {
  return Number(row?.[column] ?? 0)
}

/** Reads a text of a row. */
export function textOf(row: Row | undefined, column: string): string {
  return String(row?.[column] ?? '')
}

/** Writes the placeholders of a list, such as `?, ?, ?`. */
export function placeholders(count: number): string {
  return Array.from({length: count}, () => '?').join(', ')
}
