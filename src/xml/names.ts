/**
 * The names of one document. Each is made once, as long as there is room: what is known of the elements that have it is found
 * with it, without a look-up. Namespaces in XML 1.0.
 */

import {formatName} from '../protocol/name.ts'
import {ownCopy} from './characters.ts'
import type {Needle} from './source.ts'

// Characters of names that are remembered, over all namespaces, and what each takes beside them.
const MOST_REMEMBERED = 1_048_576
const NAME = 64

/** The structured value that the elements of one name had last. */
export interface Last {
  readonly value: string
  /** The name as it was written. */
  readonly rawName: string
  /** Once it came twice in a row: the bytes of the value with those of its end tag, and how many these are. */
  markup: Needle | undefined
  endTagLength: number
}

/** The name of an element. */
export class Name<Known = unknown> {
  /** As `formatName` writes it. */
  readonly text: string
  /** Whether there is no other one with this text: past a number of them names are made anew each time. */
  readonly isOnly: boolean
  /** What the reader keeps with it. */
  known: Known | undefined
  /** The structured value that an element with this name had last. */
  last: Last | undefined

  constructor(text: string, isOnly: boolean) {
    this.text = text
    this.isOnly = isOnly
  }
}

/** A namespace, with the names in it. */
export interface Namespace<Known = unknown> {
  readonly name: string
  /** Whether there is no other one with this name. */
  readonly isOnly: boolean
  /** By their local part. */
  readonly names: Map<string, Name<Known>>
}

/** Makes names. */
export class Names<Known = unknown> {
  readonly #namespaces = new Map<string, Namespace<Known>>()
  #room = MOST_REMEMBERED

  /** The namespace of this name: the same one for equal names, as long as there is room. */
  namespace(written: string): Namespace<Known> {
    const known = this.#namespaces.get(written)
    if (known !== undefined) return known
    const name = ownCopy(written)
    const namespace = {name, isOnly: this.#takesRoom(name), names: new Map<string, Name<Known>>()}
    if (namespace.isOnly) this.#namespaces.set(name, namespace)
    return namespace
  }

  /** The name of this local part. */
  name(namespace: Namespace<Known>, local: string): Name<Known> {
    const known = namespace.names.get(local)
    if (known !== undefined) return known
    const text = ownCopy(formatName(namespace.name, local))
    const isOnly = namespace.isOnly && this.#takesRoom(text)
    const name = new Name<Known>(text, isOnly)
    if (isOnly) namespace.names.set(ownCopy(local), name)
    return name
  }

  #takesRoom(name: string): boolean {
    const size = name.length + NAME
    if (size > this.#room) return false
    this.#room -= size
    return true
  }
}
