/**
 * The record of an exchange for diagnostics: plain data without a credential. It is made only while somebody listens. RFC 9110,
 * section 3.3.
 */

import {REMEMBERED_EXCHANGES} from '../protocol/bounds.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import type {ExchangeWatcher} from './deadlines.ts'
import {isSafe} from './methods.ts'
import {sizeOf} from './request-body.ts'
import type {DavHeaders, DavRequest} from './transport.ts'

/**
 * An exchange that has ended: one request, and its answer or its error. Frozen plain data. It has no credential: of the headers, only
 * those below.
 */
export interface DavExchange {
  /** The method of the request. */
  readonly method: string
  /** The URL of the request. The values of a query are replaced by `…`. */
  readonly url: string
  /** The Depth header of the request. */
  readonly depth: string | undefined
  /**
   * The number of this sending of the request in its call: 1, and one more for each repetition, whatever its reason. The first
   * request after a redirect has 1 again.
   */
  readonly attempt: number
  /** The time of the sending, in milliseconds since 1970. */
  readonly startedAt: number
  /** Milliseconds from the sending. */
  readonly times: {
    /** To the headers of the answer; `undefined` without one. */
    readonly headers: number | undefined
    /** To the end of the exchange. */
    readonly end: number
  }
  /** Bytes of the request's body that were sent. If the platform does not show them, all of them from the answer on. */
  readonly sentBytes: number
  /** Bytes of the answer's body that were read, without content codings. */
  readonly receivedBytes: number
  /** The status of the answer; `undefined` without one. */
  readonly status: number | undefined
  /** The Content-Type of the answer. */
  readonly contentType: string | undefined
  /** The Server header of the answer: the server's text. Print it through {@link visible}. */
  readonly server: string | undefined
  /** Milliseconds to wait, from Retry-After. */
  readonly retryAfter: number | undefined
  /** The error that ended the exchange, or the signal's reason; `undefined` without one. */
  readonly error:
    | {
        /** Its name, such as `DavTimeoutError`. */
        readonly name: string
        /** Its message. */
        readonly message: string
      }
    | undefined
}

/** Hears of each exchange at its end. */
export type ExchangeListener = (exchange: DavExchange) => void

/** The part of a platform that hears of exchanges. */
export interface PlatformListener {
  /** False if nobody listens. */
  readonly isOn: boolean
  /** Takes an exchange that has ended. */
  hear(exchange: DavExchange): void
}

/** Makes a function that follows an exchange of a call, and tells a listener of it at its end. */
export function recordExchanges(
  listener: ExchangeListener,
): (request: DavRequest, call: object) => ExchangeWatcher {
  const counts = new WeakMap<object, Map<string, number>>()
  return (request, call) => {
    const {method, body} = request
    const url = withoutSecrets(request.url)
    const depth = request.headers['depth']
    const startedAt = Date.now()
    const start = performance.now()
    let [status, headersAt, headers, sentBytes]: [number?, number?, DavHeaders?, number?] = []
    let receivedBytes = 0
    return {
      onSent: (bytes) => (sentBytes = bytes),
      onHead(given, all) {
        status = given
        headers = all
        headersAt = performance.now() - start
        sentBytes ??= bytesOf(body)
      },
      onBytes: (length) => (receivedBytes += length),
      onEnd(error) {
        const isDone = error === undefined && isDoneBy(status, method)
        const text = typeof body === 'string' ? body : ''
        const key = [method, request.url, depth, text].join(' ')
        const read = (name: string): string | undefined => headers?.get(name) ?? undefined
        const exchange = {
          method,
          url,
          depth,
          attempt: count(counts, call, key, isDone),
          startedAt,
          times: Object.freeze({headers: headersAt, end: performance.now() - start}),
          sentBytes: sentBytes ?? 0,
          receivedBytes,
          status,
          contentType: read('content-type'),
          server: read('server'),
          retryAfter: headers && readRetryAfter(headers, Date.now()),
          error: error === undefined ? undefined : Object.freeze(wordsOf(error, request)),
        }
        listener(Object.freeze(exchange))
      },
    }
  }
}

/** Tells if a request is not sent again. The 207 of a method that changes something tells of failed members. */
function isDoneBy(status = 0, method: string): boolean {
  return isSuccessStatus(status) && (status !== 207 || isSafe(method))
}

/** Counts the sendings of a request in a call. Only a request without success can be sent again. */
function count(
  counts: WeakMap<object, Map<string, number>>,
  call: object,
  key: string,
  isDone: boolean,
): number {
  const unfinished = counts.get(call) ?? new Map<string, number>()
  counts.set(call, unfinished)
  const attempt = (unfinished.get(key) ?? 0) + 1
  unfinished.delete(key)
  if (isDone) return attempt
  unfinished.set(key, attempt)
  const [oldest = ''] = unfinished.keys()
  if (unfinished.size > REMEMBERED_EXCHANGES) unfinished.delete(oldest)
  return attempt
}

function bytesOf(body: DavRequest['body'] = ''): number {
  return typeof body === 'string' ? new TextEncoder().encode(body).length : (sizeOf(body) ?? 0)
}

/** Reads the name and the message of an error. A platform or a transport of the caller may have put a credential into its words. */
function wordsOf(error: unknown, {url, headers}: DavRequest): NonNullable<DavExchange['error']> {
  const [name, message] = partsOf(error)
  // The words of a redirect have its target too.
  let words = message
    .replaceAll(url, withoutSecrets)
    .replaceAll(/\bhttps?:\/\/\S+/g, withoutSecrets)
  for (const [header, value] of Object.entries(headers)) {
    if (!SECRET.test(header)) continue
    for (const part of value.split(/[\s<>()]+/))
      if (part.length > 2) words = words.replaceAll(part, '…')
  }
  return {name, message: words}
}

/** Reads the name and the message of any value that was thrown. The reason of a signal may be anything. */
function partsOf(error: unknown): [name: string, message: string] {
  try {
    if (!(error instanceof Error)) return [typeof error, String(error)]
    const {name, message}: {readonly name: unknown; readonly message: unknown} = error
    return [String(name), String(message)]
  } catch {
    return [typeof error, '']
  }
}

const SECRET = /auth|cookie|key|secret|token|^if$/

/** Removes user info, and the values of a query. */
function withoutSecrets(url: string): string {
  return url
    .replace(/\/\/[^/?#]*@/, '//')
    .replace(/[?#].*/s, (query) => query.replaceAll(/([?&#][^&=]*=|[?&#])[^&#]+/g, '$1…'))
}
