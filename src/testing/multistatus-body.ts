/**
 * Builds the bodies of 207 answers for tests, good and malformed ones. Written by fast-xml-parser. No other file imports
 * it, because the client must do without. RFC 4918, sections 13 and 14.
 */

import {XMLBuilder} from 'fast-xml-parser'

import type {Rules} from '../protocol/options.ts'
import {ANY, readOptions, TEXT, TEXTS} from '../protocol/options.ts'
import type {ElementToWrite, QualifiedElement} from '../xml/writer.ts'
import {escapeAttribute, escapeContent, qualify, XML_DECLARATION} from '../xml/writer.ts'

/** A code such as 423, or a whole status line, which is written as it is. */
export type MultiStatusStatus = number | string

/**
 * The value of a property: text, a number, a date, a list of child elements or their names, or the element of the property. A
 * date is written as RFC 4918 asks: ISO 8601 for `creationdate`, else the format of HTTP.
 */
export type MultiStatusValue =
  | string
  | number
  | Date
  | readonly (ElementToWrite | string)[]
  | ElementToWrite

/** Values by name, or a list of names for empty properties. Names are written as in results: `getetag`, `{namespace}local`. */
export type MultiStatusValues =
  | Readonly<Record<string, MultiStatusValue | undefined>>
  | readonly string[]

/** Properties that share a status. RFC 4918, section 14.22. */
export interface MultiStatusPropstat {
  /**
   * The status of these properties.
   *
   * @defaultValue 200
   */
  readonly status?: MultiStatusStatus | undefined
  /** The properties. */
  readonly properties: MultiStatusValues
  /** Names of conditions, or their elements, for `DAV:error`. */
  readonly conditions?: readonly (ElementToWrite | string)[] | undefined
  /** The server's words about these properties. */
  readonly description?: string | undefined
}

/** A response. Without an href, or with neither a status nor properties, it is malformed on purpose. RFC 4918, section 14.24. */
export interface MultiStatusResponse {
  /** The href, written as it is. */
  readonly href?: string | undefined
  /** Several hrefs that share a status. */
  readonly hrefs?: readonly string[] | undefined
  /** The status of the whole resource. Readers let it win over the statuses of `propstats`. */
  readonly status?: MultiStatusStatus | undefined
  /** Properties with status 200: short for a first member of `propstats`. */
  readonly properties?: MultiStatusValues | undefined
  /** Properties, grouped by status. */
  readonly propstats?: readonly MultiStatusPropstat[] | undefined
  /** Names of conditions, or their elements, for `DAV:error`. */
  readonly conditions?: readonly (ElementToWrite | string)[] | undefined
  /** The server's words about the resource. */
  readonly description?: string | undefined
  /** The href in `DAV:location`. */
  readonly location?: string | undefined
}

/** Options of `multistatusBody`. */
export interface MultiStatusBodyOptions {
  /** The server's words about the whole answer: the `description` of a summary. */
  readonly description?: string | undefined
  /** The state of the collection, the `syncToken` of a summary. RFC 6578, section 6.4. */
  readonly syncToken?: string | undefined
  /**
   * The prefix of the namespace `DAV:`; empty for the default namespace. Servers differ here, and no client may depend on it.
   *
   * @defaultValue `D`
   */
  readonly prefix?: string | undefined
}

// The builder's keys for text and for attributes. They are no names of XML, so no element can collide with them.
const TEXT_NODE = '#text'
const ATTRIBUTES = ':@'

const OPTIONS: Rules<MultiStatusBodyOptions> = {description: TEXT, syncToken: TEXT, prefix: TEXT}
const PROPSTAT: Rules<MultiStatusPropstat> = {
  status: ANY,
  properties: ANY,
  conditions: ANY,
  description: TEXT,
}
const RESPONSE: Rules<MultiStatusResponse> = {
  ...PROPSTAT,
  href: TEXT,
  hrefs: TEXTS,
  propstats: ANY,
  location: TEXT,
}

/**
 * Builds the body of a 207 Multi-Status answer.
 *
 * @param responses - The responses, in the order of the body.
 * @returns An XML document, which every client that knows namespaces reads back as these responses.
 * @throws TypeError for an unknown option, and for a name or a character that XML forbids.
 * @example
 * ```ts
 * const body = multistatusBody([
 *   {href: '/files/', properties: {resourcetype: ['collection']}},
 *   {href: '/files/a.txt', properties: {getetag: '"1"'}, propstats: [{status: 404, properties: ['quota-used-bytes']}]},
 *   {href: '/files/b.txt', status: 423, conditions: ['lock-token-submitted']},
 * ])
 * ```
 */
