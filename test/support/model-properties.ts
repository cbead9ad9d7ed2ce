// The XML bodies that a model server reads and writes: names asked by a PROPFIND, instructions of a PROPPATCH, and values
// as markup. Read by saxes, so independent of our own reader and writer. RFC 4918, sections 9.1, 9.2 and 14.19.

import {type DeadProperties, type Node} from './model-tree.ts'
import {type ReferenceElement, readTree} from './reference-tree.ts'

/** A change of one property. Without a value it is removed. */
export interface Instruction {
  readonly name: string
  readonly value: string | undefined
}

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly (Element | string)[]
}

const asked = new Map<string, readonly string[]>()

/** Reads the names that a PROPFIND asks for. */
export function readNames(body: string): readonly string[] {
  const known = asked.get(body)
  if (known !== undefined) return known
  const names = childrenOf(rootOf(body))
    .filter(({name}) => name === 'prop')
    .flatMap((prop) => childrenOf(prop).map(({name}) => name))
  // Bodies are few: one for each set of names.
  if (asked.size < 1000) asked.set(body, names)
  return names
}

/** Reads the instructions of a PROPPATCH in their order. */
export function readInstructions(body: string): readonly Instruction[] {
  return childrenOf(rootOf(body)).flatMap(({name, children}) =>
    children
      .filter((child) => typeof child !== 'string')
      .flatMap((prop) => childrenOf(prop))
      .map((property) => ({
        name: property.name,
        value: name === 'set' ? markupOf(property.children) : undefined,
      })),
  )
}

/** Applies instructions in their order. */
export function change(
  properties: DeadProperties,
  instructions: readonly Instruction[],
): DeadProperties {
  const changed = new Map(properties)
  for (const {name, value} of instructions) {
    if (value === undefined) changed.delete(name)
    else changed.set(name, value)
  }
  return changed
}

/** Formats content as markup with a declaration on each element. */
export function markupOf(children: readonly (Element | string)[]): string {
  return children
    .map((child) =>
      typeof child === 'string'
        ? escapeText(child)
        : element(child.name, markupOf(child.children), child.attributes),
    )
    .join('')
}

/** Formats an element with its namespace declared on it. */
export function element(
  name: string,
  content: string,
  attributes: Readonly<Record<string, string>> = {},
): string {
  const [, namespace = 'DAV:', local = name] = /^\{([^}]*)\}(.*)$/s.exec(name) ?? []
  const [tag, declared] =
    namespace === 'DAV:'
      ? [`D:${local}`, '']
      : namespace === ''
        ? [local, ' xmlns=""']
        : [`p:${local}`, ` xmlns:p="${escapeText(namespace)}"`]
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(value)}"`)
  return `<${tag}${declared}${written.join('')}>${content}</${tag}>`
}

/** Returns the markup of a property of a resource; `undefined` for one that it lacks. */
export function valueOf(node: Node, name: string): string | undefined {
  if (name === 'resourcetype') return node.isCollection ? '<D:collection/>' : ''
  if (name === 'getcontentlength')
    return node.isCollection ? undefined : String(node.bytes.byteLength)
  if (name === 'getetag')
    return node.isCollection || node.etag === '' ? undefined : escapeText(node.etag)
  return node.properties.get(name)
}

function rootOf(body: string): ReferenceElement {
  const {root, fault} = readTree(Buffer.from(body))
  if (root === undefined || fault !== undefined) throw new Error(`not readable: ${fault}: ${body}`)
  return root
}

function childrenOf({children}: ReferenceElement): readonly ReferenceElement[] {
  return children.filter((child) => typeof child !== 'string')
}

function escapeText(text: string): string {
  return text.replaceAll(/[&<>"\r]/g, (character) => `&#${character.charCodeAt(0)};`)
}
