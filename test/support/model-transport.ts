// A model server behind sockets, or behind a transport of the same process, which is ten times as fast and breaks its answers alike.
// A part of the seeds of each campaign uses sockets.

import {setImmediate as turn} from 'node:timers/promises'

import type {DavRequest, DavResponse, Transport} from 'multistatus'

import {undiciTransport} from 'multistatus/undici'

import {
  type Answer,
  CLOSE,
  NEVER,
  RESET,
  type SeenRequest,
  startFaultServer,
} from './fault-server.ts'

/** An answer, or the end of the connection or silence in its place. */
export type Reply = Answer | typeof RESET | typeof CLOSE | typeof NEVER

/** A request as it arrives. */
export type ModelRequest = Pick<SeenRequest, 'method' | 'url' | 'headers' | 'bytes' | 'body'>

/** A model server that is open. */
export interface OpenModel {
  readonly url: string
  readonly transport: Transport
  readonly close: () => Promise<void>
}

const sockets = undiciTransport()

/** Opens a model server, on loopback or in this process. */
export async function openModel(
  answer: (request: ModelRequest) => Reply,
  isLocal: boolean,
): Promise<OpenModel> {
  if (isLocal)
    return {url: 'http://model.example/', transport: transportTo(answer), close: async () => {}}
  const server = await startFaultServer()
  server.script(answer)
  return {url: server.url, transport: sockets, close: () => server.close()}
}

/** Creates a transport that has its answers from a function. */
export function transportTo(answer: (request: ModelRequest) => Reply): Transport {
  const send: Transport = async (request) => {
    const {method, url, headers, signal} = request
    const {pathname, search} = new URL(url)
    const bytes = await bytesOf(request.body)
    // As on a network, requests that are sent at once arrive in turn.
    await turn()
    const body = bytes.toString()
    const reply = answer({method, url: pathname + search, headers, bytes, body})
    if (reply === NEVER) return silence(signal)
    if (typeof reply === 'symbol') throw broken()
    return responseOf(reply)
  }
  // A stream of known length is sent as it comes, and not spooled to a file.
  return Object.assign(send, {sendsLength: true})
}

/** Ends by the signal only. */
function silence(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted === true) reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
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
