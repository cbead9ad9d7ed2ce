/**
 * Structured values that come again: what was read once need not be read again where the same bytes stand. Servers write
 * the same `supportedlock` into every response.
 */

import {ownCopy} from './characters.ts'
import type {Source} from './source.ts'
import {needle, standsAt} from './source.ts'

/** A value, and the markup of it with its end tag. */
interface Repeated {
  readonly value: string
  readonly markup: DataView
}

// A longer value is seldom the same as the one before, and a document with more names has none that comes again.
const LONGEST = 4096
const MOST = 256

/** The last structured value of each element, by its name as it is written. */
export class RepeatedValues {
  readonly #last = new Map<string, Repeated>()

  /** The value that stands at an index as it stood in the last element of this name. */
  at({view}: Source, at: number, rawName: string): Repeated | undefined {
    const last = this.#last.get(rawName)
    return last !== undefined && standsAt(view, last.markup, at) ? last : undefined
  }

  /** Keeps a value. */
  keep(value: string, rawName: string): void {
    const last = this.#last.get(rawName)
    if (value.length > LONGEST || value === last?.value) return
    if (last === undefined && this.#last.size === MOST) return
    const markup = needle(`${value}</${rawName}>`)
    this.#last.set(rawName, {value: ownCopy(value), markup})
  }
}
