/** Whatever holds a body, as chunks of it. */

/** Bytes, as an ArrayBuffer or any view of one, or decoded text. */
export type Chunk = Uint8Array | ArrayBufferView | ArrayBuffer | string

/**
 * A body to be read: an answer of `fetch` or what looks like one, a stream of chunks, chunks from any iterable, or all of
 * it at once as bytes or text.
 */
export type BodySource =
  | BodyHolder
  | ReadableStream<Chunk>
  | AsyncIterable<Chunk>
  | Iterable<Chunk>
  | Chunk

/** A `Response` of `fetch`, or what looks like one. */
export interface BodyHolder {
  /** The body, `null` where there is none. */
  readonly body: ReadableStream<Uint8Array> | AsyncIterable<Chunk> | null
  /** The URL that answered; empty or left out where none is known. */
  readonly url?: string
  /** The headers; the charset of the Content-Type counts. */
  readonly headers?: BodyHeaders
}

/** The headers of a `Response`. */
export interface BodyHeaders {
  /** The value of a header, whatever the case of its name; `null` where there is none. */
  get(name: string): string | null
}

/**
 * The chunks of a body. Ending the iteration early cancels the source.
 *
 * @param stop - Ends the wait for a stream or an iterable that is silent.
 * @throws TypeError where the source is none, or has been read already.
 */
export async function* readChunks(
  source: BodySource,
  stop?: AbortSignal,
): AsyncGenerator<Uint8Array | string, undefined, undefined> {
  const whole = asChunk(source)
  if (whole !== undefined) yield whole
  else if (typeof source !== 'object' || source === null) throw noBody(source)
  else if (isReadableStream(source)) yield* checked(readStream(source, stop))
  else if (Symbol.asyncIterator in source)
    yield* checked(stop === undefined ? source : stoppable(source, stop))
  else if (Symbol.iterator in source) yield* checked(source)
  else if (!('body' in source)) throw noBody(source)
  else if (source.body !== null) yield* readChunks(source.body, stop)
  return undefined
}

function noBody(source: unknown): TypeError {
  const hint = source instanceof Promise ? ': await the Promise first' : ''
  return new TypeError(
    `The body is a Response, a stream, an iterable of chunks, bytes or a string${hint}`,
  )
}

/**
 * A chunk as bytes or text.
 *
 * @throws TypeError where it is none.
 */
export function readChunk(chunk: unknown): Uint8Array | string {
  const read = asChunk(chunk)
  if (read !== undefined) return read
  const kind = chunk === null ? 'null' : Array.isArray(chunk) ? 'an array' : typeof chunk
  throw new TypeError(
    `A chunk of a body is a Uint8Array, an ArrayBuffer, any view of one, or a string, not ${kind}`,
  )
}

function asChunk(given: unknown): Uint8Array | string | undefined {
  if (typeof given === 'string' || given instanceof Uint8Array) return given
  if (ArrayBuffer.isView(given))
    return new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
  return isBuffer(given) ? new Uint8Array(given) : undefined
}

/** Whether it is an ArrayBuffer, perhaps of another realm, which has another class. */
function isBuffer(given: unknown): given is ArrayBuffer {
  if (given instanceof ArrayBuffer) return true
  const tag = Object.prototype.toString.call(given)
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]'
}

async function* checked(
  chunks: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<Uint8Array | string, undefined, undefined> {
  for await (const chunk of chunks) yield readChunk(chunk)
  return undefined
}

/** An iteration that can be ended while it waits. A generator, such as that of a Node stream, cannot end itself then. */
async function* stoppable<T>(
  chunks: AsyncIterable<T>,
  stop: AbortSignal,
): AsyncGenerator<T, undefined, undefined> {
  const iterator = chunks[Symbol.asyncIterator]()
  let onStop: (() => void) | undefined
  const onAbort = (): void => onStop?.()
  stop.addEventListener('abort', onAbort, {once: true})
  let isOver = false
  try {
    while (!stop.aborted) {
      const next = await new Promise<IteratorResult<T, unknown>>((resolve, reject) => {
        onStop = () => resolve({value: undefined, done: true})
        iterator.next().then(resolve, reject)
      })
      isOver = next.done === true
      if (next.done === true) return undefined
      yield next.value
    }
    return undefined
  } catch (error) {
    isOver = true
    throw error
  } finally {
    stop.removeEventListener('abort', onAbort)
    if (stop.aborted) {
      if ('destroy' in chunks && typeof chunks.destroy === 'function') chunks.destroy()
      // Not waited for: a generator closes only when its wait has ended.
      void iterator.return?.().catch(() => {})
    } else if (!isOver) await iterator.return?.()
  }
}

function isReadableStream(source: object): source is ReadableStream<Chunk> {
  return 'getReader' in source
}

/** Streams are read by a reader: not all platforms can iterate over them, and a reader can be stopped while it waits. */
export async function* readStream<T>(
  stream: ReadableStream<T>,
  stop?: AbortSignal,
): AsyncGenerator<T, undefined, undefined> {
  const reader = stream.getReader()
  const cancel = (): void => void reader.cancel().catch(() => {})
  stop?.addEventListener('abort', cancel, {once: true})
  let ended = false
  try {
    for (;;) {
      const {done, value} = await reader.read()
      ended = done
      if (done) return undefined
      yield value
    }
  } finally {
    stop?.removeEventListener('abort', cancel)
    if (!ended) await reader.cancel()
    reader.releaseLock()
  }
}

const PARAMETER = /;\s*([^\s;=",]+)\s*=\s*(?:"((?:[^"\\]|\\[^])*)"?|([^\s;,"]*))/g

/**
 * The charset that a Content-Type names. Two fields that a proxy joined with a comma, and a quotation mark without its partner,
 * do not hide it. RFC 9110, sections 5.6.6 and 8.3.2.
 */
export function charsetOf(contentType: string | null | undefined): string | undefined {
  for (const [, name = '', quoted, token] of (contentType ?? '').matchAll(PARAMETER)) {
    if (name.toLowerCase() !== 'charset') continue
    const value = (quoted ?? token ?? '').replaceAll(/[\\']/g, '')
    const [label] = /[^\s;,]+/.exec(value) ?? []
    if (label !== undefined) return label
  }
  return undefined
}
