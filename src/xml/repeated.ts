/**
 * Structured values that come again: what was read once need not be read again where the same bytes stand. Servers write
 * the same `supportedlock` into every response.
 */

import {ownCopy} from './characters.ts'
import type {PathNode} from './path.ts'
import type {Source} from './source.ts'
import {needle, standsAt} from './source.ts'

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

/** The last structured value of each element, by its name. */
export class RepeatedValues {
  #names = 0

  /** The value that stands at an index as it stood in the last elements of this name. */
  at(source: Source, at: number, {name, rawName}: PathNode): Repeated | undefined {
    const {last} = name
    if (last?.markup === undefined || !standsAt(source, last.markup, at)) return undefined
    if (last.rawName !== rawName) return undefined
    const end = at + last.markup.length
    return {value: last.value, endTag: end - last.endTagLength, end}
  }

  /** Keeps a value. */
  keep(value: string, {name, rawName}: PathNode): void {
    const {last} = name
    if (value === last?.value && rawName === last.rawName) {
      if (last.markup !== undefined) return
      last.markup = needle(`${value}</${rawName}>`)
      last.endTagLength = needle(`</${rawName}>`).length
    } else if (value.length <= LONGEST && (last !== undefined || this.#names < MOST)) {
      if (last === undefined) this.#names++
      name.last = {
        value: ownCopy(value),
        rawName: ownCopy(rawName),
        markup: undefined,
        endTagLength: 0,
      }
    }
  }
}
