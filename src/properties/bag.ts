/**
 * The properties of one response while they are gathered. Servers write the same properties in ever other orders; here they
 * come out in the order in which the body first had them, unless there are many, so that the objects of a listing share one
 * shape: that makes them small, and fast to make and to read.
 */

import type {Decode} from './decode.ts'
import type {Properties, PropertyValue} from './vocabulary.ts'

/** A property that the body has, in whatever place. */
export interface Property {
  /** The name under which it is reported. */
  readonly key: string
  /** How many other ones were seen before it; infinite where it cannot be told from one that was. */
  readonly index: number
  readonly decode: Decode | undefined
}

// Where a body has many names, no two responses are likely to share a shape: one with a property past this number gets an
// object that has none, in which those come first. To make a shape for each response takes three times as long.
const MOST_ORDERED = 64

/** Gathers properties, and is used again for each response. */
export class PropertyBag {
  readonly #ordered: Property[] = []
  readonly #values: (PropertyValue | undefined)[] = []
  // What will be given out, where it has no shape.
  #shapeless: Record<string, PropertyValue> | undefined

  /** The body has a property of which nothing was known so far. */
  know(property: Property): void {
    if (property.index >= MOST_ORDERED) return
    this.#ordered.push(property)
    this.#values.push(undefined)
  }

  /** The value of a property, if it has one. */
  get({key, index}: Property): PropertyValue | undefined {
    return index < MOST_ORDERED ? this.#values[index] : this.#shapeless?.[key]
  }

  /** Sets the value of a property. */
  set({key, index}: Property, value: PropertyValue): void {
    if (index < MOST_ORDERED) this.#values[index] = value
    else (this.#shapeless ??= withoutShape())[key] = value
  }

  /** Gives the properties out. The bag is empty then. */
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
