/**
 * The values of the properties of one body: decoded late, and structured ones made once for all responses that have the
 * same markup, as `resourcetype` and `supportedlock` have.
 */

import {propertyKey} from '../protocol/name.ts'
import {ownCopy} from '../xml/characters.ts'
import {parseElement} from '../xml/element.ts'
import type {Name} from '../xml/names.ts'
import type {PathNode} from '../xml/path.ts'
import type {Property} from './bag.ts'
import {PropertyBag} from './bag.ts'
import {decoderFor, mergeDecoders} from './decode.ts'
import type {Decoders} from './vocabulary.ts'

// Characters of markup that are remembered, over all properties of a body, and of one that is worth it; and what the tree
// of each takes beside them.
const MOST_REMEMBERED = 1_048_576
const LONGEST_REMEMBERED = 8192
const TREE = 512

/** What an element with child elements has inside, as it is written. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What a property has inside: its text, decoded, or its markup. */
export type Written = string | Markup

/** Makes the values of one body. */
export class PropertyValues {
  /** Gathers the properties of one response. */
  readonly bag: PropertyBag = new PropertyBag()
  readonly #decoders: Decoders
  #properties = 0
  #room = MOST_REMEMBERED

  constructor(decoders: Decoders | undefined) {
    this.#decoders = mergeDecoders(decoders)
  }

  /** The property of a name of which nothing is known so far. */
  makeProperty({text, isOnly}: Name<Property>): Property {
    const key = propertyKey(text)
    const index = isOnly ? this.#properties++ : Number.POSITIVE_INFINITY
    const property = {key, index, decode: decoderFor(key, this.#decoders)}
    this.bag.know(property)
    return property
  }

  /** The value of what is written in an element; `Undecodable` where it has none. */
  valueOf(node: PathNode<Property>, {decode}: Property, written: Written): unknown {
    if (typeof written === 'string')
      return decode === undefined ? ownCopy(written) : decode(written)
    const {text: raw} = written
    const scope = node.parent?.scope ?? node.scope
    const known = node.values?.get(raw)
    if (known !== undefined) return known
    const element = parseElement(`<${node.tag}>${raw}</${node.rawName}>`, scope)
    const value = decode === undefined ? element : decode(element)
    const size = raw.length + TREE
    if (raw.length <= LONGEST_REMEMBERED && size <= this.#room) {
      this.#room -= size
      node.values ??= new Map()
      node.values.set(ownCopy(raw), value)
    }
    return value
  }
}
