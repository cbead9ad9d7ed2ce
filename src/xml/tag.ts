/**
 * Finds the ends of tags, and reads the name and the attributes of a start tag. Strict, and without namespaces.
 * XML 1.0, sections 3.1 and 3.3.3.
 */

import {SHOWN_NAME_CHARACTERS} from '../protocol/bounds.ts'
import {APOSTROPHE, GREATER, LESS, QUOTATION} from '../protocol/characters.ts'
import {visible} from '../protocol/errors.ts'
import {
  decodeText,
  describeForbidden,
  FORBIDDEN,
  NAME,
  ODD_IN_ATTRIBUTE,
  WHITE_SPACE,
} from './characters.ts'

/** A start tag or an empty-element tag. */
export interface StartTag {
  /** The name as written, with its prefix. */
  readonly name: string
  /** Values by the name as written, in order, namespace declarations included. */
  readonly attributes: ReadonlyMap<string, string>
  /** True for an empty-element tag, `<x/>`. */
  readonly selfClosing: boolean
  /** The first fault. Name and attributes are the ones before it. */
  readonly fault?: TagFault | undefined
}

/** A fault in a tag. Returned and not thrown, because in recovery a hostile server can cause one every few bytes. */
interface TagFault {
  /** A description; empty for a broken limit. */
  readonly message: string
  /** Its index in the tag. */
  readonly index: number
  /** The name of the broken limit. */
  readonly limit?: keyof TagLimits | undefined
}

/** Bounds on the names and attributes of a tag. */
export interface TagLimits {
  /** Characters of one name, and of the name of one namespace. */
  readonly name: number
  /** Attributes of one tag. */
  readonly attributes: number
}

const TAG_NAME = /* @__PURE__ */ new RegExp(NAME, 'uy')
const ATTRIBUTE = /* @__PURE__ */ new RegExp(
  `(${WHITE_SPACE}+)(${NAME})${WHITE_SPACE}*=${WHITE_SPACE}*(?:"([^<"]*)"|'([^<']*)')`,
  'uy',
)
const NO_ATTRIBUTES: ReadonlyMap<string, string> = /* @__PURE__ */ new Map()
// Most tags are a name in ASCII and no more. One test settles them.
const PLAIN_TAG = /^[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?\/?$/
const END = /* @__PURE__ */ new RegExp(`${WHITE_SPACE}*/?$`, 'uy')

/**
 * Finds the end of a start tag: a `>` outside quotes, or a `<`, which is a fault anywhere in a tag.
 *
 * @param quote - The code of the quote that is open at `from`; 0 for none.
 * @returns Its index, or -1 with the quote that is open at the end of the bytes.
 */
export function findTagEnd(
  bytes: Uint8Array,
  from: number,
  quote: number,
): {end: number; quote: number} {
  let open = quote
  for (let index = from; index < bytes.length; index++) {
    const code = bytes[index] ?? 0
    if (code === LESS || (code === GREATER && open === 0)) return {end: index, quote: open}
    if (code === QUOTATION || code === APOSTROPHE) {
      if (open === 0) open = code
      else if (open === code) open = 0
    }
  }
  return {end: -1, quote: open}
}

/** Finds the end of an end tag, in which quotes mean nothing. Returns its index, or -1. */
export function findEndTagEnd(bytes: Uint8Array, from: number): number {
  for (let index = from; index < bytes.length; index++) {
    if (bytes[index] === GREATER || bytes[index] === LESS) return index
  }
  return -1
}

/** Reads the text between `<` and `>`, up to the first fault or broken limit. */
export function readStartTag(text: string, limits: TagLimits): StartTag {
  const selfClosing = text.endsWith('/')
  if (text.length <= limits.name && PLAIN_TAG.test(text)) {
    const name = selfClosing ? text.slice(0, -1) : text
    return {name, attributes: NO_ATTRIBUTES, selfClosing}
  }
  TAG_NAME.lastIndex = 0
  const name = TAG_NAME.exec(text)?.[0] ?? ''
  const attributes = new Map<string, string>()
  const stop = (message: string, index: number, limit?: keyof TagLimits): StartTag => ({
    name,
    attributes,
    selfClosing,
    fault: {message, index, limit},
  })
  if (name.length > limits.name) return stop('', 0, 'name')
  const forbidden = text.search(FORBIDDEN)
  if (forbidden !== -1) return stop(describeForbidden(text.charAt(forbidden)), forbidden)
  if (name === '') return stop("a '<' begins no tag", 0)
  for (let index = name.length; ;) {
    END.lastIndex = index
    if (END.test(text)) return {name, attributes, selfClosing}
    ATTRIBUTE.lastIndex = index
    const match = ATTRIBUTE.exec(text)
    if (match === null) return stop(`an attribute of <${shown(name)}> is malformed`, index)
    const [all, space = '', attribute = '', double, single] = match
    const at = index + space.length
    const written = double ?? single ?? ''
    if (attributes.has(attribute))
      return stop(`a tag has the attribute ${shown(attribute)} twice`, at)
    if (attributes.size + 1 > limits.attributes) return stop('', at, 'attributes')
    // The name of a namespace becomes part of the names of elements, so the same limit holds.
    const longest = Math.max(attribute.length, attribute.startsWith('xmlns') ? written.length : 0)
    if (longest > limits.name) return stop('', at, 'name')
    let fault = ''
    let value = written
    // White space becomes blanks before references are decoded: `&#10;` stays a line feed. Section 3.3.3.
    if (/[&\t\r\n]/.test(written)) {
      const blank = written.replaceAll(/\r\n|[\t\r\n]/g, ' ')
      value = decodeText(blank, (message) => (fault ||= message), ODD_IN_ATTRIBUTE)
    }
    attributes.set(attribute, value)
    if (fault !== '') return stop(fault, at)
    index += all.length
  }
}

function shown(name: string): string {
  return visible(name, SHOWN_NAME_CHARACTERS)
}
