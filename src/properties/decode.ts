/**
 * From a property's text or element to the value that it stands for. What cannot be decoded is no value at all: never
 * a guess, never the epoch, never a rounded number. RFC 4918, section 15.
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
  /** Why. */
  readonly problem: string

  constructor(problem: string) {
    this.problem = problem
  }
}

/** Makes a value of what the server sent, or an {@link Undecodable}. */
export type Decode = (raw: RawValue) => unknown

type LiveDecoders = {
  readonly [Name in keyof LiveProperties]: (raw: RawValue) => LiveProperties[Name] | undefined
}

const LIVE: LiveDecoders = {
  creationdate: text(decodeDate),
  displayname: (raw) => ownCopy(ownText(raw)),
  // The values of header fields, which have no white space around them. RFC 4918, sections 15.3 and 15.5.
  getcontentlanguage: text(asWritten),
  getcontentlength: text(decodeSize),
  getcontenttype: text(asWritten),
  getetag: text(asWritten),
  getlastmodified: text(decodeDate),
  resourcetype: decodeResourceType,
  'quota-available-bytes': text(decodeQuota),
  'quota-used-bytes': text(decodeQuota),
  'sync-token': text(asWritten),
}

/** Keeps every value as it is: for answers that have names only, and no values. */
export const UNDECODED: Decoders = Object.fromEntries(
  Object.keys(LIVE).map((name) => [name, (raw: RawValue) => raw]),
)

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
 * Decoders by the keys that their properties have in results, whatever way their names are written. The later ones win; of
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

/** What decodes a property, `undefined` for one whose value stays as it is. */
export function decoderFor(name: string, decoders: Decoders | undefined): Decode | undefined {
  if (decoders !== undefined && Object.hasOwn(decoders, name)) {
    const decoder = decoders[name]
    if (decoder !== undefined) return (raw) => runDecoder(decoder, keepable(raw))
  }
  if (!isLive(name)) return undefined
  const decode = LIVE[name]
  return (raw) => {
    const value = decode(raw)
    return value === undefined ? new Undecodable(ownCopy(`${describe(raw)} is no ${name}`)) : value
  }
}

/** Whether a name is one of those that are decoded. */
function isLive(name: string): name is keyof LiveProperties {
  return Object.hasOwn(LIVE, name)
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

function text<T>(decode: (text: string) => T | undefined): (raw: RawValue) => T | undefined {
  return (raw) => decode(trimSpace(ownText(raw)))
}

/** The text of a property. What nobody knows inside it is as if it was not there. RFC 4918, section 17. */
function ownText(raw: RawValue): string {
  if (typeof raw === 'string') return raw
  return raw.children.filter((child) => typeof child === 'string').join('')
}

function asWritten(value: string): string {
  return ownCopy(value)
}

/** A value of which a decoder may keep pieces. The text of elements is no longer a piece of the body. */
function keepable(raw: RawValue): RawValue {
  return typeof raw === 'string' ? ownCopy(raw) : raw
}

function decodeSize(value: string): number | undefined {
  return /^\d+$/.test(value) ? exact(value) : undefined
}

function decodeQuota(value: string): number | undefined {
  return /^-?\d+$/.test(value) ? exact(value) : undefined
}

function exact(value: string): number | undefined {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : undefined
}

const NO_TYPES: readonly string[] = Object.freeze([])

function decodeResourceType(raw: RawValue): readonly string[] | undefined {
  if (typeof raw === 'string') return trimSpace(raw) === '' ? NO_TYPES : undefined
  return Object.freeze(childElements(raw).map((child: XmlElement) => child.name))
}

function describe(raw: RawValue): string {
  if (typeof raw !== 'string') return 'an element with child elements'
  return `"${visible(raw, 60)}"`
}
