/**
 * The namespaces in scope at an element. A namespace error is never fatal here, because it leaves the structure alone:
 * a prefix that nobody declared stays part of the name. Namespaces in XML 1.0.
 */

import {DAV, formatName, XML_NAMESPACE} from '../protocol/name.ts'
import {ownCopy} from './characters.ts'

// Characters of names that are remembered, over all namespaces, and what each takes beside them.
const MOST_REMEMBERED = 1_048_576
const NAME = 64

/** The names of one document: each is made once, so that looking up what is known of it takes no time. */
class Names {
  readonly #byNamespace = new Map<string, Map<string, string>>()
  readonly #namespaces = new Map<string, string>()
  #room = MOST_REMEMBERED

  /** The same string for equal ones. */
  namespace(written: string): string {
    const known = this.#namespaces.get(written)
    if (known !== undefined) return known
    const own = ownCopy(written)
    if (this.#takesRoom(own)) this.#namespaces.set(own, own)
    return own
  }

  /** A name as `formatName` writes it. */
  name(namespace: string, local: string): string {
    let names = this.#byNamespace.get(namespace)
    const known = names?.get(local)
    if (known !== undefined) return known
    const own = ownCopy(formatName(namespace, local))
    if (!this.#takesRoom(own)) return own
    if (names === undefined) {
      names = new Map()
      this.#byNamespace.set(namespace, names)
    }
    names.set(ownCopy(local), own)
    return own
  }

  #takesRoom(name: string): boolean {
    const size = name.length + NAME
    if (size > this.#room) return false
    this.#room -= size
    return true
  }
}

/** The bindings of prefixes at one element and, through its parent, around it. */
export class Scope {
  readonly #parent: Scope | undefined
  readonly #bindings: ReadonlyMap<string, string>
  readonly #names: Names

  private constructor(
    parent: Scope | undefined,
    bindings: ReadonlyMap<string, string>,
    names: Names,
  ) {
    this.#parent = parent
    this.#bindings = bindings
    this.#names = names
  }

  /** The scope around a document, where nothing but `xml` is bound. */
  static root(): Scope {
    return new Scope(undefined, new Map([['xml', XML_NAMESPACE]]), new Names())
  }

  /** The scope inside an element with these attributes: this one itself where they declare nothing. */
  declare(attributes: ReadonlyMap<string, string>): Scope {
    if (attributes.size === 0) return this
    let bindings: Map<string, string> | undefined
    for (const [name, value] of attributes) {
      if (!isDeclaration(name)) continue
      const prefix = name.slice(6)
      // The two prefixes that XML itself uses cannot be bound to anything else.
      if (prefix === 'xml' || prefix === 'xmlns' || name === 'xmlns:') continue
      bindings ??= new Map()
      bindings.set(prefix, this.#names.namespace(value))
    }
    return bindings === undefined ? this : new Scope(this, bindings, this.#names)
  }

  /** The name of an element, as `formatName` writes names. */
  elementName(name: string): string {
    const colon = name.indexOf(':')
    if (colon === -1) return this.#names.name(this.#lookUp('') ?? '', name)
    return this.#prefixed(name, colon)
  }

  /** The name of an attribute: `x` without a prefix, else `{ns}x`, for those of `DAV:` too. */
  attributeName(name: string): string {
    const colon = name.indexOf(':')
    if (colon === -1) return name
    const expanded = this.#prefixed(name, colon)
    return expanded.startsWith('{') ? expanded : `{${DAV}}${expanded}`
  }

  #prefixed(name: string, colon: number): string {
    const local = name.slice(colon + 1)
    if (colon === 0 || local === '' || local.includes(':')) return this.#names.name('', name)
    const prefix = name.slice(0, colon)
    const namespace = this.#lookUp(prefix)
    if (namespace !== undefined) return this.#names.name(namespace, local)
    // lighttpd 1.4 writes `DAV:` as a prefix without declaring it.
    return prefix === 'DAV' ? this.#names.name(DAV, local) : this.#names.name('', name)
  }

  #lookUp(prefix: string): string | undefined {
    // oxlint-disable-next-line typescript/no-this-alias -- the walk up the chain begins here
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.#parent) {
      const namespace = scope.#bindings.get(prefix)
      if (namespace !== undefined) return namespace
    }
    return undefined
  }
}

/** Whether an attribute declares a namespace. */
export function isDeclaration(attribute: string): boolean {
  return attribute === 'xmlns' || attribute.startsWith('xmlns:')
}
