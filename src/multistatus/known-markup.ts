/**
 * Keeps the knowledge of the markup of servers from one document to the next. A small listing is then read as fast as the end of
 * a long one.
 */

import {PropertyNames} from '../properties/values.ts'
import type {Property} from '../properties/values.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {KNOWN_MARKUPS} from '../protocol/bounds.ts'
import {Learnt} from '../xml/learnt.ts'
import type {Limits} from './limits.ts'

/** The knowledge of the markup of one server, as one reading sees it. */
export interface Markup {
  readonly learnt: Learnt<Property>
  readonly names: PropertyNames
}

/**
 * The markup that earlier documents had: the option `markup` of {@link MultiStatusParser}. A client has one of its own. It changes no
 * result but the order of keys. What one origin has sent is never used for another one, and its size is bounded.
 *
 * @example
 * ```ts
 * const markup = new KnownMarkup()
 * for (const body of bodies) new MultiStatusParser({url: 'https://dav.example/', markup}).write(body)
 * ```
 */
export class KnownMarkup {
  #known: {readonly server: string; readonly limits: Limits; readonly markup: Markup}[] = []

  /**
   * Finds the knowledge for a document, or begins one.
   *
   * @internal
   * @param server - The scheme and the host. What one server has sent is not for another one.
   * @param limits - What was read under other limits may be beyond these.
   */
  find(server: string, limits: Limits): Markup {
    const found = this.#known.find((one) => one.server === server && areEqual(one.limits, limits))
    if (found !== undefined && !isWorn(found.markup)) return found.markup
    const markup = beginMarkup(undefined)
    const others = this.#known.filter((one) => one !== found)
    this.#known = [{server, limits, markup}, ...others].slice(0, KNOWN_MARKUPS)
    return markup
  }
}

function areEqual(one: Limits, other: Limits): boolean {
  // A client gives the same object to all.
  if (one === other) return true
  return Object.entries(one).every(([name, value]) => other[name as keyof Limits] === value)
}

/** Begins without any knowledge. */
export function beginMarkup(decoders: Decoders | undefined): Markup {
  return {learnt: new Learnt(), names: new PropertyNames(decoders)}
}

/** Tells if knowledge is full, or was of no use. The next document begins anew, so that no odd one spoils all others. */
function isWorn({learnt, names}: Markup): boolean {
  return learnt.isFull || names.isFull
}
