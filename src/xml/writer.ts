/**
 * Formats XML documents from elements that are named in Clark notation. Chooses prefixes and declares each of them once, on the
 * root. Refuses names and characters that XML forbids, so that no value can add markup. XML 1.0; Namespaces in XML 1.0.
 */

import {quoted} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import {DAV, parseName, XML_NAMESPACE} from '../protocol/name.ts'
import {isRecord} from '../protocol/options.ts'
import {escapeText, FORBIDDEN} from './characters.ts'

/** An element to write. Every `XmlElement` is one too. */
export interface ElementToWrite {
  /** `lockinfo` in `DAV:`, else `{ns}local`; `{}local` in no namespace. */
  readonly name: string
  /** Values by name: `x` without a prefix, else `{ns}x`. */
  readonly attributes?: Readonly<Record<string, string>> | undefined
  /** Elements and text, mixed, in order. */
  readonly children?: readonly (ElementToWrite | string)[] | undefined
}

/** An element with prefixes in its names and with its namespace declarations. Texts are not escaped yet. */
export interface QualifiedElement {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly (QualifiedElement | string)[]
}

/** Checks an element with everything in it, because it may come from JSON. It can still have a name that XML forbids. */
export function isElementToWrite(value: unknown): value is ElementToWrite {
  const [name, attributes = {}, children = []] = ['name', 'attributes', 'children'].map((one) =>
    memberOf(value, one),
  )
  return (
    typeof name === 'string' &&
    isRecord(attributes) &&
    Object.values(attributes).every((one) => typeof one === 'string') &&
    Array.isArray(children) &&
    children.every((child) => typeof child === 'string' || isElementToWrite(child))
  )
}

/** The Content-Type of every document. RFC 4918, section 8.2. */
export const XML_TYPE = 'application/xml; charset=utf-8'

/** The XML declaration in front of every document. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'

// The namespace of declarations, which no element and no other attribute may have.
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

// Close to the NCName of XML, by classes of Unicode. Keeps out blanks, quotes and `>`, which would be markup of their own.
const LOCAL_NAME = /^[\p{L}_][\p{L}\p{N}\p{M}._\-·]*$/u

/**
 * Formats an XML document.
 *
 * @throws TypeError for a name or a character that XML forbids.
 */
export function formatDocument(root: ElementToWrite): string {
  return XML_DECLARATION + formatElement(qualify(root))
}

/**
 * Chooses the prefix of each element and attribute.
 *
 * @param prefix - The prefix of `DAV:`; empty for the default namespace.
 * @throws TypeError for a name that XML forbids.
 */
export function qualify(root: ElementToWrite, prefix = 'D'): QualifiedElement {
  const prefixes = new Map<string, string>(prefix === '' ? [] : [[DAV, prefix]])
  // `n0`, `n1`, …, unless the caller's own prefix might be one of these.
  const others = prefix.startsWith('n') ? 'x' : 'n'
  const prefixed = (name: string, namespace: string, local: string): string => {
    if (!LOCAL_NAME.test(local) || namespace === XMLNS_NAMESPACE || name === 'xmlns') {
      throw new TypeError(
        `${quoted(name)} is not a name: write getetag for a DAV: name, {namespace}local for any other`,
      )
    }
    if (namespace === '') return local
    if (namespace === XML_NAMESPACE) return `xml:${local}`
    const found = prefixes.get(namespace) ?? `${others}${prefixes.size}`
    prefixes.set(namespace, found)
    return `${found}:${local}`
  }
  // `outer` is the default namespace around the element.
  const qualified = (element: ElementToWrite, outer: string): QualifiedElement => {
    const {namespace, local} = parseName(element.name)
    const isPlain = namespace === '' || (namespace === DAV && prefix === '')
    const inner = isPlain ? namespace : outer
    const attributes = Object.entries(element.attributes ?? {}).map(([name, value]) => {
      const parsed = name.startsWith('{') ? parseName(name) : {namespace: '', local: name}
      return [prefixed(name, parsed.namespace, parsed.local), value]
    })
    return {
      tag: prefixed(element.name, isPlain ? '' : namespace, local),
      attributes: Object.fromEntries([
        ...(inner === outer ? [] : [['xmlns', inner]]),
        ...attributes,
      ]),
      children: (element.children ?? []).map((child) =>
        typeof child === 'string' ? child : qualified(child, inner),
      ),
    }
  }
  const {tag, attributes, children} = qualified(root, '')
  const declarations = Array.from(prefixes, ([namespace, name]) => [`xmlns:${name}`, namespace])
  return {tag, attributes: {...Object.fromEntries(declarations), ...attributes}, children}
}

function formatElement({tag, attributes, children}: QualifiedElement): string {
  const written = Object.entries(attributes).map(
    ([name, value]) => ` ${name}="${escapeAttribute(value)}"`,
  )
  const content = children.map((child) =>
    typeof child === 'string' ? escapeContent(child) : formatElement(child),
  )
  const start = `<${tag}${written.join('')}`
  return content.length === 0 ? `${start}/>` : `${start}>${content.join('')}</${tag}>`
}

/**
 * Escapes text between tags, so that a reader gives the same text.
 *
 * @throws TypeError for a character that XML forbids: no escape can hold one.
 */
export function escapeContent(text: string): string {
  if (FORBIDDEN.test(text) || !text.isWellFormed())
    throw new TypeError(`${quoted(text)} has a character that XML forbids`)
  return escapeText(text)
}

/** Escapes an attribute's value. White space too, because readers turn it into blanks. */
export function escapeAttribute(text: string): string {
  return escapeContent(text)
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#9;')
    .replaceAll('\n', '&#10;')
}
