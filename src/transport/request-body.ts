/** Bodies of requests: which of them can be sent a second time, and that no other one is. RFC 9110, section 9.2.2. */

import {DavError} from '../protocol/errors.ts'
import type {RequestBody, StreamedBody, Transport} from './transport.ts'

/** The request was not sent: no connection got free for it, or its body was sent before. */
export class WithheldError extends DavError {}

/**
 * Reports if a body can be sent again, after a redirect or a failure. Text, bytes and Blobs can. A stream or an iterable is
 * taken for one that can be read once only.
 *
 * @example
 * ```ts
 * const transport: Transport = (request) => (isReplayable(request.body) ? race(request) : send(request))
 * ```
 */
export function isReplayable(body: RequestBody | undefined): boolean {
  return body === undefined || !isStreamed(body)
}

/** Tells bytes that come one after another from those that are there. */
export function isStreamed(body: RequestBody): body is StreamedBody {
  return typeof body === 'object' && ('getReader' in body || Symbol.asyncIterator in body)
}

/**
 * Checks the body of a request.
 *
 * @throws TypeError for a value that can be no body, and for a stream that is being read.
 */
export function checkBody(body: unknown): void {
  if (body === undefined || typeof body === 'string' || ArrayBuffer.isView(body)) return
  const tag = Object.prototype.toString.call(body)
  if (/^\[object (?:Blob|File|(?:Shared)?ArrayBuffer)\]$/.test(tag)) return
  const isObject = typeof body === 'object' && body !== null
  if (!isObject || !('getReader' in body || Symbol.asyncIterator in body))
    throw new TypeError('body is a string, bytes, a Blob, or a stream or iterable of bytes')
  if ('locked' in body && body.locked === true)
    throw new TypeError('body is a stream that somebody reads already')
}

/**
 * Sends each streamed body once.
 *
 * @throws WithheldError for a body that was sent before.
 */
export function withBodiesSentOnce(transport: Transport): Transport {
  const sent = new WeakMap<object, string>()
  return async (request) => {
    const {method, url, body} = request
    if (body !== undefined && isStreamed(body)) {
      const before = sent.get(body)
      if (before !== undefined) {
        const sentence = `${method} ${url} was not sent: its body can be read once only, and was sent to ${before}`
        throw new WithheldError(sentence, {method, url})
      }
      sent.set(body, url)
    }
    return transport(request)
  }
}
