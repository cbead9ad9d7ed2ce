/**
 * The two ends of a COPY or MOVE: their guards, the headers Destination and Overwrite, members at either end, and missing parents
 * of the destination. RFC 4918, sections 9.8, 9.9, 10.3 and 10.6.
 */

import type {AnswerHead} from '../call/answer.ts'
import {assertApart} from '../call/apart.ts'
import type {CallContext} from '../call/call.ts'
import type {Conditions} from '../call/conditions.ts'
import {assertConditionNames, CONDITION_RULES, readConditions} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {
  findDestructiveProblem,
  isPlainReference,
  isSafelyBelow,
  resolveTarget,
  spelled,
} from '../call/target.ts'
import {exchange} from '../engine/exchange.ts'
import {changed} from '../engine/payload.ts'
import type {Outcome, TargetRequest, VerbContext} from '../engine/verb.ts'
import {fail, refuse, sentAgain, withSentence} from '../engine/verdict.ts'
import {findPresence} from '../listing/presence.ts'
import {readType} from '../listing/type.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {kindOf} from '../multistatus/selection.ts'
import {DavError} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, readOptions} from '../protocol/options.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import {failForParent, isParentMissing, makeParents} from './mkcol.ts'

/** The source and the destination of one COPY or MOVE. An unknown member is a TypeError. */
export interface FromTo extends Conditions {
  /** The resource to copy or move. Its conditions are those of the pair. */
  readonly from: Target
  /** The new URL of the resource itself, and not the collection around it. */
  readonly to: Target
}

