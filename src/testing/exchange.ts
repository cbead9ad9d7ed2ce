/** The exchanges of a fake server: reads a request, lets it meet its fault, and sends the answer in pieces. RFC 9110, section 3.4. */

import {FAKE_PIECE_BYTES} from '../protocol/bounds.ts'
import {decodePath} from '../protocol/path.ts'
import {startTimer, untilAborted} from '../protocol/wait.ts'
import {openStream, readChunk} from '../multistatus/source.ts'
import {streamOf} from '../transport/fetch.ts'
import {isStreamed, openPieces} from '../transport/request-body.ts'
import type {DavRequest, RequestBody} from '../transport/transport.ts'
import {put, remove, transfer} from './changing.ts'
import type {Effect, Faults} from './faults.ts'
import {lock, unlock} from './locking.ts'
import {mkcol, propfind, proppatch} from './properties.ts'
import {get, options} from './reading.ts'
import type {Answer, Asked, Site} from './site.ts'
import {pathOf} from './site.ts'
import {report} from './syncing.ts'

/** A request as {@link fakeServer} saw it. */
export interface FakeRequest {
  /** The method. */
  readonly method: string
  /** The URL. */
  readonly url: string
  /** The plain path of the resource, without a slash at either end. */
  readonly path: string
  /** Headers by name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, read as UTF-8. */
  readonly body: string
  /** The status of the answer, also of an answer that a fault kept back; 0 before the answer, and if nothing was done. */
  readonly status: number
}

const METHODS: Readonly<Record<string, (site: Site, asked: Asked) => Answer>> = {
  OPTIONS: options,
  GET: get,
  HEAD: get,
  PUT: put,
  DELETE: remove,
  COPY: transfer,
  MOVE: transfer,
  MKCOL: mkcol,
  PROPFIND: propfind,
  PROPPATCH: proppatch,
  LOCK: lock,
  UNLOCK: unlock,
  REPORT: report,
}

/** An answer as a transport gives it. */
interface FakeResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: AsyncIterable<Uint8Array> | null
}

/** A transport to a server. */
export interface FakeTransport {
  (request: DavRequest): Promise<FakeResponse>
  readonly sendsLength: true
}

/** Makes the transport of a server. It records each request. */
export function makeTransport(site: Site, faults: Faults, requests: FakeRequest[]): FakeTransport {
  const {base} = site
  const send = async (request: DavRequest): Promise<FakeResponse> => {
    const {method, url, headers, signal} = request
    const body = await readBody(request.body, request.length)
    signal?.throwIfAborted()
    const {origin, pathname} = new URL(url)
    if (origin !== base.origin)
      throw new TypeError(`this fake server is at ${base.href}, and no server is at ${url}`)
    const path = pathOf(site, url)
    const plain = plainOf(path ?? '')
    const seen = {method, url, path: plain, headers, body: decode(body), status: 0}
    requests.push(seen)
    const effect = path === undefined ? {} : (faults.meet({method, plain}) ?? {})
    if (effect.latency !== undefined) await pause(effect.latency, signal)
    effect.meanwhile?.()
    const answer = (): Answer => {
      if (path === undefined) return {status: 404}
      const obeyed = Object.entries(headers).filter(([name]) => !site.settings.ignored.has(name))
      const hasSlash = pathname.endsWith('/')
      const asked = {method, path, hasSlash, headers: Object.fromEntries(obeyed), body}
      const done = METHODS[method]?.(site, asked) ?? {status: 501}
      seen.status = done.status
      return done
    }
    return respond(method, await suffer(effect, site, answer, signal), effect.cut, signal)
  }
  // A stream of known length arrives as it is, and need not be spooled.
  return Object.assign(send, {sendsLength: true} as const)
}

/** Has the effect of a fault on a request. */
async function suffer(
  effect: Effect,
  {tree, locks}: Site,
  answer: () => Answer,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const {status, headers, body, reset, stall, obeyed, lie} = effect
  if (lie === true) {
    const undo = [tree.save(), locks.save()]
    const lied = answer()
    for (const one of undo) one()
    return lied
  }
  const isBroken = status !== undefined || reset === true || stall === true
  const done = isBroken && obeyed !== true ? undefined : answer()
  if (reset === true) throw broken()
  if (stall === true) return untilAborted(new Promise<never>(() => {}), signal)
  if (status === undefined && done !== undefined) return done
  return {status: status ?? 500, ...(headers && {headers}), ...(body !== undefined && {body})}
}

function broken(): Error {
  return Object.assign(new Error('the connection was reset'), {code: 'ECONNRESET'})
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>()
  const timer = startTimer(resolve, milliseconds)
  try {
    await untilAborted(promise, signal)
  } finally {
    clearTimeout(timer)
  }
}

function respond(
  method: string,
  {status, headers = {}, body}: Answer,
  cut: number | undefined,
  signal: AbortSignal | undefined,
): FakeResponse {
  const bytes = body === undefined ? undefined : bytesOf(body)
  const length: Record<string, string> =
    bytes === undefined ? {} : {'content-length': String(bytes.length)}
  const isEmpty = bytes === undefined || method === 'HEAD'
  return {
    status,
    headers: new Headers({...headers, ...length}),
    body: isEmpty ? null : pieces(bytes, cut, signal),
  }
}

async function* pieces(
  bytes: Uint8Array,
  cut: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const isPart = cut !== undefined && cut < 1
  const end = isPart ? Math.floor(cut * bytes.length) : Math.min(cut ?? bytes.length, bytes.length)
  for (let start = 0; start < end; start += FAKE_PIECE_BYTES) {
    signal?.throwIfAborted()
    yield bytes.slice(start, Math.min(start + FAKE_PIECE_BYTES, end))
  }
  if (cut !== undefined && end < bytes.length) throw broken()
}

/** Answers a request of the platform. Rejects with a TypeError, as `fetch` does, where the connection breaks. */
export async function fetchFrom(transport: FakeTransport, request: Request): Promise<Response> {
  const {method, url, signal} = request
  const headers = Object.fromEntries(request.headers)
  const bytes = await request.arrayBuffer()
  try {
    const {
      status,
      headers: fields,
      body,
    } = await transport({method, url, headers, signal, body: bytes})
    return new Response(body === null ? null : streamOf(openStream(body)), {
      status,
      headers: fields,
    })
  } catch (error) {
    if (signal.aborted) throw error
    throw new TypeError('fetch failed', {cause: error})
  }
}

async function readBody(
  body: RequestBody | undefined,
  length: number | undefined,
): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array()
  if (body instanceof Blob) return new Uint8Array(await body.arrayBuffer())
  // A copy, because a client may use its memory again.
  if (!isStreamed(body)) return bytesOf(readChunk(body)).slice()
  const chunks = openPieces(body, length)
  const parts: Uint8Array<ArrayBuffer>[] = []
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
    parts.push(next.value.slice())
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

/** Finds the plain path of a path. It stays escaped if no plain path can hold it. */
export function plainOf(path: string): string {
  return (decodePath(path) ?? path).slice(1)
}

export function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content
}

export function decode(content: Uint8Array): string {
  return new TextDecoder().decode(content)
}
