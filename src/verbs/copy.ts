/** COPY: the request for a source and a destination, and the meaning of the answers. RFC 4918, section 9.8. */

import type {Conditions} from '../call/conditions.ts'
import {CONDITION_RULES} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import type {AnyIterable, BulkOptions} from '../engine/many.ts'
import {BULK_OPTIONS, runMany} from '../engine/many.ts'
import type {VerbOptions} from '../engine/one.ts'
import {VERB_OPTIONS, runOne} from '../engine/one.ts'
import type {TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {isPresent} from '../listing/presence.ts'
import {succeed} from '../engine/verdict.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import {formatDepth} from '../protocol/depth.ts'
import type {Rule, Rules} from '../protocol/options.ts'
import {readOptions} from '../protocol/options.ts'
import type {FromTo, TwoEndsRules} from './two-ends.ts'
import {
  arrived,
  checkEnds,
  concludePair,
  guardEnds,
  memberPair,
  runPair,
  settlePair,
  sourceOf,
  TWO_ENDS_RULES,
  twoEndsHeaders,
} from './two-ends.ts'

interface CopyRules extends TwoEndsRules {
  /**
   * The reach of the copy: `'infinity'` for everything in a collection, `0` for the collection without its members.
   *
   * @defaultValue `'infinity'`
   */
  readonly depth?: 0 | 'infinity' | undefined
}

/** Options of `copy`. */
export interface CopyOptions extends CopyRules, Conditions, VerbOptions {}

/** Options of `copyMany`. */
export interface CopyManyOptions extends CopyRules, BulkOptions {}

const DEPTH: Rule = {
  words: "0 or 'infinity'",
  accepts: (value) => value === 0 || value === 'infinity',
}
const COPY_RULES: Rules<CopyRules> = {...TWO_ENDS_RULES, depth: DEPTH}
const COPY_OPTIONS: Rules<CopyOptions> = {
  ...COPY_RULES,
  ...VERB_OPTIONS,
  ...CONDITION_RULES,
}
const COPY_MANY_OPTIONS: Rules<CopyManyOptions> = {...COPY_RULES, ...BULK_OPTIONS}

/** The rules of COPY for the engine. */
export const COPY: Verb = {
  method: 'COPY',
  headers: (request, session) => ({
    ...twoEndsHeaders(request, session),
    depth: formatDepth(request.depth === 0 ? 0 : 'infinity'),
  }),
  ends: ({url, destination = url}) => ({changed: [destination], read: [url]}),
  isDone: () => false,
  // A COPY that overwrites replaces its earlier copies, and Tomcat 10.1 ends it at a locked member of the old resource.
  forMember: (request, member) =>
    request.overwrite === true ? undefined : memberPair(request, member),
  afterMembers: (request) => arrived(request, succeed(request, 207)),
  run: runPair,
  conclude: concludePair,
  // A resource at the destination proves nothing after a lost answer: it may be old, or lack members.
  reconsider,
  check: checkEnds,
  guard: guardEnds,
}

/** Looks for a copy of an earlier attempt. Without one the failure is certain; a resource there may be that copy or not. */
async function reconsider(
  {destination = ''}: TargetRequest,
  verdict: Failure,
  context: VerbContext,
): Promise<Failure | undefined> {
  if (context.mayBeDone !== true || verdict.reason !== 'status') return undefined
  return (await isPresent(destination, context)) ? undefined : verdict
}

/** Copies one resource. */
export async function copyOne(
  session: Session,
  from: Target,
  to: Target,
  given: CopyOptions = {},
): Promise<DavResult> {
  const options = readOptions('copy', given, COPY_OPTIONS)
  const {ifMatch, lockToken, lockRoot, depth = 'infinity'} = options
  const call = {...options, method: 'COPY', depth} as const
  return runOne(
    session,
    COPY,
    settlePair(session, {from, to, ifMatch, lockToken, lockRoot}, call),
    options,
  )
}

/** Makes the stream of a bulk COPY. Nothing is sent yet. */
export function copyMany(
  session: Session,
  pairs: AnyIterable<FromTo>,
  given: CopyManyOptions = {},
): ResultStream {
  const options = readOptions('copyMany', given, COPY_MANY_OPTIONS)
  const call = {depth: 'infinity', ...options, method: 'COPY'} as const
  return runMany<FromTo>(session, COPY, {
    name: 'copyMany',
    targets: pairs,
    options,
    settle: (pair) => settlePair(session, pair, call),
    hrefOf: sourceOf,
  })
}
