/**
 * Characters of XML: forbidden characters, names, references, white space. Decodes no entities but the five predefined ones,
 * because every DOCTYPE is refused and nothing else could declare more. XML 1.0 (fifth edition), sections 2.2, 2.3, 2.11,
 * 4.1 and 4.6.
 */

import {REFERENCE_BYTES} from '../protocol/bounds.ts'
import {AMPERSAND, BRACKET, LESS, LINE_FEED, RETURN, SPACE, TAB} from '../protocol/characters.ts'

/** A character that no XML document may hold, raw or as a reference. Section 2.2. */
// oxlint-disable-next-line no-control-regex -- control characters are the subject
export const FORBIDDEN: RegExp = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/

/** Describes a forbidden character for a message. */
export function describeForbidden(character: string): string {
  // The scanner puts NUL in the place of bytes that it could not decode.
  if (character === '\0') return 'there are bytes that are no text'
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  return `U+${code} may not stand in XML`
}

/** By byte: 1 for plain text, 0 for bytes that need a look. `EF` needs one, because U+FFFE and U+FFFF begin with it. */
export const PLAIN: Uint8Array = /* @__PURE__ */ Uint8Array.from({length: 256}, (_, byte) =>
  byte === TAB ||
  byte === LINE_FEED ||
  (byte >= SPACE && ![LESS, AMPERSAND, BRACKET, 0xef].includes(byte))
    ? 1
    : 0,
)

// The productions NameStartChar and NameChar, section 2.3. A colon is allowed: splitting off prefixes is the scope's work.
const NAME_START =
  ':A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}-\\u{200D}\\u{2070}-\\u{218F}' +
  '\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}'

/** The source of a regular expression (flag `u`) for a Name. */
export const NAME: string = `[${NAME_START}][${NAME_START}\\-.0-9\\xB7\\u{300}-\\u{36F}\\u{203F}-\\u{2040}]*`

/** The source of a regular expression for one character of white space. */
export const WHITE_SPACE = '[ \\t\\r\\n]'

// A reference longer than this is a fault, so the end of a chunk never holds back more text than that.
const DIGITS = `{1,${REFERENCE_BYTES - '&#x;'.length}}`
const NUMERIC = `&#(?:x[\\da-fA-F]${DIGITS}|\\d${DIGITS});`
/** The beginning of a CDATA section. */
export const CDATA = '<![CDATA['

const NUMERIC_REFERENCE = /* @__PURE__ */ new RegExp(NUMERIC, 'y')
const PREDEFINED: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&amp;', '&'],
  ['&quot;', '"'],
  ['&apos;', "'"],
])

const REFERENCE = `${NUMERIC}|&(?:[lg]t|amp|quot|apos);|&`
/** Everything in text that a reader must not copy as it is: references, line ends, `]]>`, forbidden characters. */
const ODD_IN_TEXT = /* @__PURE__ */ new RegExp(
  `${REFERENCE}|\\]\\]>|\\r\\n?|${FORBIDDEN.source}`,
  'g',
)
/** The same for an attribute's value, which may hold `]]>`. Its line ends and forbidden characters are dealt with before. */
export const ODD_IN_ATTRIBUTE: RegExp = /* @__PURE__ */ new RegExp(REFERENCE, 'g')
/** The same for CDATA sections and comments, in which `&` is a plain character. */
export const ODD_IN_SECTION: RegExp = /* @__PURE__ */ new RegExp(`\\r\\n?|${FORBIDDEN.source}`, 'g')

/** Called with the description of a fault and its index in the text. */
export type OnFault = (message: string, index: number) => void

/**
 * Decodes references and line ends. CR LF and a lone CR become LF, as section 2.11 asks. A faulty reference stays as written;
 * a forbidden character is dropped. Each fault is reported, and the caller decides if it ends the reading.
 */
export function decodeText(text: string, onFault: OnFault, odd: RegExp = ODD_IN_TEXT): string {
  let secondHalfAt = -1
  return text.replaceAll(odd, (written: string, index: number) => {
    const predefined = PREDEFINED.get(written)
    if (predefined !== undefined) return predefined
    if (written.startsWith('\r')) return '\n'
    if (written.startsWith('&#')) {
      if (index === secondHalfAt) return ''
      const code = codeOf(written)
      // SOGo 5.8 writes a character beyond U+FFFF as two references, one for each half of a surrogate pair.
      if (isHalf(code, 0xd8_00)) {
        NUMERIC_REFERENCE.lastIndex = index + written.length
        const low = codeOf(NUMERIC_REFERENCE.exec(text)?.[0] ?? '')
        if (isHalf(low, 0xdc_00)) {
          secondHalfAt = index + written.length
          return String.fromCharCode(code, low)
        }
      }
      const character = code > 0x10_ff_ff ? '\0' : String.fromCodePoint(code)
      if (character.isWellFormed() && !FORBIDDEN.test(character)) return character
      onFault(`${written} is no character of XML`, index)
      return written
    }
    if (written === '&') onFault("'&' begins no reference that XML knows", index)
    else if (written === ']]>') onFault("']]>' may not stand in text", index)
    else {
      onFault(describeForbidden(written), index)
      return ''
    }
    return written
  })
}

/** Returns the length of a reference to the first half of a surrogate pair at the end of a text; 0 for any other end. */
export function firstHalfLength(text: string): number {
  const [reference = ''] = /&#[^&;]*;$/.exec(text) ?? []
  return isHalf(codeOf(reference), 0xd8_00) ? reference.length : 0
}

/** Reads the code of a numeric reference; NaN for an empty text. */
function codeOf(reference: string): number {
  const isHexadecimal = reference[2] === 'x'
  return Number.parseInt(reference.slice(isHexadecimal ? 3 : 2), isHexadecimal ? 16 : 10)
}

/** Tests for one half of a surrogate pair. The first halves begin at U+D800, the second halves at U+DC00. */
function isHalf(code: number, begin: number): boolean {
  return code >= begin && code < begin + 0x4_00
}

/**
 * Trims XML's white space. Other kinds, such as a no-break space, stay: they may belong to the name of a resource. A loop,
 * because the time of a regular expression grows with the square of the white space inside the text.
 */
export function trimSpace(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

function isSpace(code: number): boolean {
  return code === SPACE || code === LINE_FEED || code === TAB || code === RETURN
}

// V8 copies a piece of fewer characters anyway.
const SHORTEST_WINDOW = 13

/**
 * Copies a piece of text, so that keeping it keeps nothing else. V8 cuts a piece out as a window on its parent: one kept
 * ETag would hold the whole chunk in memory. Of all ways to force a copy, this one takes the least time.
 */
export function ownCopy(text: string): string {
  return text.length < SHORTEST_WINDOW ? text : ` ${text}`.replace(' ', '')
}

/** Escapes text for markup. A carriage return too, because readers turn a raw one into a line feed. */
export function escapeText(text: string): string {
  const escapes: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;'}
  return text.replaceAll(/[&<>\r]/g, (character) => escapes[character] ?? '&#13;')
}
