// Rules about limits: no result holds more than they allow, and no body that breaks one is read to its end. The results are
// measured, so a limit that is checked in the wrong place is found.

import type {DavResult, Limits, XmlElement} from 'multistatus/parser'

import type {FuzzCase} from './cases.ts'
import {isElement} from './plain-data.ts'
import type {Reading} from './reading.ts'
import {XML_NAMESPACE} from '../../src/protocol/name.ts'
import {Violation} from './reading.ts'

const UNLIMITED = Number.POSITIVE_INFINITY
const LIMITS: readonly string[] =
  'response value elements tag name attributes depth properties hrefs responses bytes'.split(' ')
// Levels around a property: multistatus, response, propstat, prop.
const AROUND_PROPERTY = 4
// The description of an undecodable value quotes at most 60 characters, each escaped with six.
const LONGEST_PROBLEM = 1000

/** Throws a {@link Violation} if a reading holds more than its limits allow. */
export function checkLimits(input: FuzzCase, reading: Reading): void {
  const {limits = {}} = input.options
  const {error, results} = reading
  if ((error?.reason === 'limit-exceeded') !== (error?.limit !== undefined))
    throw new Violation('limit: its name', String(error))
  if (error?.limit !== undefined && !LIMITS.includes(error.limit))
    throw new Violation('limit: an unknown one', error.limit)
  const {bytes = UNLIMITED, responses = UNLIMITED, hrefs = UNLIMITED} = limits
  if (error === undefined && input.body.length > bytes)
    throw new Violation('limit: bytes', `${input.body.length} were read`)
  if (
    error !== undefined &&
    !(error.offset >= 0 && error.offset <= Math.min(input.body.length, bytes))
  )
    throw new Violation('offset outside the body', `${error.offset} of ${input.body.length} bytes`)
  if (responses !== UNLIMITED && hrefs !== UNLIMITED && results.length > responses * hrefs)
    throw new Violation('limit: responses', `${results.length} results`)
  for (const result of results) checkResultLimits(result, limits)
}

function checkResultLimits(result: DavResult, limits: Partial<Limits>): void {
  const {value = UNLIMITED, properties = UNLIMITED, response = UNLIMITED} = limits
  const hold = (what: keyof Limits, amount: number, bound: number): void => {
    if (amount > bound)
      throw new Violation(`limit: ${what}`, `${amount} in ${JSON.stringify(result)}`)
  }
  hold('value', result.href.length, value)
  if (result.ok) hold('value', result.description?.length ?? 0, value)
  const own = result.ok ? Object.values(result.properties) : []
  hold('properties', own.length + result.missing.length, properties)
  let characters = result.href.length
  for (const held of own) {
    if (typeof held === 'string') {
      hold('value', held.length, value)
      characters += held.length
    } else if (isElement(held)) {
      const size = sizeOf(held)
      hold('elements', size.elements - 1, limits.elements ?? UNLIMITED)
      hold('depth', size.levels + AROUND_PROPERTY, limits.depth ?? UNLIMITED)
      hold('attributes', size.attributes, limits.attributes ?? UNLIMITED)
      // A name is its namespace, which may be the one of XML, and its local part, with two braces.
      const name = limits.name ?? UNLIMITED
      hold('name', size.longestName, name + Math.max(name, XML_NAMESPACE.length) + 2)
      hold('value', size.characters, value)
      characters += size.characters
    }
  }
  hold('response', characters, response)
  for (const missing of result.missing) {
    hold('value', missing.description?.length ?? 0, value + LONGEST_PROBLEM)
    hold('properties', missing.conditions.length, properties)
  }
  if (!result.ok) hold('properties', result.conditions.length, properties)
}

interface Size {
  elements: number
  levels: number
  attributes: number
  longestName: number
  characters: number
}

/** The sums over a tree of elements, and its widest and longest parts. */
function sizeOf(element: XmlElement): Size {
  const attributes = Object.keys(element.attributes)
  const size: Size = {
    elements: 1,
    levels: 1,
    attributes: attributes.length,
    longestName: Math.max(...[element.name, ...attributes].map((name) => name.length)),
    characters: 0,
  }
  for (const child of element.children) {
    if (typeof child === 'string') {
      size.characters += child.length
      continue
    }
    const inner = sizeOf(child)
    size.elements += inner.elements
    size.levels = Math.max(size.levels, inner.levels + 1)
    size.attributes = Math.max(size.attributes, inner.attributes)
    size.longestName = Math.max(size.longestName, inner.longestName)
    size.characters += inner.characters
  }
  return size
}
