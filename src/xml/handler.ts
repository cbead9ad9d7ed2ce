/** The contract between a scanner and its reader: callbacks, limits, and the error that ends a reading. */

import type {MultiStatusErrorReason} from '../protocol/errors.ts'
import type {Markup, PathNode} from './path.ts'
import type {TagLimits} from './tag.ts'

/** Bounds on the memory of a scanner: bytes of a tag, characters and elements of a value, levels of nesting. */
export interface ScannerLimits extends TagLimits {
  readonly tag: number
  readonly depth: number
  readonly value: number
  readonly elements: number
}

/** The reader of a document, called for each element that it gave a role. */
export interface ScannerHandler<Known> {
  /** Sets `role` and `collects` of a new path, once. No callbacks follow for elements with role 0. */
  classify(node: PathNode<Known>): void
  open(node: PathNode<Known>): void
  /** Takes the collected value: text, or markup for an element with child elements. */
  close(node: PathNode<Known>, value: string | Markup): void
  /** In recovery: something is not well-formed. */
  fault(message: string): void
  /**
   * In recovery: an element may be the next child of the root, although others inside the root have not ended. It is one if
   * its start tag has a role there.
   */
  mayBeNext(child: PathNode<Known>): boolean
  /** A chunk is read. Throws {@link ScanError} if too much of it is held. */
  fed(): void
}

/** The end of a reading by a fault. */
export class ScanError extends Error {
  readonly reason: MultiStatusErrorReason
  /** The byte of the fault in the piece that was read; `undefined` for the markup that the scanner stands at. */
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

/** The end of a reading by a limit. */
export function limitError<Name extends string>(
  limits: Readonly<Record<Name, number>>,
  name: Name,
  at?: number,
): ScanError {
  const message = `limits.${name} is ${limits[name]}, and the body has more`
  return new ScanError(message, 'limit-exceeded', at, name)
}
