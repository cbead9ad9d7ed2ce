/** Knows the kinds of request bodies: bodies that can be sent again, and streams that cannot. RFC 9110, section 9.2.2. */

import {isObject} from '../protocol/members.ts'
import type {RequestBody, StreamedBody} from './transport.ts'

/**
 * Tells if a body can be sent again, after a redirect or a failure. Text, bytes and Blobs can. A stream or an iterable counts as
 * readable only once.
 *
 * @example
 * ```ts
 * const transport: Transport = (request) => (isReplayable(request.body) ? race(request) : send(request))
 * ```
 */
export function isReplayable(body: RequestBody | undefined): boolean {
  return !isStreamed(body)
}

/** Recognizes a body whose bytes come one after another. */
export function isStreamed(body: unknown): body is StreamedBody {
  return isObject(body) && ('getReader' in body || Symbol.asyncIterator in body)
}

/**
 * Checks the body of a request.
 *
 * @throws TypeError for a value that can be no body, and for a stream that is being read.
 */
export function checkBody(body: unknown): void {
  if (body === undefined || typeof body === 'string') return
  const tag = Object.prototype.toString.call(ArrayBuffer.isView(body) ? body.buffer : body)
  // Some platforms would send the text `[object SharedArrayBuffer]` instead.
  if (tag === '[object SharedArrayBuffer]')
    throw new TypeError('body is in shared memory: give a copy of its bytes')
  if (/^\[object (?:Blob|File|ArrayBuffer)\]$/.test(tag)) return
  if (!isStreamed(body))
    throw new TypeError('body is a string, bytes, a Blob, or a stream or iterable of bytes')
  if ('locked' in body && body.locked)
    throw new TypeError('body is a stream that somebody reads already')
}
