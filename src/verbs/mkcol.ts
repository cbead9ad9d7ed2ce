/**
 * MKCOL: makes a collection, the missing ones around it, and its first properties. RFC 4918, section 9.3; RFC 5689.
 */

import type {AnswerHead} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {Conditions} from '../call/conditions.ts'
import {readConditions} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {exchange, reconsider as reconsiderOutcome} from '../engine/exchange.ts'
import type {VerbOptions} from '../engine/one.ts'
import {VERB_OPTIONS, runOne} from '../engine/one.ts'
import type {Outcome, TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {fail, failLike, refuse, sentAgain, succeed, withSentence} from '../engine/verdict.ts'
import {findPresence} from '../listing/presence.ts'
import {readType} from '../listing/type.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {isCollection} from '../multistatus/selection.ts'
import type {PropertiesToSet} from '../properties/proppatch-body.ts'
import {formatMkcol} from '../properties/proppatch-body.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, readOptions, RECORD, TEXT} from '../protocol/options.ts'
import {XML_TYPE} from '../xml/writer.ts'
import {hasExtension} from './options.ts'
import {findUnset} from './read-back.ts'

/** Options of `mkcol`. */
export interface MkcolOptions extends VerbOptions, Pick<Conditions, 'lockToken' | 'lockRoot'> {
  /**
   * Makes missing parent collections too, but never the client's own. A collection that is there already is a Success with the
   * status of the refusal, such as 405; its properties must be as given. A file in its place is a Failure.
   *
   * @defaultValue `false`
   */
  readonly parents?: boolean | undefined
  /**
   * Properties of the new collection: values by name, as in `proppatch`. `resourcetype` is a list of names, to which `collection`
   * is added: `['{urn:ietf:params:xml:ns:caldav}calendar']`. Only a server with `extended-mkcol` in its DAV header can set them.
   * OPTIONS asks for that once; without it the result is a Failure `refused`. RFC 5689.
   */
  readonly properties?: PropertiesToSet | undefined
}

const MKCOL_OPTIONS: Rules<MkcolOptions> = {
  ...VERB_OPTIONS,
  parents: BOOLEAN,
  properties: RECORD,
  lockToken: TEXT,
  lockRoot: TEXT,
}

/** The rules of MKCOL for the engine. */
export const MKCOL: Verb = {
  method: 'MKCOL',
  headers: ({body}) => (body === undefined ? {} : {'content-type': XML_TYPE}),
  isDone: () => false,
  forMember: () => undefined,
  run,
  conclude,
  reconsider,
  guard: () => undefined,
}

// A missing parent is 409. svn 1.14, x/net and SOGo 5.8 answer 404, PyWebDAV3 0.9 424.
const LACKS_PARENT: ReadonlySet<number> = new Set([404, 409, 424])
// Calendars of Cyrus 3.6 answer 403, which means something else too.
const MAY_LACK_PARENT: ReadonlySet<number> = new Set([403])

// An existing resource is 405. Cyrus 3.6 answers 403, others 406 or 423, some servers redirect.
const MAY_EXIST: ReadonlySet<number> = new Set([301, 302, 307, 308, 403, 405, 406, 423])

/** Makes one collection. */
export async function mkcol(
  session: Session,
  target: Target,
  given: MkcolOptions = {},
): Promise<DavResult> {
  const options = readOptions('mkcol', given, MKCOL_OPTIONS)
  const {parents = false, properties = {}, lockToken, lockRoot} = options
  const url = resolveTarget(target, session.base)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  const {conditions} = readConditions(
    url,
    {lockToken, lockRoot},
    {url: url.href, base: session.base},
  )
  const body = formatMkcol(properties)
  const request = {
    ...makeRequest(url.href, conditions),
    ...(parents && {parents}),
    ...(body !== undefined && {body}),
  }
  // webdav-server 2.6 and copyparty answer 201, and ignore the properties.
  const check = async (context: CallContext): Promise<Failure | undefined> =>
    (await hasExtension('extended-mkcol', context)) === true
      ? undefined
      : refuse(url, session, `MKCOL ${url.href} is not sent: ${NOT_EXTENDED}`)
  const isChecked = body !== undefined && options.ignoreCapabilities !== true
  return runOne(session, MKCOL, request, options, isChecked ? check : undefined)
}

const NOT_EXTENDED =
  'the server is not known to have extended-mkcol; use proppatch, or say ignoreCapabilities: true'

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
  if (request.parents !== true) return first
  const second =
    (await settleParents(request, first, context, MAY_LACK_PARENT)) ??
    (await exchange(sentAgain(request), context, emit))
  const {verdict} = second
  if (verdict.ok || verdict.reason !== 'status' || verdict.status !== 409) return second
  // 4shared answers 409 for a collection that is there.
  const verb = {...context.verb, reconsider: lookForCollection}
  return reconsiderOutcome(request, second, verdict, {...context, verb})
}

