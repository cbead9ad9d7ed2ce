/**
 * One HTTP exchange as a function. Everything that wraps one (credentials, redirects, time limits) is a function that
 * takes a Transport and gives one. Structural: an answer of any platform's `fetch` is a {@link DavResponse}.
 */

import {openStream} from '../multistatus/source.ts'
import {DISCARD_MILLISECONDS} from '../protocol/bounds.ts'
import {within} from '../protocol/wait.ts'

/**
 * Sends a request and gives the answer as soon as its headers are there. Redirects are not followed, and a status is
 * never an error.
 */
export type Transport = (request: DavRequest) => Promise<DavResponse>

/** A transport whose answers a wrapper passes on as they are. */
export type Send<R extends DavResponse> = (request: DavRequest) => Promise<R>

/** A request. */
export interface DavRequest {
  /** The method, in upper case. */
  readonly method: string
  /** The URL, absolute. */
  readonly url: string
  /** Headers by name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, if there is one. A stream or an iterable can be sent once only: see {@link isReplayable}. */
  readonly body?: RequestBody
  /** Ends the exchange, the body of the answer included. */
  readonly signal?: AbortSignal
}

/** The body of a request: text, which is sent as UTF-8; bytes; a Blob; or bytes as they come. */
export type RequestBody = string | ArrayBufferView | ArrayBuffer | Blob | StreamedBody

/** Bytes that come one after another and can be read once. */
export type StreamedBody = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** The answer to a request. */
export interface DavResponse {
  /** The status, 100 to 599; 0 for a redirect that a browser hides. */
  readonly status: number
  /** Looks a header up by its name in any case; `null` for one that is not there. */
  readonly headers: DavHeaders
  /** The body as it arrives, `null` if there is none. */
  readonly body: DavBody | null
  /** The URL that answered, if that is another one than was asked. */
  readonly url?: string
}

/** The answer to a raw request. Its body can be iterated over on every platform. */
export interface RawResponse extends DavResponse {
  readonly body: Required<IterableBody> | null
}

/** The headers of an answer. */
export interface DavHeaders {
  /** The value of a header by its name in any case. Several values are joined by commas; `null` if there is none. */
  get(name: string): string | null
}

/** Bytes as they arrive: a stream of the platform, or an iterable. */
export type DavBody = ReadableStream<Uint8Array> | IterableBody

/** Bytes as they arrive. Ending the iteration early frees the connection. */
export interface IterableBody extends AsyncIterable<Uint8Array> {
  /** Frees the connection of a body that is not read at all. */
  cancel?(): Promise<void>
}

/** Gives up the body of an answer that will not be read. Its errors count no more, and the wait for its end is short. */
export async function discard({body}: DavResponse): Promise<void> {
  if (body !== null) await giveUp(async () => openStream(body).return())
}

/** Waits a short time for something to end that nobody needs any more. Its errors count no more. */
export async function giveUp(end: () => Promise<unknown>): Promise<void> {
  await within(
    end().catch(() => {}),
    DISCARD_MILLISECONDS,
  )
}
