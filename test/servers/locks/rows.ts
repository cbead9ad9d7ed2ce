/** The rows of the table of locks: one step each, done on every server of the table. */
import type {Cell} from '../support/cells.ts'

/** The steps of a client that holds locks, and of another one without them. */
const heldRows = [
  'PUT over a locked file',
  'PUT into a locked collection',
  'PUT into a collection locked with Depth 0',
  'PUT of a locked file in a locked collection',
  'MKCOL in a locked collection',
  'PROPPATCH of a locked file',
  'DELETE of a locked file',
  'DELETE of a member of a locked collection',
  'DELETE of a member of a collection locked with Depth 0',
  'DELETE of a locked collection',
  'DELETE of a collection with a locked member',
  'DELETE of a collection with two locked members',
  'COPY onto a locked file',
  'COPY into a locked collection',
  'MOVE onto a locked file',
  'MOVE into a locked collection',
  'MOVE out of a locked collection',
  'MOVE in a collection locked with Depth 0',
  'MOVE of a locked file',
  'MOVE of a locked file onto another one',
  'MOVE of a locked file onto another locked one',
  'MOVE of a locked collection',
  'MOVE of a collection with a locked member',
] as const

/** The steps of locks themselves. */
const takenRows = [
  'LOCK of a file',
  'LOCK of a file, twice by one client',
  'LOCK of a locked file',
  'LOCK of a collection',
  'LOCK of a collection with a locked member',
  'LOCK of a missing file',
  'LOCK of a missing file, create',
  'LOCK of a file, create',
  'LOCK of a file, shared by two clients',
  'refresh',
  'UNLOCK',
] as const

/** The steps after the end of a lock. */
const endedRows = [
  'PUT to a deleted file that was locked',
  'PUT to both names of a moved file that was locked',
  'PUT over a file whose lock somebody else removed',
  'COPY onto a locked file, no overwrite',
] as const

export type HeldRow = (typeof heldRows)[number]
export type TakenRow = (typeof takenRows)[number]
export type EndedRow = (typeof endedRows)[number]
export type LockRow = HeldRow | TakenRow | EndedRow

export const lockRows: readonly LockRow[] = [...takenRows, ...heldRows, ...endedRows]

/** Tells the steps of a client that holds locks from the others. */
export function isHeldRow(row: LockRow): row is HeldRow {
  return heldRows.some((held) => held === row)
}

/** Makes the cells of steps that were not tested. */
export function notTested(isSuch: (row: LockRow) => boolean): Partial<Record<LockRow, Cell>> {
  return Object.fromEntries(lockRows.filter(isSuch).map((row) => [row, 'not tested']))
}
