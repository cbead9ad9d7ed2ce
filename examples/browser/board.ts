// The rows with a verdict. A new listing shows them again with it, so that no verdict is lost by a reload.

import {type DavResult, keyOf} from 'multistatus'

import {listedRow, type Row} from './row.ts'

/** The rows that something was asked of, by the keys of their resources. */
export class Board {
  readonly #rows = new Map<string, Row>()

  keep(row: Row): void {
    this.#rows.set(keyOf(row), row)
  }

  find(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  /** Forgets the verdicts that are settled. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) {
      const row = this.#rows.get(key)
      if (row !== undefined && row.result !== undefined) Object.assign(row, UNASKED)
      this.#rows.delete(key)
    }
  }

  /** Makes the row of a listed member. A resource that is done begins anew; any other one keeps its verdict. */
  list(result: DavResult): Row {
    const row = listedRow(result)
    if (this.#rows.size === 0) return row
    const key = keyOf(row)
    const known = this.#rows.get(key)
    if (known === undefined || !result.ok) return row
    if (known.verdict === 'done') {
      this.#rows.delete(key)
      return row
    }
    const {verdict, words} = known
    return Object.assign(known, row, {verdict, words})
  }
}

const UNASKED = {verdict: 'listed', words: ''} as const
