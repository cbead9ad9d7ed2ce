/** The body of a PROPFIND: which properties are asked for. RFC 4918, section 14.20. */

import {quoted} from '../protocol/errors.ts'
import {DAV, keyOfName, parseName} from '../protocol/name.ts'
import type {Markup} from '../xml/markup.ts'
import {formatDocument} from '../xml/markup.ts'
import type {PropertyName, PropertyNameList} from './vocabulary.ts'

/**
 * The properties that a PROPFIND asks for: some by name, all, all and some more, or only the names. Default: a small named set.
 * `All` is true where the results may have any property.
 */
export interface PropertySelection<
  Names extends PropertyNameList = PropertyNameList,
  All extends boolean = boolean,
> {
  /**
   * Names, which type the properties of the results: those of `DAV:` by local name, all others in Clark notation,
   * `{namespace}local`. `{DAV:}local` means the same as `local`.
   */
  readonly properties?: Names | undefined
  /** Asks for all live properties of RFC 4918 and all dead ones. */
  readonly allprop?: All | undefined
  /** Names to be added to `allprop`. RFC 4918, section 14.8. */
  readonly include?: readonly PropertyName[] | undefined
  /** Asks for the names of the properties only; their values are then empty. */
  readonly propname?: All | undefined
}

/** What is asked for where the caller names nothing: what a listing needs, never an empty body, which means all. */
export const DEFAULT_PROPERTIES = [
  'getcontentlength',
  'getcontenttype',
  'getetag',
  'getlastmodified',
  'resourcetype',
] as const

const LOCAL_NAME = /^[\p{L}_][\p{L}\p{N}\p{M}._\-·]*$/u

/**
 * The XML document that asks for a selection.
 *
 * @throws TypeError where a name is none, or where the selection asks for two things at once.
 */
export function formatPropfind(selection: PropertySelection): string {
  const {properties, allprop = false, include, propname = false} = selection
  if (Number(properties !== undefined) + Number(allprop) + Number(propname) > 1) {
    throw new TypeError('give one of properties, allprop and propname')
  }
  if (include !== undefined && !allprop)
    throw new TypeError('include adds to allprop: give allprop: true with it')
  const prefixes = new Map([[DAV, 'D']])
  const children: Markup[] = []
  if (allprop) {
    children.push({tag: 'D:allprop'})
    if (include !== undefined)
      children.push({tag: 'D:include', children: elementsFor(include, prefixes)})
  } else if (propname) {
    children.push({tag: 'D:propname'})
  } else {
    children.push({
      tag: 'D:prop',
      children: elementsFor(properties ?? DEFAULT_PROPERTIES, prefixes),
    })
  }
  const attributes = Object.fromEntries(
    [...prefixes].map(([namespace, prefix]) => [`xmlns:${prefix}`, namespace]),
  )
  return formatDocument({tag: 'D:propfind', attributes, children})
}

function elementsFor(names: readonly string[], prefixes: Map<string, string>): Markup[] {
  if (!Array.isArray(names)) throw new TypeError('properties is an array of names')
  if (names.length === 0) throw new TypeError('properties: name at least one property')
  return [...new Map(names.map((name) => [keyOfName(name), name])).values()].map((name) => {
    const {namespace, local} = parseName(name)
    if (!LOCAL_NAME.test(local)) {
      throw new TypeError(
        `${quoted(name)} is no property name: write getetag for a DAV: property, {namespace}local for any other`,
      )
    }
    // No namespace has no prefix, and the document declares no default one.
    if (namespace === '') return {tag: local}
    let prefix = prefixes.get(namespace)
    if (prefix === undefined) {
      prefix = `n${prefixes.size}`
      prefixes.set(namespace, prefix)
    }
    return {tag: `${prefix}:${local}`}
  })
}
