/** The ledger of jobs, and its errors. A ledger is the only truth about a job: queues and processes may lose theirs. */

import type {AsyncDisposing} from '../protocol/dispose.ts'
import type {Store} from './store.ts'

/** Holds jobs, their targets and their verdicts. Many processes may open one ledger. */
export interface Ledger extends AsyncDisposing {
  /** The kind of the store: `sqlite` or `postgres`. */
  readonly kind: 'sqlite' | 'postgres'
  /** Closes the file or the connections. Jobs stay in the ledger. */
  close(): Promise<void>
}

/**
 * The kind of a {@link LedgerError}.
 *
 * - `busy`: other processes held the ledger for too long.
 * - `full`: the disk is full. Nothing of the transaction was stored.
 * - `read-only`: the file, its folder or the database takes no changes.
 * - `corrupt`: the file or schema is no ledger, or is damaged.
 * - `version`: a later version of this package made the ledger.
 * - `unreachable`: the file cannot be opened, or the database server does not answer.
 * - `missing`: the ledger has no such job.
 * - `state`: the job is in a state that does not allow the call.
 * - `closed`: the ledger was closed.
 */
export type LedgerErrorReason =
  | 'busy'
  | 'full'
  | 'read-only'
  | 'corrupt'
  | 'version'
  | 'unreachable'
  | 'missing'
  | 'state'
  | 'closed'

/** An error of the ledger. What was stored before it stays stored. */
export class LedgerError extends Error {
  /** The name of the class, the same in every copy of the package. */
  override readonly name = 'LedgerError'
  /** The kind of the error. */
  readonly reason: LedgerErrorReason

  /** @internal */
  constructor(reason: LedgerErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : {cause})
    this.reason = reason
  }
}

const STORES = new WeakMap<Ledger, Store>()

/** Makes the ledger of a store. */
export function createLedger(kind: Ledger['kind'], store: Store): Ledger {
  const close = (): Promise<void> => store.close()
  const ledger = {kind, close, [Symbol.asyncDispose]: close}
  STORES.set(ledger, store)
  return ledger
}

/**
 * Finds the store of a ledger.
 *
 * @throws TypeError for a value that is no ledger.
 */
export function storeOf(ledger: Ledger): Store {
  const store = STORES.get(ledger)
  if (store === undefined)
    throw new TypeError('Give a ledger of sqliteLedger(…) or postgresLedger(…)')
  return store
}
