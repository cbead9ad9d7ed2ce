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

/** The names of one document. */
interface Names<Known> {
  readonly byText: Map<string, Name<Known>>
  /** Characters of names that may still be remembered. */
  room: number
}

// Prefixes that need no declaration. lighttpd 1.4 writes `DAV` without one.
const UNDECLARED = [
  ['xml', XML_NAMESPACE],
  ['DAV', DAV],
] as const

/** The bindings of prefixes at one element and, through its parent, around it. */
export class Scope<Known = unknown> {
  readonly #parent: Scope<Known> | undefined
  readonly #bindings: Map<string, string>
  readonly #names: Names<Known>

  /** Makes the scope of a document. With a parent, makes one that binds nothing of its own yet. */
  constructor(parent?: Scope<Known>) {
    this.#parent = parent
    this.#bindings = new Map(parent === undefined ? UNDECLARED : [])
    this.#names =
      parent === undefined ? {byText: new Map(), room: REMEMBERED_NAME_CHARACTERS} : parent.#names
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
      scope.#bindings.set(prefix, value)
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
    const text = bound === undefined ? formatName('', name) : formatName(bound, local)
    const {byText} = this.#names
    const known = byText.get(text)
    if (known !== undefined) return known
    // A body of a million different names must not fill the memory.
    const room = this.#names.room - text.length - NAME_OVERHEAD_CHARACTERS
    // A copy, because a piece of a tag would hold its whole chunk in memory.
    const made = {text: ownCopy(text), isOnly: room >= 0, known: undefined}
    if (made.isOnly) {
      this.#names.room = room
      byText.set(made.text, made)
    }
    return made
  }

  /** Resolves the name of an attribute: `x` without a prefix, else `{ns}x`, in `DAV:` too. */
  attributeName(name: string): string {
    if (!name.includes(':')) return name
    const {text} = this.elementName(name)
    return text.startsWith('{') ? text : `{${DAV}}${text}`
  }

  #lookUp(prefix: string): string | undefined {
    const parent = this.#parent
    return this.#bindings.get(prefix) ?? (parent === undefined ? undefined : parent.#lookUp(prefix))
  }
}

/** Tests for an attribute that declares a namespace. */
export function isDeclaration(attribute: string): boolean {
  return attribute === 'xmlns' || attribute.startsWith('xmlns:')
}
