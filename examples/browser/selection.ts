// The selected rows, and the range that Shift extends.

import {isSelectable, type Row} from './row.ts'

/** The selected rows of the table. */
export class Selection {
  readonly #rows = new Set<Row>()
  // A row, not its place: the rows may be sorted again, and uploads come before them.
  #anchor: Row | undefined
  #range: readonly Row[] = []

  get size(): number {
    return this.#rows.size
  }

  has(row: Row): boolean {
    return this.#rows.has(row)
  }

  /** The rows that can still be acted on, in the order in which they were selected. */
  list(): readonly Row[] {
    return [...this.#rows].filter(isSelectable)
  }

  /** Selects a row, or takes it back. The next range begins here. */
  toggle(rows: readonly Row[], index: number): void {
    const row = rows[index]
    if (row === undefined) return
    this.#beginAt(row)
    if (!this.#rows.delete(row) && isSelectable(row)) this.#rows.add(row)
  }

  /** Sets the row at which the next range begins; the first one without any. */
  anchorAt(rows: readonly Row[], index: number): void {
    this.#beginAt(rows[index])
  }

  /** The next range begins anew: the rows have another order. */
  reorder(): void {
    this.#range = []
  }

  /** Selects everything between the last toggled row and this one. The same range is changed until a row is toggled. */
  extend(rows: readonly Row[], index: number): void {
    for (const row of this.#range) this.#rows.delete(row)
    const anchor = this.#anchor === undefined ? 0 : Math.max(0, rows.indexOf(this.#anchor))
    const [from, to] = [Math.min(anchor, index), Math.max(anchor, index)]
    this.#range = rows.slice(from, to + 1).filter(isSelectable)
    for (const row of this.#range) this.#rows.add(row)
  }

  /** Selects all of these rows. */
  all(rows: readonly Row[]): void {
    this.clear()
    for (const row of rows) if (isSelectable(row)) this.#rows.add(row)
  }

  /** Keeps only what is among these rows, so that nobody deletes a row that is not shown. */
  keep(shown: readonly Row[]): void {
    const visible = new Set(shown)
    for (const row of this.#rows) if (!visible.has(row)) this.#rows.delete(row)
    this.#beginAt(undefined)
  }

  clear(): void {
    this.#rows.clear()
    this.#beginAt(undefined)
  }

  #beginAt(row: Row | undefined): void {
    this.#anchor = row
    this.#range = []
  }
}
