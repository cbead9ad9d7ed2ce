/**
 * PROPPATCH: sets and removes properties of a resource, all or none. The verdict is a Success only if the server has confirmed each
 * of them. RFC 4918, section 9.2.
 */

import type {AnswerHead, MultiStatusAnswer, PlainAnswer} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {ConditionalTarget, Conditions} from '../call/conditions.ts'
import {
  assertConditionNames,
  CONDITION_RULES,
  isConditional,
  readConditions,
} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import type {VerbOptions} from '../engine/one.ts'
import {VERB_OPTIONS, runOne} from '../engine/one.ts'
import type {TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {fail, refuse, succeed, unclear} from '../engine/verdict.ts'
import type {DavResult, Failure, PropertyFailure, Success} from '../multistatus/result.ts'
import type {PropertyUpdate} from '../properties/proppatch-body.ts'
import {formatProppatch, readInstructions} from '../properties/proppatch-body.ts'
import type {Properties} from '../properties/vocabulary.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, readOptions, RECORD, TEXTS} from '../protocol/options.ts'
import {XML_TYPE} from '../xml/writer.ts'
import {findUnset} from './read-back.ts'

/** Options of `proppatch`. Give `set`, `remove` or both. */
export interface ProppatchOptions extends PropertyUpdate, Conditions, VerbOptions {
  /**
   * Reads the properties back after a success, and compares them. Some servers answer 200 and store nothing: Cyrus 3.6, DAViCal
   * 1.1 and svn 1.14 for files. Each property that differs stands in `missing` with the status of that success. If the check
   * fails, the verdict is `no-answer`.
   *
   * @defaultValue `false`
   */
  readonly verify?: boolean | undefined
}

const PROPPATCH_OPTIONS: Rules<ProppatchOptions> = {
  ...VERB_OPTIONS,
  set: RECORD,
  remove: TEXTS,
  verify: BOOLEAN,
  ...CONDITION_RULES,
}

/** The rules of PROPPATCH for the engine. */
export const PROPPATCH: Verb = {
  method: 'PROPPATCH',
  headers: () => ({'content-type': XML_TYPE}),
  isDone: () => false,
  forMember: () => undefined,
  conclude,
  reconsider,
  verify,
  guard: () => undefined,
}

/** Sets and removes properties of one resource. */
export async function proppatch(
  session: Session,
  target: Target | ConditionalTarget,
  given: ProppatchOptions,
): Promise<DavResult> {
  const options = readOptions('proppatch', given, PROPPATCH_OPTIONS)
  assertConditionNames(target)
  const {base} = session
  const {href: url} = resolveTarget(isConditional(target) ? target.href : target, base)
  const body = formatProppatch(options)
  const {conditions, problem} = readConditions(target, options, {url, base})
  if (problem !== undefined)
    return refuse(target, session, `PROPPATCH ${url} is not sent: ${problem}`)
  const request = {
    method: 'PROPPATCH',
    url,
    ...(conditions !== undefined && {conditions}),
    ...(options.verify === true && {verify: true}),
    body,
    attempts: 0,
  }
  return runOne(session, PROPPATCH, request, options)
}

/** Makes a Failure of a success that does not name each property, and completes the properties of a Failure. */
function conclude(
  request: TargetRequest,
  verdict: DavResult,
  {status}: AnswerHead,
  answer: PlainAnswer | MultiStatusAnswer<Properties>,
): DavResult {
  if (answer.kind === 'plain') {
    const isOther = verdict.ok && answer.excerpt.trim() !== ''
    const sentence = `The PROPPATCH was answered ${status}, and its body names no property`
    return isOther ? unclear(request, 'unreadable', sentence) : verdict
  }
  if (!verdict.ok && verdict.reason !== 'propstat') return verdict
  const named = new Set(verdict.missing.map(({name}) => name))
  const confirmed: Readonly<Record<string, unknown>> = verdict.ok ? verdict.properties : {}
  const hasFailed = named.size > 0 || !verdict.ok
  // lighttpd 1.4 and webdav-server 2.6 leave out the properties that they did not store because of another one.
  const description = hasFailed
    ? 'Not named as failed, but all properties are set or none'
    : 'The answer does not name it'
  const left = readInstructions(request.body ?? '')
    .filter(({name}) => !named.has(name) && (hasFailed || !Object.hasOwn(confirmed, name)))
    .map(({name}) => ({name, status: 0, conditions: [], description}))
  const missing = [...verdict.missing.map(explain), ...left]
  if (!verdict.ok) return {...verdict, missing}
  const [first] = missing
  if (first === undefined) return {...verdict, properties: {}}
  const facts = {
    status: first.status,
    reason: 'propstat',
    description: verdict.description,
  } as const
  return fail(request, {...facts, missing})
}

/** Adds the meaning of a 424: the server would have set this property. RFC 4918, section 9.2.1. */
function explain(property: PropertyFailure): PropertyFailure {
  return property.status === 424
    ? {description: 'Not done because another property failed', ...property}
    : property
}

/** Reads the properties after a refusal that an earlier attempt may have preceded: it may have set them, and changed the ETag. */
async function reconsider(
  request: TargetRequest,
  verdict: Failure,
  context: VerbContext,
): Promise<DavResult | undefined> {
  const {status} = verdict
  if (context.mayBeDone !== true) return undefined
  const unset = await findUnset(request, status, context)
  if ('ok' in unset) return undefined
  return unset.length === 0 ? succeed(request, status) : verdict
}

/** Checks that the properties of a Success are as they were set. */
async function verify(
  request: TargetRequest,
  verdict: Success,
  context: CallContext,
): Promise<DavResult> {
  const {status} = verdict
  const missing = await findUnset(request, status, context)
  if ('ok' in missing) return missing
  const description = `Not all is as it was set by a PROPPATCH that was answered ${status}`
  return missing.length === 0
    ? verdict
    : fail(request, {status, reason: 'propstat', missing, description})
}
