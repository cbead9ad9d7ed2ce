/**
 * The namespaces in scope at an element. A namespace error is never fatal here, because it leaves the structure alone:
 * a prefix that nobody declared stays part of the name. Namespaces in XML 1.0.
 */

import {DAV, XML_NAMESPACE} from '../protocol/name.ts'
import type {Name, Namespace} from './names.ts'
import {Names} from './names.ts'

/** The bindings of prefixes at one element and, through its parent, around it. */
export class Scope<Known = unknown> {
  readonly #parent: Scope<Known> | undefined
  readonly #bindings: ReadonlyMap<string, Namespace<Known>>
  readonly #names: Names<Known>

  private constructor(
    parent: Scope<Known> | undefined,
    bindings: ReadonlyMap<string, Namespace<Known>>,
    names: Names<Known>,
  ) {
    this.#parent = parent
    this.#bindings = bindings
    this.#names = names
  }

  /** The scope around a document, where nothing but `xml` is bound. */
  static root<Known>(): Scope<Known> {
    const names = new Names<Known>()
    return new Scope(undefined, new Map([['xml', names.namespace(XML_NAMESPACE)]]), names)
  }

  /** The scope inside an element with these attributes: this one itself where they declare nothing. */
  declare(attributes: ReadonlyMap<string, string>): Scope<Known> {
    if (attributes.size === 0) return this
    let bindings: Map<string, Namespace<Known>> | undefined
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

  /** The name of an element. */
  elementName(name: string): Name<Known> {
    const colon = name.indexOf(':')
    if (colon !== -1) return this.#prefixed(name, colon)
    const namespace = this.#lookUp('')
    return namespace === undefined ? this.#inNone(name) : this.#names.name(namespace, name)
  }

  /** The name of an attribute: `x` without a prefix, else `{ns}x`, for those of `DAV:` too. */
  attributeName(name: string): string {
    const colon = name.indexOf(':')
    if (colon === -1) return name
    const {text: expanded} = this.#prefixed(name, colon)
    return expanded.startsWith('{') ? expanded : `{${DAV}}${expanded}`
  }

  #prefixed(name: string, colon: number): Name<Known> {
    const local = name.slice(colon + 1)
    if (colon === 0 || local === '' || local.includes(':')) return this.#inNone(name)
    const prefix = name.slice(0, colon)
    const namespace = this.#lookUp(prefix)
    if (namespace !== undefined) return this.#names.name(namespace, local)
    // lighttpd 1.4 writes `DAV:` as a prefix without declaring it.
    if (prefix === 'DAV') return this.#names.name(this.#names.namespace(DAV), local)
    return this.#inNone(name)
  }

  #inNone(name: string): Name<Known> {
    return this.#names.name(this.#names.namespace(''), name)
  }

  #lookUp(prefix: string): Namespace<Known> | undefined {
    // oxlint-disable-next-line typescript/no-this-alias -- the walk up the chain begins here
    for (let scope: Scope<Known> | undefined = this; scope !== undefined; scope = scope.#parent) {
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
