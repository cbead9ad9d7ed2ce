// A second reader of 207 bodies, written from contract.md alone on saxes: whole documents, simple and slow. Tests
// compare our own reader with it. RFC 4918, sections 13 and 14; RFC 6578, section 6.
import type {DavResult, Properties, PropertyFailure} from 'multistatus/parser'
import {resolveHref} from './reference-href.ts'
import {type ReferenceElement, readTree} from './reference-tree.ts'

/** The reading of a body. */
export interface ReferenceReading {
  /** The results of all responses that were complete before the fault. */
  readonly results: readonly DavResult[]
  readonly summary: ReferenceSummary
  /** Reason for the refusal of the body. */
  readonly fault: string | undefined
}

/** The compared part of a summary. */
export interface ReferenceSummary {
  readonly successes: number
  readonly failures: number
  readonly description: string | undefined
  readonly syncToken: string | undefined
}

/** Stands for any text: the words of a fault are for people. */
export const ANY_TEXT = '…'

interface Propstat {
  readonly status: number
  readonly props: readonly ReferenceElement[]
  readonly conditions: readonly string[]
  readonly description: string | undefined
}

const trim = (padded: string): string => padded.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
const isSuccess = (status: number): boolean => status >= 200 && status <= 299

function elements(parent: ReferenceElement, name?: string): readonly ReferenceElement[] {
  return parent.children.filter(
    (child) => typeof child !== 'string' && (name === undefined || child.name === name),
  ) as ReferenceElement[]
}

/** Joins the text of an element, without that of child elements. */
function text(element: ReferenceElement): string {
  return element.children.filter((child) => typeof child === 'string').join('')
}

/** Trims the text of the first child of that name; `undefined` if it is empty or missing. */
function textOf(parent: ReferenceElement, name: string): string | undefined {
  const [child] = elements(parent, name)
  const trimmed = child === undefined ? '' : trim(text(child))
  return trimmed === '' ? undefined : trimmed
}

/** Parses a status line by rule 6. Any whitespace counts as a blank. */
function statusOf(line: string): number {
  const words = line.trim().split(/\s+/)
  if (/^HTTP(\/\d+(\.\d+)?)?$/i.test(words[0] ?? '')) words.shift()
  return /^[1-9]\d\d$/.test(words[0] ?? '') ? Number(words[0]) : 0
}

function conditionsOf(parent: ReferenceElement): readonly string[] {
  return elements(parent, 'error').flatMap((error) => elements(error).map(({name}) => name))
}

/** Rule 8. */
const keyOf = (name: string): string => (name in Object.prototype ? `{DAV:}${name}` : name)

function plain({name, attributes, children}: ReferenceElement): unknown {
  return {
    name,
    attributes,
    children: children.map((child) => (typeof child === 'string' ? child : plain(child))),
  }
}

