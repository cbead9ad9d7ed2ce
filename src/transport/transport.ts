/**
 * One HTTP exchange as a function. Everything that wraps one (credentials, redirects, time limits) is a function that
 * takes a Transport and gives one. Structural: an answer of any platform's `fetch` is a {@link DavResponse}.
 */

/**
 * Sends a request and gives the answer as soon as its headers are there. Redirects are not followed, and a status is
 * never an error.
 */
export type Transport = (request: DavRequest) => Promise<DavResponse>

/** A request. */
export interface DavRequest {
  /** The method, in upper case. */
  readonly method: string
  /** The URL, absolute. */
  readonly url: string
  /** Headers by name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, where there is one. */
  readonly body?: string
  /** Ends the exchange, the body of the answer included. */
  readonly signal?: AbortSignal
}

/** The answer to a request. */
export interface DavResponse {
  /** The status, 100 to 599. */
  readonly status: number
  /** Looks a header up by its name, whatever the case; `null` where there is none. */
  readonly headers: DavHeaders
  /** The body as it arrives, `null` where there is none. */
  readonly body: DavBody | null
  /** The URL that answered, where that is another one than was asked. */
  readonly url?: string
}

/** The headers of an answer. */
export interface DavHeaders {
  /** The value of a header, whatever the case of its name; several values joined by commas; `null` where there is none. */
  get(name: string): string | null
}

/** Bytes as they arrive: a stream of the platform, or an iterable. */
export type DavBody = ReadableStream<Uint8Array> | IterableBody

/** Bytes as they arrive. Ending the iteration early frees the connection. */
export interface IterableBody extends AsyncIterable<Uint8Array> {
  /** Frees the connection where the body is not read at all. */
  cancel?(): Promise<void>
}

// Milliseconds. A body that is given up may never say that it is.
const MOST_PATIENCE = 1000

/** Gives up the body of an answer that will not be read. */
export async function discard({body}: DavResponse): Promise<void> {
  if (body !== null) await givenUp(giveUp(body))
}

/** Waits until a body is given up, but not for ever. Its errors count no more. */
export async function givenUp(ending: Promise<unknown>): Promise<void> {
  const {promise: late, resolve} = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, MOST_PATIENCE)
  await Promise.race([ending.catch(() => {}), late])
  clearTimeout(timer)
}

/** A generator that was not started has nothing to close, but a stream of Node holds its connection. */
async function giveUp(body: DavBody): Promise<void> {
  if (body.cancel !== undefined) await body.cancel()
  else if ('destroy' in body && typeof body.destroy === 'function') body.destroy()
  else if (Symbol.asyncIterator in body) await body[Symbol.asyncIterator]().return?.()
}
