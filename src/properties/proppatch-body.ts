/**
 * Formats the bodies of PROPPATCH and of the extended MKCOL, and reads from them which properties a request sets and removes.
 * RFC 4918, sections 9.2 and 14.19; RFC 5689, section 5.
 */

import {keyOfName, propertyKey} from '../protocol/name.ts'
import {isTexts, readRecord} from '../protocol/options.ts'
import {readDocument} from '../xml/document.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import type {ScannerLimits} from '../xml/handler.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {formatDocument, isElementToWrite} from '../xml/writer.ts'
import {textOf} from './value-parts.ts'
import type {KnownName, PropertyName, RawValue} from './vocabulary.ts'

/**
 * A value to write: the text; the whole element of the property; or the names of empty child elements, as in `resourcetype`. An
 * element can carry `{http://www.w3.org/XML/1998/namespace}lang`, the attribute `xml:lang`.
 */
export type PropertyToSet = string | ElementToWrite | readonly string[]

/** Values to write by name: `displayname` for a property of `DAV:`, `{namespace}local` for any other. */
export type PropertiesToSet = {
  readonly [Name in KnownName]?: PropertyToSet | undefined
} & {
  readonly [name: string]: PropertyToSet | undefined
}

/** The properties to set and to remove. The member that comes first is done first. */
export interface PropertyUpdate {
  /** Values by name, done in the order of the members. A property that is there is replaced. */
  readonly set?: PropertiesToSet | undefined
  /** Names. The removal of a missing property succeeds. */
  readonly remove?: readonly PropertyName[] | undefined
}

/** One instruction of a request. */
export interface Instruction {
  /** The name of the property, as in results. */
  readonly name: string
  /** The value to set; `undefined` for a removal. */
  readonly value: RawValue | undefined
}

/**
 * Formats the body of a PROPPATCH. Each property has a `set` or `remove` of its own. Of several in one `prop`, chezdav 3.0 and
 * lighttpd 1.4 store the first only, and Tomcat 10 the last.
 *
 * @throws TypeError for an empty update, an invalid name or value, and a character that XML forbids.
 */
export function formatProppatch(update: PropertyUpdate): string {
  const children = Object.keys(update).flatMap((kind) => {
    const properties =
      kind === 'set'
        ? toElements('set', update.set)
        : kind === 'remove'
          ? (update.remove ?? []).map((name) => ({name}))
          : []
    return properties.map((property) => instruction(kind, [property]))
  })
  if (children.length === 0)
    throw new TypeError('proppatch: give a property to set or the name of one to remove')
  return formatDocument({name: 'propertyupdate', children})
}

/**
 * Formats the body of an extended MKCOL; `undefined` without a property. `resourcetype` always has `collection`. All properties
 * share one `prop`, as in the RFC's example, because servers may read the first one only.
 *
 * @throws TypeError for an invalid name or value, and for a character that XML forbids.
 */
export function formatMkcol(properties: PropertiesToSet): string | undefined {
  const elements = toElements('properties', properties)
  if (elements.length === 0) return undefined
  const types = elements.filter(isType).flatMap(({children = []}) => children.map(asElement))
  const others = types.filter(({name}) => keyOfName(name) !== 'collection')
  const children = [{name: 'collection'}, ...others]
  const rest = elements.filter((element) => !isType(element))
  const all = [{name: 'resourcetype', children}, ...rest]
  return formatDocument({name: 'mkcol', children: [instruction('set', all)]})
}

function isType({name}: ElementToWrite): boolean {
  return keyOfName(name) === 'resourcetype'
}

function asElement(type: ElementToWrite | string): ElementToWrite {
  if (typeof type === 'string') throw new TypeError('resourcetype is a list of names')
  return type
}

function instruction(name: string, children: readonly ElementToWrite[]): ElementToWrite {
  return {name, children: [{name: 'prop', children}]}
}

/** Makes the elements of properties, in the order of the members. */
function toElements(option: string, properties: PropertiesToSet = {}): ElementToWrite[] {
  if (Symbol.iterator in properties)
    throw new TypeError(`${option} is an object with a value for each name`)
  return Object.entries(readRecord(properties)).map(([name, value]) => toElement(name, value))
}

function toElement(name: string, value: PropertyToSet): ElementToWrite {
  if (typeof value === 'string') return {name, children: [value]}
  if (isTexts(value)) return {name, children: value.map((child) => ({name: child}))}
  if (isElementToWrite(value) && keyOfName(value.name) === keyOfName(name)) return value
  throw new TypeError(
    `The value of ${name} is a text, a list of names, or an element named ${name}`,
  )
}

// The body is the caller's own.
const UNBOUNDED: ScannerLimits = {
  tag: Number.POSITIVE_INFINITY,
  name: Number.POSITIVE_INFINITY,
  attributes: Number.POSITIVE_INFINITY,
  depth: Number.POSITIVE_INFINITY,
  value: Number.POSITIVE_INFINITY,
  elements: Number.POSITIVE_INFINITY,
}

/** Reads the instructions of a body. Of several for one property the last one counts. */
export function readInstructions(body: string): readonly Instruction[] {
  const {root} = readDocument([body], undefined, UNBOUNDED)
  const instructions = new Map<string, Instruction>()
  for (const one of childElements(root)) {
    for (const property of childElements(one).flatMap(childElements)) {
      const name = propertyKey(property.name)
      instructions.set(name, {name, value: one.name === 'remove' ? undefined : valueOf(property)})
    }
  }
  return [...instructions.values()]
}

/** Returns the value of a property as a result has it: the text, or the element if it has child elements. */
function valueOf(property: XmlElement): RawValue {
  return childElements(property).length > 0 ? property : (textOf(property) ?? '')
}
