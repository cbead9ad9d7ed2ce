/**
 * Decodes the text or element of a property. Nonsense gives no value at all: never a guess, never the epoch, never a rounded
 * number. RFC 4918, section 15.
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

/** Makes a value of the server's text or element, or an {@link Undecodable}. */
export type Decode = (raw: RawValue) => unknown

type LiveDecoders = {
  readonly [Name in keyof LiveProperties]: (
    text: string,
    raw: RawValue,
  ) => LiveProperties[Name] | undefined
}

// Their text is trimmed, but for `displayname`. Most are values of header fields, which have no white space around them.
// RFC 4918, sections 15.3 and 15.5.
const LIVE: LiveDecoders = {
  creationdate: decodeDate,
  displayname: ownCopy,
  getcontentlanguage: ownCopy,
  getcontentlength: (text) => (text.startsWith('-') ? undefined : decodeInteger(text)),
  getcontenttype: ownCopy,
  getetag: ownCopy,
  getlastmodified: decodeDate,
  resourcetype: (text, raw) =>
    typeof raw === 'string' ? (text === '' ? NO_TYPES : undefined) : namesIn(raw),
  'quota-available-bytes': decodeInteger,
  'quota-used-bytes': decodeInteger,
  'sync-token': ownCopy,
}
const NO_TYPES: readonly string[] = /* @__PURE__ */ Object.freeze([])

/** Keeps every value as it is: for answers that have names only, and no values. */
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
 * Merges decoders by the keys of their properties in results, `getetag` and `{DAV:}getetag` being one. The later ones win; of
 * two in one object, the one that is written as the key.
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

/** The decoder of a property; `undefined` for one whose value stays as it is. */
export function decoderFor(name: string, decoders: Decoders): Decode | undefined {
  const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined
  // A decoder may keep pieces of its text. The text of elements is no longer a piece of the body.
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

function runDecoder(decoder: Decoder, raw: RawValue): unknown {
  try {
    const result =
      '~standard' in decoder ? decoder['~standard'].validate(raw) : {value: decoder(raw)}
    const value = result instanceof Promise || result.issues !== undefined ? result : result.value
    if (value instanceof Promise) {
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

/** The text of an element. Unknown elements in it are skipped. RFC 4918, section 17. */
function ownText({children}: XmlElement): string {
  return children.filter((child) => typeof child === 'string').join('')
}

function namesIn(element: XmlElement): readonly string[] {
  return Object.freeze(childElements(element).map(({name}) => name))
}

function decodeInteger(text: string): number | undefined {
  const number = /^-?\d+$/.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(number) ? number : undefined
}

function describe(raw: RawValue): string {
  if (typeof raw !== 'string') return 'an element with child elements'
  return `"${visible(raw, 60)}"`
}
