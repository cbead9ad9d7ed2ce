/**
 * Elements as plain objects, and markup from and to them by fast-xml-parser, which is imported here only. The markup is
 * known to be well-formed: the scanner has read it. Names are resolved and references decoded here, not there.
 */

import {XMLBuilder, XMLParser} from 'fast-xml-parser'

import {blanksOnly, decodeReferences, normalizeLineEnds} from './characters.ts'
import type {Scope} from './scope.ts'
import {isDeclaration} from './scope.ts'

/** An element as a value: a property with child elements, or one of them. */
export interface XmlElement {
  /** `lockinfo` in `DAV:`, else `{ns}local`; `{}local` in no namespace. */
  readonly name: string
  /** By name: `x` without a prefix, else `{ns}x`, for those of `DAV:` too. Declarations of namespaces are left out. */
  readonly attributes: Readonly<Record<string, string>>
  /** Elements and text, mixed, in order. */
  readonly children: readonly (XmlElement | string)[]
}

/** An element to be written, with the prefixes and declarations that it is to have. */
export interface Markup {
  readonly tag: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly children?: readonly (Markup | string)[]
}

// Marks that can be in no name, so that nothing in a document is taken for them or for a member of a prototype.
const TEXT = '#text'
const CDATA = '#cdata'
const ATTRIBUTES = ':@'
const MARK = '<'

const parser = /* #__PURE__ */ new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: MARK,
  textNodeName: TEXT,
  cdataPropName: CDATA,
  trimValues: false,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  ignorePiTags: true,
  maxNestedTags: Number.POSITIVE_INFINITY,
  jPath: false,
  // A tag that closes itself is transformed twice.
  transformTagName: (name: string) => (name.startsWith(MARK) ? name : MARK + name),
})

/** The element that well-formed markup is, in the scope around it. It is frozen, so that it can be shared. */
export function parseElement(markup: string, scope: Scope): XmlElement {
  const [element] = childrenOf(parser.parse(markup), scope)
  if (element === undefined || typeof element === 'string')
    throw new TypeError('the markup is no element')
  return element
}

/** An XML document with this root. */
export function formatDocument(root: Markup): string {
  const builder = new XMLBuilder({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    textNodeName: TEXT,
    suppressEmptyNode: true,
    processEntities: true,
  })
  return `<?xml version="1.0" encoding="utf-8"?>\n${builder.build([orderedOf(root)])}`
}

/** The elements among an element's children. */
export function childElements(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string')
}

function childrenOf(nodes: unknown, scope: Scope): readonly (XmlElement | string)[] {
  const children: (XmlElement | string)[] = []
  if (!Array.isArray(nodes)) return Object.freeze(children)
  for (const node of nodes) {
    const child = childOf(node, scope)
    const last = children.at(-1)
    if (typeof child !== 'string' || typeof last !== 'string') children.push(child)
    // A comment or the edge of a CDATA section does not end a text.
    else children[children.length - 1] = last + child
  }
  return Object.freeze(children)
}

function childOf(node: Readonly<Record<string, unknown>>, scope: Scope): XmlElement | string {
  const text = node[TEXT]
  if (typeof text === 'string') return decodeReferences(text, normalizeLineEnds, ignore)
  const section = node[CDATA]
  if (Array.isArray(section)) return String(section[0]?.[TEXT] ?? '')
  const tag = Object.keys(node).find((key) => key !== ATTRIBUTES) ?? ''
  const written = new Map<string, string>()
  for (const [name, value] of Object.entries(node[ATTRIBUTES] ?? {})) {
    written.set(name.slice(MARK.length), decodeReferences(String(value), blanksOnly, ignore))
  }
  const inside = scope.declare(written)
  const attributes = [...written]
    .filter(([name]) => !isDeclaration(name))
    .map(([name, value]) => [inside.attributeName(name), value])
  return Object.freeze({
    name: inside.elementName(tag.slice(MARK.length)),
    // `fromEntries` defines, it does not assign: an attribute `__proto__` is an attribute like any other.
    attributes: Object.freeze(Object.fromEntries(attributes)),
    children: childrenOf(node[tag], inside),
  })
}

function ignore(): void {
  // The scanner has refused what could be reported here.
}

function orderedOf({tag, attributes, children = []}: Markup): Record<string, unknown> {
  const ordered = children.map((child) =>
    typeof child === 'string' ? {[TEXT]: child} : orderedOf(child),
  )
  return attributes === undefined ? {[tag]: ordered} : {[tag]: ordered, [ATTRIBUTES]: attributes}
}
