/**
 * Opens bodies as chunks: any body for the parser, streams and iterables for the whole package. A reading can be ended while it
 * waits for a chunk. Decodes nothing.
 */

import {bytesOf} from '../protocol/bytes.ts'
import {tagOf} from '../protocol/members.ts'

/** Bytes, as an ArrayBuffer or any view of one, or decoded text. */
export type Chunk = Uint8Array | ArrayBufferView | ArrayBuffer | string

/**
 * A body to read. It is a `Response` of `fetch` or an object like it, a stream or iterable of chunks, or the whole body as bytes
 * or text.
 */
export type BodySource =
  | BodyHolder
  | ReadableStream<Chunk>
  | AsyncIterable<Chunk>
  | Iterable<Chunk>
  | Chunk

/** A `Response` of `fetch`, or an object like it. */
export interface BodyHolder {
  /** The body; `null` without one. */
  readonly body: ReadableStream<Uint8Array> | AsyncIterable<Chunk> | null
  /** The URL that answered; empty or left out if unknown. */
  readonly url?: string
  /** The headers. Only the charset of the Content-Type is read. */
  readonly headers?: BodyHeaders
}

/** The headers of a `Response`. */
export interface BodyHeaders {
  /** Returns the value of a header by its name in any case; `null` without one. */
  get(name: string): string | null
}

/** An iterator over chunks. Its `return` ends the source, even while `next` waits. */
export type Chunks<T = Chunk> = Required<Pick<AsyncIterator<T, undefined>, 'next' | 'return'>>

/** The end of an iteration. */
export const END = {value: undefined, done: true} as const

/**
 * Opens any body. Does not check the chunks; the parser does.
 *
 * @throws TypeError for a value that is no body, and for a stream that is being read already.
 */
export function openChunks(source: BodySource): Chunks {
  const whole = asChunk(source)
  if (whole !== undefined) return openIterable([whole])
  if (typeof source !== 'object' || source === null) throw noBody(source)
  if ('getReader' in source) return openStream(source)
  if (Symbol.asyncIterator in source) return interruptible(openStream(source))
  if ('body' in source) return openChunks(source.body ?? [])
  if (isIterable(source)) return openIterable(source)
  throw noBody(source)
}

function isIterable(source: object): source is Iterable<Chunk> {
  return Symbol.iterator in source
}

/** Opens an iterable, or an asynchronous one, as it is. */
export function iterate<T>(source: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : openIterable(source)
}

function openIterable<T>(chunks: Iterable<T>): Chunks<T> {
  const iterator = chunks[Symbol.iterator]()
  return {
    async next() {
      const next = iterator.next()
      return next.done === true ? END : {value: next.value, done: false}
    },
    async return() {
      iterator.return?.()
      return END
    },
  }
}

/** Ends the wait for an iterable at once. A generator, such as that of a Node stream, cannot end itself while it waits. */
function interruptible(chunks: Chunks): Chunks {
  let isWaiting = false
  let interrupt: ((end: typeof END) => void) | undefined
  return {
    async next() {
      const interrupted = new Promise<typeof END>((resolve) => (interrupt = resolve))
      isWaiting = true
      try {
        return await Promise.race([chunks.next(), interrupted])
      } finally {
        isWaiting = false
      }
    },
    async return() {
      interrupt?.(END)
      const returned = chunks.return()
      // Not waited for: a generator closes only when its own wait has ended.
      if (isWaiting) returned.catch(() => {})
      else await returned
      return END
    },
  }
}

/**
 * Opens a stream or an asynchronous iterable.
 *
 * @throws TypeError for a stream that somebody else reads.
 */
export function openStream<T>(source: ReadableStream<T> | AsyncIterable<T>): Chunks<T> {
  const reading = openReading(source)
  let isOver = false
  return {
    async next() {
      if (isOver) return END
      try {
        const next = await reading.read()
        if (next.done !== true) return next
      } catch (error) {
        isOver = true
        throw error
      }
      isOver = true
      return END
    },
    async return() {
      if (isOver) return END
      isOver = true
      await reading.close()
      return END
    },
  }
}

/** A source as two steps, for a reader that notes the end itself. */
export interface Reading<T> {
  read(): Promise<IteratorResult<T, unknown>>
  close(): Promise<unknown>
}

/** Opens a stream or an asynchronous iterable, as {@link openStream} does. */
export function openReading<T>(source: ReadableStream<T> | AsyncIterable<T>): Reading<T> {
  return 'getReader' in source ? readStream(source) : readIterable(source)
}

/** Reads a stream by its reader. Not all platforms can iterate over a stream, and a reader can be ended while it waits. */
function readStream<T>(stream: ReadableStream<T>): Reading<T> {
  const reader = stream.getReader()
  return {
    read: () => reader.read(),
    async close() {
      await reader.cancel()
      reader.releaseLock()
    },
  }
}

function readIterable<T>(source: AsyncIterable<T>): Reading<T> {
  const iterator: AsyncIterator<T, unknown, undefined> = source[Symbol.asyncIterator]()
  return {
    read: () => iterator.next(),
    async close() {
      // The iterator of an unread stream of Node closes nothing, and the stream holds its connection: end the stream itself.
      if ('cancel' in source && typeof source.cancel === 'function') await source.cancel()
      else if ('destroy' in source && typeof source.destroy === 'function') source.destroy()
      await iterator.return?.()
    },
  }
}

function noBody(source: unknown): TypeError {
  const hint = source instanceof Promise ? ': await the Promise first' : ''
  return new TypeError(
    `The body is a Response, a stream, an iterable of chunks, bytes or a string${hint}`,
  )
}

/**
 * Reads a chunk as bytes or text. Bytes are viewed, not copied.
 *
 * @throws TypeError for any other value.
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
  return ArrayBuffer.isView(given) || isBuffer(given) ? bytesOf(given) : undefined
}

/** Recognizes an ArrayBuffer, even of another realm such as a frame or a `vm` context, which has its own class. */
function isBuffer(given: unknown): given is ArrayBuffer {
  if (given instanceof ArrayBuffer) return true
  const tag = tagOf(given)
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]'
}

const PARAMETER = /;\s*([^\s;=",]+)\s*=\s*(?:"((?:[^"\\]|\\[^])*)"?|([^\s;,"]*))/g

/**
 * Reads the charset of a Content-Type. A comma of joined fields and a missing quotation mark do not hide it: proxies and servers
 * send both. RFC 9110, sections 5.6.6 and 8.3.2.
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
