/**
 * The contract between the scanner and the reader of a document: callbacks, limits, and the error that ends a reading. The
 * scanner knows no meaning of any element; the reader knows no markup.
 */

import type {MultiStatusErrorReason} from '../protocol/errors.ts'
import type {Replay} from './layout.ts'
import type {PathNode, Structured} from './path.ts'
import type {TagLimits} from './tag.ts'

/** Bounds on the memory of a scanner. */
export interface ScannerLimits extends TagLimits {
  /** Bytes of one tag or instruction. */
  readonly tag: number
  /** Levels of nesting. */
  readonly depth: number
  /** Characters of one value; of a structured one, bytes of its markup. */
  readonly value: number
  /** Elements of one value. */
  readonly elements: number
}

/** The reader of a document. Its callbacks come in the order of the document. */
export interface ScannerHandler<Known> {
  /** Sets `role` and `collects` of a path, when its first element opens. Elements without a role get no callbacks. */
  classify(node: PathNode<Known>): void
  /** Called at the start tag of an element with a role. */
  open(node: PathNode<Known>): void
  /** Called at its end with the collected value: text, or an element with child elements. */
  close(node: PathNode<Known>, value: string | Structured): void
  /**
   * Called behind the end of an element that repeats, with the elements in it whose texts vary. Returns what replaces the calls for
   * another one with the same markup and other texts; `undefined` if such calls would do more than that.
   */
  learn(slots: readonly PathNode<Known>[]): Replay | undefined
  /** Called in recovery for a fault in the markup. The reading goes on. */
  fault(message: string): void
  /**
   * Called in recovery at a start tag inside the root. Returns true to end all open elements but the root, if the element
   * has a role as a child of the root. The broken response before it is over then.
   */
  mayBeNext(child: PathNode<Known>): boolean
  /** Called behind each chunk. Throws {@link ScanError} if the reader holds too much. */
  fed(): void
}

/** A fault or a broken limit, which ends the reading. The parser turns it into a `MultiStatusError`. */
export class ScanError extends Error {
  readonly reason: MultiStatusErrorReason
  /** The byte of the fault in the source that is read; `undefined` for the beginning of the current markup. */
  readonly at: number | undefined
  /** The name of the limit that was broken. */
  readonly limit: string | undefined

  constructor(message: string, reason: MultiStatusErrorReason, at?: number, limit?: string) {
    super(message)
    this.reason = reason
    this.at = at
    this.limit = limit
  }
}

/** Makes the error for a broken limit. */
export function limitError<Name extends string>(
  limits: Readonly<Record<Name, number>>,
  name: Name,
  at?: number,
): ScanError {
  const message = `limits.${name} is ${limits[name]}, and the body has more`
  return new ScanError(message, 'limit-exceeded', at, name)
}
