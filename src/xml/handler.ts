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
  /**
   * In recovery: whether all elements inside the root end before this one, because end tags are lost. They do so if it means
   * something as a child of the root.
   */
  mayBeNext(child: PathNode<Known>): boolean
  /** What was fed is read. Throws {@link ScanError} where too much of it is held. */
  fed(): void
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
