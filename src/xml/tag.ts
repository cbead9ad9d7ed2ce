/**
 * The inside of a start tag: its name and attributes, strictly as XML has them.
 * XML 1.0, sections 3.1 and 3.3.3.
 */

import {visible} from '../protocol/errors.ts'
import {
  blanksOnly,
  decodeReferences,
  describeForbidden,
  FORBIDDEN,
  NAME,
  SPACE,
} from './characters.ts'

/** A start tag or an empty-element tag. */
export interface StartTag {
  /** As written, with its prefix. */
  readonly name: string
  /** By the name as written, in order, namespace declarations included. */
  readonly attributes: ReadonlyMap<string, string>
  /** Whether the tag closes its element too. */
  readonly selfClosing: boolean
}

/** Bounds on names and attributes. */
export interface TagLimits {
  readonly name: number
  readonly attributes: number
}

/**
 * What is wrong with a tag, and where: an index into the text that was read. It is given back and not thrown, because in
 * recovery a hostile server can make us meet one in every few bytes.
 */
export class TagFault {
  readonly message: string
  /** Where in the text. */
  readonly index: number
  /** The name of the limit that was broken. */
  readonly limit: string | undefined

  constructor(message: string, index: number, limit?: string) {
    this.message = message
    this.index = index
    this.limit = limit
  }
}

const LESS = 0x3c
const GREATER = 0x3e
const QUOTATION = 0x22
const APOSTROPHE = 0x27
// By byte: 1 for those that may stand behind the name in a start tag, but for the slash of one that ends itself.
const ENDS_NAME = /* @__PURE__ */ Uint8Array.from({length: 256}, (_, byte) =>
  ' \t\r\n>'.includes(String.fromCharCode(byte)) ? 1 : 0,
)
const TAG_NAME = new RegExp(NAME, 'uy')
const ATTRIBUTE = new RegExp(
  `(${SPACE}+)(${NAME})(${SPACE}*=${SPACE}*)(?:"([^<"]*)"|'([^<']*)')`,
  'uy',
)
const NO_ATTRIBUTES: ReadonlyMap<string, string> = /* @__PURE__ */ new Map()
// The tags of most elements are no more than a name, of plain letters.
const PLAIN_TAG = /^[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?\/?$/
const END = new RegExp(`${SPACE}*(/?)$`, 'uy')

/**
 * Looks for what ends a start tag: a `>` outside quotes, or a `<`, which may stand nowhere in it.
 *
 * @param quote - The code of the quote that is open at `from`, 0 where none is.
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

/** The same for an end tag, in which quotes mean nothing. Returns the index, or -1. */
export function findEndTagEnd(bytes: Uint8Array, from: number): number {
  for (let index = from; index < bytes.length; index++) {
    if (bytes[index] === GREATER || bytes[index] === LESS) return index
  }
  return -1
}

/**
 * Where an end tag ends, behind its `>`, if its name, which begins at `end`, is byte by byte the one that begins at `start` in a
 * start tag. -1 where it is another name, or white space follows it.
 */
export function sameNameEnd(bytes: Uint8Array, start: number, end: number): number {
  let length = 0
  while (ENDS_NAME[bytes[start + length] ?? 0] === 0) {
    if (bytes[end + length] !== bytes[start + length]) return -1
    length++
  }
  return bytes[end + length] === GREATER ? end + length + 1 : -1
}

/** The name that a tag begins with, empty where it begins with none. */
export function readTagName(text: string): string {
  TAG_NAME.lastIndex = 0
  return TAG_NAME.exec(text)?.[0] ?? ''
}

/** Reads what stands between `<` and `>`: strictly, and with no more names and attributes than there may be. */
export function parseStartTag(text: string, limits: TagLimits): StartTag | TagFault {
  if (text.length <= limits.name && PLAIN_TAG.test(text)) {
    const selfClosing = text.endsWith('/')
    const name = selfClosing ? text.slice(0, -1) : text
    return {name, attributes: NO_ATTRIBUTES, selfClosing}
  }
  const forbidden = text.search(FORBIDDEN)
  if (forbidden !== -1) return new TagFault(describeForbidden(text.charAt(forbidden)), forbidden)
  const name = readTagName(text)
  if (name === '') return new TagFault("a '<' begins no tag", 0)
  if (name.length > limits.name) return tooLong(limits.name, 0)
  const attributes = new Map<string, string>()
  let index = name.length
  for (;;) {
    END.lastIndex = index
    const end = END.exec(text)
    if (end !== null) return {name, attributes, selfClosing: end[1] === '/'}
    ATTRIBUTE.lastIndex = index
    const match = ATTRIBUTE.exec(text)
    if (match === null) {
      return new TagFault(`the attributes of <${visible(name, 100)}> are not well-formed`, index)
    }
    const fault = addAttribute(attributes, match, index, limits)
    if (fault !== undefined) return fault
    index += match[0].length
  }
}

/** Adds what a match at an index found, or tells what is wrong with it. */
function addAttribute(
  attributes: Map<string, string>,
  match: RegExpExecArray,
  index: number,
  limits: TagLimits,
): TagFault | undefined {
  const [, space = '', name = '', equals = '', double, single] = match
  const at = index + space.length
  if (name.length > limits.name) return tooLong(limits.name, at)
  if (attributes.has(name))
    return new TagFault(`a tag has the attribute ${visible(name, 100)} twice`, at)
  if (attributes.size + 1 > limits.attributes) {
    const message = `a tag has more than ${limits.attributes} attributes`
    return new TagFault(message, at, 'attributes')
  }
  const written = double ?? single ?? ''
  const valueAt = at + name.length + equals.length + 1
  // It becomes part of names, which are compared often.
  if (name.startsWith('xmlns') && written.length > limits.name) return tooLong(limits.name, valueAt)
  let fault: TagFault | undefined
  const value = decodeReferences(written, blanksOnly, (message, badAt) => {
    fault ??= new TagFault(message, valueAt + badAt)
  })
  attributes.set(name, value)
  return fault
}

function tooLong(limit: number, index: number): TagFault {
  return new TagFault(`a name is longer than ${limit} characters`, index, 'name')
}
