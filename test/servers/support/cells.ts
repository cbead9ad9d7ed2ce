/** The possible outcomes of a step of a table in the guide, and the expected ones of a server. */

/** An outcome that is neither right nor a refusal that changed nothing. */
interface Fault {
  /** The outcome as the table computes it, such as the verdict, a comma and the state. */
  readonly seen: string
  /** The fault in a sentence, for the guide. */
  readonly fault: string
}

/**
 * The outcome of a step. A number is the status of the server's refusal, and `refused` a refusal of the client; both changed
 * nothing. `no ETag` means that the server has none for the step, `no lock` that it refused the lock of the step, and `open` that
 * another client could do it without the lock.
 */
export type Cell =
  | 'right'
  | 'refused'
  | 'no ETag'
  | 'no lock'
  | 'open'
  | 'not tested'
  | number
  | Fault

/** The answers of a server to the steps of one table. */
export interface TableTraits<Row extends string> {
  /** Its name in the table. */
  readonly heading: string
  /** The expected outcomes that are not right. */
  readonly cells: Readonly<Partial<Record<Row, Cell>>>
}
