/** Formats the body of a PROPFIND, a selection of properties. Never an empty body. RFC 4918, sections 9.1 and 14.20. */

import {keyOfName} from '../protocol/name.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {formatDocument} from '../xml/writer.ts'
import type {PropertyName, PropertyNameList} from './vocabulary.ts'

/**
 * The properties that a PROPFIND asks for: some by name, all, all and some more, or only the names. Default:
 * {@link DEFAULT_PROPERTIES}. `All` is true if the results may have any property.
 */
export interface PropertySelection<
  Names extends PropertyNameList = PropertyNameList,
  All extends boolean = boolean,
> {
  /**
   * Names, which type the properties of the results: `getetag` for a property of `DAV:`, `{namespace}local` for any other.
   * `{DAV:}getetag` means the same as `getetag`.
   */
  readonly properties?: Names | undefined
  /** Asks for all live properties of RFC 4918 and all dead ones. Servers may leave out live ones of other RFCs. */
  readonly allprop?: All | undefined
  /** Names to be added to `allprop`. RFC 4918, section 14.8. */
  readonly include?: readonly PropertyName[] | undefined
  /** Asks for the names of the properties only; their values are then empty. */
  readonly propname?: All | undefined
}

/** The default selection: the properties of a file listing. An empty body would ask the server for all. */
export const DEFAULT_PROPERTIES = [
  'getcontentlength',
  'getcontenttype',
  'getetag',
  'getlastmodified',
  'resourcetype',
] as const

/**
 * Formats the XML document for a selection.
 *
 * @throws TypeError for an invalid name, and for two selections at once.
 */
export function formatPropfind(selection: PropertySelection): string {
  const {properties, allprop = false, include, propname = false} = selection
  if (Number(properties !== undefined) + Number(allprop) + Number(propname) > 1) {
    throw new TypeError('give one of properties, allprop and propname')
  }
  if (include !== undefined && !allprop)
    throw new TypeError('include adds to allprop: give allprop: true with it')
  const children: ElementToWrite[] = allprop
    ? [{name: 'allprop'}, ...(include === undefined ? [] : [named('include', include)])]
    : [propname ? {name: 'propname'} : propElement(properties)]
  return formatDocument({name: 'propfind', children})
}

/**
 * Makes the `DAV:prop` element of some properties.
 *
 * @throws TypeError for no property at all.
 */
export function propElement(properties: readonly string[] = DEFAULT_PROPERTIES): ElementToWrite {
  return named('prop', properties)
}

/** Makes an element with an empty child for each property. A property that is named twice gets one. */
function named(name: string, properties: readonly string[]): ElementToWrite {
  if (!Array.isArray(properties)) throw new TypeError('properties is an array of names')
  if (properties.length === 0) throw new TypeError('properties: name at least one property')
  const unique = new Map(properties.map((property) => [keyOfName(property), property]))
  return {name, children: Array.from(unique.values(), (property) => ({name: property}))}
}
