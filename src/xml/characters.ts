/**
 * Characters of XML: which may stand in a document, which make a name, and the references that stand for one.
 * Only the five predefined entities are known; there is no DOCTYPE that could declare another.
 * XML 1.0 (fifth edition), sections 2.2, 2.3, 2.11, 4.1 and 4.6.
 */

import {visible} from '../protocol/errors.ts'

/** A character that no XML document may hold, as such or as a reference. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
export const FORBIDDEN: RegExp = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/

/** What is wrong with such a character. */
export function describeForbidden(character: string): string {
  if (character === '\0') return 'there are bytes that are no text, or U+0000, which XML forbids'
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  return `there is the character U+${code}, which XML forbids`
}

const NAME_START =
  ':A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}-\\u{200D}\\u{2070}-\\u{218F}' +
  '\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}'

/** The source of a regular expression (flag `u`) for a Name. */
export const NAME: string = `[${NAME_START}][${NAME_START}\\-.0-9\\xB7\\u{300}-\\u{36F}\\u{203F}-\\u{2040}]*`

/** The source of a regular expression for one character of white space. */
export const SPACE = '[ \\t\\r\\n]'

/** The longest reference that is read, and so waited for. Without leading zeros, the longest that means something has ten characters. */
export const LONGEST_REFERENCE = 64

const NUMERIC = /&#(?:x([\da-fA-F]+)|(\d+));/y
const PREDEFINED: readonly Reference[] = [
  {character: '"', written: '&quot;', length: 6},
  {character: '&', written: '&amp;', length: 5},
  {character: '<', written: '&lt;', length: 4},
  {character: '>', written: '&gt;', length: 4},
  {character: "'", written: '&apos;', length: 6},
]

/** A reference and the character that it stands for. */
interface Reference {
  readonly character: string
  readonly written: string
  readonly length: number
}

/** Says what is wrong with a reference and at which index of the text it stands. */
export type OnBadReference = (message: string, index: number) => void

/** The reference at an index, or what is wrong with it. */
export function decodeReference(text: string, at: number): Reference | string {
  for (const predefined of PREDEFINED) {
    if (text.startsWith(predefined.written, at)) return predefined
  }
  const reference = numericReference(text, at)
  if (reference === undefined) return describeBadReference(text.slice(at, at + LONGEST_REFERENCE))
  const {code, written} = reference
  // SOGo 5.8 writes a character beyond U+FFFF as two references, one for each half of a surrogate pair.
  if (isHighSurrogate(code)) {
    const low = numericReference(text, at + written.length)
    if (low !== undefined && isLowSurrogate(low.code)) {
      const both = written + low.written
      const character = String.fromCharCode(code, low.code)
      return {character, written: both, length: both.length}
    }
  }
  const character = characterOf(code)
  return character === undefined
    ? `the reference ${written} stands for no character that XML allows`
    : {character, written, length: written.length}
}

/** The length of the reference to the first half of a surrogate pair that a text ends with, 0 where it ends otherwise. */
export function highSurrogateAtEnd(text: string): number {
  const at = text.lastIndexOf('&')
  const {code, written} = numericReference(text, Math.max(0, at)) ?? {code: 0, written: ''}
  return isHighSurrogate(code) && at + written.length === text.length ? written.length : 0
}

function numericReference(text: string, at: number): {code: number; written: string} | undefined {
  NUMERIC.lastIndex = at
  const [written = '', hexadecimal, decimal] = NUMERIC.exec(text) ?? []
  if (written === '' || written.length > LONGEST_REFERENCE) return undefined
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16)
  return {code, written}
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd8_00 && code <= 0xdb_ff
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc_00 && code <= 0xdf_ff
}

/**
 * The text with its references decoded and `literal` applied to what stands between them. A bad reference is reported
 * and kept as written.
 */
export function decodeReferences(
  text: string,
  literal: (piece: string) => string,
  onBad: OnBadReference,
): string {
  let decoded = ''
  let from = 0
  for (let at = text.indexOf('&'); at !== -1;) {
    const reference = decodeReference(text, at)
    if (typeof reference === 'string') {
      onBad(reference, at)
      at = text.indexOf('&', at + 1)
      continue
    }
    decoded += literal(text.slice(from, at)) + reference.character
    from = at + reference.length
    at = text.indexOf('&', from)
  }
  return decoded + literal(text.slice(from))
}

/** Ends of lines as XML reads them: CR LF and a CR alone are LF. */
export function normalizeLineEnds(text: string): string {
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text
}

/**
 * Text without the white space around it: XML's, and none of the other kinds, which may end a name. A loop, because a
 * regular expression takes the square of the length for much white space that is not at the end.
 */
export function trimSpace(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

/** Text without the white space at its end. */
export function trimSpaceEnd(text: string): string {
  let to = text.length
  while (to > 0 && isSpace(text.charCodeAt(to - 1))) to--
  return text.slice(0, to)
}

// V8 copies a shorter piece anyway.
const SHORTEST_WINDOW = 13

/**
 * A copy that holds nothing else in memory. V8 cuts a piece of text out as a window, which keeps the whole chunk of the body.
 * Of all ways to make a copy, this one takes the least time.
 */
export function ownCopy(text: string): string {
  return text.length < SHORTEST_WINDOW ? text : ` ${text}`.replace(' ', '')
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d
}

/** White space as it is in an attribute's value: blanks. */
export function blanksOnly(text: string): string {
  return /[\t\r\n]/.test(text) ? normalizeLineEnds(text).replaceAll(/[\t\n]/g, ' ') : text
}

/** Text as it must stand in markup to be read as it is. */
export function escapeText(text: string): string {
  if (!/[&<>\r]/.test(text)) return text
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;')
}

function characterOf(code: number): string | undefined {
  if (code > 0x10_ff_ff || isHighSurrogate(code) || isLowSurrogate(code)) return undefined
  const character = String.fromCodePoint(code)
  return FORBIDDEN.test(character) ? undefined : character
}

function describeBadReference(text: string): string {
  const [entity] = /^&[^\s&;<]+;/.exec(text) ?? []
  // A longer one in bytes may be cut in two by the end of a chunk.
  const isWhole =
    entity !== undefined && new TextEncoder().encode(entity).length <= LONGEST_REFERENCE
  return isWhole
    ? `the entity ${visible(entity, 100)} is not declared`
    : "a bare '&' begins no reference"
}
