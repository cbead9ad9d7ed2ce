/** Reads the parts of a structured value: text, child elements, hrefs. Never throws. RFC 4918, sections 14.7, 15.8 and 15.10. */

import {trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import type {PropertyValue} from './vocabulary.ts'

/**
 * Reads the text of a value.
 *
 * @returns A string as it is. For an element, the text in it and in all elements below, in order, white space included.
 *   `undefined` for a number, a date, a list, and no value.
 * @example
 * ```ts
 * console.log(textOf(result.properties['{urn:example}author']))
 * ```
 */
export function textOf(value: PropertyValue | undefined): string | undefined {
  if (typeof value === 'string') return value
  return isElement(value) ? value.children.map((child) => textOf(child)).join('') : undefined
}

/**
 * Picks the child elements of a value, in order.
 *
 * @param name - The name to pick: `activelock` or `{DAV:}activelock` in `DAV:`, `{namespace}local` in any other namespace.
 *   Default: all names.
 * @returns An empty array for a value without child elements.
 * @example
 * ```ts
 * const locks = childrenOf(result.properties.lockdiscovery, 'activelock')
 * ```
 */
export function childrenOf(value: PropertyValue | undefined, name?: string): XmlElement[] {
  if (!isElement(value)) return []
  const elements = value.children.filter((child) => typeof child !== 'string')
  if (name === undefined) return elements
  return elements.filter((child) => child.name === name || `{DAV:}${child.name}` === name)
}

/**
 * Reads the `DAV:href` child elements of a value, such as `owner` or `current-user-principal`.
 *
 * @returns The hrefs as the server wrote them, white space around them trimmed. Resolve them against the `url` of the result.
 * @example
 * ```ts
 * const [principal] = hrefsOf(result.properties['current-user-principal'])
 * ```
 */
export function hrefsOf(value: PropertyValue | undefined): string[] {
  return childrenOf(value, 'href').map((href) => trimSpace(textOf(href) ?? ''))
}

function isElement(value: PropertyValue | undefined): value is XmlElement {
  return typeof value === 'object' && value !== null && 'children' in value
}
