/**
 * Decodes the text or element of a property. Nonsense gives no value at all: never a guess, never the epoch, never a rounded
 * number. RFC 4918, section 15.
 */

import {decodeDate} from '../protocol/date.ts'
import {visible} from '../protocol/errors.ts'
import type {Rule} from '../protocol/options.ts'
import {namesOf, readRecord} from '../protocol/options.ts'
import {keyOfName} from '../protocol/name.ts'
import {ownCopy, trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import type {Decoder, Decoders, LiveProperties, RawValue, StandardSchema} from './vocabulary.ts'

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

type TextDecoders = {
  readonly [Name in Exclude<keyof LiveProperties, 'displayname' | 'resourcetype'>]: (
    text: string,
  ) => LiveProperties[Name] | undefined
}

// Most are values of header fields, which have no white space around them. RFC 4918, sections 15.3 and 15.5.
const TRIMMED: TextDecoders = {
  creationdate: decodeDate,
  getcontentlanguage: ownCopy,
  getcontentlength: (text) => (text.startsWith('-') ? undefined : decodeInteger(text)),
  getcontenttype: ownCopy,
  getetag: ownCopy,
  getlastmodified: decodeDate,
  'quota-available-bytes': decodeInteger,
  'quota-used-bytes': decodeInteger,
  'sync-token': ownCopy,
}

/** Keeps every value as it is: for answers that have names only, and no values. */
export const UNDECODED: Decoders = /* @__PURE__ */ keepAll()

function keepAll(): Decoders {
  const names = [...Object.keys(TRIMMED), 'displayname', 'resourcetype']
  return Object.fromEntries(names.map((name) => [name, (raw: RawValue) => raw]))
}

/** The rule for an option with decoders. */
export const DECODERS: Rule = {
  words: 'an object with a function or a Standard Schema for each property',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Array.from(namesOf(value)).every((name) => isDecoder(Reflect.get(value, name))),
}

function isDecoder(value: unknown): boolean {
  if (value === undefined || typeof value === 'function') return true
  if (typeof value !== 'object' || value === null || !('~standard' in value)) return false
  const standard = value['~standard']
  return (
    typeof standard === 'object' &&
    standard !== null &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  )
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
  if (name === 'displayname') return (raw) => ownCopy(ownText(raw))
  const decode = name === 'resourcetype' ? decodeResourceType : trimmedDecoder(name)
  if (decode === undefined) return undefined
  return (raw) => decode(raw) ?? new Undecodable(ownCopy(`${describe(raw)} is not a valid ${name}`))
}

function trimmedDecoder(name: string): ((raw: RawValue) => unknown) | undefined {
  if (!isTrimmed(name)) return undefined
  const decode = TRIMMED[name]
  return (raw) => decode(trimSpace(ownText(raw)))
}

function isTrimmed(name: string): name is keyof TextDecoders {
  return Object.hasOwn(TRIMMED, name)
}

function runDecoder(decoder: Decoder, raw: RawValue): unknown {
  try {
    if (isSchema(decoder)) return validate(decoder, raw)
    const value = decoder(raw)
    if (value instanceof Promise) return refusePromise(value)
    return value === undefined ? new Undecodable(`${describe(raw)} was not decoded`) : value
  } catch (error) {
    // One odd value must not end a listing.
    return new Undecodable(
      `the decoder failed${error instanceof Error ? `: ${visible(error.message, 300)}` : ''}`,
    )
  }
}

function refusePromise(promise: Promise<unknown>): Undecodable {
  promise.catch(() => {})
  return new Undecodable('the decoder is asynchronous')
}

function isSchema(decoder: Decoder): decoder is StandardSchema {
  return '~standard' in decoder
}

function validate(schema: StandardSchema, raw: RawValue): unknown {
  const result = schema['~standard'].validate(raw)
  if (result instanceof Promise) return refusePromise(result)
  if (result.issues !== undefined)
    return new Undecodable(visible(result.issues.map((issue) => issue.message).join('; '), 300))
  return result.value === undefined ? new Undecodable('the schema gave no value') : result.value
}

/** The text of a property. Unknown elements in it are skipped. RFC 4918, section 17. */
function ownText(raw: RawValue): string {
  if (typeof raw === 'string') return raw
  return raw.children.filter((child) => typeof child === 'string').join('')
}

function decodeInteger(text: string): number | undefined {
  const number = /^-?\d+$/.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(number) ? number : undefined
}

const NO_TYPES: readonly string[] = /* @__PURE__ */ Object.freeze([])

function decodeResourceType(raw: RawValue): readonly string[] | undefined {
  if (typeof raw === 'string') return trimSpace(raw) === '' ? NO_TYPES : undefined
  return Object.freeze(childElements(raw).map((child: XmlElement) => child.name))
}

function describe(raw: RawValue): string {
  if (typeof raw !== 'string') return 'an element with child elements'
  return `"${visible(raw, 60)}"`
}
