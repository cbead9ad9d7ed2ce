/**
 * The body of an upload: opens a local file, and finds the length of any body. A stream without a length is spooled, because
 * Radicale and SOGo refuse chunks, and uWSGI and PyWebDAV3 answer them with 201 and store nothing. RFC 9110, section 8.6; RFC
 * 9112, section 7.1.
 */

import {openFile, spool} from '#files'

import type {CallContext} from '../call/call.ts'
import {isObject, memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {readOptions, TEXT} from '../protocol/options.ts'
import {untilAborted} from '../protocol/wait.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import {checkBody, isStreamed, openPieces} from '../transport/request-body.ts'
import type {RequestBody, StreamedBody} from '../transport/transport.ts'
import {markSent} from '../transport/withheld.ts'
import type {Spooled} from './files.ts'
import type {TransferProgress} from './progress.ts'

/** A local file. Node, Bun and Deno only. */
export interface LocalFile {
  /** The path of the file. */
  readonly path: string
}

/** The body of an upload: text, sent as UTF-8; bytes; a Blob; a local file; or a stream of bytes. */
export type UploadBody = RequestBody | LocalFile

/**
 * An upload in chunks that is under way, as plain data. With it and the same body, another call or process goes on. It holds no
 * credentials.
 */
export interface UploadState {
  /** The protocol of the upload. */
  readonly strategy: 'nextcloud' | 'tus'
  /** The absolute URL of the upload itself. */
  readonly url: string
  /** The absolute URL of the resource to write. */
  readonly target: string
  /** Bytes of the whole body. */
  readonly size: number
  /** Bytes of each chunk but the last. */
  readonly chunkSize: number
  /** The time of the last change of a file, in milliseconds since 1970; 0 for a body without one. */
  readonly modified: number
  /**
   * The ETag of the resource before the upload; empty for a missing one. Present once the last step may have begun. After it, the
   * upload is gone, and only another ETag tells that the resource was written.
   */
  readonly former?: string
}

/** The body of an upload, and the settings beside it that are no plain data. */
export interface Payload {
  readonly body: UploadBody
  /** The number of bytes, as the caller promised it. */
  readonly length?: number | undefined
  readonly unknownLength?: 'spool' | 'send' | 'refuse' | undefined
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined
  /** An upload in chunks to go on with. */
  readonly upload?: UploadState | undefined
  readonly onUpload?: ((state: UploadState) => void | Promise<void>) | undefined
}

/** The opened body of an upload. */
export interface Content {
  readonly body: Exclude<RequestBody, string>
  /** The number of bytes, if it is known before they are sent. */
  readonly length: number | undefined
  /** The collected bytes of a stream, to be removed after they were sent. */
  readonly spooled?: Spooled
}

const LOCAL_FILE: Rules<LocalFile> = {path: TEXT}

/**
 * Checks the body of an upload.
 *
 * @throws TypeError for a value that can be no body.
 */
export function checkUploadBody(body: unknown): void {
  if (body === undefined) throw new TypeError('Give a body, or an empty string')
  if (isLocalFile(body)) readOptions('body', body, LOCAL_FILE)
  else checkBody(body, ' {path} of a file,')
}

/** Recognizes a local file. A stream of Node may have a path too. */
function isLocalFile(body: unknown): body is LocalFile {
  return (
    typeof memberOf(body, 'path') === 'string' &&
    !isStreamed(body) &&
    !(isObject(body) && 'size' in body)
  )
}

/**
 * Opens an upload for the request to a URL.
 *
 * @throws NotSentError if the call ends first. WithheldError for a stream that was sent before. Else the reason why the body
 *   cannot be sent.
 */
export async function openUpload(
  payload: Payload,
  url: string,
  context: CallContext,
): Promise<Content> {
  const {body, length, unknownLength = 'spool'} = payload
  // Encoded here, because `fetch` would give a string the type text/plain.
  const opened =
    typeof body === 'string'
      ? new TextEncoder().encode(body)
      : isLocalFile(body)
        ? await openFile(body.path)
        : body
  if (!isStreamed(opened)) {
    const size = 'size' in opened ? opened.size : opened.byteLength
    if (length === undefined || length === size) return {body: opened, length: size}
    throw new RangeError(`its body has ${size} bytes, and its length is ${length}`)
  }
  const {sendsLength} = context.session.transport
  if (unknownLength === 'send' || (length !== undefined && sendsLength === true))
    return {body: opened, length}
  if (unknownLength === 'refuse')
    throw new TypeError('its body is a stream that cannot be sent with its length')
  const spooled = await spoolStream(opened, length, url, context)
  return {body: spooled.blob, length: spooled.blob.size, spooled}
}

async function spoolStream(
  stream: StreamedBody,
  length: number | undefined,
  url: string,
  {connection: {ending}}: CallContext,
): Promise<Spooled> {
  markSent(stream, {method: 'PUT', url})
  const pieces = openPieces(stream, length)
  const next = (): ReturnType<typeof pieces.next> => untilAborted(pieces.next(), ending)
  try {
    return await spool({[Symbol.asyncIterator]: () => ({...pieces, next})})
  } catch (error) {
    void pieces.return().catch(() => {})
    throw ending.aborted ? new NotSentError(ending.reason) : error
  }
}
