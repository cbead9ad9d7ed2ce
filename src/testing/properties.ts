/** The properties of a fake server: PROPFIND, PROPPATCH, and the extended MKCOL. RFC 4918, sections 9.1, 9.2 and 15; RFC 5689. */

import {XML_NAMESPACE} from '../protocol/name.ts'
import {readDocument} from '../xml/document.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {formatDocument, XML_TYPE} from '../xml/writer.ts'
import {findRefusal} from './conditions.ts'
import {activelock, SUPPORTED_LOCKS} from './locks.ts'
import type {
  MultiStatusPropstat,
  MultiStatusResponse,
  MultiStatusValue,
} from './multistatus-body.ts'
import type {Answer, Asked, Site} from './site.ts'
import {hrefOf, multistatus, refusal} from './site.ts'
import type {Resource} from './tree.ts'
import {isCollection, makeCollection, parentOf} from './tree.ts'

/** The live properties that `allprop` gives: those of RFC 4918. */
const LIVE = [
  'creationdate',
  'getcontentlength',
  'getcontenttype',
  'getetag',
  'getlastmodified',
  'resourcetype',
  'lockdiscovery',
  'supportedlock',
] as const

/** The others, which are given by name only. RFC 4331; RFC 3253, section 3.1.5; RFC 6578, section 4. */
const NAMED = [
  'quota-available-bytes',
  'quota-used-bytes',
  'supported-report-set',
  'sync-token',
] as const

const PROTECTED: ReadonlySet<string> = new Set<string>([...LIVE, ...NAMED])

/** Answers a PROPFIND. */
export function propfind(site: Site, asked: Asked): Answer {
  const {path, headers} = asked
  const {tree, settings} = site
  const resource = tree.find(path)
  if (resource === undefined) return {status: 404}
  const depth = headers['depth'] ?? 'infinity'
  if (depth === 'infinity' && isCollection(resource) && !settings.infinity)
    return refusal(403, 'propfind-finite-depth')
  const levels = {'0': 0, '1': 1, infinity: Number.POSITIVE_INFINITY}[depth]
  const wanted = readSelection(asked)
  if (wanted === undefined || levels === undefined) return {status: 400}
  return multistatus(Array.from(tree.within(path, levels), ([one]) => describe(site, one, wanted)))
}

/** A selection of properties. RFC 4918, section 14.20. */
interface Selection {
  readonly kind: 'prop' | 'allprop' | 'propname'
  readonly names: readonly string[]
}

/** Reads a selection; `undefined` for a body that is none. Without a body all properties are meant. */
function readSelection({body}: Asked): Selection | undefined {
  if (body.length === 0) return {kind: 'allprop', names: []}
  const root = readBody(body, 'propfind')
  const parts = childElements(root)
  const named = (name: string): string[] | undefined => {
    const part = parts.find((one) => one.name === name)
    return part && childElements(part).map((one) => one.name)
  }
  const names = named('prop')
  if (names !== undefined) return {kind: 'prop', names}
  if (named('allprop') !== undefined) return {kind: 'allprop', names: named('include') ?? []}
  return named('propname') && {kind: 'propname', names: []}
}

/** Reads the root of a body; `undefined` for another document. */
export function readBody(body: Uint8Array, name: string): XmlElement | undefined {
  const {root} = readDocument([body], 'utf-8')
  return root?.name === name ? root : undefined
}

/** Makes the response for a resource with the properties of these names. */
export function describeNamed(
  site: Site,
  path: string,
  names: readonly string[],
): MultiStatusResponse {
  return describe(site, path, {kind: 'prop', names})
}

function describe(site: Site, path: string, {kind, names}: Selection): MultiStatusResponse {
  const href = hrefOf(site, path)
  const resource = site.tree.find(path)
  if (resource === undefined) return {href, status: 404}
  const all = kind === 'prop' ? [] : [...LIVE, ...resource.properties.keys()]
  const found: [string, MultiStatusValue][] = []
  const missing: string[] = []
  for (const name of new Set([...all, ...names])) {
    const value = valueOf(site, path, resource, name)
    if (value !== undefined) found.push([name, kind === 'propname' ? '' : value])
    else if (names.includes(name)) missing.push(name)
  }
  const properties = Object.fromEntries(found)
  const isEmpty = found.length === 0 && missing.length > 0
  return {
    href,
    ...(!isEmpty && {properties}),
    ...(missing.length > 0 && {propstats: [{status: 404, properties: missing}]}),
  }
}

function valueOf(
  site: Site,
  path: string,
  resource: Resource,
  name: string,
): MultiStatusValue | undefined {
  const {tree, locks, settings} = site
  const file = isCollection(resource) ? undefined : resource
  switch (name) {
    case 'creationdate':
      return resource.created
    case 'getlastmodified':
      return resource.modified
    case 'getcontentlength':
      return file?.content.length
    case 'getcontenttype':
      return file?.type
    case 'getetag':
      return file?.etag
    case 'resourcetype':
      return isCollection(resource) ? ['collection', ...resource.types] : []
    case 'lockdiscovery':
      if (!settings.hasLocks) return undefined
      return locks.on(path).map((lock) => activelock(lock, hrefOf(site, lock.root)))
    case 'supportedlock':
      return settings.hasLocks ? SUPPORTED_LOCKS : undefined
    case 'quota-available-bytes':
      return hasQuota(site) ? Math.max(0, settings.quota - tree.bytes) : undefined
    case 'quota-used-bytes':
      return hasQuota(site) ? tree.bytes : undefined
    case 'supported-report-set':
      return settings.hasSync && file === undefined ? REPORTS : undefined
    case 'sync-token':
      return settings.hasSync && file === undefined
        ? formatSyncToken(site, tree.version)
        : undefined
    default:
      return resource.properties.get(name)
  }
}

