// A transport into a model server of the same process, ten times as fast as by sockets. It breaks its answers like the
// fault server, whose sockets a part of the seeds uses.

import {setImmediate as turn} from 'node:timers/promises'

import type {DavRequest, DavResponse, Transport} from 'multistatus'

import {type Answer, CLOSE, RESET, type SeenRequest} from './fault-server.ts'

/** An answer, or the end of the connection in its place. */
export type Reply = Answer | typeof RESET | typeof CLOSE

/** A request as it arrives. */
export type ModelRequest = Pick<SeenRequest, 'method' | 'url' | 'headers' | 'bytes' | 'body'>

/** Creates a transport that has its answers from a function. */
export function transportTo(answer: (request: ModelRequest) => Reply): Transport {
  const send: Transport = async (request) => {
    const {method, url, headers} = request
    const {pathname, search} = new URL(url)
    const bytes = await bytesOf(request.body)
    // As on a network, requests that are sent at once arrive in turn.
    await turn()
    const body = bytes.toString()
    const reply = answer({method, url: pathname + search, headers, bytes, body})
    if (typeof reply === 'symbol') throw broken()
    return responseOf(reply)
  }
  // A stream of known length is sent as it comes, and not spooled to a file.
  return Object.assign(send, {sendsLength: true})
}

function responseOf({status, headers, body = []}: Answer): DavResponse {
  const parts = isList(body) ? body : [body]
  return {
    status,
    headers: new Headers(
      Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]),
    ),
    body: parts.length === 0 ? null : pieces(parts),
  }
}

async function* pieces(parts: readonly unknown[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    await Promise.resolve()
    if (part === RESET || part === CLOSE) throw broken()
    if (typeof part === 'string') yield Buffer.from(part)
    else if (part instanceof Uint8Array) yield part
  }
}

async function bytesOf(body: DavRequest['body']): Promise<Buffer<ArrayBuffer>> {
  if (body === undefined) return Buffer.alloc(0)
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Blob) return Buffer.from(await body.arrayBuffer())
  if (body instanceof ArrayBuffer) return Buffer.from(body)
  if (ArrayBuffer.isView(body))
    return Buffer.from(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
  return Buffer.concat(await Array.fromAsync<Uint8Array>(body))
}

function broken(): Error {
  return Object.assign(new Error('read ECONNRESET'), {code: 'ECONNRESET'})
}

function isList(body: Answer['body']): body is readonly unknown[] & Answer['body'] {
  return Array.isArray(body)
}
