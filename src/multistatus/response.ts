/**
 * One `DAV:response` while it is read, and its results. Nothing is dropped: nonsense is a Failure too.
 * RFC 4918, sections 13, 14.22 and 14.24.
 */

import {Undecodable} from '../properties/decode.ts'
import type {Property, PropertyValues, Written} from '../properties/values.ts'
import type {Properties, PropertyValue} from '../properties/vocabulary.ts'
import type {HrefResolver} from '../protocol/href.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import type {DavResult, Failure, FailureReason, PropertyFailure} from './result.ts'

// Each list begins as this one, which `append` never changes.
const NONE = /* @__PURE__ */ Object.freeze<never[]>([]) as never[]

/** The words of the server about a failure. */
interface Said {
  readonly conditions?: readonly string[] | undefined
  readonly description: string
}

/** A `DAV:propstat`: properties that share a status. */
export class PropstatDraft implements Said {
  status: number | undefined
  conditions: string[] | undefined
  description = ''
  readonly properties: Property[] = []
  /** The content of each of them. */
  readonly written: Written[] = []

  /** Adds a property. */
  add(property: Property, written: Written): void {
    this.properties.push(property)
    this.written.push(written)
  }

  /** Takes the first status. */
  setStatus(status: number): void {
    this.status ??= status
  }

  /** Adds the name of a condition. */
  addCondition(name: string): void {
    this.conditions = append(this.conditions ?? NONE, name)
  }

  /** Real servers leave the status out and mean 200. */
  get effectiveStatus(): number {
    return this.status ?? 200
  }
}

/** A `DAV:response`, as far as it has been read. */
export class ResponseDraft implements Said {
  hrefs: string[] = NONE
  status: number | undefined
  conditions: string[] | undefined
  description = ''
  location = ''
  propstats: PropstatDraft[] = NONE
  /** The number of properties in all propstats. */
  size = 0
  /** The number of propstats and conditions. */
  parts = 0
  /** The first fault. */
  problem = ''
  /** In recovery: something was left out of an href. */
  hasBrokenHref = false

  /** Adds an href. */
  addHref(href: string): void {
    this.hrefs = append(this.hrefs, href)
  }

  /** Adds a propstat. */
  addPropstat(propstat: PropstatDraft): void {
    this.propstats = append(this.propstats, propstat)
  }

  /** Adds the name of a condition. */
  addCondition(name: string): void {
    this.conditions = append(this.conditions ?? NONE, name)
  }

  /** Takes the status, of which there may be one. */
  setStatus(status: number): void {
    if (this.status !== undefined && this.status !== status) this.problem ||= 'has two statuses'
    this.status ??= status
  }

  /**
   * The results, one for each href.
   *
   * @param number - The number of the response in the document, from 1 on.
   * @param needsAll - One failed propstat makes a Failure, because the method sets all properties or none.
   */
  results(
    resolver: HrefResolver,
    values: PropertyValues,
    number: number,
    needsAll: boolean,
  ): DavResult[] {
    const problem = this.#findProblem()
    const isOwn = this.status !== undefined
    const status = this.status ?? propstatStatus(this.propstats, needsAll)
    const isSuccess = problem === '' && isSuccessStatus(status)
    const failed = problem === '' ? missingOf(this.propstats) : NONE
    const missing = isSuccess ? this.#gather(values, failed) : failed
    const properties = isSuccess ? values.take() : {}
    const saysGone = !isSuccess && !isOwn && !needsAll && isGone(this.propstats)
    const reason = isOwn || saysGone ? 'status' : 'propstat'
    const said = isOwn || isSuccess ? this : this.#said()
    let results: DavResult[] = NONE
    for (const href of this.hrefs.length === 0 ? [''] : this.hrefs) {
      const wrong = problem || (href === '' ? 'has an empty DAV:href' : '')
      let result: DavResult
      if (wrong !== '') result = this.#malformed(href, resolver, `number ${number} ${wrong}.`)
      else if (isSuccess) result = this.#success(href, resolver, status, properties, missing)
      else result = this.#failure(href, resolver, status, reason, missing, said)
      results = append(results, result)
    }
    return results
  }

