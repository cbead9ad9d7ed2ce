/** Keeps a request from being sent: a streamed body cannot be sent twice, and some connections never get free. */

import {DavError} from '../protocol/errors.ts'
import {isStreamed} from './request-body.ts'
import type {DavRequest, DavResponse, Send} from './transport.ts'

/** A request that was not sent: no connection got free for it, or its body was sent before. */
export class WithheldError extends DavError {}

/** Bodies that can be read once only and were given to a request, each with its URL. */
export type SentBodies = WeakMap<object, string>

/**
 * Wraps a transport to send each streamed body once, in all calls that share `sent`.
 *
 * @throws WithheldError for a body that was sent before.
 */
export function withBodiesSentOnce<R extends DavResponse>(
  transport: Send<R>,
  sent: SentBodies,
): Send<R> {
  return async (request) => {
    const {body} = request
    if (isStreamed(body)) markSent(sent, body, request)
    return transport(request)
  }
}

/**
 * Notes that a body is read for a request.
 *
 * @throws WithheldError for a body that was read before.
 */
export function markSent(
  sent: SentBodies,
  body: object,
  {method, url}: Pick<DavRequest, 'method' | 'url'>,
): void {
  const before = sent.get(body)
  if (before !== undefined) {
    const sentence = `${method} ${url} was not sent: its body can be read once only, and was given for ${before}`
    throw new WithheldError(sentence, {method, url})
  }
  sent.set(body, url)
}
