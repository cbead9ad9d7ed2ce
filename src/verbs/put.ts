/**
 * PUT: the request for a target and its body, and the meaning of the answers. Never to a collection: Radicale replaces all that is
 * in it, and CivetWeb and copyparty answer 2xx. RFC 4918, section 9.7; RFC 9110, section 9.3.4.
 */

import type {AnswerHead} from '../call/answer.ts'
import type {Conditions} from '../call/conditions.ts'
import {CONDITION_RULES, formatCreate, readConditions} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {
  findDestructiveProblem,
  isCollectionPath,
  isPlainReference,
  resolveTarget,
} from '../call/target.ts'
import type {AnyIterable, BulkOptions} from '../engine/many.ts'
import {BULK_OPTIONS, runMany} from '../engine/many.ts'
import type {VerbOptions} from '../engine/one.ts'
import {VERB_OPTIONS, runOne} from '../engine/one.ts'
import {payloadOf, withPayload} from '../engine/payload.ts'
import type {Outcome, TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {refuse, refuseLack, unclear} from '../engine/verdict.ts'
import {pathOf} from '../multistatus/failure.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {ResultStream, Sink} from '../multistatus/result-stream.ts'
import {openStream} from '../multistatus/source.ts'
import {messageOf} from '../protocol/errors.ts'
import {isWholeNumber, memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, callback, NUMBER, oneOf, readOptions, TEXT} from '../protocol/options.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import type {TransferProgress} from '../transfer/progress.ts'
import type {Content, Payload, UploadBody, UploadState} from '../transfer/upload.ts'
import {checkUploadBody, openUpload} from '../transfer/upload.ts'
import {isHeaderValue} from '../transport/headers.ts'
import {isStreamed} from '../transport/request-body.ts'
import {giveUp} from '../transport/transport.ts'
import {isSent, markSent, WithheldError} from '../transport/withheld.ts'
import {removeOwn} from './beside.ts'
import {checkChunkSize, checkUploadState, chooseStrategy, sendChunked} from './chunked.ts'
import {doubtOwnWrite} from './conflict.ts'
import {testConditions} from './condition-probe.ts'
import {sendSafely} from './safely.ts'
import {sendUpload} from './upload.ts'

/** The conditions of one upload, and the facts about its body. */
interface UploadFacts extends Conditions {
  /**
   * The media type, sent as Content-Type. Most servers go by the name instead; Cyrus keeps it. An upload in chunks has none. Bun adds
   * a type of its own to a Blob without one, and to a file of more than 64 KiB.
   *
   * @defaultValue the type of a Blob; else none
   */
  readonly type?: string | undefined
  /**
   * The number of bytes of a stream. A stream with more or fewer bytes breaks the exchange. Any other body has its own length, and
   * another one here is refused.
   */
  readonly length?: number | undefined
  /**
   * Writes only where nothing is: sent as `If-None-Match: *`. A resource there is a Failure 412. nginx, rclone, x/net, chezdav and
   * yaws ignore it; see `requireConditions` and `safely`. RFC 9110, section 13.1.2.
   *
   * @defaultValue `false`
   */
  readonly create?: boolean | undefined
}

interface PutRules {
  /**
   * Makes the missing collections around the target, up to the client's own, and sends the body again. A stream that is sent as it
   * comes gets them before.
   *
   * @defaultValue `false`: a missing parent is a Failure 409
   */
  readonly parents?: boolean | undefined
  /**
   * Asks the server, once for each client, whether it honours If-Match and If-None-Match. The probe is a resource of its own beside
   * the target, which is removed. After the end of the call it may be left. If the server ignores the condition, the target is a
   * Failure `refused`.
   *
   * @defaultValue `false`
   */
  readonly requireConditions?: boolean | undefined
  /**
   * Uploads to a free name in the same collection, checks the length there, and moves it over the target. A failed upload then
   * leaves the old content as it was. With `ifMatch`, an If header guards the MOVE, and a PROPFIND just before it. After the end of
   * the call, the upload may be left beside the target.
   *
   * @defaultValue `false`
   */
  readonly safely?: boolean | undefined
  /**
   * Compares the stored length with the bytes that were sent, by PROPFIND after each success: a 201 is no proof on a full disk.
   * Another length is a Failure with the status of that success. If the server tells no length, the verdict is `no-answer`.
   *
   * @defaultValue `false`
   */
  readonly verify?: boolean | undefined
  /**
   * The treatment of a stream that cannot be sent with a Content-Length. `spool` collects it first. Under Node, Bun and Deno that is
   * a temporary file of at most 16 GiB, elsewhere a Blob of at most 1 GiB. `send` sends it in chunks, which Radicale and SOGo
   * refuse, and of which uWSGI and PyWebDAV3 store nothing. `refuse` makes a Failure `refused`.
   *
   * With undici, a stream with a `length` has a Content-Length. With `fetch`, no stream has one. Of the browsers, only Chromium sends
   * streams, and only over HTTP/2. The others read the whole stream first, as `spool` does.
   *
   * @defaultValue `spool`
   */
  readonly unknownLength?: 'spool' | 'send' | 'refuse' | undefined
  /**
   * The protocol of a body that is longer than `chunkSize`. In chunks, only the chunk that breaks is sent again. The resource is
   * untouched until the last step, as with `safely`. Before that, the conditions are compared by PROPFIND.
   *
   * - `plain`: one PUT.
   * - `nextcloud`: chunked upload v2, for targets in `/remote.php/dav/files/` and a user. A failed or aborted upload is removed from the
   *   server, unless `onUpload` is given or the last step had begun.
   * - `tus`: TUS 1.0, as of ownCloud Infinite Scale and OpenCloud.
   * - `auto`: the protocol that the server has told in its answer to an earlier `options`, else `plain`.
   *
   * @defaultValue `auto`
   */
  readonly strategy?: 'auto' | 'plain' | 'nextcloud' | 'tus' | undefined
  /**
   * Bytes of one chunk, from 1 to 5 GiB. For Nextcloud it is raised to 5 MiB, and to a 10,000th of the body. Of a stream, one chunk
   * is kept on disk, or in memory in a browser.
   *
   * @defaultValue 10,485,760
   */
  readonly chunkSize?: number | undefined
  /**
   * Allows targets outside the client's own collection, and results that are `outside` or could not be listed. Also names with a
   * control character, and names that some servers read as the collection around them.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
}

/** Options of `put`. */
export interface PutOptions extends UploadFacts, PutRules, VerbOptions {
  /**
   * Called with the progress, at most ten times a second and always at the end. A body that is sent again begins at zero. An error
   * that it throws ends the call. `fetch` shows no progress of a body that is no stream, so there it is called at the end only.
   */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined
  /**
   * The state of an upload in chunks, from `onUpload` of an earlier call or process. It goes on behind the chunks that the server
   * has, also of a stream that begins anew. If the body has another length or time, or the server has lost the upload, it begins
   * anew.
   *
   * @defaultValue none
   */
  readonly upload?: UploadState | undefined
  /**
   * Called with the state of an upload in chunks: when it begins, and before its last step. Keep the last one until the call has a
   * Success. The next request waits for a returned promise. An error ends the call. Not called for a stream without a `length`.
   */
  readonly onUpload?: ((state: UploadState) => void | Promise<void>) | undefined
}

/** One upload of a bulk call. An unknown member is a TypeError, because a misspelt condition would be no condition. */
export interface Upload extends UploadFacts {
  /** The resource to write: a URL reference, a `URL` or a result. */
  readonly href: Target
  /** The body. */
  readonly body: UploadBody
}

/** Options of `putMany`. */
export interface PutManyOptions extends PutRules, BulkOptions {}

/** The options of a single upload that are no plain data of its request. */
type Extras = Pick<Payload, 'onProgress' | 'upload' | 'onUpload'>

const UPLOAD_FACTS: Rules<UploadFacts> = {
  type: TEXT,
  length: NUMBER,
  create: BOOLEAN,
  ...CONDITION_RULES,
}
const PUT_RULES: Rules<PutRules> = {
  parents: BOOLEAN,
  requireConditions: BOOLEAN,
  safely: BOOLEAN,
  verify: BOOLEAN,
  unknownLength: oneOf('spool', 'send', 'refuse'),
  strategy: oneOf('auto', 'plain', 'nextcloud', 'tus'),
  chunkSize: NUMBER,
  unguarded: BOOLEAN,
}
const PUT_OPTIONS: Rules<PutOptions> = {
  ...UPLOAD_FACTS,
  ...PUT_RULES,
  ...VERB_OPTIONS,
  onProgress: callback('the progress'),
  upload: ANY,
  onUpload: callback('the state'),
}
const PUT_MANY_OPTIONS: Rules<PutManyOptions> = {...PUT_RULES, ...BULK_OPTIONS}
const UPLOAD: Rules<Upload> = {...UPLOAD_FACTS, href: ANY, body: ANY}

/** The rules of PUT for the engine. */
export const PUT: Verb = {
  method: 'PUT',
  hasPayload: true,
  followsRedirects: true,
  headers: ({type}) => (type === undefined ? {} : {'content-type': type}),
  isDone: () => false,
  forMember: () => undefined,
  run,
  conclude,
  reconsider: async (request, verdict) => doubtOwnWrite(request, verdict),
  check({url, chunkSize}) {
    refuseCollection(url)
    checkChunkSize(chunkSize)
  },
  guard: ({url}, {base}) => findDestructiveProblem({method: 'PUT', url: new URL(url), base}),
}

/** Uploads one body. */
export async function putOne(
  session: Session,
  target: Target,
  body: UploadBody,
  given: PutOptions = {},
): Promise<DavResult> {
  const options = readOptions('put', given, PUT_OPTIONS)
  const {onProgress, upload, onUpload} = options
  const extras = {onProgress, upload, onUpload}
  const request = settleOrEnd(session, {...options, href: target, body}, options, extras)
  return runOne(session, PUT, request, options)
}

/** Makes the stream of a bulk PUT. Nothing is sent yet. */
export function putMany(
  session: Session,
  uploads: AnyIterable<Upload>,
  given: PutManyOptions = {},
): ResultStream {
  const options = readOptions('putMany', given, PUT_MANY_OPTIONS)
  return runMany<Upload>(session, PUT, {
    name: 'putMany',
    targets: uploads,
    options,
    settle: (upload) => settleOrEnd(session, readOptions('an upload', upload, UPLOAD), options),
    hrefOf: (upload) => memberOf(upload, 'href'),
  })
}

/** Settles an upload. The stream of one that must not be sent is ended. */
function settleOrEnd(
  session: Session,
  upload: Upload,
  options: PutRules & VerbOptions,
  extras: Extras = {},
): TargetRequest | Failure {
  let request: TargetRequest | Failure | undefined
  try {
    const settled = settle(session, upload, options, extras)
    request = 'ok' in settled ? settled : (refuseLack(session, settled, options) ?? settled)
    return request
  } finally {
    const isRefused = request === undefined || 'ok' in request
    if (isRefused && options.dryRun !== true) endUnread(upload.body, 'a refused PUT')
  }
}

/**
 * Ends a stream that was not read, because it may hold a file or a connection open. It counts as read, because it would make an
 * empty resource now.
 */
function endUnread(body: UploadBody, url: string): void {
  if (!isStreamed(body) || isSent(body) || ('locked' in body && body.locked)) return
  markSent(body, {method: 'PUT', url})
  void giveUp(async () => openStream(body).return())
}

/**
 * Makes the request for an upload, or the Failure `refused` of one that must not be sent.
 *
 * @throws TypeError or RangeError for an invalid upload, and for a target that the guards refuse.
 */
function settle(
  session: Session,
  upload: Upload,
  rules: PutRules,
  extras: Extras,
): TargetRequest | Failure {
  const {href, body, length, create = false, ifMatch} = upload
  const {parents, requireConditions, safely, verify, unknownLength, unguarded = false} = rules
  const {strategy = 'auto', chunkSize} = rules
  const {base} = session
  checkUploadBody(body)
  const type = upload.type ?? typeOf(body)
  if (type !== undefined && (type === '' || !isHeaderValue(type)))
    throw new TypeError('type is a media type such as text/plain')
  if (length !== undefined && !isWholeNumber(length))
    throw new RangeError('length is a whole number of bytes')
  const ifNew = formatCreate(create, ifMatch)
  if (requireConditions === true && !create && ifMatch === undefined)
    throw new TypeError('requireConditions needs a condition: create or ifMatch')
  const isPlain = isPlainReference(href)
  const url = isPlain ? base.href + href : resolveTarget(href, base).href
  refuseCollection(url)
  checkChunkSize(chunkSize)
  checkUploadState(extras.upload, url)
  const problem =
    unguarded || isPlain
      ? undefined
      : findDestructiveProblem({method: 'PUT', url: new URL(url), base, target: href})
  const found = problem === undefined ? readConditions(url, upload, {url, base}) : {problem}
  if (found.problem !== undefined)
    return refuse(href, session, `PUT ${url} is not sent: ${found.problem}`)
  const conditions = {...found.conditions, ...ifNew}
  const request: TargetRequest = {
    method: 'PUT',
    url,
    ...(type !== undefined && {type}),
    ...(parents === true && {parents}),
    ...(requireConditions === true && {requireConditions}),
    ...(safely === true && {safely}),
    ...(verify === true && {verify}),
    ...(strategy !== 'auto' && {strategy}),
    ...(chunkSize !== undefined && {chunkSize}),
    ...(Object.keys(conditions).length > 0 && {conditions}),
    attempts: 0,
  }
  return withPayload(request, {body, length, unknownLength, ...extras})
}

/** Reads the type of a Blob. */
function typeOf(body: UploadBody): string | undefined {
  const type = body instanceof Blob ? body.type : ''
  return type === '' ? undefined : type
}

/**
 * Refuses the URL of a collection, also one that ends with an escaped slash.
 *
 * @throws TypeError
 */
function refuseCollection(url: string): void {
  if (!isCollectionPath(pathOf(url))) return
  throw new TypeError(`PUT ${url} is refused: a collection has no content`)
}

/** URLs of resources of the client's own that may be left after any attempt at an upload. */
const LEFT = new WeakMap<Payload, Set<string>>()

/** Sends an upload. Removes resources that an earlier attempt left, and tells of those that may still be there. */
async function run(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  const payload = payloadOf(request)
  if (payload === undefined) return refused(request, context, 'its body is not known')
  const left = LEFT.get(payload) ?? new Set()
  for (const url of left) await removeOwn(url, request, context, left)
  let outcome: Outcome
  try {
    outcome = await open(request, context, emit, payload, left)
  } finally {
    endUnread(payload.body, request.url)
    if (left.size > 0) LEFT.set(payload, left)
  }
  if (left.size === 0) return outcome
  const {verdict} = outcome
  const sentences = [verdict.description, ...Array.from(left, (url) => `${url} may be left`)]
  return {...outcome, verdict: {...verdict, description: sentences.filter(Boolean).join('. ')}}
}

function refused({url}: TargetRequest, {session}: VerbContext, why: string): Outcome {
  const verdict = refuse({url}, session, `PUT ${url} is not sent: ${why}`)
  return {verdict, extent: 'none', isDone: false}
}

/** Tests the conditions if that is wanted, opens the body, and sends it. */
async function open(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
  payload: Payload,
  left: Set<string>,
): Promise<Outcome> {
  const problem =
    request.requireConditions === true ? await testConditions(request, context, left) : undefined
  if (problem !== undefined) return refused(request, context, problem)
  const strategy = chooseStrategy(request, payload, context.session)
  // A stream is cut as it comes. TUS needs its length before.
  const isCut = strategy === 'nextcloud' || (strategy === 'tus' && payload.length !== undefined)
  const unknownLength = isCut ? 'send' : payload.unknownLength
  let content: Content
  try {
    content = await openUpload({...payload, unknownLength}, request.url, context)
  } catch (error) {
    if (error instanceof NotSentError || error instanceof WithheldError) throw error
    return refused(request, context, messageOf(error))
  }
  try {
    const plain = request.safely === true ? sendSafely : sendUpload
    const sending = {content, left, onProgress: payload.onProgress}
    if (strategy === undefined) return await plain(request, context, emit, sending)
    return await sendChunked(request, context, emit, {...sending, payload, strategy, plain})
  } finally {
    await content.spooled?.remove()
  }
}

/** Adds the ETag of a Success. A 207 is no success, because a PUT has no members. */
function conclude(
  request: TargetRequest,
  verdict: DavResult,
  {status, etag}: AnswerHead,
): DavResult {
  if (!verdict.ok) return verdict
  if (status === 207) return unclear(request, 'unreadable', 'The PUT was answered with a 207')
  return etag === undefined || etag === '' ? verdict : {...verdict, etag}
}
