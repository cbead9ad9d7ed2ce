/**
 * The property values of one body. They are decoded late, and the structured ones are made once for all responses with the same
 * markup. All objects of a listing get their properties in one order, so that they share a shape. That makes them small, and
 * fast to make and to read.
 */

import {ORDERED_PROPERTIES} from '../protocol/bounds.ts'
import {propertyKey} from '../protocol/name.ts'
import {ownCopy} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import type {Decode} from './decode.ts'
import {decoderFor, mergeDecoders} from './decode.ts'
import type {Decoders, Properties, PropertyValue} from './vocabulary.ts'

/** A property of the body, in any place. */
export interface Property {
  /** The name under which it is reported. */
  readonly key: string
  /** Its place in the order; -1 for a property without one. */
  readonly index: number
  readonly decode: Decode | undefined
}

/** A property with child elements, which is parsed late. Equal ones may be one object. */
interface Structured {
  /** The decoded value, kept here. */
  value: unknown
  parse(): XmlElement
}

/** The content of a property element: its decoded text, or its markup. */
export type Written = string | Structured

/** Makes the values of a body, and gathers those of one response after the other. */
export class PropertyValues {
  readonly #decoders: Decoders
  readonly #ordered: Property[] = []
  readonly #values: (PropertyValue | undefined)[] = []
  // The properties to give out, if one of them has no place in the order.
  #shapeless: Record<string, PropertyValue> | undefined

  constructor(decoders: Decoders | undefined) {
    this.#decoders = mergeDecoders(decoders)
  }

  /** The property with a name, which is asked for once, unless `isOnly` is false. */
  makeProperty(name: string, isOnly: boolean): Property {
    const key = propertyKey(name)
    const {length} = this.#ordered
    const index = isOnly && length < ORDERED_PROPERTIES ? length : -1
    const property = {key, index, decode: decoderFor(key, this.#decoders)}
    if (index !== -1) {
      this.#ordered.push(property)
      this.#values.push(undefined)
    }
    return property
  }

  /** Decodes the content of a property; `Undecodable` for nonsense. */
  decode({decode}: Property, written: Written): unknown {
    if (typeof written === 'string')
      return decode === undefined ? ownCopy(written) : decode(written)
    if (written.value === undefined) {
      const element = written.parse()
      written.value = decode === undefined ? element : decode(element)
    }
    return written.value
  }

  /** The gathered value of a property. */
  get({key, index}: Property): PropertyValue | undefined {
    return index === -1 ? this.#shapeless?.[key] : this.#values[index]
  }

  /** Gathers a value. */
  set({key, index}: Property, value: PropertyValue): void {
    if (index === -1) (this.#shapeless ??= withoutShape())[key] = value
    else this.#values[index] = value
  }

  /** Gives the gathered values out, and forgets them. */
  take(): Properties {
    const properties = this.#shapeless ?? {}
    this.#shapeless = undefined
    for (let index = 0; index < this.#ordered.length; index++) {
      const value = this.#values[index]
      const key = this.#ordered[index]?.key
      if (value === undefined || key === undefined) continue
      properties[key] = value
      this.#values[index] = undefined
    }
    return properties
  }
}

/** An empty object that engines keep as a table, because it has lost properties. */
function withoutShape(): Record<string, PropertyValue> {
  const properties: Record<string, PropertyValue> = {first: '', second: ''}
  delete properties['first']
  delete properties['second']
  return properties
}
