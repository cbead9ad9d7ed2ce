/**
 * Resolves prefixes to namespaces. A namespace error is never fatal, because it leaves the structure alone: an undeclared
 * prefix stays part of the name. Each name is one object as long as there is room. It holds all that is known of its elements, so
 * nothing is looked up by text. Namespaces in XML 1.0.
 */

import {NAME_OVERHEAD_CHARACTERS, REMEMBERED_NAME_CHARACTERS} from '../protocol/bounds.ts'
import {DAV, formatName, XML_NAMESPACE} from '../protocol/name.ts'
import {ownCopy} from './characters.ts'

/** The name of an element. */
export interface Name<Known = unknown> {
  /** In the form of `formatName`: `getetag`, `{ns}local`. */
  readonly text: string
  /** True if no other object has this text. False for names that are past the bound. */
  readonly isOnly: boolean
  /** Facts of the reader about elements with this name. */
  known: Known | undefined
}

/** A namespace with its names, by local name. */
interface Namespace<Known> {
  readonly name: string
  readonly isOnly: boolean
  readonly names: Map<string, Name<Known>>
}

/** The names of one document. */
interface Names<Known> {
  readonly namespaces: Map<string, Namespace<Known>>
  /** Characters of names that may still be remembered. */
  room: number
}

/** The bindings of prefixes at one element and, through its parent, around it. */
export class Scope<Known = unknown> {
  readonly #parent: Scope<Known> | undefined
  readonly #bindings = new Map<string, Namespace<Known>>()
  readonly #names: Names<Known>

  /** Makes the scope of a document. With a parent, makes one that binds nothing of its own yet. */
  constructor(parent?: Scope<Known>) {
    this.#parent = parent
    this.#names =
      parent === undefined
        ? {namespaces: new Map(), room: REMEMBERED_NAME_CHARACTERS}
        : parent.#names
    if (parent !== undefined) return
    this.#bindings.set('xml', this.#namespace(XML_NAMESPACE))
    // lighttpd 1.4 writes this prefix without declaring it.
    this.#bindings.set('DAV', this.#namespace(DAV))
  }

  /** Returns the scope inside an element with these attributes: this one if they declare nothing. */
  declare(attributes: ReadonlyMap<string, string>): Scope<Known> {
    let scope: Scope<Known> | undefined
    for (const [name, value] of attributes) {
      if (!isDeclaration(name)) continue
      const prefix = name.slice('xmlns:'.length)
      // The prefixes `xml` and `xmlns` cannot be bound to anything else. Section 3.
      if (prefix === 'xml' || prefix === 'xmlns' || name === 'xmlns:') continue
      scope ??= new Scope(this)
      scope.#bindings.set(prefix, this.#namespace(value))
    }
    return scope ?? this
  }

  /** Resolves the name of an element. A name with no local part or two colons stays as written, in no namespace. */
  elementName(name: string): Name<Known> {
    const colon = name.indexOf(':')
    const prefix = name.slice(0, Math.max(0, colon))
    const local = name.slice(colon + 1)
    const isOdd = colon === 0 || local === '' || local.includes(':')
    const bound = isOdd ? undefined : this.#lookUp(prefix)
    return bound === undefined ? this.#name(this.#namespace(''), name) : this.#name(bound, local)
  }

  /** Resolves the name of an attribute: `x` without a prefix, else `{ns}x`, in `DAV:` too. */
  attributeName(name: string): string {
    if (!name.includes(':')) return name
    const {text} = this.elementName(name)
    return text.startsWith('{') ? text : `{${DAV}}${text}`
  }

  #lookUp(prefix: string): Namespace<Known> | undefined {
    const parent = this.#parent
    return this.#bindings.get(prefix) ?? (parent === undefined ? undefined : parent.#lookUp(prefix))
  }

  // Copies of the texts are kept, because a piece of a tag would hold its whole chunk in memory.
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
    const name = {text, isOnly, known: undefined}
    if (isOnly) namespace.names.set(ownCopy(local), name)
    return name
  }

  /** Takes room for a name; false if there is none. A body of a million different names must not fill the memory. */
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
