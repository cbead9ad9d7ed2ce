/** Makes the missing parent collections of a resource. RFC 4918, section 9.3.1. */

import {exchange} from '../engine/exchange.ts'
import type {Verb, VerbContext} from '../engine/verb.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isBelowInEachReading} from '../protocol/readings.ts'

const MKCOL: Verb = {
  method: 'MKCOL',
  order: 'collections-first',
  headers: () => ({}),
  forMember: () => undefined,
  // 405: there is a resource already. If it is no collection, the request below it fails.
  isDone: (_, status) => status === 405,
  guard: () => undefined,
}

/**
 * Makes the missing collections around a resource and below the client's base. The nearest one is tried first, because most often
 * only that one is missing.
 *
 * @returns The Failure of the collection that could not be made.
 */
export async function makeParents(url: string, context: VerbContext): Promise<Failure | undefined> {
  const base = context.session.base.pathname
  const missing: string[] = []
  const parent = new URL('.', url.replace(/\/+$/, ''))
  for (; isBelowInEachReading(parent.pathname, base); parent.pathname += '..') {
    const verdict = await make(parent.href, context)
    if (verdict.ok) break
    if (verdict.status !== 409 && verdict.status !== 404) return verdict
    missing.unshift(parent.href)
  }
  for (const collection of missing) {
    const verdict = await make(collection, context)
    if (!verdict.ok) return verdict
  }
  return undefined
}

async function make(url: string, context: VerbContext): Promise<DavResult> {
  const request = {method: 'MKCOL', url, attempts: 0}
  const {verdict} = await exchange(request, {...context, verb: MKCOL}, () => Promise.resolve(true))
  return verdict
}
