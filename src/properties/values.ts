/**
 * The values of the properties of one body: decoded late, and structured ones made once for all responses that have the
 * same markup, as `resourcetype` and `supportedlock` have.
 */

import {propertyKey} from '../protocol/name.ts'
import type {PathNode} from '../xml/path.ts'
import {ownCopy} from '../xml/characters.ts'
import {parseElement} from '../xml/element.ts'
import type {Decode} from './decode.ts'
import {decoderFor} from './decode.ts'
import type {Decoders} from './vocabulary.ts'

/** What is kept with the path of a property. */
export interface PropertyDetail {
  /** The name under which it is reported. */
  readonly key: string
  readonly decode: Decode | undefined
  /** Values by markup. */
  readonly made: Map<string, unknown>
}

// Characters of markup that are remembered, over all properties of a body, and of one that is worth it.
const MOST_REMEMBERED = 1_048_576
const LONGEST_REMEMBERED = 8192

/** Makes the values of one body. */
export class PropertyValues {
  readonly #decoders: Decoders | undefined
  #room = MOST_REMEMBERED

  constructor(decoders: Decoders | undefined) {
    this.#decoders = decoders
  }

  /** What to keep with the path of a property. */
  detailFor(name: string): PropertyDetail {
    const key = propertyKey(name)
    return {key, decode: decoderFor(key, this.#decoders), made: new Map()}
  }

  /** The value of text or, where `structured`, of markup; `Undecodable` where it has none. */
  valueOf(node: PathNode<PropertyDetail>, raw: string, structured: boolean): unknown {
    const detail = node.detail
    if (!structured) return detail?.decode === undefined ? raw : detail.decode(raw)
    const known = detail?.made.get(raw)
    if (known !== undefined) return known
    const scope = node.parent?.scope ?? node.scope
    const element = parseElement(`<${node.tag}>${raw}</${node.rawName}>`, scope)
    const value = detail?.decode === undefined ? element : detail.decode(element)
    if (raw.length <= LONGEST_REMEMBERED && raw.length < this.#room) {
      this.#room -= raw.length
      detail?.made.set(ownCopy(raw), value)
    }
    return value
  }
}
