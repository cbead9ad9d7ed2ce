// The selected rows, and the range that Shift extends.

import {isSelectable, type Row} from './row.ts'

/** The selected rows of the table. */
export class Selection {
  readonly #rows = new Set<Row>()
  #anchor = 0
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
    this.#anchor = index
    this.#range = []
    if (!this.#rows.delete(row) && isSelectable(row)) this.#rows.add(row)
  }

  /** Sets the row at which the next range begins. */
  anchorAt(index: number): void {
    this.#anchor = index
    this.#range = []
  }

  /** Selects everything between the last toggled row and this one. The same range is changed until a row is toggled. */
  extend(rows: readonly Row[], index: number): void {
    for (const row of this.#range) this.#rows.delete(row)
    const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)]
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
    this.anchorAt(0)
  }

  clear(): void {
    this.#rows.clear()
    this.anchorAt(0)
  }
}
