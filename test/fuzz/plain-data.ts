// Rules for each single result: plain data of the right types, urls on the request's own origin, and no way to a prototype.
// Rules 7, 8, 9 and 12 of the contract.

import {isDeepStrictEqual} from 'node:util'

import type {DavResult, PropertyFailure, XmlElement} from 'multistatus/parser'

import {Violation} from './reading.ts'

const RELATIONS: ReadonlySet<string> = new Set(['self', 'member', 'descendant', 'outside'])
const REASONS: ReadonlySet<string> = new Set(['status', 'propstat', 'malformed'])
const PROTOTYPES = [Object.prototype, Array.prototype]
const MEMBERS = PROTOTYPES.map((prototype) => membersOf(prototype))

/** Throws a {@link Violation} for a result that breaks the contract. */
export function checkResult(result: DavResult, request: string): void {
  const fail = (what: string): never => {
    throw new Violation(`result: ${what}`, JSON.stringify(result))
  }
  if (typeof result.href !== 'string') fail('href')
  if (!RELATIONS.has(result.relation)) fail('relation')
  if (!isStatus(result.status)) fail('status')
  checkUrl(result.url, request, fail)
  result.missing.forEach((failure) => checkMissing(failure, fail))
  if (result.description === '') fail('an empty description')
  if (result.ok) {
    if (result.status < 200 || result.status > 299) fail('the status of a success')
    if (Object.getPrototypeOf(result.properties) !== Object.prototype) fail('prototype')
    for (const [name, value] of Object.entries(result.properties)) {
      if (name in Object.prototype) fail(`a property called ${name}`)
      if (!isValue(value)) fail('the type of a value')
    }
    return
  }
  if (!REASONS.has(result.reason)) fail('reason')
  if (result.status >= 200 && result.status < 300) fail('the status of a failure')
  if (
    (result.reason === 'malformed') !==
    (result.description?.startsWith('DAV:response number ') ?? false)
  )
    fail('the description of what is malformed')
  if (!isDeepStrictEqual(structuredClone(result), result)) fail('structuredClone')
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(result)), result)) fail('JSON')
}

/** Throws if a prototype has new members. */
export function checkPrototypes(): void {
  if (PROTOTYPES.some((prototype, index) => membersOf(prototype) !== MEMBERS[index]))
    throw new Violation('a prototype was changed', PROTOTYPES.map(membersOf).join(' '))
}

function membersOf(prototype: object): number {
  return Reflect.ownKeys(prototype).length
}

/** The target of a request must be on the origin, and stay the same text when it is read as a URL. */
function checkUrl(url: string, request: string, fail: (what: string) => never): void {
  const base = new URL(request)
  if (!URL.canParse(url)) return fail('a url that is none')
  const parsed = new URL(url)
  if (parsed.origin !== base.origin) fail('the origin of a url')
  if (parsed.username !== '' || parsed.password !== '') fail('credentials in a url')
  if (parsed.href !== url) fail('a url that means another one')
  return undefined
}

function checkMissing(failure: PropertyFailure, fail: (what: string) => never): void {
  if (typeof failure.name !== 'string' || failure.name === '')
    fail('the name of a missing property')
  if (failure.status !== 0 && !isStatus(failure.status)) fail('the status of a missing property')
  if (failure.status >= 200 && failure.status < 300) fail('a missing property that is there')
  if (!failure.conditions.every((name) => typeof name === 'string')) fail('conditions')
}

function isStatus(status: number): boolean {
  return status === 0 || (Number.isInteger(status) && status >= 100 && status <= 999)
}

function isValue(value: unknown): boolean {
  if (typeof value === 'string') return true
  if (typeof value === 'number') return Number.isSafeInteger(value)
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string')
  return isElement(value)
}

/** Tests for an element as the contract has it. */
export function isElement(value: unknown): value is XmlElement {
  if (typeof value !== 'object' || value === null) return false
  if (Object.keys(value).join(' ') !== 'name attributes children') return false
  const {name, attributes, children} = value as XmlElement
  return (
    typeof name === 'string' &&
    name !== '' &&
    Object.values(attributes).every((text) => typeof text === 'string') &&
    children.every((child) => (typeof child === 'string' ? child !== '' : isElement(child)))
  )
}
