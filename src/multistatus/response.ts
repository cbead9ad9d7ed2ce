/**
 * One `DAV:response` while it is read, and the results that it makes. Drops nothing: an unreadable response is a Failure too.
 * RFC 4918, sections 13, 14.22 and 14.24.
 */

import {Undecodable} from '../properties/decode.ts'
import type {Property, PropertyValues, Written} from '../properties/values.ts'
import {decodeWritten} from '../properties/values.ts'
import type {PropertyValue} from '../properties/vocabulary.ts'
import type {HrefResolver} from '../protocol/href.ts'
import {isMissingStatus, isSuccessStatus} from '../protocol/status.ts'
import type {DavResult, Failure, PropertyFailure} from './result.ts'

// The empty list, shared because most responses have no conditions. `append` never changes it.
export const NONE: never[] = /* @__PURE__ */ Object.freeze<never[]>([]) as never[]

/** The words of the server about a response or a propstat. */
interface Said {
  conditions: string[]
  description: string
}

/** The properties of one response, and the content of each. Used again for the next response, which most often has as many. */
export interface Contents {
  properties: Property[]
  written: Written[]
}

/** A `DAV:propstat`: properties that share a status. */
export class PropstatDraft implements Said {
  /** 200 without a `DAV:status`, because real servers leave it out and mean 200. */
  status = 200
  #hasStatus = false
  conditions: string[] = NONE
  description = ''
  /** The index of its first property in the contents, and the index behind its last. */
  readonly from: number
  to: number

  constructor(from: number) {
    this.from = from
    this.to = from
  }

  /** Sets the status. The first one counts. */
  setStatus(status: number): void {
    if (!this.#hasStatus) this.status = status
    this.#hasStatus = true
  }
}

/** A `DAV:response`, as far as it has been read. */
export class ResponseDraft implements Said {
  hrefs: string[] = NONE
  status: number | undefined
  conditions: string[] = NONE
  description = ''
  location = ''
  propstats: PropstatDraft[] = NONE
  /** The number of properties in all propstats. */
  size = 0
  /** The number of propstats and conditions. */
  parts = 0
  /** The first fault, in words; empty while there is none. */
  problem = ''
  /** In recovery: a fault stood inside an href. */
  hasBrokenHref = false

  /** Sets the status. Two different ones contradict each other, and neither can be trusted. */
  setStatus(status: number): void {
    if (this.status !== undefined && this.status !== status) this.problem ||= 'has two statuses'
    this.status ??= status
  }

  /**
   * Adds the results, one for each href. A status of the response decides alone; without one, the propstats decide.
   *
   * @param number - The number of the response in the document, from 1 on.
   * @param needsAll - One failed propstat makes a Failure, because the method sets all properties or none.
   */
  addResults(
    to: DavResult[],
    resolver: HrefResolver,
    contents: Contents,
    values: PropertyValues,
    number: number,
    needsAll: boolean,
  ): void {
    const {propstats, location, hrefs} = this
    // `isOwn`: the status is that of the response. `saysGone`: the propstats say that the resource is not there.
    const problem = this.#findProblem()
    const status = this.status ?? propstatStatus(propstats, contents, needsAll)
    const isGood = problem === '' && isSuccessStatus(status)
    const missing =
      problem === '' ? missingOf(propstats, contents, isGood ? values : undefined) : NONE
    const properties = isGood ? values.take() : undefined
    const isOwn = this.status !== undefined
    const saysGone = !isOwn && !isGood && !needsAll && isGone(propstats, contents)
    const reason = isOwn || saysGone ? 'status' : 'propstat'
    const said = isOwn || isGood ? this : this.#said()
    for (const href of hrefs.length === 0 ? [''] : hrefs) {
      if (properties !== undefined && href !== '') {
        const {url, relation} = resolver.resolve(href)
        const {description} = this
        // No spread: each Success of a listing is made here, and a spread makes slower objects.
        to.push(
          description === ''
            ? {ok: true, href, url, relation, status, properties, missing}
            : {ok: true, href, url, relation, status, properties, missing, description},
        )
        continue
      }
      const wrong = problem || (href === '' ? 'has an empty DAV:href' : '')
      // Without an href, or with a broken one, the result must not name any resource as its own.
      const {url, relation} =
        href === '' || this.hasBrokenHref
          ? {url: resolver.base, relation: 'outside' as const}
          : resolver.resolve(href)
      const isMalformed = wrong !== ''
      const {conditions, description: words} = isMalformed ? this : said
      const description = isMalformed
        ? `DAV:response number ${number} ${wrong}. ${words}`.trimEnd()
        : words
      const failure: Failure = {
        ok: false,
        href,
        url,
        relation,
        status: isMalformed ? 0 : status,
        reason: isMalformed ? 'malformed' : reason,
        conditions,
        missing: isMalformed ? NONE : missing,
      }
      // No spread for most failures either.
      const hasMore = description !== '' || location !== ''
      const more = hasMore && {
        ...(description !== '' && {description}),
        ...(location !== '' && {location}),
      }
      to.push(more === false ? failure : {...failure, ...more})
    }
  }

