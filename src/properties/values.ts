/**
 * Decodes and gathers the property values of one body. Equal structured values are decoded once and shared. All results of a
 * listing get their properties in one order, so that V8 gives them one shape. Objects with a shape are small, and fast to make
 * and to read. Knows no propstat and no status.
 */

import {ORDERED_PROPERTIES} from '../protocol/bounds.ts'
import {propertyKey} from '../protocol/name.ts'
import {ownCopy} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import type {Decode} from './decode.ts'
import {decoderFor, mergeDecoders} from './decode.ts'
import type {Decoders, Properties, PropertyValue} from './vocabulary.ts'

/** A property of the body: one object for all responses. */
export interface Property {
  /** The name under which it is reported. */
  readonly key: string
  /** Its place in the order of properties; -1 without one. */
  readonly index: number
  /** Its decoder; `undefined` if the value stays as it is. */
  readonly decode: Decode | undefined
}

/** A property with child elements. Equal ones may be one object. */
interface Structured {
  readonly element: XmlElement
  /** The decoded value, once there is one. */
  value: unknown
}

/** The content of a property element: its text, with references decoded, or the whole element. */
export type Written = string | Structured

/** The properties of the bodies of one server, with their decoders and their order. */
export class PropertyNames {
  readonly #decoders: Decoders
  readonly #ordered: Property[] = []

  constructor(decoders: Decoders | undefined) {
    this.#decoders = mergeDecoders(decoders)
  }

  /** The properties with a place in the order. */
  get ordered(): readonly Property[] {
    return this.#ordered
  }

  /** True if further properties get no place in the order. */
  get isFull(): boolean {
    return this.#ordered.length >= ORDERED_PROPERTIES
  }

  /** Makes the property with a name. Called once for a name, unless `isOnly` is false: then it gets no place in the order. */
  make(name: string, isOnly: boolean): Property {
    const key = propertyKey(name)
    const index = isOnly && !this.isFull ? this.#ordered.length : -1
    const property = {key, index, decode: decoderFor(key, this.#decoders)}
    if (index !== -1) this.#ordered.push(property)
    return property
  }
}

/** Decodes the content of a property. Returns an {@link Undecodable} for nonsense. */
export function decodeWritten({decode}: Property, written: Written): unknown {
  if (typeof written === 'string') return decode === undefined ? ownCopy(written) : decode(written)
  const {element} = written
  written.value ??= decode === undefined ? element : decode(element)
  return written.value
}

/** Gathers the values of one response after the other. */
export class PropertyValues {
  readonly #names: PropertyNames
  readonly #values: (PropertyValue | undefined)[] = []
  // The properties of this response, as soon as one of them has no place in the order.
  #shapeless: Record<string, PropertyValue> | undefined

  constructor(names: PropertyNames) {
    this.#names = names
  }

  /** Returns the gathered value of a property. */
  get({key, index}: Property): PropertyValue | undefined {
    return index === -1 ? this.#shapeless?.[key] : this.#values[index]
  }

  /** Gathers a value. */
  set({key, index}: Property, value: PropertyValue): void {
    if (index === -1) {
      this.#shapeless ??= withoutShape()
      this.#shapeless[key] = value
      return
    }
    // No gaps: V8 keeps a list with gaps in another form, which takes longer to read.
    while (this.#values.length < index) this.#values.push(undefined)
    this.#values[index] = value
  }

  /** Gives out the gathered values, and begins with the next response. */
  take(): Properties {
    const properties = this.#shapeless ?? {}
    this.#shapeless = undefined
    for (let index = 0; index < this.#values.length; index++) {
      const value = this.#values[index]
      const key = this.#names.ordered[index]?.key
      if (value === undefined || key === undefined) continue
      properties[key] = value
      this.#values[index] = undefined
    }
    return properties
  }
}

/**
 * Makes an empty object that V8 keeps as a hash table, because it has lost properties. The rare names of dead properties would
 * make a new shape for each result otherwise.
 */
function withoutShape(): Record<string, PropertyValue> {
  const properties: Record<string, PropertyValue> = {first: '', second: ''}
  delete properties['first']
  delete properties['second']
  return properties
}
