/** undici as a transport: its own Agent with keep-alive, bodies streamed and decompressed. Node only. */

import type {Readable, Transform} from 'node:stream'
import {pipeline} from 'node:stream'
import {createBrotliDecompress, createGunzip, createInflate, createZstdDecompress} from 'node:zlib'

import {Agent, request as send} from 'undici'
import type {Dispatcher} from 'undici'

import type {DavBody, Transport} from './transport.ts'

/** What the undici transport can be told. */
export interface UndiciTransportOptions {
  /**
   * The dispatcher to send with, such as a ProxyAgent, or an Agent that trusts a certificate of your own.
   *
   * @defaultValue an Agent of its own
   */
  readonly dispatcher?: Dispatcher | undefined
  /**
   * Connections to an origin at once, with the transport's own Agent.
   *
   * @defaultValue no limit of its own: what is sent at once is limited by the client
   */
  readonly connections?: number | undefined
  /**
   * Milliseconds until a connection must be made, with the transport's own Agent.
   *
   * @defaultValue 10,000
   */
  readonly connectTimeout?: number | undefined
}

/** A transport that can be closed. */
export interface UndiciTransport extends Transport {
  /**
   * Closes idle connections and waits for the others; later requests fail. Idle connections do not keep a process alive,
   * so that a program need not call it. A dispatcher that was given is left to its owner.
   */
  close(): Promise<void>
}

const DECODERS: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
])

/**
 * A transport over undici.
 *
 * @example
 * ```ts
 * const transport = undiciTransport({dispatcher: new ProxyAgent('http://proxy.example:3128')})
 * const dav = new DavClient({url, transport})
 * ```
 */
export function undiciTransport(options: UndiciTransportOptions = {}): UndiciTransport {
  const {connections, connectTimeout = 10_000} = options
  const own =
    options.dispatcher === undefined
      ? new Agent({
          // Time limits are the client's, so that they are the same on every platform.
          headersTimeout: 0,
          bodyTimeout: 0,
          connect: {timeout: connectTimeout},
          ...(connections !== undefined && {connections}),
        })
      : undefined
  const dispatcher = options.dispatcher ?? own

  const transport: Transport = async ({method, url, headers, body, signal}) => {
    const response = await send(url, {
      ...(dispatcher !== undefined && {dispatcher}),
      method,
      headers: {'accept-encoding': 'gzip, br, zstd', ...headers},
      ...(body !== undefined && {body}),
      ...(signal !== undefined && {signal}),
    })
    const get = (name: string): string | null => {
      const value = response.headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : (value ?? null)
    }
    const isEmpty = response.statusCode === 204 || response.statusCode === 304
    return {
      status: response.statusCode,
      headers: {get},
      body: bodyOf(isEmpty ? response.body : decoded(response.body, get('content-encoding'))),
    }
  }
  return Object.assign(transport, {close: async () => own?.close()})
}

/** The body without its content codings. One that is not known is left as it is. RFC 9110, section 8.4. */
function decoded(body: Readable, contentEncoding: string | null): Readable {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  const decoders = codings.toReversed().map((coding) => DECODERS.get(coding))
  if (decoders.length === 0 || decoders.length > 3 || decoders.includes(undefined)) return body
  let current = body
  for (const create of decoders) {
    if (create === undefined) continue
    // What breaks in one stream ends the other ones too, and the reader of the last one hears of it.
    current = pipeline(current, create(), () => {})
  }
  return current
}

function bodyOf(stream: Readable): DavBody {
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    async cancel() {
      // The error that a destroyed stream may still emit has no reader.
      stream.on('error', () => {})
      stream.destroy()
    },
  }
}