/**
 * Makes the parents of a target, if it was refused because they are missing.
 *
 * @param unclear - Statuses that mean something else too. After one of them the parent is looked at.
 * @returns The outcome; `undefined` if the parents are there now, and the request is to be sent again.
 */
export async function settleParents(
  request: TargetRequest,
  first: Outcome,
  context: VerbContext,
  unclear: ReadonlySet<number>,
): Promise<Outcome | undefined> {
  const {url, conditions} = request
  const {verdict} = first
  const {connection, session} = context
  if (verdict.ok || parentsOf(url, session.base).length === 0) return first
  try {
    if (!(await lacksParent(url, verdict, context, unclear))) return first
    const failure = await makeParents(url, context, conditions)
    if (failure === undefined) return undefined
    const told = failForParent(request, failure)
    // The status may have had another cause.
    const isUnclear = !LACKS_PARENT.has(verdict.status)
    return {...first, verdict: isUnclear ? withSentence(verdict, told.description ?? '') : told}
  } catch (error) {
    // The call has ended, but the answer so far is still true.
    if (connection.isGraceful && connection.isEnd(error)) return first
    throw error
  }
}

/** Recognizes a refusal because of a missing parent. Looks at the parent after an unclear status. */
async function lacksParent(
  url: string,
  verdict: DavResult,
  context: CallContext,
  unclear: ReadonlySet<number>,
): Promise<boolean> {
  if (verdict.ok || verdict.reason !== 'status') return false
  const {status} = verdict
  if (LACKS_PARENT.has(status)) return true
  return unclear.has(status) && isParentMissing(url, context)
}

/** Looks for the collection around a URL. It counts as there, if the server does not tell. */
export async function isParentMissing(url: string, context: CallContext): Promise<boolean> {
  return (await findPresence(new URL(url.endsWith('/') ? '..' : '.', url).href, context)) === false
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
    const isLacking =
      left.length > 0 && (await lacksParent(parent, failure, context, MAY_LACK_PARENT))
    if (isLacking) missing.push(parent)
    else if (await isMade(parent, failure, context)) break
    else return failure
  }
  for (const parent of missing.toReversed()) {
    const failure = await make(parent)
    if (failure !== undefined && !(await isMade(parent, failure, context))) return failure
  }
  return undefined
}

/** Tells if a parent is there, although it was refused: 4shared answers 409 for a collection that is there. */
async function isMade(url: string, failure: Failure, context: VerbContext): Promise<boolean> {
  return failure.status === 409 && (await findPresence(url, context)) === true
}

/** Makes the Failure of a target whose parent could not be made. */
export function failForParent(request: TargetRequest, failure: Failure): Failure {
  const {url, status, description = `answered ${status}`} = failure
  return failLike(request, failure, `Its parent ${url} could not be made: ${description}`)
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

/** Makes a Failure of a success with a failed property. xandikos 0.2 answers 201 with a 409 for `resourcetype`. */
function conclude(request: TargetRequest, verdict: DavResult, {status}: AnswerHead): DavResult {
  if (!verdict.ok) return verdict
  const {missing, description} = verdict
  const [first] = missing
  if (first !== undefined)
    return fail(request, {status: first.status, reason: 'propstat', missing, description})
  return {...verdict, status: status === 207 ? verdict.status : status, properties: {}}
}

/**
 * Looks for the collection after a refusal that an existing one may cause, after a lost answer, and after a refusal of its
 * properties. A collection that is there is a Success with `parents`, and after an earlier attempt, which may have made it.
 */
async function reconsider(
  request: TargetRequest,
  verdict: Failure,
  context: VerbContext,
): Promise<DavResult | undefined> {
  const {status, reason} = verdict
  const isLost = reason === 'no-answer' || context.mayBeDone === true
  const mayExist =
    reason === 'status' && MAY_EXIST.has(status) && (request.parents === true || isLost)
  if (!isLost && !mayExist && reason !== 'propstat') return undefined
  return lookForCollection(request, verdict, context, mayExist)
}

/** Looks for the collection. One with the properties of the request is a Success. */
async function lookForCollection(
  request: TargetRequest,
  verdict: Failure,
  context: VerbContext,
  mayExist = true,
): Promise<DavResult | undefined> {
  const {url, body} = request
  const {status, reason} = verdict
  const self = await readType(url, context)
  const isThere = isCollection(self)
  if (isThere === undefined) return isMissing(self) ? verdict : undefined
  if (!isThere)
    return mayExist ? withSentence(verdict, 'A resource that is no collection is there') : undefined
  const there = 'The collection is there'
  // SabreDAV 4 makes the collection, although it refuses a property.
  if (reason === 'propstat') return withSentence(verdict, `${there} all the same`)
  const unset = body === undefined ? [] : await findUnset(request, status, context)
  if ('ok' in unset) return withSentence(verdict, there)
  return unset.length === 0
    ? succeed(request, status, there)
    : withSentence(verdict, `${there}, but not all of its properties are as given`)
}
