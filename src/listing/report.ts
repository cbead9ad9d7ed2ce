/** REPORT with a body of the caller: its options and its stream. RFC 3253, section 3.6. */

import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {DECODERS, mergeDecoders} from '../properties/decode.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import type {Depth} from '../protocol/depth.ts'
import {assertDepth} from '../protocol/depth.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, readOptions, SIGNAL} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {formatDocument, isElementToWrite} from '../xml/writer.ts'
import type {Checkpoint} from './checkpoint.ts'
import {resumeDepth} from './checkpoint.ts'
import type {ListingStream} from './propfind.ts'
import {streamListing} from './propfind.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of every call that asks a question of its own. */
export interface QuestionOptions<D extends Decoders = Decoders> {
  /** Decoders by property name, added to the client's. They type their properties. */
  readonly decoders?: (D & Decoders) | undefined
  /** The `checkpoint()` of a stopped call. The same request is then sent again, unless its answer was read to the end. */
  readonly resume?: Checkpoint | undefined
  /** The policy by which a refused or broken request is sent again. Default: the client's. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

export const QUESTION_OPTIONS: Rules<QuestionOptions> = {
  decoders: DECODERS,
  resume: ANY,
  retry: ANY,
  signal: SIGNAL,
  timeout: TIMEOUT,
}

/** Options of `report`. */
export interface ReportOptions<D extends Decoders = Decoders> extends QuestionOptions<D> {
  /** The XML document of the report: its text, or its root element. Its root names the report. */
  readonly body: string | ElementToWrite
  /**
   * The Depth header. A calendar-query or an addressbook-query needs 1 to reach the members. RFC 3253, section 3.6.
   *
   * @defaultValue 0
   */
  readonly depth?: Depth | undefined
}

const REPORT_OPTIONS: Rules<ReportOptions> = {...QUESTION_OPTIONS, body: ANY, depth: ANY}

/** Checks the options and makes the stream. Nothing is sent yet. */
export function report<P>(
  session: Session,
  target: Target,
  given: ReportOptions,
): ListingStream<P> {
  const options = readOptions('report', given, REPORT_OPTIONS)
  const {depth: asked = 0, resume} = options
  const depth: unknown = resume === undefined ? asked : resumeDepth(resume, options.depth)
  assertDepth(depth)
  const body = formatBody('report', options.body)
  const {href: url} = resolveTarget(target, session.base)
  const decoders = mergeDecoders(session.decoders, options.decoders)
  const question = {method: 'REPORT', url, root: url, depth, body, decoders, attempts: 0}
  return streamListing(session, {...question, mayBeContent: true}, options)
}

/**
 * Formats a body that the caller gave as text or as an element.
 *
 * @throws TypeError for any other value.
 */
export function formatBody(call: string, body: string | ElementToWrite | undefined): string {
  if (typeof body === 'string' && body.trim() !== '') return body
  if (isElementToWrite(body)) return formatDocument(body)
  throw new TypeError(`${call}: body is the text of an XML document, or its root element`)
}
