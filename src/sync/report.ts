/** The report sync-collection: its request, and the meaning of its refusals. RFC 6578, sections 3.2 and 6. */

import type {Listing} from '../listing/query.ts'
import {propElement} from '../properties/propfind-body.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {DavHttpError, MultiStatusError} from '../protocol/errors.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {formatDocument} from '../xml/writer.ts'
import type {SyncLevel} from './state.ts'

/** The facts of a sync that each of its reports has. */
export interface ReportFacts {
  readonly url: string
  readonly level: SyncLevel
  readonly properties: readonly string[]
  readonly decoders: Decoders
}

/** Makes the request for the changes since a token. An empty token asks for all resources. */
export function makeReport(
  {url, level, properties, decoders}: ReportFacts,
  token: string,
  limit: number | undefined,
): Listing {
  const body = formatDocument({
    name: 'sync-collection',
    children: [
      text('sync-token', token),
      text('sync-level', level === 1 ? '1' : 'infinite'),
      ...(limit === undefined ? [] : [{name: 'limit', children: [text('nresults', `${limit}`)]}]),
      propElement(properties),
    ],
  })
  const query = {method: 'REPORT', url, root: url, depth: 0, body, decoders, attempts: 0} as const
  return {query, url, depth: 0, isFirst: true}
}

function text(name: string, value: string): ElementToWrite {
  return {name, children: value === '' ? [] : [value]}
}

/**
 * The meaning of a refused report.
 *
 * - `lost`: the server does not know the token.
 * - `many`: the answer would be too long.
 * - `unable`: the server has no such report for this collection.
 * - `barred`: the cause may pass, such as a missing permission.
 */
export type Refusal = 'lost' | 'many' | 'unable' | 'barred'

// Servers refuse an unknown report, an unknown level and a lost token by any of them.
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 405, 409, 410, 412, 415, 422, 501])

/** Finds the meaning of an error of a report; `undefined` for an error that says nothing about the report. */
export function refusalOf(error: unknown, token: string): Refusal | undefined {
  // A page, or any other answer of a server that knows no reports.
  if (error instanceof MultiStatusError && error.reason === 'not-multistatus')
    return token === '' ? 'unable' : 'barred'
  if (!(error instanceof DavHttpError)) return undefined
  const {status, conditions} = error
  // Google and Yandex answer 507; a limit of the server is a precondition. RFC 6578, section 3.6; RFC 3253, section 3.6.
  if (status === 507 || conditions.includes('number-of-matches-within-limits')) return 'many'
  // xandikos 0.2 answers 500 to a token that it does not know.
  if (token !== '' && (status === 500 || REFUSALS.has(status))) return 'lost'
  if (!REFUSALS.has(status)) return undefined
  const mayPass = status === 403 || status === 409
  return mayPass && !isUnreported(conditions) ? 'barred' : 'unable'
}

/** Recognizes a collection that the report leaves out, by the conditions of its refusal. RFC 3253, section 3.6; RFC 6578, section 3.3. */
export function isUnreported(conditions: readonly string[]): boolean {
  return conditions.includes('supported-report') || conditions.includes('sync-traversal-supported')
}