  /** Finds the conditions and words for a Failure that the propstats make. */
  #said(): Said {
    // A propstat without properties speaks of the resource: lighttpd writes a 403 so. Its words would be in no entry of
    // `missing`.
    const nameless = this.propstats.find(
      ({from, to, status}) => from === to && !isSuccessStatus(status),
    )
    if (nameless === undefined) return this
    return {
      conditions: this.conditions.length === 0 ? nameless.conditions : this.conditions,
      description: this.description || nameless.description,
    }
  }

  /** Finds the reason why the response cannot be understood; empty for a good one. */
  #findProblem(): string {
    if (this.problem !== '') return this.problem
    if (this.hrefs.length === 0) return 'has no DAV:href'
    return this.status === undefined && this.propstats.length === 0
      ? 'has neither a DAV:status nor a DAV:propstat'
      : ''
  }
}

/** Finds the status that propstats give their resource: the first 2xx one, but with `needsAll` the first one that is not. */
function propstatStatus(
  propstats: readonly PropstatDraft[],
  contents: Contents,
  needsAll: boolean,
): number {
  const decisive = propstats.find(({status}) => isSuccessStatus(status) !== needsAll)
  if (decisive !== undefined) return decisive.status
  // All 404: the resource is there, and has none of these properties. A collection has no `getcontentlength`, for example.
  const isThere =
    !needsAll && propstats.every(({status}) => status === 404) && !isGone(propstats, contents)
  return isThere ? 200 : (propstats[0]?.status ?? 0)
}

/** Tells if 404 or 410 concerns the resource itself: for no property at all, or for `resourcetype`, which every resource has. */
function isGone(propstats: readonly PropstatDraft[], {properties}: Contents): boolean {
  if (!propstats.every(({status}) => isMissingStatus(status))) return false
  const names = propstats.flatMap(({from, to}) => properties.slice(from, to).map(({key}) => key))
  return names.length === 0 || names.includes('resourcetype')
}

/** Gathers values of 2xx propstats in `values`, if that is given. Returns the failed properties, the undecodable ones last. */
function missingOf(
  propstats: readonly PropstatDraft[],
  {properties, written}: Contents,
  values: PropertyValues | undefined,
): PropertyFailure[] {
  let missing: PropertyFailure[] = NONE
  let undecodable: {property: Property; problem: string}[] = NONE
  for (const {status, from, to, conditions, description} of propstats) {
    const isGood = isSuccessStatus(status)
    if (isGood && values === undefined) continue
    for (let index = from; index < to; index++) {
      const property = properties[index]
      const content = written[index]
      if (property === undefined || content === undefined) continue
      if (!isGood || values === undefined) {
        const failure = {name: property.key, status, conditions}
        missing = append(missing, description === '' ? failure : {...failure, description})
        continue
      }
      const known = values.get(property)
      // A property that comes twice: an empty element never replaces a value, whatever their order.
      if (known !== undefined && (content === '' || !isEmpty(known))) continue
      const value = decodeWritten(property, content)
      if (value instanceof Undecodable)
        undecodable = append(undecodable, {property, problem: value.problem})
      else values.set(property, value as PropertyValue)
    }
  }
  // An undecodable value does not count if the same property came again with a good one.
  for (const {property, problem: description} of undecodable) {
    if (values?.get(property) !== undefined) continue
    missing = append(missing, {name: property.key, status: 0, conditions: NONE, description})
  }
  return missing
}

/** Appends to a list. Most have one item: a literal takes its room only, but V8 grows an empty array to 17 at once. */
export function append<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item]
  list.push(item)
  return list
}

function isEmpty(value: PropertyValue): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0)
}
