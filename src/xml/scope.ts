/**
 * The namespaces in scope at an element, and the names that they make. A namespace error is never fatal, because it leaves
 * the structure alone: an undeclared prefix stays part of the name. Each name is made once, as long as there is room: all
 * that is known of its elements is found with it, without a look-up. Namespaces in XML 1.0.
 */

import {NAME_OVERHEAD_CHARACTERS, REMEMBERED_NAME_CHARACTERS} from '../protocol/bounds.ts'
import {DAV, formatName, XML_NAMESPACE} from '../protocol/name.ts'
import {ownCopy} from './characters.ts'
import type {Needle} from './source.ts'

/** The name of an element. */
export interface Name<Known = unknown> {
  /** As `formatName` writes it. */
  readonly text: string
  /** No other name has this text. Past the bound of remembered names this is false. */
  readonly isOnly: boolean
  /** Kept here by the reader. */
  known: Known | undefined
  /** The structured value that an element with this name had last. */
  last: LastValue | undefined
}

/** A structured value that may come again. */
interface LastValue {
  readonly text: string
  /** The name of its element, as it was written. */
  readonly rawName: string
  /** The bytes of the value with its end tag, and the length of that. Set when the value came twice in a row. */
  needle: Needle | undefined
  endTagLength: number
}

/** A namespace, with its names by their local part. */
interface Namespace<Known> {
  readonly name: string
  readonly isOnly: boolean
  readonly names: Map<string, Name<Known>>
}

/** The names of one document. */
interface Names<Known> {
  readonly namespaces: Map<string, Namespace<Known>>
  /** Characters that may still be remembered. */
  room: number
}

/** The bindings of prefixes at one element and, through its parent, around it. */
export class Scope<Known = unknown> {
  readonly #parent: Scope<Known> | undefined
  readonly #bindings = new Map<string, Namespace<Known>>()
  readonly #names: Names<Known>

  /** Makes the scope of a document, in which only `xml` is bound; or, with a parent, one that binds nothing yet. */
  constructor(parent?: Scope<Known>) {
    this.#parent = parent
    this.#names =
      parent === undefined
        ? {namespaces: new Map(), room: REMEMBERED_NAME_CHARACTERS}
        : parent.#names
    if (parent === undefined) this.#bindings.set('xml', this.#namespace(XML_NAMESPACE))
  }

  /** The scope inside an element with these attributes: this one itself if they declare nothing. */
  declare(attributes: ReadonlyMap<string, string>): Scope<Known> {
    let scope: Scope<Known> | undefined
    for (const [name, value] of attributes) {
      if (!isDeclaration(name)) continue
      const prefix = name.slice('xmlns:'.length)
      // The two prefixes that XML itself uses cannot be bound to anything else.
      if (prefix === 'xml' || prefix === 'xmlns' || name === 'xmlns:') continue
      scope ??= new Scope(this)
      scope.#bindings.set(prefix, this.#namespace(value))
    }
    return scope ?? this
  }

  /** The name of an element. */
  elementName(name: string): Name<Known> {
    const colon = name.indexOf(':')
    const prefix = name.slice(0, Math.max(0, colon))
    const local = name.slice(colon + 1)
    const isOdd = colon === 0 || local === '' || local.includes(':')
    const bound = isOdd ? undefined : this.#lookUp(prefix)
    if (bound !== undefined) return this.#name(bound, local)
    // lighttpd 1.4 writes `DAV:` as a prefix without declaring it.
    if (prefix === 'DAV' && !isOdd) return this.#name(this.#namespace(DAV), local)
    return this.#name(this.#namespace(''), name)
  }

  /** The name of an attribute: `x` without a prefix, else `{ns}x`, for those of `DAV:` too. */
  attributeName(name: string): string {
    if (!name.includes(':')) return name
    const {text} = this.elementName(name)
    return text.startsWith('{') ? text : `{${DAV}}${text}`
  }

  #lookUp(prefix: string): Namespace<Known> | undefined {
    const parent = this.#parent
    return this.#bindings.get(prefix) ?? (parent === undefined ? undefined : parent.#lookUp(prefix))
  }

  #namespace(written: string): Namespace<Known> {
    const known = this.#names.namespaces.get(written)
    if (known !== undefined) return known
    const name = ownCopy(written)
    const namespace = {name, isOnly: this.#takesRoom(name), names: new Map<string, Name<Known>>()}
    if (namespace.isOnly) this.#names.namespaces.set(name, namespace)
    return namespace
  }

  #name(namespace: Namespace<Known>, local: string): Name<Known> {
    const known = namespace.names.get(local)
    if (known !== undefined) return known
    const text = ownCopy(formatName(namespace.name, local))
    const isOnly = namespace.isOnly && this.#takesRoom(text)
    const name = {text, isOnly, known: undefined, last: undefined}
    if (isOnly) namespace.names.set(ownCopy(local), name)
    return name
  }

  #takesRoom(name: string): boolean {
    const size = name.length + NAME_OVERHEAD_CHARACTERS
    const hasRoom = size <= this.#names.room
    if (hasRoom) this.#names.room -= size
    return hasRoom
  }
}

/** Tests for an attribute that declares a namespace. */
export function isDeclaration(attribute: string): boolean {
  return attribute === 'xmlns' || attribute.startsWith('xmlns:')
}
