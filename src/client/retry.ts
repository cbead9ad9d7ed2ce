/**
 * Sends again what failed and nothing else: leaves before their collections, so that a collection that stands because of
 * its members is tried when they are gone. RFC 4918, sections 9.6.1 and 13.
 */

import {assertDepthOrWalk} from '../protocol/depth.ts'
import {canonicalPath, canonicalPathOf, relate} from '../protocol/href.ts'
import type {DavResult, FailedRequest, Failure} from '../multistatus/result.ts'
import {UNDECODED} from '../properties/decode.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {ResolvedPolicy, RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import {isHeaderValue} from '../transport/headers.ts'
import {createCall} from './call.ts'
import {deleteAmongMany, settleDelete} from './delete.ts'
import {merge} from './merge.ts'
import type {Listing} from './frontier.ts'
import {Frontier} from './frontier.ts'
import type {Order} from './order.ts'
import {incompleteListing, isDeep} from './order.ts'
import {firstListing} from './propfind.ts'
import type {Line, Session} from './session.ts'
import {resolveConcurrency} from './session.ts'
import {resolveTarget} from './target.ts'
import {walk} from './walk.ts'

/** How failures are retried. */
export interface RetryOptions extends RetryPolicy {
  /**
   * Requests under way at once.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /**
   * Allows the client's own base, and what is outside it, as the target of a DELETE.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
  /** Ends the call; reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Checks the options and makes the stream. Nothing is sent yet. */
export function retry(
  session: Session,
  failures: Iterable<Failure> | AsyncIterable<Failure>,
  options: RetryOptions = {},
): ResultStream {
  const policy = resolvePolicy({...session.retry, ...options})
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const {signal} = options
  return createCall(session, {href: session.base.href, signal}, async function* (line, stop) {
    const incomplete: Incomplete[] = []
    const planned = new Set<string>()
    const repetition = {session, line, policy, options, planned}
    const all: Failure[] = []
    for await (const failure of failures) all.push(failure)
    const {listings, levels, kept} = plan(all, repetition)
    // What is not to be sent again stays as it is: nothing is dropped, and a listing that failed is no whole one.
    incomplete.push(...kept.filter(isOfListing).map(incompleteListing))
    yield kept
    if (listings.length > 0) {
      const manner = {session, line, stop, policy, concurrency, incomplete}
      yield* walk(new Frontier(listings), {...manner, throws: false})
    }
    for (const level of levels) {
      yield* merge(level, {concurrency, signal: line.signal, stop}, (request) =>
        repeat(request, repetition),
      )
    }
    return {incomplete}
  })
}

/** What all repeated requests of one call share. */
interface Repetition {
  readonly session: Session
  readonly line: Line
  readonly policy: ResolvedPolicy
  readonly options: RetryOptions
  /** Methods and URLs of the requests that are to be sent. */
  readonly planned: Set<string>
}

/** The requests to send, deepest first, each once; and the failures that are not to be retried. */
function plan(
  failures: readonly Failure[],
  {session, policy, options, planned}: Repetition,
): {
  listings: readonly Listing[]
  levels: readonly FailedRequest[][]
  kept: readonly Failure[]
} {
  const orders: Order[] = []
  const levels = new Map<number, FailedRequest[]>()
  const kept: Failure[] = []
  for (const failure of failures) {
    const {request} = failure
    if (request === undefined || !policy.retryable(failure)) {
      kept.push(failure)
      continue
    }
    const url = checkRequest(request, session, options)
    if (request.method === 'PROPFIND') {
      orders.push(orderOf(request, session))
      continue
    }
    const key = keyOf(request.method, url)
    if (planned.has(key)) continue
    planned.add(key)
    const depth = canonicalPath(url.pathname).split('/').length
    const level = levels.get(depth)
    if (level === undefined) levels.set(depth, [request])
    else level.push(request)
  }
  const deepestFirst = [...levels].toSorted(([one], [other]) => other - one)
  return {
    listings: outermost(orders).map((order) => firstListing(order, session)),
    levels: deepestFirst.map(([, requests]) => requests),
    kept,
  }
}

/** What a failed listing asked for. */
function orderOf(
  {url, depth = 0, root = url, body = formatPropfind({}), attempts}: FailedRequest,
  {base, decoders = {}}: Session,
): Order {
  assertDepthOrWalk(depth)
  if (typeof body !== 'string') throw new TypeError('retry: the body of a PROPFIND is a string')
  const {href} = resolveTarget({url: root}, base)
  if (relate(canonicalPathOf(url), canonicalPathOf(href)) === 'outside')
    throw new TypeError(`retry: ${url} is not in ${href}, to which its results are related`)
  const isOfNames = body === formatPropfind({propname: true})
  return {url, root: href, depth, body, decoders: isOfNames ? UNDECODED : decoders, attempts}
}

/** Whether a failure is one of a listing, as far as that is known. */
function isOfListing({request}: Failure): boolean {
  return request === undefined || request.method === 'PROPFIND'
}

/** Each order once, and without those for what is in a collection of which everything is listed in the same way. */
function outermost(orders: readonly Order[]): readonly Order[] {
  const whole = new Set(orders.filter(isDeep).map((order) => keyOfOrder(order)))
  const taken = new Set<string>()
  return orders.filter((order) => {
    const isWhole = isDeep(order)
    const key = `${JSON.stringify(order.depth)} ${keyOfOrder(order)}`
    if (taken.has(key) || (!isWhole && whole.has(keyOfOrder(order)))) return false
    taken.add(key)
    const path = canonicalPathOf(order.url)
    for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1)) {
      if (whole.has(keyOfOrder(order, path.slice(0, slash)))) return false
      if (slash === 0) break
    }
    return true
  })
}

function keyOfOrder({url, body}: Order, path = canonicalPathOf(url)): string {
  return `${path} ${body}`
}

/** A failure may come from a queue: what it asks for is held against the same rules as what a caller asks for. */
function checkRequest(
  {method, url, conditions = {}}: FailedRequest,
  session: Session,
  options: RetryOptions,
): URL {
  for (const [name, value] of Object.entries(conditions)) {
    if (!/^if(?:-[a-z]+)*$/.test(name)) {
      throw new TypeError(`retry: ${JSON.stringify(name)} is no conditional header`)
    }
    if (!isHeaderValue(value)) {
      throw new TypeError(`retry: the value of ${name} is one that no header can have`)
    }
  }
  if (method === 'PROPFIND') return resolveTarget({url}, session.base)
  if (method === 'DELETE') return new URL(settleDelete(session, {url}, options).url)
  throw new TypeError(`retry: ${method} cannot be sent again`)
}

async function* repeat(
  request: FailedRequest,
  repetition: Repetition,
): AsyncGenerator<readonly DavResult[], undefined, undefined> {
  const {session, line, policy, options, planned} = repetition
  const {url, conditions, attempts} = request
  const target = {...settleDelete(session, {url}, options), conditions, attempts}
  for await (const batch of deleteAmongMany(session, line, target, policy)) {
    // A member that was tried by itself has its verdict; its collection's answer would only repeat it.
    yield batch.filter(
      (result) => result.relation === 'self' || !planned.has(keyOf('DELETE', new URL(result.url))),
    )
  }
  return undefined
}

function keyOf(method: string, {pathname, search}: URL): string {
  return `${method} ${canonicalPath(pathname)}${search}`
}