function hasQuota({settings}: Site): boolean {
  return settings.quota !== Number.POSITIVE_INFINITY
}

const REPORTS: readonly ElementToWrite[] = [
  {
    name: 'supported-report',
    children: [{name: 'report', children: [{name: 'sync-collection'}]}],
  },
]

/** Formats the token of a version. RFC 6578, section 4. */
export function formatSyncToken({base}: Site, version: number): string {
  return `${base.origin}/sync/${version}`
}

/** Answers a PROPPATCH: all instructions in their order, or none. RFC 4918, section 9.2. */
export function proppatch(site: Site, asked: Asked): Answer {
  const {path, body} = asked
  const resource = site.tree.find(path)
  if (resource === undefined) return {status: 404}
  const root = readBody(body, 'propertyupdate')
  const instructions = root === undefined ? [] : readInstructions(root)
  if (instructions.length === 0) return {status: 400}
  const refused = findRefusal(site, asked, [path])
  if (refused !== undefined) return refused
  const propstats = judge(instructions)
  if (propstats.length === 1) obey(resource, instructions)
  return multistatus([{href: hrefOf(site, path), propstats}])
}

/** Answers a MKCOL, with properties or without. RFC 4918, section 9.3; RFC 5689, section 3. */
export function mkcol(site: Site, asked: Asked): Answer {
  const {path, body} = asked
  const {tree} = site
  if (tree.find(path) !== undefined) return {status: 405}
  if (!isCollection(tree.find(parentOf(path)))) return {status: 409}
  const root = body.length === 0 ? undefined : readBody(body, 'mkcol')
  if (body.length > 0 && root === undefined) return {status: 415}
  const refused = findRefusal(site, asked, [path, parentOf(path)])
  if (refused !== undefined) return refused
  const instructions = root === undefined ? [] : readInstructions(root)
  const types = instructions
    .filter(({property}) => property.name === 'resourcetype')
    .flatMap(({property}) => childElements(property))
  if (root !== undefined && !types.some(({name}) => name === 'collection'))
    return refusal(403, 'valid-resourcetype')
  const others = instructions.filter(({property}) => property.name !== 'resourcetype')
  const propstats = judge(others)
  if (propstats.length > 1)
    return {status: 424, headers: {'content-type': XML_TYPE}, body: formatMkcolResponse(propstats)}
  const collection = makeCollection(types.filter(({name}) => name !== 'collection'))
  obey(collection, others)
  tree.set(path, collection)
  return {status: 201}
}

/** A property to set or to remove. */
interface Instruction {
  readonly isRemoval: boolean
  readonly property: XmlElement
}

function readInstructions(root: XmlElement): Instruction[] {
  return childElements(root).flatMap((kind) =>
    childElements(kind).flatMap((prop) =>
      childElements(prop).map((property) => ({
        isRemoval: kind.name === 'remove',
        property: inherit(property, [prop, kind, root]),
      })),
    ),
  )
}

const LANGUAGE = `{${XML_NAMESPACE}}lang`

/** Gives a property the language around it. RFC 4918, section 4.3. */
function inherit(property: XmlElement, around: readonly XmlElement[]): XmlElement {
  const language = [property, ...around].find((one) => one.attributes[LANGUAGE] !== undefined)
  if (language === undefined) return property
  const {attributes} = property
  return {...property, attributes: {...attributes, [LANGUAGE]: language.attributes[LANGUAGE] ?? ''}}
}

/** Names of properties with one status. */
interface Verdict extends MultiStatusPropstat {
  readonly properties: readonly string[]
}

/** Makes the propstats of instructions: one if all can be obeyed. */
function judge(instructions: readonly Instruction[]): readonly Verdict[] {
  const names = [...new Set(instructions.map(({property}) => property.name))]
  const refused = names.filter((name) => PROTECTED.has(name))
  if (refused.length === 0) return [{properties: names}]
  const conditions = ['cannot-modify-protected-property']
  const others = names.filter((name) => !PROTECTED.has(name))
  return [
    {status: 403, properties: refused, conditions},
    {status: 424, properties: others},
  ]
}

function obey({properties}: Resource, instructions: readonly Instruction[]): void {
  for (const {isRemoval, property} of instructions) {
    if (isRemoval) properties.delete(property.name)
    else properties.set(property.name, property)
  }
}

/** Formats the body of a refused extended MKCOL. RFC 5689, section 5.2. */
function formatMkcolResponse(propstats: readonly Verdict[]): string {
  const children = propstats.map(({status = 200, properties}) => ({
    name: 'propstat',
    children: [
      {name: 'prop', children: properties.map((name) => ({name}))},
      {name: 'status', children: [`HTTP/1.1 ${status} `]},
    ],
  }))
  return formatDocument({name: 'mkcol-response', children})
}
