/**
 * Structured values that come again: what was read once need not be read again where the same bytes stand. Servers write
 * the same `supportedlock` into every response.
 */

import {ownCopy} from './characters.ts'
import type {PathNode} from './path.ts'
import type {Needle, Source} from './source.ts'
import {needle, standsAt} from './source.ts'

/** A value and, once it came twice in a row, the markup of it with its end tag. */
interface Last {
  readonly value: string
  markup: Needle | undefined
}

/** A value that stands where it is looked for. */
export interface Repeated {
  readonly value: string
  /** The indices at which its end tag begins and ends. */
  readonly endTag: number
  readonly end: number
}

// A longer value is seldom the same as the one before, and a document with more names has none that comes again.
const LONGEST = 4096
const MOST = 256

/** The last structured value of each element, by its name as it is written. */
export class RepeatedValues {
  readonly #last = new Map<string, Last>()

  /** The value that stands at an index as it stood in the last elements of this name. */
  at(source: Source, at: number, {rawName, endTag}: PathNode): Repeated | undefined {
    const last = this.#last.get(rawName)
    if (last?.markup === undefined || !standsAt(source, last.markup, at)) return undefined
    const end = at + last.markup.length
    const length = endTag?.length ?? needle(`</${rawName}>`).length
    return {value: last.value, endTag: end - length, end}
  }

  /** Keeps a value. */
  keep(value: string, rawName: string): void {
    const last = this.#last.get(rawName)
    if (value === last?.value) {
      last.markup ??= needle(`${value}</${rawName}>`)
    } else if (value.length <= LONGEST && (last !== undefined || this.#last.size < MOST)) {
      this.#last.set(rawName, {value: ownCopy(value), markup: undefined})
    }
  }
}
