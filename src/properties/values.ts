/**
 * The values of the properties of one body: decoded late, and structured ones made once for all responses that have the
 * same markup, as `resourcetype` and `supportedlock` have.
 */

import {propertyKey} from '../protocol/name.ts'
import {ownCopy} from '../xml/characters.ts'
import {parseElement} from '../xml/element.ts'
import type {PathNode} from '../xml/path.ts'
import type {PlacedProperty, Property} from './bag.ts'
import {PropertyBag} from './bag.ts'
import {decoderFor} from './decode.ts'
import type {Decoders} from './vocabulary.ts'

// Characters of markup that are remembered, over all properties of a body, and of one that is worth it; and what the tree
// of each takes beside them.
const MOST_REMEMBERED = 1_048_576
const LONGEST_REMEMBERED = 8192
const TREE = 512
// Names that are remembered: a name that comes again need not be looked at again.
const MOST_NAMES = 16_384

/** Makes the values of one body. */
export class PropertyValues {
  /** Gathers the properties of one response. */
  readonly bag: PropertyBag = new PropertyBag()
  readonly #decoders: Decoders | undefined
  readonly #properties = new Map<string, Property>()
  #room = MOST_REMEMBERED

  constructor(decoders: Decoders | undefined) {
    this.#decoders = decoders
  }

  /** What is known of a property. */
  propertyOf(name: string): Property {
    const known = this.#properties.get(name)
    if (known !== undefined) return known
    const key = propertyKey(name)
    const index = this.#properties.size
    const property = {key, index, decode: decoderFor(key, this.#decoders)}
    if (index < MOST_NAMES) this.#properties.set(name, property)
    this.bag.know(property)
    return property
  }

  /** The value of text or, where `structured`, of markup; `Undecodable` where it has none. */
  valueOf(
    node: PathNode<PlacedProperty>,
    property: Property,
    raw: string,
    structured: boolean,
  ): unknown {
    const {decode} = property
    if (!structured) return decode === undefined ? raw : decode(raw)
    const scope = node.parent?.scope ?? node.scope
    const place = node.detail
    const known = place?.made?.get(raw)
    if (known !== undefined) return known
    const element = parseElement(`<${node.tag}>${raw}</${node.rawName}>`, scope)
    const value = decode === undefined ? element : decode(element)
    const size = raw.length + TREE
    if (place !== undefined && raw.length <= LONGEST_REMEMBERED && size <= this.#room) {
      this.#room -= size
      place.made ??= new Map()
      place.made.set(ownCopy(raw), value)
    }
    return value
  }
}
