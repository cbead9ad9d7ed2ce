/**
 * One `DAV:response` while it is read, and the results that it is. Nothing is dropped: what cannot be understood is a
 * Failure too. RFC 4918, sections 13, 14.22 and 14.24.
 */

import {Undecodable} from '../properties/decode.ts'
import type {Property} from '../properties/bag.ts'
import type {PropertyValues} from '../properties/values.ts'
import type {Properties, PropertyValue} from '../properties/vocabulary.ts'
import type {HrefResolver} from '../protocol/href.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import type {Part, PropstatDraft} from './propstat.ts'
import type {DavResult, Failure, FailureReason, PropertyFailure} from './result.ts'

const NONE: readonly never[] = Object.freeze([])
const NOTHING: Said = {conditions: undefined, description: ''}
// Each list begins as this one, which `append` never changes.
const EMPTY: never[] = []

/** What a server says of a failure. */
interface Said {
  readonly conditions: readonly string[] | undefined
  readonly description: string
}

/** A `DAV:response`, as far as it has been read. */
export class ResponseDraft implements Part {
  hrefs: string[] = EMPTY
  status: number | undefined
  conditions: string[] | undefined
  description = ''
  location = ''
  propstats: PropstatDraft[] = EMPTY
  /** How many properties there are in all propstats. */
  size = 0
  /** How many propstats and conditions there are. */
  parts = 0
  /** What is wrong with it. */
  problem = ''
  /** Whether something was left out of an href, in recovery. */
  hasBrokenHref = false

  /** Takes an href. */
  addHref(href: string): void {
    this.hrefs = append(this.hrefs, href)
  }

  /** Begins a propstat. */
  addPropstat(propstat: PropstatDraft): void {
    this.propstats = append(this.propstats, propstat)
  }

  /** Takes the status, of which there may be one. */
  setStatus(status: number): void {
    if (this.status !== undefined && this.status !== status) this.problem ||= 'has two statuses'
    this.status ??= status
  }

  /**
   * The results, one for each href.
   *
   * @param number - Which response of the document it is, from 1 on.
   * @param needsAll - Whether one failed propstat makes a Failure: the method sets all properties or none.
   */
  results(
    resolver: HrefResolver,
    values: PropertyValues,
    number: number,
    needsAll: boolean,
  ): DavResult[] {
    const problem = this.#findProblem()
    const hrefs = this.hrefs.length === 0 ? [''] : this.hrefs
    if (problem !== '') return hrefs.map((href) => this.#malformed(href, resolver, number, problem))
    const status = this.status ?? propstatStatus(this.propstats, needsAll)
    const isSuccess = isSuccessStatus(status)
    const missing = isSuccess ? this.#gather(values) : this.#missing()
    const properties = isSuccess ? values.bag.take() : {}
    const isOwn = this.status !== undefined
    const saysGone = !isSuccess && !isOwn && !needsAll && isGone(this.propstats)
    const reason = isOwn || saysGone ? 'status' : 'propstat'
    const said = isOwn || isSuccess ? this : this.#said()
    let results: DavResult[] = []
    for (const href of hrefs) {
      let result: DavResult
      if (href === '') result = this.#malformed('', resolver, number, 'has an empty DAV:href')
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
      ({size, effectiveStatus}) => size === 0 && !isSuccessStatus(effectiveStatus),
    )
    const {conditions, description} = nameless ?? NOTHING
    return {
      conditions: this.conditions ?? conditions,
      description: this.description || description,
    }
  }

  #findProblem(): string {
    if (this.problem !== '') return this.problem
    if (this.hrefs.length === 0) return 'has no DAV:href'
    return this.status === undefined && this.propstats.length === 0
      ? 'has neither a DAV:status nor a DAV:propstat'
      : ''
  }

  #malformed(href: string, resolver: HrefResolver, number: number, problem: string): Failure {
    const what = `DAV:response number ${number} ${problem}.`
    const description = this.description === '' ? what : `${what} ${this.description}`
    const {conditions} = this
    return this.#failure(href, resolver, 0, 'malformed', NONE, {conditions, description})
  }

  #success(
    href: string,
    resolver: HrefResolver,
    status: number,
    properties: Properties,
    missing: readonly PropertyFailure[],
  ): DavResult {
    const {url, relation} = resolver.resolve(href)
    if (this.description === '') return {ok: true, href, url, relation, status, properties, missing}
    return {
      ok: true,
      href,
      url,
      relation,
      status,
      properties,
      missing,
      description: this.description,
    }
  }

  #failure(
    href: string,
    resolver: HrefResolver,
    status: number,
    reason: FailureReason,
    missing: readonly PropertyFailure[],
    {conditions = NONE, description}: Said,
  ): Failure {
    // What names no resource, or perhaps another one, must not be taken for one.
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

  /** Gathers the values from the 2xx propstats, and tells all else that was said of properties. */
  #gather(values: PropertyValues): readonly PropertyFailure[] {
    const {bag} = values
    let missing: PropertyFailure[] | undefined
    let undecodable: {property: Property; problem: string}[] | undefined
    for (const propstat of this.propstats) {
      if (!isSuccessStatus(propstat.effectiveStatus)) {
        missing ??= []
        appendFailures(missing, propstat)
        continue
      }
      for (let number = 0; number < propstat.size; number++) {
        const node = propstat.node(number)
        const property = node?.name.known
        if (node === undefined || property === undefined) continue
        const written = propstat.written(number)
        const known = bag.get(property)
        // A second element for a property says something only where the first one was empty.
        if (known !== undefined && (written === '' || !isEmpty(known))) continue
        const value = values.valueOf(node, property, written)
        if (value instanceof Undecodable) {
          undecodable ??= []
          undecodable.push({property, problem: value.problem})
        } else {
          bag.set(property, value as PropertyValue)
        }
      }
    }
    if (undecodable !== undefined) {
      missing ??= []
      for (const {property, problem} of undecodable) {
        if (bag.get(property) !== undefined) continue
        missing.push({name: property.key, status: 0, conditions: NONE, description: problem})
      }
    }
    return missing ?? NONE
  }

  #missing(): readonly PropertyFailure[] {
    const missing: PropertyFailure[] = []
    for (const propstat of this.propstats) {
      if (!isSuccessStatus(propstat.effectiveStatus)) appendFailures(missing, propstat)
    }
    return missing.length === 0 ? NONE : missing
  }
}

/** The status that propstats give their resource: the first 2xx one, but with `needsAll` the first that is none. */
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

/** Whether propstats say that the resource itself is not there: they name no property, or the type that every resource has. */
function isGone(propstats: readonly PropstatDraft[]): boolean {
  return (
    propstats.every(({effectiveStatus}) => effectiveStatus === 404 || effectiveStatus === 410) &&
    (propstats.every(({size}) => size === 0) || propstats.some((propstat) => hasType(propstat)))
  )
}

function hasType(propstat: PropstatDraft): boolean {
  for (let number = 0; number < propstat.size; number++) {
    if (propstat.node(number)?.name.text === 'resourcetype') return true
  }
  return false
}

function appendFailures(to: PropertyFailure[], propstat: PropstatDraft): void {
  const {effectiveStatus: status, conditions = NONE, description} = propstat
  for (let number = 0; number < propstat.size; number++) {
    const name = propstat.node(number)?.name.known?.key ?? ''
    to.push(
      description === '' ? {name, status, conditions} : {name, status, conditions, description},
    )
  }
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
