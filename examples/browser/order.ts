// The order of the rows, and the filter by name. Folders come first, except as listed.

import type {Row} from './row.ts'

const NAMES = new Intl.Collator('en', {numeric: true})

const ORDERS: Readonly<Record<string, (one: Row, other: Row) => number>> = {
  name: (one, other) => NAMES.compare(one.name, other.name),
  newest: (one, other) => (other.changed?.getTime() ?? 0) - (one.changed?.getTime() ?? 0),
  largest: (one, other) => (other.bytes ?? -1) - (one.bytes ?? -1),
}

/** Picks the rows with a text in their names, in an order. */
export function arrange(rows: readonly Row[], filter: string, order: string): readonly Row[] {
  const wanted = filter.trim().toLowerCase()
  const matching =
    wanted === '' ? rows : rows.filter(({name}) => name.toLowerCase().includes(wanted))
  const compare = ORDERS[order]
  if (compare === undefined) return matching
  return matching.toSorted(
    (one, other) => Number(other.isFolder) - Number(one.isFolder) || compare(one, other),
  )
}
