/** Between a scanner and who reads with it: what is called, what bounds there are, and how it ends. */

import type {MultiStatusErrorReason} from '../protocol/errors.ts'
import type {PathNode} from './path.ts'
import type {TagLimits} from './tag.ts'

/** Bounds on what is held at once: bytes of a tag, characters and elements of a value, levels of nesting. */
export interface ScannerLimits extends TagLimits {
  readonly tag: number
  readonly depth: number
  readonly value: number
  readonly elements: number
}

/** What the markup is for. */
export interface ScannerHandler<Known> {
  /** Says, once for each new path, what the element is: sets `role` and `collects`. Role 0 is not heard of again. */
  classify(node: PathNode<Known>): void
  open(node: PathNode<Known>): void
  /** `value` is what the element collects; `structured` where that is markup, because it has child elements. */
  close(node: PathNode<Known>, value: string, structured: boolean): void
  /** In recovery: something is not well-formed. */
  fault(message: string): void
  /** In recovery: an element has ended by its own end tag, with nothing open in it. */
  ended(node: PathNode<Known>): void
  /** In recovery: the open element in which `child` belongs, where that is not the innermost one. */
  parentOf(child: PathNode<Known>): PathNode<Known> | undefined
  /** What was fed is read. Throws {@link ScanError} where too much of it is held. */
  fed(): void
  /**
   * In recovery: the element `ending` ends while others are open in it, or, where there is none, a limit is
   * broken. Tells the byte of the document from which to go on inside the root; `undefined` where that is no help.
   */
  restart(innermost: PathNode<Known>, ending?: PathNode<Known>): number | undefined
  /** The reading stands there. */
  restarted(): void
}

/**
 * Where and why the reading ended. `rest` is the text from there on, up to what the scanner has not read, `undefined` where the
 * scanner stands there.
 */
export class ScanError extends Error {
  readonly reason: MultiStatusErrorReason
  readonly rest: string | undefined
  readonly limit: string | undefined

  constructor(
    message: string,
    reason: MultiStatusErrorReason,
    rest: string | undefined,
    limit?: string,
  ) {
    super(message)
    this.reason = reason
    this.rest = rest
    this.limit = limit
  }
}
