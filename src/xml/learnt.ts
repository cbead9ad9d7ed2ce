/**
 * Holds all that scanners have learnt about the markup of one server: names, paths, values and layouts. One document begins where
 * another one ended. Its size is bounded, so it takes nothing more when it is full.
 */

import {
  LAYOUT_OVERHEAD_BYTES,
  MAX_MISSES,
  REMEMBERED_LAYOUT_BYTES,
  REMEMBERED_VALUE_BYTES,
  VALUE_OVERHEAD_BYTES,
} from '../protocol/bounds.ts'
import {PathNode} from './path.ts'
import {Scope} from './scope.ts'

/** Stands for the name of the document. XML forbids the character, so no end tag can close the document. */
export const NO_NAME = '\0'

/** Knowledge of markup. */
export class Learnt<Known> {
  readonly document: PathNode<Known>
  /** The bytes of values that may still be remembered. */
  valueRoom: number = REMEMBERED_VALUE_BYTES
  /** The bytes of layouts that may still be remembered. */
  layoutRoom: number = REMEMBERED_LAYOUT_BYTES
  /** Elements in a row that repeat, without a known layout. */
  layoutMisses = 0

  /** True if it can learn nothing more, or if learning did not pay. */
  get isFull(): boolean {
    return (
      this.document.isFull ||
      this.valueRoom < VALUE_OVERHEAD_BYTES ||
      this.layoutRoom < LAYOUT_OVERHEAD_BYTES ||
      this.layoutMisses > MAX_MISSES
    )
  }

  constructor() {
    const tag = {name: NO_NAME, attributes: new Map<string, string>(), selfClosing: false}
    this.document = new PathNode(undefined, '', tag, new Scope<Known>())
    // Text outside the root is a fault, so each run of it must be looked at.
    this.document.collects = 'text'
  }
}
