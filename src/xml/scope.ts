/**
 * The namespaces in scope at an element. A namespace error is never fatal here, because it leaves the structure alone:
 * a prefix that nobody declared stays part of the name. Namespaces in XML 1.0.
 */

import {DAV, formatName, XML_NAMESPACE} from '../protocol/name.ts'

/** The bindings of prefixes at one element and, through its parent, around it. */
export class Scope {
  /** Where nothing but `xml` is bound. */
  static readonly root: Scope = new Scope(undefined, new Map([['xml', XML_NAMESPACE]]))

  readonly #parent: Scope | undefined
  readonly #bindings: ReadonlyMap<string, string>

  private constructor(parent: Scope | undefined, bindings: ReadonlyMap<string, string>) {
    this.#parent = parent
    this.#bindings = bindings
  }

  /** The scope inside an element with these attributes: this one itself where they declare nothing. */
  declare(attributes: ReadonlyMap<string, string>): Scope {
    if (attributes.size === 0) return this
    let bindings: Map<string, string> | undefined
    for (const [name, value] of attributes) {
      if (!isDeclaration(name)) continue
      const prefix = name.slice(6)
      // The two prefixes that XML itself uses cannot be bound to anything else.
      if (prefix === 'xml' || prefix === 'xmlns') continue
      bindings ??= new Map()
      bindings.set(prefix, value)
    }
    return bindings === undefined ? this : new Scope(this, bindings)
  }

  /** The name of an element, as `formatName` writes names. */
  elementName(name: string): string {
    const colon = name.indexOf(':')
    if (colon === -1) return formatName(this.#lookUp('') ?? '', name)
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
    if (colon === 0 || local === '' || local.includes(':')) return formatName('', name)
    const prefix = name.slice(0, colon)
    const namespace = this.#lookUp(prefix)
    if (namespace !== undefined) return formatName(namespace, local)
    // lighttpd 1.4 writes `DAV:` as a prefix without declaring it.
    return prefix === 'DAV' ? formatName(DAV, local) : formatName('', name)
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