export function multistatusBody(
  responses: readonly MultiStatusResponse[],
  options: MultiStatusBodyOptions = {},
): string {
  const {description, syncToken, prefix} = readOptions('multistatusBody', options, OPTIONS)
  if (!Array.isArray(responses)) throw new TypeError('multistatusBody: give an array of responses')
  if (prefix !== undefined && !/^(?!xml)[a-z_][\w.-]*$|^$/i.test(prefix))
    throw new TypeError('multistatusBody: prefix is a name such as D, or empty')
  const children = [
    ...responses.map((response) => responseElement(response)),
    ...optional('responsedescription', description),
    ...optional('sync-token', syncToken),
  ]
  const builder = new XMLBuilder({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    textNodeName: TEXT_NODE,
    suppressEmptyNode: true,
    maxNestedTags: Number.POSITIVE_INFINITY,
    // The builder's own escaping leaves a carriage return raw, and readers turn that into a line feed.
    processEntities: false,
    tagValueProcessor: (_, text) => escapeContent(String(text)),
    attributeValueProcessor: (_, text) => escapeAttribute(String(text)),
  })
  const root = qualify({name: 'multistatus', children}, prefix)
  return XML_DECLARATION + builder.build([ordered(root)])
}

function responseElement(given: MultiStatusResponse): ElementToWrite {
  const response = readOptions('multistatusBody', given, RESPONSE)
  const {href, hrefs = [], status, properties, propstats = [], location} = response
  const all = properties === undefined ? propstats : [{properties}, ...propstats]
  return {
    name: 'response',
    children: [
      ...[href, ...hrefs].flatMap((one) => optional('href', one)),
      ...(status === undefined ? [] : [statusElement(status)]),
      ...all.map((propstat) => propstatElement(propstat)),
      ...reasonElements(response),
      ...(location === undefined ? [] : [{name: 'location', children: optional('href', location)}]),
    ],
  }
}

function propstatElement(given: MultiStatusPropstat): ElementToWrite {
  const propstat = readOptions('multistatusBody', given, PROPSTAT)
  const {status = 200, properties} = propstat
  const entries = isList(properties)
    ? properties.map((name): [string, MultiStatusValue] => [name, ''])
    : Object.entries(properties)
  const children = entries.flatMap(([name, value]) =>
    value === undefined ? [] : [propertyElement(name, value)],
  )
  return {
    name: 'propstat',
    children: [{name: 'prop', children}, statusElement(status), ...reasonElements(propstat)],
  }
}

function propertyElement(name: string, value: MultiStatusValue): ElementToWrite {
  if (isList(value)) return {name, children: value.map((child) => elementOf(child))}
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime()))
      throw new TypeError(`multistatusBody: the date of ${name} is invalid`)
    const text = name === 'creationdate' ? value.toISOString() : value.toUTCString()
    return {name, children: [text]}
  }
  if (Number.isNaN(value)) throw new TypeError(`multistatusBody: the number of ${name} is NaN`)
  return typeof value === 'object' ? {...value, name} : {name, children: [String(value)]}
}

/** Makes the elements that explain a status: the conditions and the words of the server. */
function reasonElements({
  conditions,
  description,
}: Pick<MultiStatusResponse, 'conditions' | 'description'>): ElementToWrite[] {
  const error = conditions?.map((condition) => elementOf(condition))
  return [
    ...(error === undefined ? [] : [{name: 'error', children: error}]),
    ...optional('responsedescription', description),
  ]
}

function statusElement(status: MultiStatusStatus): ElementToWrite {
  // The blank at the end belongs to a status line without a reason too. RFC 9112, section 4.
  const line = typeof status === 'number' ? `HTTP/1.1 ${status} ` : status
  return {name: 'status', children: [line]}
}

function optional(name: string, text: string | undefined): ElementToWrite[] {
  return text === undefined ? [] : [{name, children: [text]}]
}

function elementOf(given: ElementToWrite | string): ElementToWrite {
  return typeof given === 'string' ? {name: given} : given
}

/** Recognizes a list. `Array.isArray` alone does not narrow readonly arrays. */
function isList(
  value: MultiStatusValue | MultiStatusValues,
): value is Extract<MultiStatusValue | MultiStatusValues, readonly unknown[]> {
  return Array.isArray(value)
}

/** Converts an element to the shape that the builder reads with `preserveOrder`. */
function ordered({tag, attributes, children}: QualifiedElement): Record<string, unknown> {
  const content = children.map((child) =>
    typeof child === 'string' ? {[TEXT_NODE]: child} : ordered(child),
  )
  return {[tag]: content, [ATTRIBUTES]: attributes}
}
