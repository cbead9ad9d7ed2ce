/**
 * GET: the request for the content of a resource, and the meaning of the answers. A collection has no content. RFC 9110, section
 * 9.3.1.
 */

import {causeOf} from '../call/answer.ts'
import type {OpenCall} from '../call/call.ts'
import {openCall} from '../call/call.ts'
import {formatETag, readConditions} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import {resolveRetry} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveHref} from '../call/target.ts'
import {refuse, succeed} from '../engine/verdict.ts'
import {readType} from '../listing/type.ts'
import {failureOf} from '../listing/query.ts'
import type {FailureFacts} from '../multistatus/failure.ts'
import {createFailure, pathOf} from '../multistatus/failure.ts'
import type {DavResult, Failure, FailureCause, Success} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import {isCollection} from '../multistatus/selection.ts'
import {RESUME_ATTEMPTS} from '../protocol/bounds.ts'
import type {ShowCaller} from '../protocol/caller.ts'
import {captureCaller} from '../protocol/caller.ts'
import type {ByteRange} from '../protocol/byte-range.ts'
import {readRange} from '../protocol/byte-range.ts'
import {DavError, MultiStatusError} from '../protocol/errors.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, callback, readOptions, SIGNAL, TEXT} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import {Repeats} from '../retry/repeats.ts'
import {Content} from '../transfer/content.ts'
import type {Download} from '../transfer/download.ts'
import {createDownload} from '../transfer/download.ts'
import type {Part, PartRequest} from '../transfer/part.ts'
import {PartError, sendGet} from '../transfer/part.ts'
import type {TransferProgress} from '../transfer/progress.ts'
import {ElsewhereError} from '../transport/redirects.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of `get` and `download`. */
export interface ReadOptions {
  /**
   * The ETag of the resource, as the server wrote it. A resource with another ETag, or with none, is a Failure 412, even from a
   * server that ignores If-Match. A weak ETag never matches, so it makes a Failure `refused`. RFC 9110, section 13.1.1.
   */
  readonly ifMatch?: string | undefined
  /**
   * The ETag of your copy. A resource with this ETag is a Failure 304, even from a server that ignores If-None-Match. RFC 9110,
   * section 13.1.2.
   */
  readonly ifNoneMatch?: string | undefined
  /** Called with the number of received bytes, at most every 100 ms, and at the end of the content. */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined
  /** The policy by which a refused or broken request is sent again, until the content begins. Default: the client's. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, the content included. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

/** Options of `get`. */
export interface GetOptions extends ReadOptions {
  /**
   * The range of bytes to read. If a server ignores it and sends all, the bytes before and behind the range are left out; the
   * status is then 200. A server may send the beginning of the range only: see `range` of the {@link Download}, and `resume`. A
   * range behind the end of the resource is a Failure 416. RFC 9110, section 14.
   *
   * @defaultValue the whole resource
   */
  readonly range?: ByteRange | undefined
  /**
   * Goes on after a break in the content, and after a part of the range, by a request for the rest. The resource needs a strong
   * ETag, unless no byte was read yet. A change of the resource is an error. `retry` tells how often and how soon; each received
   * byte begins the count again. Default: 5 attempts. RFC 9110, section 13.1.5.
   *
   * @defaultValue `false`
   */
  readonly resume?: boolean | undefined
}

export const READ_OPTIONS: Rules<ReadOptions> = {
  ifMatch: TEXT,
  ifNoneMatch: TEXT,
  onProgress: callback('the progress'),
  retry: ANY,
  signal: SIGNAL,
  timeout: TIMEOUT,
}
const GET_OPTIONS: Rules<GetOptions> = {...READ_OPTIONS, range: ANY, resume: BOOLEAN}

/** Resolves with the resource and its unread content. */
export async function get(
  session: Session,
  target: Target,
  given: GetOptions = {},
): Promise<Download | Failure> {
  const showCaller = captureCaller(get)
  const opened = await open(session, target, readOptions('get', given, GET_OPTIONS), showCaller)
  if ('ok' in opened) return opened
  const {success, part, request, content} = opened
  return createDownload(success, part, request, content)
}

const COLLECTION = 'it is a collection, which has no content'

/** A resource with its unread content. */
interface Opened {
  readonly success: Success
  readonly request: PartRequest
  readonly part: Part
  readonly content: Content
}

/**
 * Sends the request for a resource, and opens its content.
 *
 * @throws TypeError or RangeError for an invalid target or option; the error of a broken exchange.
 */
export async function open(
  session: Session,
  target: Target,
  options: GetOptions,
  showCaller: ShowCaller,
): Promise<Opened | Failure> {
  const {ifMatch, ifNoneMatch, onProgress, resume = false, signal, timeout} = options
  const url = resolveHref(target, session.base)
  const range = options.range === undefined ? undefined : readRange(options.range)
  const {conditions, problem} =
    ifMatch === undefined ? {} : readConditions(url, {ifMatch}, {url, base: session.base})
  const refusal = pathOf(url).endsWith('/') ? COLLECTION : problem
  if (refusal !== undefined) return refuse(target, session, `GET ${url} is not sent: ${refusal}`)
  const headers = {
    ...conditions,
    ...(ifNoneMatch !== undefined && {'if-none-match': formatETag(ifNoneMatch, 'ifNoneMatch')}),
  }
  const request = {url, headers, range}
  const policy = resolveRetry(session, options)
  // Two requests at once: a PROPFIND may be needed while the content is unread.
  const settings = {policy, concurrency: 2, minimum: 2, signal, timeout}
  return await openCall(session, settings, showCaller, async (call) => {
    const answer = await send(request, call)
    if ('ok' in answer) {
      call.close()
      return answer
    }
    const {attempts, part} = answer
    const failure =
      findMismatch(part, request) ??
      (mayBeCollection(part) ? await findCollection(part, request, call) : undefined)
    if (failure !== undefined) {
      // Ends the unread content.
      call.connection.stop()
      call.close()
      return failure
    }
    const {etag, status, url: answerer} = part
    const success = succeed({method: 'GET', url: answerer, attempts}, status)
    const repeats = resume ? (call.connection.repeats ?? defaultRepeats(call)) : undefined
    const content = new Content({call, request, part, repeats, onProgress})
    call.endWith(content)
    return {success: {...success, ...(etag !== undefined && {etag})}, request, part, content}
  })
}

function defaultRepeats({connection: {ending, pace}}: OpenCall): Repeats {
  return new Repeats(resolvePolicy(RESUME_ATTEMPTS), pace, ending)
}

/** Sends the request as often as the policy allows. A refusal is a Failure; the error of a broken exchange is thrown. */
async function send(
  request: PartRequest,
  call: OpenCall,
): Promise<{readonly part: Part; readonly attempts: number} | Failure> {
  for (let attempts = 0; ; attempts++) {
    try {
      return {part: await sendGet(request, call), attempts}
    } catch (error) {
      if (!(error instanceof DavError)) throw error
      const failure = verdictOf(error, request.url)
      const wait = call.connection.repeats?.next(attempts + 1, [failure])
      if (wait !== undefined) await wait()
      else if (failure.reason === 'no-answer') throw error
      else return failure
    }
  }
}

function verdictOf(error: DavError, url: string): Failure {
  const {message: description} = error
  if (error instanceof PartError)
    return createFailure({url, status: error.status, reason: 'malformed', description})
  return error instanceof ElsewhereError
    ? createFailure({url, status: 0, reason: 'refused', description})
    : failureOf(error, url, 'self')
}

/** Finds a condition or a range that the server ignored. */
function findMismatch(
  {etag, status, total}: Part,
  {url, headers, range}: PartRequest,
): Failure | undefined {
  const fail = (facts: Omit<FailureFacts, 'url'>): Failure => createFailure({url, ...facts})
  const {'if-match': ifMatch = '*', 'if-none-match': ifNoneMatch} = headers
  if (ifMatch !== '*' && bare(etag) !== bare(ifMatch)) {
    const description = `The server ignored If-Match, and the ETag is ${etag ?? 'not told'}`
    return fail({status: 412, reason: 'status', description})
  }
  if (ifNoneMatch !== undefined && bare(weakened(etag)) === bare(weakened(ifNoneMatch))) {
    const description = 'The server ignored If-None-Match, and the ETag is the same'
    return fail({status: 304, reason: 'status', description})
  }
  if (status !== 206 && range !== undefined && total !== undefined && range.start >= total) {
    const description = `The server ignored the range, and the resource has ${total} bytes`
    return fail({status: 416, reason: 'status', description})
  }
  return undefined
}

/** Recognizes a listing for people, and the answer of nephele alpha.67 for a collection. */
function mayBeCollection({etag, lastModified, status, type = '', url}: Part): boolean {
  const isDated = etag !== undefined || lastModified !== undefined
  return pathOf(url).endsWith('/') || status === 204 || (!isDated && /html/i.test(type))
}

/** Finds the reason why the answer of a collection has not the content that was asked for. */
async function findCollection(
  {status, url: answerer}: Part,
  {url}: PartRequest,
  call: OpenCall,
): Promise<Failure | undefined> {
  const doubtful = (cause: FailureCause, words: string): Failure => {
    const description = `It may be a collection, and PROPFIND ${words}`
    return createFailure({url, status: 0, reason: 'no-answer', cause, description})
  }
  let self: DavResult | undefined
  try {
    if (!pathOf(answerer).endsWith('/')) self = await readType(url, call)
  } catch (error) {
    if (!(error instanceof DavError) || call.connection.isEnd(error)) throw error
    // A web server that answers every method with a page has no collections.
    if (error instanceof MultiStatusError && error.reason === 'not-multistatus') return undefined
    return doubtful(causeOf(error), `failed: ${error.message}`)
  }
  if (self === undefined || isCollection(self) === true)
    return createFailure({
      url,
      status,
      reason: 'refused',
      description: `The answer is not sent on: ${COLLECTION}`,
    })
  // A server without PROPFIND has no collections. A busy one does not tell.
  return self.ok || !isRetryable(self)
    ? undefined
    : doubtful('unreadable', `was answered ${self.status}`)
}

function weakened(etag: string | undefined): string | undefined {
  return etag?.replace(/^W\//i, '')
}

/** Removes the quotes of an ETag, which some servers leave out, and the suffix of an answer that Apache compressed. */
function bare(etag: string | undefined): string | undefined {
  return etag?.replace(/^"(.*)"$/s, '$1').replace(/-gzip$/, '')
}