  /** The conditions and words of a Failure that propstats make. */
  #said(): Said {
    // A propstat that names no property speaks of the resource: lighttpd writes a 403 so. No entry of `missing` has its words.
    const nameless = this.propstats.find(
      ({properties, effectiveStatus}) =>
        properties.length === 0 && !isSuccessStatus(effectiveStatus),
    )
    return {
      conditions: this.conditions ?? nameless?.conditions,
      description: this.description || (nameless?.description ?? ''),
    }
  }

  #findProblem(): string {
    if (this.problem !== '') return this.problem
    if (this.hrefs.length === 0) return 'has no DAV:href'
    return this.status === undefined && this.propstats.length === 0
      ? 'has neither a DAV:status nor a DAV:propstat'
      : ''
  }

  #malformed(href: string, resolver: HrefResolver, problem: string): Failure {
    const words = this.description === '' ? '' : ` ${this.description}`
    const {conditions} = this
    const said = {conditions, description: `DAV:response ${problem}${words}`}
    return this.#failure(href, resolver, 0, 'malformed', NONE, said)
  }

  #success(
    href: string,
    resolver: HrefResolver,
    status: number,
    properties: Properties,
    missing: readonly PropertyFailure[],
  ): DavResult {
    const {url, relation} = resolver.resolve(href)
    const {description} = this
    // No spread: each result of a listing is made here.
    return description === ''
      ? {ok: true, href, url, relation, status, properties, missing}
      : {ok: true, href, url, relation, status, properties, missing, description}
  }

  #failure(
    href: string,
    resolver: HrefResolver,
    status: number,
    reason: FailureReason,
    missing: readonly PropertyFailure[],
    {conditions = NONE, description}: Said,
  ): Failure {
    // An href that names no resource, or perhaps another one, must not be taken for one.
    const isUnsure = href === '' || this.hasBrokenHref
    const {url, relation} = isUnsure
      ? {url: resolver.base, relation: 'outside' as const}
      : resolver.resolve(href)
    return {
      ok: false,
      href,
      url,
      relation,
      status,
      reason,
      conditions,
      missing,
      ...(description !== '' && {description}),
      ...(this.location !== '' && {location: this.location}),
    }
  }

  /** Gathers the values of the 2xx propstats. Returns `missing` with the undecodable ones behind it. */
  #gather(values: PropertyValues, missing: PropertyFailure[]): PropertyFailure[] {
    let undecodable: {property: Property; problem: string}[] = NONE
    for (const {effectiveStatus, properties, written} of this.propstats) {
      if (!isSuccessStatus(effectiveStatus)) continue
      for (let index = 0; index < properties.length; index++) {
        const property = properties[index]
        const content = written[index]
        if (property === undefined || content === undefined) continue
        const known = values.get(property)
        // A second element for a property counts only if the first one was empty.
        if (known !== undefined && (content === '' || !isEmpty(known))) continue
        const value = values.decode(property, content)
        if (value instanceof Undecodable)
          undecodable = append(undecodable, {property, problem: value.problem})
        else values.set(property, value as PropertyValue)
      }
    }
    let all = missing
    for (const {property, problem: description} of undecodable) {
      if (values.get(property) !== undefined) continue
      all = append(all, {name: property.key, status: 0, conditions: NONE, description})
    }
    return all
  }
}

/** The status that propstats give their resource: the first 2xx one, but with `needsAll` the first other one. */
function propstatStatus(propstats: readonly PropstatDraft[], needsAll: boolean): number {
  for (const {effectiveStatus} of propstats) {
    if (isSuccessStatus(effectiveStatus) !== needsAll) return effectiveStatus
  }
  // A resource that has none of these properties is there all the same.
  const isThere =
    !needsAll &&
    propstats.every(({effectiveStatus}) => effectiveStatus === 404) &&
    !isGone(propstats)
  return isThere ? 200 : (propstats[0]?.effectiveStatus ?? 0)
}

/** Tells if the resource itself is not there: its propstats name no property, or the type that every resource has. */
function isGone(propstats: readonly PropstatDraft[]): boolean {
  if (propstats.some(({effectiveStatus: status}) => status !== 404 && status !== 410)) return false
  const names = propstats.flatMap(({properties}) => properties.map(({key}) => key))
  return names.length === 0 || names.includes('resourcetype')
}

/** The properties of the propstats that are not 2xx. */
function missingOf(propstats: readonly PropstatDraft[]): PropertyFailure[] {
  let missing: PropertyFailure[] = NONE
  for (const {effectiveStatus: status, properties, conditions = NONE, description} of propstats) {
    if (isSuccessStatus(status)) continue
    for (const {key: name} of properties) {
      const failure = {name, status, conditions, ...(description !== '' && {description})}
      missing = append(missing, failure)
    }
  }
  return missing
}

/** The list with one more. Most have one, for which an array that grows would take the room of 17. */
function append<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item]
  list.push(item)
  return list
}

function isEmpty(value: PropertyValue): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0)
}
