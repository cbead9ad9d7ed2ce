/**
 * Decodes the text or the element of a property. Nonsense gives no value at all: never a guess, never the epoch, never a rounded
 * number. RFC 4918, section 15; RFC 4331, sections 3 and 4; RFC 6578, section 4.
 */

import {decodeDate} from '../protocol/date.ts'
import {visible} from '../protocol/errors.ts'
import type {Rule} from '../protocol/options.ts'
import {namesOf} from '../protocol/members.ts'
import {isRecord, readRecord} from '../protocol/options.ts'
import {keyOfName} from '../protocol/name.ts'
import {ownCopy, trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import type {Decoder, Decoders, LiveProperties, RawValue} from './vocabulary.ts'

/** Stands for a value that could not be decoded. */
export class Undecodable {
  /** The reason. */
  readonly problem: string

  constructor(problem: string) {
    this.problem = problem
  }
}

/** Decodes the server's text or element. Returns an {@link Undecodable} for nonsense. */
export type Decode = (raw: RawValue) => unknown

type LiveDecoders = {
  readonly [Name in keyof LiveProperties]: (
    text: string,
    raw: RawValue,
  ) => LiveProperties[Name] | undefined
}

// All but `displayname` get trimmed text: most are values of header fields, which have no white space around them. A string is
// copied, because a piece of the body would hold its whole chunk in memory. RFC 4918, sections 15.3 and 15.5.
const LIVE: LiveDecoders = {
  creationdate: decodeDate,
  displayname: ownCopy,
  getcontentlanguage: ownCopy,
  // A length is never negative, unlike a quota.
  getcontentlength: (text) => (text.startsWith('-') ? undefined : decodeInteger(text)),
  getcontenttype: ownCopy,
  getetag: ownCopy,
  getlastmodified: decodeDate,
  // Without child elements the resource is plain. Text in it is nonsense, not a type.
  resourcetype: (text, raw) =>
    typeof raw === 'string' ? (text === '' ? NO_TYPES : undefined) : namesIn(raw),
  'quota-available-bytes': decodeInteger,
  'quota-used-bytes': decodeInteger,
  'sync-token': ownCopy,
}
// One frozen list for all plain resources.
const NO_TYPES: readonly string[] = /* @__PURE__ */ Object.freeze([])

/** Decoders that keep every value as it is: for answers to `propname`, in which all values are empty. */
export const UNDECODED: Decoders = /* @__PURE__ */ keepAll()

function keepAll(): Decoders {
  return Object.fromEntries(Object.keys(LIVE).map((name) => [name, (raw: RawValue) => raw]))
}

/** The rule for an option with decoders. */
export const DECODERS: Rule = {
  words: 'an object with a function or a Standard Schema for each property',
  accepts: (value) =>
    isRecord(value) &&
    Array.from(namesOf(value)).every((name) => isDecoder(Reflect.get(value, name))),
}

function isDecoder(value: unknown): boolean {
  if (value === undefined || typeof value === 'function') return true
  const schema: {'~standard'?: {validate?: unknown} | null} | null = value
  return typeof schema?.['~standard']?.validate === 'function'
}

/**
 * Merges decoders by the keys of their properties in results: `getetag` and `{DAV:}getetag` are one key. Later objects win over
 * earlier ones. In one object the spelling of the key wins, whatever the order.
 */
export function mergeDecoders(...given: readonly (Decoders | undefined)[]): Decoders {
  const merged = new Map<string, Decoder>()
  for (const decoders of given) {
    const entries = Object.entries(readRecord(decoders ?? {}))
    for (const [name, decoder] of entries) merged.set(keyOfName(name), decoder)
    for (const [name, decoder] of entries) if (keyOfName(name) === name) merged.set(name, decoder)
  }
  return Object.fromEntries(merged)
}

/** Finds the decoder of a property; `undefined` if its value stays as it is. */
export function decoderFor(name: string, decoders: Decoders): Decode | undefined {
  const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined
  // A decoder may keep pieces of its text, so it gets a copy. The texts of an element are copies already.
  if (decoder !== undefined)
    return (raw) => runDecoder(decoder, typeof raw === 'string' ? ownCopy(raw) : raw)
  if (!Object.hasOwn(LIVE, name)) return undefined
  const decode = LIVE[name as keyof LiveProperties]
  return (raw) => {
    const text = typeof raw === 'string' ? raw : ownText(raw)
    const value = decode(name === 'displayname' ? text : trimSpace(text), raw)
    return value ?? new Undecodable(ownCopy(`${describe(raw)} is not a valid ${name}`))
  }
}

/** Runs a decoder of the caller. Its errors, and its promises, make the value undecodable. */
function runDecoder(decoder: Decoder, raw: RawValue): unknown {
  try {
    const result =
      '~standard' in decoder ? decoder['~standard'].validate(raw) : {value: decoder(raw)}
    const value = result instanceof Promise || result.issues !== undefined ? result : result.value
    if (value instanceof Promise) {
      // The rejection belongs to nobody: left alone it would end the process.
      value.catch(() => {})
      return new Undecodable('the decoder is asynchronous')
    }
    if ('issues' in result && result.issues !== undefined)
      return new Undecodable(visible(result.issues.map(({message}) => message).join('; '), 300))
    return value === undefined ? new Undecodable(`${describe(raw)} was not decoded`) : value
  } catch (error) {
    // One odd value must not end a listing.
    const words = error instanceof Error ? `: ${visible(error.message, 300)}` : ''
    return new Undecodable(`the decoder failed${words}`)
  }
}

/** Reads the text of an element. Unknown elements in it are skipped. RFC 4918, section 17. */
function ownText({children}: XmlElement): string {
  return children.filter((child) => typeof child === 'string').join('')
}

/** Lists the names of child elements, frozen because results share it. */
function namesIn(element: XmlElement): readonly string[] {
  return Object.freeze(childElements(element).map(({name}) => name))
}

/** Decodes an integer; `undefined` above 2^53 - 1, because a rounded number would be another size. */
export function decodeInteger(text: string): number | undefined {
  const number = /^-?\d+$/.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(number) ? number : undefined
}

function describe(raw: RawValue): string {
  if (typeof raw !== 'string') return 'an element with child elements'
  return `"${visible(raw, 60)}"`
}
