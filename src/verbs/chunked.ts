/**
 * Uploads a body in chunks, by the protocol of the server. The target is untouched until the last step, and another process can go
 * on with the upload. Knows no protocol.
 */

import {runCall} from '../call/call.ts'
import type {Session} from '../call/session.ts'
import type {Outcome, TargetRequest, VerbContext} from '../engine/verb.ts'
import {fail, isUnclear, succeed, unclear, failUnsent} from '../engine/verdict.ts'
import {isPresent} from '../listing/presence.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {
  CHUNK_BYTES,
  DAY_MILLISECONDS,
  DISCARD_MILLISECONDS,
  LONGEST_CHUNK_BYTES,
  MAX_CHUNKS,
  SHORTEST_CHUNK_BYTES,
} from '../protocol/bounds.ts'
import {messageOf} from '../protocol/errors.ts'
import {isWholeNumber, memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {assertMembers, NUMBER, oneOf, TEXT} from '../protocol/options.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import {openChunks} from '../transfer/chunks.ts'
import {ByteMeter} from '../transfer/progress.ts'
import type {Payload, UploadState} from '../transfer/upload.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {ChunkedUpload, ChunkProtocol, Gone} from './chunk-protocol.ts'
import {failForParent, makeParents} from './mkcol.ts'
import {nextcloud, uploadsOf} from './nextcloud.ts'
import {findObstacle, lookAgain, retell, UNTOUCHED} from './safely.ts'
import {checkLength, look} from './stored-length.ts'
import {tus} from './tus.ts'
import type {Sending} from './upload.ts'

type Strategy = UploadState['strategy']

const UPLOAD_STATE: Rules<UploadState> = {
  strategy: oneOf('nextcloud', 'tus'),
  url: TEXT,
  target: TEXT,
  size: NUMBER,
  chunkSize: NUMBER,
  modified: NUMBER,
  former: TEXT,
}

/**
 * Checks the length of chunks.
 *
 * @throws RangeError
 */
export function checkChunkSize(size: number = CHUNK_BYTES): void {
  if (!isWholeNumber(size, 1) || size > LONGEST_CHUNK_BYTES)
    throw new RangeError('chunkSize is a whole number of bytes, from 1 to 5 GiB')
}

/**
 * Checks the state of an upload to a URL.
 *
 * @throws TypeError or RangeError
 */
export function checkUploadState(given: UploadState | undefined, url: string): void {
  if (given === undefined) return
  assertMembers('upload', given, UPLOAD_STATE, 'former')
  const {target, chunkSize} = given
  if (target !== url) throw new TypeError(`upload is one of ${target}, and not of ${url}`)
  checkChunkSize(chunkSize)
}

/** Chooses the protocol of an upload; `undefined` for a plain PUT. */
export function chooseStrategy(
  {strategy, url}: TargetRequest,
  {upload}: Payload,
  {server}: Session,
): Strategy | undefined {
  const asked = strategy ?? upload?.strategy
  if (asked !== undefined) return asked === 'plain' ? undefined : asked
  const isNextcloud = server.capabilities.find('nextcloud-checksum-update', url)?.holds === true
  if (isNextcloud && uploadsOf(url) !== undefined) return 'nextcloud'
  return server.tusBytes === undefined ? undefined : 'tus'
}

/** The means of one upload besides its request. */
interface Means extends Sending {
  readonly payload: Payload
  readonly strategy: Strategy
  /** Sends a body that is one chunk. */
  readonly plain: (
    request: TargetRequest,
    context: VerbContext,
    emit: Sink<DavResult>,
    sending: Sending,
  ) => Promise<Outcome>
}

/**
 * Uploads a body in chunks. A body that is not longer than one chunk goes by a plain PUT.
 *
 * @throws The errors of a look at the target.
 */
export async function sendChunked(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
  {content, left, onProgress, payload, strategy, plain}: Means,
): Promise<Outcome> {
  const {url} = request
  const {length: size, body} = content
  const {tusBytes = Number.POSITIVE_INFINITY} = context.session.server
  const isChosen = strategy === 'tus' && (request.strategy ?? payload.upload) === undefined
  // The server would not begin the upload.
  if (isChosen && size !== undefined && size > tusBytes)
    return plain(request, context, emit, {content, left, onProgress})
  const uploads = uploadsOf(url)
  if (strategy === 'nextcloud' && uploads === undefined)
    return stop(refuse(request, 'it is not in the /remote.php/dav/files/ of a user'))
  const time = memberOf(body, 'lastModified')
  const modified = typeof time === 'number' ? time : 0
  const {upload: given} = payload
  const isSame =
    given?.size === size && given?.modified === modified && given?.strategy === strategy
  const known = isSame ? given : undefined
  const chunkSize = known?.chunkSize ?? chunkSizeOf(request, strategy, size)
  const chunks = openChunks(content, chunkSize, url, context)
  const meter = new ByteMeter(onProgress, size)
  const {ending} = context.connection
  let counted = 0
  let transfer: Transfer | undefined
  const upload: ChunkedUpload = {
    request,
    context,
    emit,
    left,
    size,
    chunkSize,
    // Nextcloud refuses the first day of 1970, a usual time of files in reproducible builds.
    mtime: modified > DAY_MILLISECONDS ? String(Math.floor(modified / 1000)) : undefined,
    async read(start) {
      try {
        return await chunks.read(start)
      } catch (error) {
        if (error instanceof NotSentError) throw error
        return refuse(request, messageOf(error))
      }
    },
    report(bytes) {
      try {
        meter.add(bytes - counted)
        counted = bytes
      } catch (error) {
        // The listener has thrown, which ends the call.
        context.connection.stop(error)
        throw error
      }
    },
  }
  try {
    if (known === undefined) {
      const first = await upload.read(0)
      if ('ok' in first) return stop(first)
      const whole = isStreamed(body) ? first : content
      if (first.isLast)
        return await plain(request, context, emit, {content: whole, left, onProgress})
    }
    const protocol =
      uploads === undefined || strategy === 'tus' ? tus(upload) : nextcloud(upload, uploads)
    const draft = {strategy, target: url, size: size ?? 0, chunkSize, modified}
    transfer = new Transfer(upload, protocol, payload, draft)
    const verdict = await transfer.run(known, !isStreamed(body)).finally(() => meter.report())
    if (!verdict.ok && ending.aborted) throw new NotSentError(ending.reason)
    return {
      verdict,
      extent: verdict.ok ? 'all' : isUnclear(verdict) ? 'part' : 'none',
      isDone: true,
    }
  } catch (error) {
    throw error instanceof NotSentError && transfer?.mayBeDone === true ? ending.reason : error
  } finally {
    await chunks.close()
  }
}

/** Computes the length of the chunks, which has bounds with Nextcloud. */
function chunkSizeOf(
  {chunkSize = CHUNK_BYTES}: TargetRequest,
  strategy: Strategy,
  size = 0,
): number {
  if (strategy === 'tus') return chunkSize
  return Math.max(chunkSize, SHORTEST_CHUNK_BYTES, Math.ceil(size / MAX_CHUNKS))
}

function refuse(request: TargetRequest, why: string): Failure {
  const description = `PUT ${request.url} is not sent: ${why}`
  return failUnsent(request, description)
}

/** Makes the outcome of a target that is as it was. */
function stop(verdict: DavResult): Outcome {
  return {verdict, extent: 'none', isDone: true}
}

/** One upload, from its first or a later chunk to its verdict. */
class Transfer {
  readonly #upload: ChunkedUpload
  readonly #protocol: ChunkProtocol
  readonly #payload: Payload
  /** The state of a new upload. */
  readonly #draft: Omit<UploadState, 'url'>
  /** True if the last step may have written the target. */
  mayBeDone = false
  /** True if the last step has found the upload gone. */
  #isEnded = false

  constructor(
    upload: ChunkedUpload,
    protocol: ChunkProtocol,
    payload: Payload,
    draft: Omit<UploadState, 'url'>,
  ) {
    this.#upload = upload
    this.#protocol = protocol
    this.#payload = payload
    this.#draft = draft
  }

  /**
   * Goes on with a known upload, or begins one. An upload that the server has lost is begun once more.
   *
   * @param canRestart - False for a stream, whose first bytes are gone.
   */
  async run(known: UploadState | undefined, canRestart: boolean): Promise<DavResult> {
    const {request, context} = this.#upload
    const {upload: given} = this.#payload
    const isOwn = given !== undefined && this.#protocol.owns(given.url)
    let state = isOwn ? known : undefined
    let found = state === undefined ? 'gone' : await this.#protocol.find(state.url)
    if (typeof found === 'object') return retell(request, found, UNTOUCHED)
    if (found === 'gone') {
      const verdict = state && (await this.#findWritten(state.former, state.size))
      if (verdict !== undefined) return verdict
      if (isOwn) await this.#protocol.drop?.(given.url, context)
      state = undefined
    }
    for (let tries = 1; ; tries++) {
      const verdict = await this.#send(state, typeof found === 'number' ? found : 0)
      if (verdict !== 'gone') return verdict
      if (!canRestart || tries === 2) {
        const description = `The server has lost the upload. ${UNTOUCHED}`
        return fail(request, {status: 404, reason: 'status', description})
      }
      state = undefined
      found = 0
    }
  }

  /** Sends the chunks from a byte on, and removes what is left of a failed upload that nobody can go on with. */
  async #send(known: UploadState | undefined, from: number): Promise<DavResult | Gone> {
    const {context, left, size} = this.#upload
    const {onUpload} = this.#payload
    const obstacle = await this.#findObstacle()
    if (obstacle !== undefined)
      // Its own last step may be the obstacle, done a moment ago.
      return (known && (await this.#findWritten(known.former, known.size))) ?? obstacle
    const state = known ?? (await this.#create())
    if ('ok' in state) return state
    const {url} = state
    const isKept = known !== undefined || (onUpload !== undefined && size !== undefined)
    let verdict: DavResult | Gone | undefined
    this.mayBeDone = false
    try {
      if (known === undefined) await this.#tell(state)
      verdict = await this.#sendFrom(from, state)
      return verdict
    } finally {
      const isFailed = typeof verdict !== 'object' || !verdict.ok
      const {drop} = this.#protocol
      if (isFailed && !isKept && !this.#isEnded && drop !== undefined) {
        if (this.mayBeDone) left.add(url)
        else if (!context.connection.ending.aborted) await drop(url, context)
        else {
          // The call cannot send any more.
          const last = {retry: 1, signal: AbortSignal.timeout(DISCARD_MILLISECONDS)}
          await runCall(context.session, last, (call) => drop(url, {...context, ...call})).catch(
            () => {},
          )
        }
      }
    }
  }

  async #sendFrom(from: number, state: UploadState): Promise<DavResult | Gone> {
    const {request, context, read, report} = this.#upload
    const {url} = state
    report(from)
    let chunk = await read(from)
    while (!('ok' in chunk) && !chunk.isLast) {
      const next = await this.#protocol.send(url, chunk)
      if (next === 'gone') return next
      if (typeof next === 'object') return retell(request, next, UNTOUCHED)
      chunk = await read(next)
    }
    if ('ok' in chunk) return chunk
    const length = chunk.start + chunk.length
    let former: string | undefined
    const verdict = await this.#protocol.finish(url, chunk, async () => {
      const found = await lookAgain(request, context)
      if ('ok' in found) return found
      ;({former} = found)
      if (former !== undefined) await this.#tell({...state, former})
      this.mayBeDone = true
      return found
    })
    if (verdict === 'gone') {
      this.mayBeDone = false
      return verdict
    }
    if (verdict === 'ended') {
      this.#isEnded = true
      const sentence = 'The upload is gone, and nobody knows if it was written'
      return (await this.#findWritten(former, length)) ?? unclear(request, 'unreadable', sentence)
    }
    this.mayBeDone &&= isUnclear(verdict)
    if (!verdict.ok) return retell(request, verdict, this.mayBeDone ? undefined : UNTOUCHED)
    return request.verify === true ? checkLength(request, verdict, length, context) : verdict
  }

  /** Finds the reason why nothing may be written: the target, or a missing parent. */
  async #findObstacle(): Promise<Failure | undefined> {
    const {request, context} = this.#upload
    const {url, parents, conditions} = request
    const before = await look(url, context)
    const obstacle = findObstacle(request, before)
    if (obstacle !== undefined || before.ok) return obstacle
    if (parents === true) {
      const failure = await makeParents(url, context, conditions)
      return failure && failForParent(request, failure)
    }
    // Nextcloud would tell it after the last chunk.
    const isThere = await isPresent(new URL('.', url).href, context)
    const description = 'Its parent is not there, says PROPFIND'
    return isThere ? undefined : fail(request, {status: 409, reason: 'status', description})
  }

  /** Makes the upload at the server. */
  async #create(): Promise<UploadState | Failure> {
    const made = await this.#protocol.create()
    return made.ok ? {...this.#draft, url: made.url} : retell(this.#upload.request, made, UNTOUCHED)
  }

  /** Tells the caller the state. Without a length, nobody could go on. */
  async #tell(state: UploadState): Promise<void> {
    if (this.#upload.size !== undefined) await this.#payload.onUpload?.(state)
  }

  /** Makes the Success of a target that the last step has written, although its answer is lost. */
  async #findWritten(former: string | undefined, size: number): Promise<DavResult | undefined> {
    const {request, context} = this.#upload
    if (former === undefined) return undefined
    const seen = await look(request.url, context)
    const {getetag = former, getcontentlength} = seen.ok ? seen.properties : {}
    return getetag !== former && getcontentlength === size
      ? succeed(request, 0, 'The upload is gone, and the resource is new and has its length')
      : undefined
  }
}
