/**
 * The names of one document. Each is made once: what is known of the elements that have it is found with it, without a
 * look-up. Namespaces in XML 1.0.
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
  endTag: number
}

/** The name of an element. */
export class Name<Known = unknown> {
  /** As `formatName` writes it. */
  readonly text: string
  /** What the reader keeps with it. */
  known: Known | undefined
  /** The structured value that an element with this name had last. */
  last: Last | undefined

  constructor(text: string) {
    this.text = text
  }
}

/** A namespace, with the names in it. */
export interface Namespace<Known = unknown> {
  readonly name: string
  /** By their local part. */
  readonly names: Map<string, Name<Known>>
}

/** Makes names. */
export class Names<Known = unknown> {
  readonly #namespaces = new Map<string, Namespace<Known>>()
  #room = MOST_REMEMBERED

  /** The same one for equal names. */
  namespace(written: string): Namespace<Known> {
    const known = this.#namespaces.get(written)
    if (known !== undefined) return known
    const namespace = {name: ownCopy(written), names: new Map<string, Name<Known>>()}
    if (this.#takesRoom(written)) this.#namespaces.set(namespace.name, namespace)
    return namespace
  }

  /** The name of this local part. */
  name({name: namespace, names}: Namespace<Known>, local: string): Name<Known> {
    const known = names.get(local)
    if (known !== undefined) return known
    const name = new Name<Known>(ownCopy(formatName(namespace, local)))
    if (this.#takesRoom(name.text)) names.set(ownCopy(local), name)
    return name
  }

  #takesRoom(name: string): boolean {
    const size = name.length + NAME
    if (size > this.#room) return false
    this.#room -= size
    return true
  }
}
