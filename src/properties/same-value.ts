/** Compares values of properties: the one that was set, and the one that was read. RFC 4918, section 4.3. */

import {trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import type {RawValue} from './vocabulary.ts'

/**
 * Tells if a value is the one that was set. Prefixes, white space around elements and attributes that the server added do not
 * count. Nor do types that it added to `resourcetype`.
 */
export function isSameValue(set: RawValue, read: RawValue): boolean {
  if (typeof set === 'string' || typeof read === 'string') return set === read
  if (set.name !== 'resourcetype') return isSameElement(set, read)
  const types = new Set(childElements(read).map(({name}) => name))
  return childElements(set).every(({name}) => types.has(name))
}

function isSameElement(set: XmlElement, read: XmlElement): boolean {
  const content = contentOf(set)
  const others = contentOf(read)
  return (
    set.name === read.name &&
    Object.entries(set.attributes).every(([name, value]) => read.attributes[name] === value) &&
    content.length === others.length &&
    content.every((child, index) => {
      const other = others[index]
      return typeof child === 'string' || typeof other === 'string' || other === undefined
        ? child === other
        : isSameElement(child, other)
    })
  )
}

function contentOf({children}: XmlElement): readonly (XmlElement | string)[] {
  return children
    .map((child) => (typeof child === 'string' ? trimSpace(child) : child))
    .filter((child) => child !== '')
}
