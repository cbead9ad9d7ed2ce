/**
 * The answer to a request as the transports under Node read it: its headers by name, and its body without content codings. Node
 * only. RFC 9110, sections 6.4.1 and 8.4.
 */

import type {IncomingHttpHeaders} from 'node:http'
import {Readable} from 'node:stream'

import type {ByteQueue} from './byte-queue.ts'
import {decodeBody} from './codings.ts'
import type {DavBody, DavHeaders, DavRequest} from './transport.ts'

/** Makes the headers of an answer from those of Node. */
export function readHeaders(headers: IncomingHttpHeaders): DavHeaders {
  return {
    get(name) {
      const value = headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : (value ?? null)
    },
    // undici has one cookie as a string.
    getSetCookie: () => [headers['set-cookie'] ?? []].flat(),
  }
}

/** Tells if an answer to a method has no body. */
export function isBodiless(method: string, status: number, headers: IncomingHttpHeaders): boolean {
  return status === 204 || status === 304 || method === 'HEAD' || headers['content-length'] === '0'
}

/** Removes the content codings of a body. Returns the same body if it has none, or an unknown one. */
export function decodeAnswer(
  {method, headers: asked}: DavRequest,
  headers: DavHeaders,
  queue: ByteQueue,
): DavBody {
  // A coding that was not asked for belongs to the resource, as of a stored `a.tar.gz`. RFC 9110, section 8.4.
  const isStored = method === 'GET' && asked['accept-encoding'] === 'identity'
  const coding = isStored ? null : headers.get('content-encoding')
  return coding === null ? queue : decoded(queue, coding)
}

function decoded(queue: ByteQueue, coding: string): DavBody {
  const coded = Readable.from(queue, {objectMode: false})
  const stream = decodeBody(coded, coding)
  if (stream === coded) return queue
  // The body may break before it is read. Its reader then gets the error, so this is no unhandled one.
  stream.on('error', () => {})
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    async cancel() {
      stream.destroy()
    },
  }
}