/** Options that COPY and MOVE share. */
export interface TwoEndsRules {
  /**
   * Replaces a resource at the destination, with everything in it. Without it, a resource there is a Failure 412. Sent as
   * `Overwrite`. RFC 4918, section 10.6.
   *
   * @defaultValue `false`
   */
  readonly overwrite?: boolean | undefined
  /**
   * Makes the missing collections around the destination, if the server refuses the request because of them. Collections outside
   * the client's URL are not made. RFC 4918, section 9.8.5.
   *
   * @defaultValue `false`
   */
  readonly parents?: boolean | undefined
  /**
   * Allows the client's own base, its parents, resources outside it, and results that are `outside` or could not be listed. Also
   * names with a control character, and names that some servers read as the collection around them or as the other end. A
   * destination that is the source, in it or around it is refused even so, because servers lose the resource.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
}

export const TWO_ENDS_RULES: Rules<TwoEndsRules> = {
  overwrite: BOOLEAN,
  parents: BOOLEAN,
  unguarded: BOOLEAN,
}

const PAIR: Rules<FromTo> = {from: ANY, to: ANY, ...CONDITION_RULES}

/** A COPY or MOVE with its options. */
export interface TwoEndsCall extends TwoEndsRules {
  readonly method: 'COPY' | 'MOVE'
  readonly depth?: 0 | 'infinity' | undefined
}

/**
 * Makes the request for a pair, or the Failure `refused` of one that must not be sent.
 *
 * @throws TypeError for an invalid pair, and for one that the guards refuse.
 */
export function settlePair(
  session: Session,
  pair: FromTo,
  {method, depth, overwrite = false, parents = false, unguarded = false}: TwoEndsCall,
): TargetRequest | Failure {
  const {from, to, ...own} = readOptions(`a pair to ${method}`, pair, PAIR)
  const {base} = session
  const request = {
    method,
    ...(depth !== undefined && {depth}),
    ...(overwrite && {overwrite}),
    ...(parents && {parents}),
    attempts: 0,
  }
  const isPlain = Object.keys(own).length === 0
  if (isPlain && isPlainReference(from) && isPlainReference(to) && arePlainlyApart(from, to))
    return {...request, url: base.href + from, destination: base.href + to}
  assertConditionNames(from)
  const source = resolveTarget(from, base)
  const destination = resolveTarget(to, base)
  alignSlashes(source, destination, overwrite || kindOf(memberOf(from, 'properties')) === 'plain')
  assertApart({method, source, destination, overwrite, unguarded})
  const problem = unguarded
    ? undefined
    : findProblem({method, source, destination, from, to}, session)
  const found =
    problem === undefined ? readConditions(from, own, {url: source.href, base}) : {problem}
  if (found.problem !== undefined) {
    const sentence = `${method} ${source.href} to ${destination.href} is not sent: ${found.problem}`
    return refuse(from, session, sentence)
  }
  const {conditions} = found
  const ends = {url: source.href, destination: destination.href}
  return {...request, ...ends, ...(conditions !== undefined && {conditions})}
}

/** Tells of plain names that both or none have a slash, and that neither is in the other. */
function arePlainlyApart(from: string, to: string): boolean {
  // To some servers, names in another case are one.
  const [one, other] = [withSlash(from).toLowerCase(), withSlash(to).toLowerCase()] as const
  const isAlike = from.endsWith('/') === to.endsWith('/')
  return isAlike && !one.startsWith(other) && !other.startsWith(one)
}

function withSlash(name: string): string {
  return name.endsWith('/') ? name : `${name}/`
}

/**
 * Gives both ends the slash of a collection if either has it: nginx 1.22 answers 409 to a slash at one end alone.
 *
 * @param isStrict - True to refuse a slash of the destination alone. `a.txt` to `b/` means into `b` in a shell, and here it would
 *   replace `b`.
 * @throws TypeError
 */
function alignSlashes(source: URL, destination: URL, isStrict: boolean): void {
  const isCollection = source.pathname.endsWith('/')
  if (isCollection === destination.pathname.endsWith('/')) return
  if (!isCollection && isStrict) {
    throw new TypeError(
      `${destination.href} ends with a slash, and ${source.href} does not: the destination is the new URL itself`,
    )
  }
  const end = isCollection ? destination : source
  end.pathname += '/'
}

interface TwoEnds {
  readonly method: string
  readonly source: URL
  readonly destination: URL
  /** The ends as the caller named them. */
  readonly from?: unknown
  readonly to?: unknown
}

/**
 * Finds the reason why a request must not be sent. The source of a COPY is only read.
 *
 * @throws TypeError for an end that the guards refuse.
 */
function findProblem({method, source, destination, from, to}: TwoEnds, {base}: Session) {
  const problem =
    method === 'MOVE'
      ? findDestructiveProblem({method, url: source, base, target: from})
      : undefined
  if (problem !== undefined) return problem
  return findDestructiveProblem({method: `${method} to`, url: destination, base, target: to})
}

/**
 * Checks the ends of a request from a queue, whatever the options.
 *
 * @throws TypeError for a destination on another origin, and for one that is the source, in it or around it.
 */
export function checkEnds(request: TargetRequest, session: Session): void {
  assertApart({...endsOf(request, session), unguarded: true})
}

/** Finds the reason why a request from a queue must not be sent. */
export function guardEnds(request: TargetRequest, session: Session): string | undefined {
  const ends = endsOf(request, session)
  assertApart({...ends, unguarded: false})
  return findProblem(ends, session)
}

function endsOf(
  {method, url, destination = '', overwrite = false}: TargetRequest,
  {base}: Session,
): TwoEnds & {readonly overwrite: boolean} {
  const to = resolveTarget({url: destination}, base)
  return {method, source: new URL(url), destination: to, overwrite}
}

/** Formats the headers of both methods. Overwrite is always sent, because the defaults of servers differ. */
export function twoEndsHeaders(
  {destination = '', overwrite = false}: TargetRequest,
  {server}: Session,
): Readonly<Record<string, string>> {
  const to = server.destinationForm === 'path' ? pathForm(destination) : destination
  return {destination: to, overwrite: overwrite ? 'T' : 'F'}
}

function pathForm(destination: string): string {
  const {pathname, search} = new URL(destination)
  return pathname + search
}

/** Makes the request for a failed member, which the server may have named at either end. */
export function memberPair(
  request: TargetRequest,
  {url: named, relation}: Failure,
): TargetRequest | undefined {
  const {url, destination = url, conditions, parents: _, ...others} = request
  const around = [url, destination].find((end) => isSafelyBelow(named, end))
  if (around === undefined || relation === 'outside') return undefined
  // A member that stands in the way of an overwriting request is an old one, and no member of the source.
  if (around !== url && request.overwrite === true) return undefined
  const path = segmentsOf(named).slice(segmentsOf(around).length).join('/')
  const slash = named.endsWith('/') ? '/' : ''
  const [from, to] = [url, destination].map((end) => end.replace(/\/*$/, `/${path}${slash}`))
  if (from === undefined || to === undefined) return undefined
  if (![isSafelyBelow(from, url), isSafelyBelow(to, destination)].every(Boolean)) return undefined
  // A lock on the target covers its members, so they need its token too. RFC 4918, sections 7.5 and 10.4.2.
  const token = conditions?.['if']
  return {
    ...others,
    url: from,
    destination: to,
    ...(token !== undefined && {conditions: {if: token}}),
  }
}

function segmentsOf(url: string): readonly string[] {
  return new URL(spelled(url)).pathname.split('/').filter((segment) => segment !== '')
}

/** Adds the URL of the new resource to a Success, and the remedy to the refusal of an Apache behind a proxy. */
export function concludePair(
  request: TargetRequest,
  verdict: DavResult,
  {location, server}: Pick<AnswerHead, 'location' | 'server'>,
): DavResult {
  if (verdict.ok) return arrived(request, verdict, location)
  const isOfScheme = verdict.status === 502 && request.url.startsWith('https:')
  if (!isOfScheme || !/^Apache\b/i.test(server)) return verdict
  return withSentence(verdict, APACHE_REMEDY)
}

// Apache 2.4 compares the scheme of the Destination with its own, and takes no path.
const APACHE_REMEDY =
  'If a proxy ends TLS, Apache needs: RequestHeader edit Destination ^https: http: early'

/** Adds the URL of the new resource. A Location on another host is the inner one of a server behind a proxy. */
export function arrived(request: TargetRequest, verdict: Success, location?: string): Success {
  const {destination = request.url} = request
  if (location === undefined || location === destination) return {...verdict, destination}
  const told = URL.parse(location, destination)
  if (told === null || told.origin !== new URL(destination).origin) return {...verdict, destination}
  return {...verdict, destination: told.origin + told.pathname + told.search}
}

/** Returns the source of a pair, for the Failure of an invalid one. */
export function sourceOf(pair: unknown): unknown {
  return memberOf(pair, 'from')
}

/** Sends a request until its destination is accepted, and checks a success of lighttpd. RFC 4918, sections 9.8.5 and 9.9.4. */
export async function runPair(
  asked: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  const request = mayHarm(asked) ? await withoutHarm(asked, context) : asked
  const outcome = await sendPair(request, context, emit)
  return mayMerge(request, outcome) ? withoutMerge(request, outcome, context) : outcome
}

/**
 * Sends a request, and once more if the server refused only the form of its destination or the lack of parents. RFC 4918,
 * sections 9.8.5, 9.9.4 and 10.3.
 */
async function sendPair(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  let hasMembers = false
  const first = await exchange(request, context, (batch) => {
    hasMembers ||= batch.length > 0
    return emit(batch)
  })
  if (first.verdict.ok) context.session.server.destinationForm ??= 'url'
  // An answer about members is no refusal of the whole.
  if (first.verdict.ok || hasMembers) return first
  try {
    const second = await sendPath(request, first, context, emit)
    return (await sendWithParents(request, second, context, emit)) ?? second
  } catch (error) {
    // The call has ended, but the answer so far is still true.
    if (error instanceof NotSentError && context.connection.isGraceful) return first
    throw error
  }
}

/** Makes the missing parents of a destination, and sends the request again; `undefined` if parents are not the problem. */
async function sendWithParents(
  request: TargetRequest,
  {verdict, ...outcome}: Outcome,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome | undefined> {
  if (request.parents !== true || verdict.ok) return undefined
  if (!(await mayLackParents(request, verdict, context))) return undefined
  const {destination = request.url, conditions} = request
  const failure = await makeParents(destination, context, conditions)
  return failure === undefined
    ? exchange(await withoutHarm(sentAgain(request), context), context, emit)
    : {...outcome, verdict: failForParent(request, failure)}
}

// Statuses for missing parents, beside 409: mod_dav_svn 1.14 404; rclone 1.60 and x/net 0.7 403 to a MOVE; Apache 2.4 500 to a
// MOVE, and nginx 1.22 to a COPY. All of them mean something else too.
const MAY_LACK_PARENTS: ReadonlySet<number> = new Set([403, 404, 500])

/** Recognizes a refusal because of missing parents. */
async function mayLackParents(
  {url, destination = url}: TargetRequest,
  {status}: Failure,
  context: CallContext,
): Promise<boolean> {
  if (status === 409) return true
  if (!MAY_LACK_PARENTS.has(status)) return false
  return (await findPresence(url, context)) === true && isParentMissing(destination, context)
}

// The server behind a proxy that ends TLS refuses an https URL. nginx 1.22 and lighttpd 1.4 answer 400, Tomcat 10.1 403, Apache 2.4
// 502.
const REFUSES_URL: ReadonlySet<number> = new Set([400, 403, 502])
// Statuses with which servers refuse a path: mod_dav_svn 1.14 400, SOGo 403, chezdav 3.0 404, yaws 2.1 500, PEAR 502.
const REFUSES_PATH: ReadonlySet<number> = new Set([400, 403, 404, 500, 502])
// Refusals of a server that has understood the destination.
const UNDERSTANDS: ReadonlySet<number> = new Set([409, 412, 423, 424, 507])

/**
 * Sends the path of a destination alone, if the server may have refused its https URL. Remembers the form that a server
 * understands. RFC 4918, section 10.3.
 */
async function sendPath(
  request: TargetRequest,
  first: Outcome,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  const {session, verb} = context
  const {base, server} = session
  const {verdict, extent} = first
  const isKnown = base.protocol !== 'https:' || server.destinationForm !== undefined
  if (isKnown || verdict.ok || verdict.reason !== 'status' || !REFUSES_URL.has(verdict.status))
    return first
  const again = sentAgain(request)
  const destination = pathForm(request.destination ?? request.url)
  const headers: typeof verb.headers = (one) => ({...verb.headers(one, session), destination})
  const second = await exchange(
    extent === 'none' ? again : await withoutHarm(again, context),
    {...context, verb: {...verb, headers}},
    emit,
  )
  const {ok, status} = second.verdict
  if (!ok && REFUSES_PATH.has(status))
    return {...first, verdict: {...verdict, request: sentAgain(again)}}
  if (ok || UNDERSTANDS.has(status)) server.destinationForm = 'path'
  return second
}

/**
 * Takes the permission to overwrite from a repeated MOVE of a collection. An earlier attempt may have moved a part, and the server
 * would delete that part at the destination. RFC 4918, section 9.9.3.
 */
async function withoutHarm(request: TargetRequest, context: VerbContext): Promise<TargetRequest> {
  return !mayHarm(request) || (await isKnownPlain(request.url, context))
    ? request
    : changed(request, {overwrite: false})
}

function mayHarm({method, overwrite = false, attempts}: TargetRequest): boolean {
  return method === 'MOVE' && overwrite && attempts > 0
}

/**
 * Checks a 204 of lighttpd 1.4.69 without permission to overwrite. If a collection is at the destination, lighttpd puts a file into
 * it. RFC 4918, sections 9.8.5 and 9.9.4.
 */
async function withoutMerge(
  request: TargetRequest,
  outcome: Outcome,
  context: CallContext,
): Promise<Outcome> {
  const {url, destination = url} = request
  const {status} = outcome.verdict
  if ((await kindAt(destination, context)) !== 'collection') return outcome
  const description = `It was answered 204, but ${destination} is a collection, and it may be in there`
  const verdict = fail(request, {status, reason: 'status', description})
  return {verdict, extent: 'part', isDone: true}
}

function mayMerge({url, overwrite}: TargetRequest, {verdict, server = ''}: Outcome): boolean {
  const isPlain = overwrite !== true && !url.endsWith('/')
  return isPlain && verdict.ok && verdict.status === 204 && /^lighttpd\b/i.test(server)
}

/** Tells if a resource is known to be no collection. */
async function isKnownPlain(url: string, context: CallContext): Promise<boolean> {
  return (await kindAt(url, context)) === 'plain'
}

/** Reads the kind of a resource; `undefined` for a missing resource, or if nobody knows. */
async function kindAt(url: string, context: CallContext): Promise<ReturnType<typeof kindOf>> {
  try {
    const self = await readType(url, context)
    return self.ok ? kindOf(self.properties) : undefined
  } catch (error) {
    if (error instanceof DavError || error instanceof NotSentError) return undefined
    throw error
  }
}
