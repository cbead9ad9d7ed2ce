/**
 * The kinds of values that the decoders of other RFCs share. Each gives `undefined` for nonsense. Lists are frozen, because
 * results share them. A list passes over unknown elements, and entries without a value. RFC 4918, sections 14.7 and 17.
 */

import {decodeDate} from '../protocol/date.ts'
import {trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import {decodeInteger} from './decode.ts'
import {childrenOf, textOf} from './value-parts.ts'
import type {RawValue} from './vocabulary.ts'

/** The decoders of some properties, from the types of their values. */
export type DecodersOf<Values> = {
  readonly [Name in keyof Values]: (value: RawValue) => Values[Name] | undefined
}

/** Decodes a text, white space included. */
export function text(value: RawValue): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Decodes a text that is not empty, trimmed. */
export function token(value: RawValue): string | undefined {
  return typeof value === 'string' && trimSpace(value) !== '' ? trimSpace(value) : undefined
}

/** Decodes a whole number. */
export function integer(value: RawValue): number | undefined {
  return decodeInteger(token(value) ?? '')
}

/** Decodes a limit or another number that is never negative. */
export function count(value: RawValue): number | undefined {
  const number = integer(value)
  return number === undefined || number < 0 ? undefined : number
}

/** Decodes a time in UTC, such as `19000101T000000Z`. */
export function time(value: RawValue): Date | undefined {
  return decodeDate(token(value) ?? '')
}

/** Decodes a truth value: `1`, `0`, `true` or `false`. */
export function truth(value: RawValue): boolean | undefined {
  const word = token(value) ?? ''
  if (!/^(?:[01]|true|false)$/.test(word)) return undefined
  return word === '1' || word === 'true'
}

/** Decodes the names of the child elements. */
export function names(value: RawValue): readonly string[] | undefined {
  return isNonsense(value) ? undefined : Object.freeze(childrenOf(value).map(({name}) => name))
}

/** Decodes any number of `DAV:href` elements. */
export const hrefs: (value: RawValue) => readonly string[] | undefined = /* @__PURE__ */ listOf(
  'href',
  contentOf,
)

/** Decodes one `DAV:href` element. */
export function href(value: RawValue): string | undefined {
  const [first, ...others] = hrefs(value) ?? []
  return others.length === 0 ? first : undefined
}

/** Makes a decoder of a list: `read` gives the entry, or the entries, of each child element with a name, or with any name. */
export function listOf<T>(
  name: string | undefined,
  read: (child: XmlElement) => T | readonly T[] | undefined,
): (value: RawValue) => readonly T[] | undefined {
  return (value) => {
    if (isNonsense(value)) return undefined
    return Object.freeze(childrenOf(value, name).flatMap((child) => read(child) ?? []))
  }
}

/** Makes a decoder of a list that is never empty. */
export function someOf<T>(
  name: string | undefined,
  read: (child: XmlElement) => T | undefined,
): (value: RawValue) => readonly T[] | undefined {
  const list = listOf(name, read)
  return (value) => {
    const entries = list(value) ?? []
    return entries.length === 0 ? undefined : entries
  }
}

/** Reads the attribute `name`. */
export function nameAttribute({attributes}: XmlElement): string | undefined {
  return attributes['name']
}

/** Reads the text of an element, trimmed; `undefined` for an empty one. */
export function contentOf(element: XmlElement | undefined): string | undefined {
  return token(textOf(element) ?? '')
}

/** Reads the name of the first child element. */
export function firstNameIn(element: XmlElement | undefined): string | undefined {
  return childrenOf(element)[0]?.name
}

/** A media type with the version of its format. */
export interface MediaType {
  /** Such as `text/calendar`. */
  readonly contentType: string
  /** Such as `2.0`. */
  readonly version: string
}

/** Makes a decoder of media types, with the default values of their attributes. */
export function mediaTypes(
  name: string,
  contentType: string,
  version: string,
): (value: RawValue) => readonly MediaType[] | undefined {
  return someOf(undefined, ({name: child, attributes}) => {
    const {'content-type': written, version: number = version} = attributes
    // xandikos 0.2.8 has `content-type` in the place of `address-data-type`.
    if (child !== name && written === undefined) return undefined
    return Object.freeze({contentType: written ?? contentType, version: number})
  })
}

/** Recognizes text in the place of child elements. */
function isNonsense(value: RawValue): boolean {
  return token(value) !== undefined
}
