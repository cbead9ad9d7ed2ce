/**
 * The inside of a start tag: its name and attributes, strictly as XML has them.
 * XML 1.0, sections 3.1 and 3.3.3.
 */

import {blanksOnly, decodeReferences, NAME, SPACE} from './characters.ts'

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

/** What is wrong with a tag, and where: an index into the text that was read. */
export class TagError extends Error {
  /** Where in the text. */
  readonly index: number
  /** The name of the limit that was broken. */
  readonly limit: string | undefined

  constructor(message: string, index: number, limit?: string) {
    super(message)
    this.index = index
    this.limit = limit
  }
}

const LESS = 0x3c
const GREATER = 0x3e
const QUOTATION = 0x22
const APOSTROPHE = 0x27
const TAG_NAME = new RegExp(NAME, 'uy')
const ATTRIBUTE = new RegExp(
  `(${SPACE}+)(${NAME})(${SPACE}*=${SPACE}*)(?:"([^<"]*)"|'([^<']*)')`,
  'uy',
)
const END = new RegExp(`${SPACE}*(/?)$`, 'uy')

/**
 * Looks for what ends a start tag: a `>` outside quotes, or a `<`, which may stand nowhere in it.
 *
 * @param quote - The code of the quote that is open at `from`, 0 where none is.
 * @returns Its index, or -1 with the quote that is open at the end of the text.
 */
export function findTagEnd(
  text: string,
  from: number,
  quote: number,
): {end: number; quote: number} {
  let open = quote
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === LESS || (code === GREATER && open === 0)) return {end: index, quote: open}
    if (code === QUOTATION || code === APOSTROPHE) {
      if (open === 0) open = code
      else if (open === code) open = 0
    }
  }
  return {end: -1, quote: open}
}

/** The name that a tag begins with, empty where it begins with none. */
export function readTagName(text: string): string {
  TAG_NAME.lastIndex = 0
  return TAG_NAME.exec(text)?.[0] ?? ''
}

/**
 * Reads what stands between `<` and `>`.
 *
 * @throws TagError where it is not well-formed or has names that are too long or attributes that are too many.
 */
export function parseStartTag(text: string, limits: TagLimits): StartTag {
  const name = readTagName(text)
  if (name === '') throw new TagError("a '<' begins no tag", 0)
  if (name.length > limits.name) throw tooLong(limits.name, 0)
  const attributes = new Map<string, string>()
  let index = name.length
  for (;;) {
    END.lastIndex = index
    const end = END.exec(text)
    if (end !== null) return {name, attributes, selfClosing: end[1] === '/'}
    ATTRIBUTE.lastIndex = index
    const match = ATTRIBUTE.exec(text)
    if (match === null) throw new TagError(`the attributes of <${name}> are not well-formed`, index)
    const [whole, space = '', attribute = '', equals = '', double, single] = match
    const at = index + space.length
    if (attribute.length > limits.name) throw tooLong(limits.name, at)
    if (attributes.has(attribute))
      throw new TagError(`<${name}> has the attribute ${attribute} twice`, at)
    if (attributes.size === limits.attributes) {
      throw new TagError(
        `<${name}> has more than ${limits.attributes} attributes`,
        at,
        'attributes',
      )
    }
    const valueAt = at + attribute.length + equals.length + 1
    // It becomes part of names, which are compared often.
    const isTooLong = attribute.startsWith('xmlns') && (double ?? single ?? '').length > limits.name
    if (isTooLong) throw tooLong(limits.name, valueAt)
    attributes.set(attribute, decodeAttributeValue(double ?? single ?? '', valueAt))
    index += whole.length
  }
}

/** An attribute's value: white space becomes blanks, references are decoded. */
function decodeAttributeValue(value: string, index: number): string {
  return decodeReferences(value, blanksOnly, (message, at) => {
    throw new TagError(message, index + at)
  })
}

function tooLong(limit: number, index: number): TagError {
  return new TagError(`a name is longer than ${limit} characters`, index, 'name')
}