function dateOf(value = ''): Date | undefined {
  const isKnown =
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) ||
    /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(value)
  const date = new Date(isKnown ? value : Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function numberOf(value: string | undefined, pattern: RegExp): number | undefined {
  return value !== undefined && pattern.test(value) && Number.isSafeInteger(Number(value))
    ? Number(value)
    : undefined
}

const TEXTS: ReadonlySet<string> = new Set(
  'getcontentlanguage getcontenttype getetag sync-token'.split(' '),
)

/** Decodes a value by rule 9; `undefined` if it cannot be decoded. */
function valueOf(prop: ReferenceElement, undecoded: readonly string[]): unknown {
  const {name} = prop
  const structured = elements(prop).length > 0
  const raw = structured ? plain(prop) : text(prop)
  const value = trim(text(prop))
  if (undecoded.includes(name)) return raw
  if (name === 'resourcetype')
    return structured || value === '' ? elements(prop).map((type) => type.name) : undefined
  if (name === 'displayname') return text(prop)
  if (TEXTS.has(name)) return value
  if (name === 'getcontentlength') return numberOf(value, /^\d+$/)
  if (name === 'quota-available-bytes' || name === 'quota-used-bytes')
    return numberOf(value, /^-?\d+$/)
  if (name === 'creationdate' || name === 'getlastmodified') return dateOf(value)
  return raw
}

function propstatOf(propstat: ReferenceElement): Propstat {
  const [status] = elements(propstat, 'status')
  return {
    // Rule 4.
    status: status === undefined ? 200 : statusOf(text(status)),
    props: elements(propstat, 'prop').flatMap((prop) => elements(prop)),
    conditions: conditionsOf(propstat),
    description: textOf(propstat, 'responsedescription'),
  }
}

/** Applies rules 3 and 9: the properties with a value, and the others with their reason. */
function propertiesOf(
  propstats: readonly Propstat[],
  undecoded: readonly string[],
): {
  properties: Properties
  refused: readonly PropertyFailure[]
  missing: readonly PropertyFailure[]
} {
  const properties = new Map<string, unknown>()
  const refused: PropertyFailure[] = []
  const undecodable: string[] = []
  for (const {status, props, conditions, description} of propstats) {
    for (const prop of props) {
      const name = keyOf(prop.name)
      const value = isSuccess(status) ? valueOf(prop, undecoded) : undefined
      if (!isSuccess(status))
        refused.push({name, status, conditions, ...(description !== undefined && {description})})
      else if (value === undefined) undecodable.push(name)
      // Of several values the first one counts that is not empty: no text, no types.
      else if (isEmpty(properties.get(name))) properties.set(name, value)
    }
  }
  // A property with a value is not missing, even if another value of it cannot be decoded.
  const missing = undecodable
    .filter((name) => !properties.has(name))
    .map((name) => ({name, status: 0, conditions: [], description: ANY_TEXT}))
  return {
    properties: Object.fromEntries(properties) as Properties,
    refused,
    missing: [...refused, ...missing],
  }
}

function resultsOf(
  response: ReferenceElement,
  base: string,
  undecoded: readonly string[],
): readonly DavResult[] {
  const hrefs = elements(response, 'href').map((href) => trim(text(href)))
  const statuses = [...new Set(elements(response, 'status').map((line) => statusOf(text(line))))]
  const propstats = elements(response, 'propstat').map(propstatOf)
  const description = textOf(response, 'responsedescription')
  const location = elements(response, 'location')
    .map((element) => textOf(element, 'href'))
    .find((href) => href !== undefined)
  const isSenseless = statuses.length > 1 || (statuses.length === 0 && propstats.length === 0)
  const good = propstats.find((propstat) => isSuccess(propstat.status))
  // Rule 2: a missing resource, and a resource without the requested properties.
  const names = propstats.flatMap(({props}) => props.map(({name}) => name))
  const isGone =
    propstats.every((propstat) => [404, 410].includes(propstat.status)) &&
    (names.length === 0 || names.includes('resourcetype'))
  const hasNone = !isGone && propstats.every((propstat) => propstat.status === 404)
  const status = statuses[0] ?? good?.status ?? (hasNone ? 200 : (propstats[0]?.status ?? 0))
  const nameless = statuses.length > 0 ? undefined : propstats.find(({props}) => props.length === 0)
  const conditions = conditionsOf(response)
  const {properties, refused, missing} = propertiesOf(propstats, undecoded)
  const said = description === undefined ? {} : {description}
  return (hrefs.length === 0 ? [''] : hrefs).map((href): DavResult => {
    const target = href === '' ? {url: base, relation: 'outside' as const} : resolveHref(href, base)
    const moved = location === undefined ? {} : {location}
    const failed = {
      ok: false,
      href,
      ...target,
      conditions,
      missing,
    } as const
    if (href === '' || isSenseless)
      return {
        ...failed,
        missing: [],
        status: 0,
        reason: 'malformed',
        description: ANY_TEXT,
        ...moved,
      }
    if (isSuccess(status)) return {ok: true, href, ...target, status, properties, missing, ...said}
    const reason = statuses.length > 0 || isGone ? 'status' : 'propstat'
    const words = description ?? nameless?.description
    return {
      ...failed,
      conditions: conditions.length > 0 ? conditions : (nameless?.conditions ?? []),
      missing: refused,
      status,
      reason,
      ...(words !== undefined && {description: words}),
      ...moved,
    }
  })
}

/** Reads a body up to its first fault. Values of `undecoded` properties stay as they are. */
export function readReference(
  body: Uint8Array,
  base: string,
  undecoded: readonly string[] = [],
): ReferenceReading {
  const {root, fault} = readTree(body)
  const isMultiStatus = root?.name === 'multistatus'
  const responses = isMultiStatus ? elements(root, 'response').filter(({isClosed}) => isClosed) : []
  const results = responses.flatMap((response) => resultsOf(response, base, undecoded))
  const successes = results.filter(({ok}) => ok).length
  const summary = {
    successes,
    failures: results.length - successes,
    description: isMultiStatus ? textOf(root, 'responsedescription') : undefined,
    syncToken: isMultiStatus ? textOf(root, 'sync-token') : undefined,
  }
  return {results, summary, fault: fault ?? (isMultiStatus ? undefined : 'another root')}
}
