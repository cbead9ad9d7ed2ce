/**
 * One HTTP exchange as a function. Credentials, redirects, time limits and pace wrap it: each takes a transport and returns one.
 * Structural types: an answer of any platform's `fetch` is a {@link DavResponse}.
 */

import {openStream} from '../multistatus/source.ts'
import {DISCARD_MILLISECONDS, DRAIN_MILLISECONDS, PLAIN_ANSWER_BYTES} from '../protocol/bounds.ts'
import {within} from '../protocol/wait.ts'

/** Sends a request, and resolves with the answer at its headers. It must not follow redirects, and no status is an error. */
export interface Transport {
  (request: DavRequest): Promise<DavResponse>
  /** `true` if a streamed body with a `length` is sent with a Content-Length. Without it, such a body counts as one in chunks. */
  readonly sendsLength?: boolean
  /** `true` if nobody else uses the memory of the chunks of its answers. The client frees it as soon as they are on the disk. */
  readonly givesChunksAway?: boolean
  /** The most requests of a client at once. Further ones wait in the client, and no time limit counts the wait. Default: no limit. */
  readonly connections?: number | undefined
}

/**
 * A transport inside the client, with its own kind of answer, which wrappers pass on unchanged. It is made once for a client.
 * `call` is the call that sends the request.
 */
export type Send<R extends DavResponse, C> = (request: DavRequest, call: C) => Promise<R>

/** A request. */
export interface DavRequest {
  /** The method, in upper case. */
  readonly method: string
  /** The absolute URL. */
  readonly url: string
  /** Headers by name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body. A stream or an iterable can be sent once only: see {@link isReplayable}. */
  readonly body?: RequestBody
  /** The number of bytes of a streamed body. */
  readonly length?: number
  /**
   * Called with the number of bytes of the body sent so far, the last time with all of them. A success after fewer is a Failure
   * `no-answer` of a PUT. A transport that cannot tell never calls it. Absent for a streamed body, because the client counts its
   * pieces.
   */
  readonly onSent?: (bytes: number) => void
  /**
   * Called at the end of a streamed body. No transport is given it.
   *
   * @internal
   */
  readonly onWhole?: () => void
  /**
   * Called at each interim answer, such as 102 Processing. It begins the wait for the answer again: a server that works long sends
   * 102 for that. RFC 2518, section 10.1.
   */
  readonly onInterim?: () => void
  /** Ends the exchange, the body of the answer included. */
  readonly signal?: AbortSignal
}

/** The body of a request: text, sent as UTF-8; bytes; a Blob; or a stream of bytes. */
export type RequestBody = string | ArrayBufferView | ArrayBuffer | Blob | StreamedBody

/** Bytes that come one after another and can be read once. */
export type StreamedBody = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** The answer to a request. */
export interface DavResponse {
  /** The status, 100 to 599; 0 for a redirect that a browser hides. */
  readonly status: number
  /** The headers. */
  readonly headers: DavHeaders
  /** The body as it arrives; `null` without one. */
  readonly body: DavBody | null
  /** Returns the trailers, after the body has ended. Absent if the transport cannot tell them. RFC 9110, section 6.5. */
  readonly trailers?: (() => DavHeaders) | undefined
  /** The URL that answered, if it is not the requested one. */
  readonly url?: string
}

/** The answer to a raw request. Its body is an async iterable on every platform. */
export interface RawResponse extends DavResponse {
  readonly body: Required<IterableBody> | null
}

/** The headers of an answer. */
export interface DavHeaders {
  /** Returns the value of a header by its name in any case; `null` without one. Several values are joined by commas. */
  get(name: string): string | null
  /** Returns each Set-Cookie header, as the Headers of `fetch` do. Joined ones cannot be told apart. Browsers show none. */
  getSetCookie?(): string[]
}

/** The body of an answer: a stream of the platform, or an iterable of bytes. */
export type DavBody = ReadableStream<Uint8Array> | IterableBody

/** Bytes as they arrive. Ending the iteration early frees the connection. */
export interface IterableBody extends AsyncIterable<Uint8Array> {
  /** Frees the connection of a body that is not read. */
  cancel?(): Promise<void>
}

/** Gives up an unread body. Ignores its errors, and waits for its end only a short time. */
export async function discard({body}: DavResponse): Promise<void> {
  if (body !== null) await giveUp(async () => openStream(body).return())
}

/** Reads a short body to its end, which leaves its connection to the next request. Gives a long or slow one up. Ignores its errors. */
export async function drain({body}: DavResponse): Promise<void> {
  if (body === null) return
  const chunks = openStream(body)
  const read = async (): Promise<void> => {
    for (let bytes = 0; bytes < PLAIN_ANSWER_BYTES;) {
      const next = await chunks.next()
      if (next.done === true) return
      bytes += next.value.length
    }
  }
  await within(
    read().catch(() => {}),
    DRAIN_MILLISECONDS,
  )
  await giveUp(() => chunks.return())
}

/** Ends something that is no longer needed. Ignores its errors, and waits for its end only a short time. */
export async function giveUp(end: () => Promise<unknown>): Promise<void> {
  await within(
    end().catch(() => {}),
    DISCARD_MILLISECONDS,
  )
}
