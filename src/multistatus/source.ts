/** Whatever holds a body, as chunks of it. */

/** Bytes or decoded text. */
export type Chunk = Uint8Array | string

/**
 * A body to be read: an answer of `fetch` or what looks like one, a stream of chunks, chunks from any iterable, or all of
 * it at once as bytes or text.
 */
export type BodySource =
  | BodyHolder
  | ReadableStream<Chunk>
  | AsyncIterable<Chunk>
  | Iterable<Chunk>
  | ArrayBuffer
  | Chunk

/** A `Response` of `fetch`, or what looks like one. */
export interface BodyHolder {
  /** The body, `null` where there is none. */
  readonly body: ReadableStream<Uint8Array> | AsyncIterable<Chunk> | null
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
): AsyncGenerator<Chunk, undefined, undefined> {
  if (typeof source === 'string' || source instanceof Uint8Array) yield source
  else if (source instanceof ArrayBuffer) yield new Uint8Array(source)
  else if (typeof source !== 'object' || source === null) throw noBody()
  else if (isReadableStream(source)) yield* checked(readStream(source, stop))
  else if (Symbol.asyncIterator in source)
    yield* checked(stop === undefined ? source : stoppable(source, stop))
  else if (Symbol.iterator in source) yield* checked(source)
  else if (!('body' in source)) throw noBody()
  else if (source.body !== null) yield* readChunks(source.body, stop)
  return undefined
}

function noBody(): TypeError {
  return new TypeError('The body is a Response, a stream, an iterable of chunks, bytes or a string')
}

async function* checked(
  chunks: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<Chunk, undefined, undefined> {
  for await (const chunk of chunks) {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      throw new TypeError('A chunk of a body is a Uint8Array or a string')
    }
    yield chunk
  }
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

/** The charset that a Content-Type names. RFC 9110, section 8.3.2. */
export function charsetOf(contentType: string | null | undefined): string | undefined {
  const match = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(contentType ?? '')
  const charset = (match?.[1] ?? match?.[2] ?? '').replaceAll("'", '').trim()
  return charset === '' ? undefined : charset
}
