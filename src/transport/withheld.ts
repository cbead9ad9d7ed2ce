/** Keeps a request from being sent: a streamed body cannot be sent twice, and some connections never get free. */

import {DavError} from '../protocol/errors.ts'
import type {DavRequest} from './transport.ts'

/** A request that was not sent: no connection got free for it, or its body was sent before. */
export class WithheldError extends DavError {
  static override readonly name = 'DavError'
}

// Bodies that can be read once only and were given to a request of any client, each with its URL.
const SENT = /* @__PURE__ */ new WeakMap<object, string>()

/** Tells if a body is read for a request. */
export function isSent(body: object): boolean {
  return SENT.has(body)
}

/**
 * Notes that a body is read for a request.
 *
 * @throws WithheldError for a body that was read before.
 */
export function markSent(body: object, {method, url}: Pick<DavRequest, 'method' | 'url'>): void {
  const before = SENT.get(body)
  if (before !== undefined) {
    const sentence = `${method} ${url} was not sent: its body can be read once only, and was given for ${before}`
    throw new WithheldError(sentence, {method, url})
  }
  SENT.set(body, url)
}
