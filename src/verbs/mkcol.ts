/**
 * MKCOL: makes a collection, and the missing ones around it. RFC 4918, section 9.3.
 */

import type {CallContext} from '../call/call.ts'
import type {Conditions} from '../call/conditions.ts'
import {readConditions} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {exchange} from '../engine/exchange.ts'
import type {VerbOptions} from '../engine/one.ts'
import {VERB_OPTIONS, runOne} from '../engine/one.ts'
import type {Outcome, TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {fail, succeed} from '../engine/verdict.ts'
import {presenceBody, readSelf} from '../listing/presence.ts'
import {firstListing} from '../listing/propfind.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {isCollection} from '../multistatus/selection.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, readOptions} from '../protocol/options.ts'

/** Options of `mkcol`. */
export interface MkcolOptions extends VerbOptions, Pick<Conditions, 'lockToken'> {
  /**
   * Makes missing parent collections too, up to the client's own. A collection that is there already is a Success with the status
   * of the refusal, such as 405. A file in its place is a Failure.
   *
   * @defaultValue `false`
   */
  readonly parents?: boolean | undefined
}

const MKCOL_OPTIONS: Rules<MkcolOptions> = {...VERB_OPTIONS, parents: BOOLEAN, lockToken: ANY}

/** The rules of MKCOL for the engine. */
export const MKCOL: Verb = {
  method: 'MKCOL',
  order: 'collections-first',
  headers: () => ({}),
  isDone: () => false,
  forMember: () => undefined,
  run,
  reconsider,
  guard: () => undefined,
}

// A missing parent is 409. svn 1.14 and SOGo 5.8 answer 404.
const LACKS_PARENT: ReadonlySet<number> = new Set([404, 409])

// An existing resource is 405. Cyrus 3.6 answers 403, some servers redirect.
const MAY_EXIST: ReadonlySet<number> = new Set([301, 302, 307, 308, 403, 405])

/** Makes one collection. */
export async function mkcol(
  session: Session,
  target: Target,
  given: MkcolOptions = {},
): Promise<DavResult> {
  const options = readOptions('mkcol', given, MKCOL_OPTIONS)
  const {parents = false, lockToken} = options
  const url = resolveTarget(target, session.base)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  const {conditions} = readConditions(url, {lockToken})
  const request = makeRequest(url.href, conditions)
  return runOne(session, MKCOL, {...request, ...(parents && {parents})}, options)
}

function makeRequest(url: string, conditions: TargetRequest['conditions']): TargetRequest {
  return {method: 'MKCOL', url, ...(conditions !== undefined && {conditions}), attempts: 0}
}

/** Makes the missing parents after the server has missed them, and sends the request again. */
async function run(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  const first = await exchange(request, context, emit)
  const {verdict} = first
  const isLacking = !verdict.ok && verdict.reason === 'status' && LACKS_PARENT.has(verdict.status)
  if (request.parents !== true || !isLacking) return first
  const failure = await makeParents(request.url, context, request.conditions)
  return failure === undefined
    ? exchange(request, context, emit)
    : {...first, verdict: failForParent(request, failure)}
}

/**
 * Makes the missing collections around a URL, below the client's own. Begins with the nearest one, because most often only that
 * is missing.
 *
 * @param conditions - The conditions of the request for the URL. Its lock tokens are submitted for the parents too.
 * @returns The Failure of the parent that could not be made.
 * @throws The errors of `exchange`.
 */
export async function makeParents(
  url: string,
  context: VerbContext,
  conditions?: TargetRequest['conditions'],
): Promise<Failure | undefined> {
  const token = conditions?.['if']
  const make = async (parent: string): Promise<Failure | undefined> => {
    const request = makeRequest(parent, token === undefined ? undefined : {if: token})
    const means = {...context, verb: MKCOL}
    const {verdict} = await exchange({...request, parents: true}, means, async () => true)
    return verdict.ok ? undefined : verdict
  }
  const left = parentsOf(url, context.session.base)
  const missing: string[] = []
  for (let parent = left.shift(); parent !== undefined; parent = left.shift()) {
    const failure = await make(parent)
    if (failure === undefined) break
    if (left.length === 0 || !LACKS_PARENT.has(failure.status)) return failure
    missing.push(parent)
  }
  for (const parent of missing.toReversed()) {
    const failure = await make(parent)
    if (failure !== undefined) return failure
  }
  return undefined
}

/** Makes the Failure of a target whose parent could not be made. */
export function failForParent(request: TargetRequest, failure: Failure): Failure {
  const {url, status, reason, conditions, retryAfter, description = `answered ${status}`} = failure
  const sentence = `Its parent ${url} could not be made: ${description}`
  return fail(request, {status, reason, conditions, retryAfter, description: sentence})
}

/** Lists the URLs of the collections between a URL and the base, the nearest first. */
function parentsOf(url: string, base: URL): string[] {
  const root = canonicalPathOf(base.href)
  const parents: string[] = []
  for (let at = new URL(url); ;) {
    at = new URL(at.pathname.endsWith('/') ? '..' : '.', at)
    const relation = relate(canonicalPathOf(at.href), root)
    if (relation === 'self' || relation === 'outside') return parents
    parents.push(at.href)
  }
}

/**
 * Looks for the collection after a refusal that an existing one may cause, and after a lost answer. A collection that is there
 * then is a Success with `parents`, and after an earlier attempt, which may have made it.
 */
async function reconsider(
  request: TargetRequest,
  verdict: Failure,
  context: CallContext,
): Promise<DavResult | undefined> {
  const {url, parents = false, attempts} = request
  const {status, reason} = verdict
  const isLost = reason === 'no-answer'
  const mayExist = reason === 'status' && MAY_EXIST.has(status) && (parents || attempts > 0)
  if (!isLost && !mayExist) return undefined
  const kind = await findKind(url, context)
  if (kind === 'collection') return succeed(request, status, 'The collection is there')
  return kind === 'other' && !isLost
    ? {description: 'The resource that is there is no collection', ...verdict}
    : undefined
}

/** Finds the kind of the resource at a URL; `undefined` if nobody knows. */
async function findKind(
  url: string,
  context: CallContext,
): Promise<'collection' | 'other' | 'missing' | undefined> {
  const query = {url, root: url, depth: 0, body: presenceBody(), decoders: {}, attempts: 0} as const
  try {
    const result = await readSelf(firstListing(query, context.session), context)
    if (isMissing(result)) return 'missing'
    const found = isCollection(result)
    return found === undefined ? undefined : found ? 'collection' : 'other'
  } catch (error) {
    if (error instanceof DavError) return undefined
    throw error
  }
}
