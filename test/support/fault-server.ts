// An HTTP server on loopback that a test scripts: statuses, headers, chunks with pauses, connections that are reset or
// closed, and answers that never come. It records its requests and the end of each exchange. RFC 9110; RFC 9112.

import {once} from 'node:events'
import {createServer, type IncomingHttpHeaders, type ServerResponse} from 'node:http'
import {setTimeout as delay} from 'node:timers/promises'

import {multistatusBody} from 'multistatus/testing'

import {propstat} from './fixtures.ts'

/** Breaks the connection with a TCP reset. */
export const RESET: unique symbol = Symbol('reset')
/** Closes the connection in order, without the rest of the answer. */
export const CLOSE: unique symbol = Symbol('close')
/** Sends nothing more and keeps the connection open. */
export const NEVER: unique symbol = Symbol('never')

type End = typeof RESET | typeof CLOSE | typeof NEVER
/** A piece of a body: bytes to send at once, milliseconds or a promise to wait for, or an early end. */
export type Part = string | Uint8Array | number | Promise<unknown> | End

/** An answer of the server. An end in its place comes before the headers. */
export interface Answer {
  /** Sends 102 Processing first, as servers do while they delete or list. */
  readonly processing?: boolean
  readonly status: number
  /** Headers; `transfer-encoding: none` ends the body with the connection instead of a last chunk. */
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: Part | readonly Part[]
}

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The body as bytes. */
  readonly bytes: Buffer<ArrayBuffer>
  /** The number of its connection, from 1. */
  readonly connection: number
  /** Resolves at the end of the exchange: `closed` if the connection ended before the answer was complete. */
  readonly ended: Promise<'finished' | 'closed'>
}

export type Script = (request: SeenRequest, number: number) => Answer | End | Promise<Answer | End>

/** Answers a request before a model does, with the model's own answer or another one; `undefined` leaves it to the model. */
export type Fault = (
  request: SeenRequest,
  answer: () => Answer,
) => Answer | End | undefined | Promise<Answer | End | undefined>

export interface FaultServer {
  /** URL of the root, with its slash. */
  readonly url: string
  readonly requests: readonly SeenRequest[]
  /** Drops the recorded requests. */
  forget(): void
  /** Maximum number of requests that waited for an answer at once. */
  readonly mostAtOnce: number
  /** Number of connections that were ever accepted. */
  readonly connections: number
  /** Counts the connections that are open now. */
  open(): Promise<number>
  /** Sets a function that answers all further requests. */
  script(script: Script): void
  /** Sets the answers in order. The last one is repeated for all further requests. */
  answers(...answers: readonly (Answer | End)[]): void
  close(): Promise<void>
}

/** Starts a server that answers 404 until a test scripts it. */
export async function startFaultServer(): Promise<FaultServer> {
  const requests: SeenRequest[] = []
  let current: Script = () => ({status: 404})
  let [unanswered, mostAtOnce, connections] = [0, 0, 0]
  const numbers = new WeakMap<object, number>()

  const server = createServer(async (request, response) => {
    mostAtOnce = Math.max(mostAtOnce, ++unanswered)
    let isAnswered = false
    const answered = (): void => {
      if (!isAnswered) unanswered--
      isAnswered = true
    }
    const ended = closed(response).then(() => {
      answered()
      return response.writableFinished ? ('finished' as const) : ('closed' as const)
    })
    response.on('error', () => {})
    const {method = '', url = '', headers} = request
    // A client may leave in the middle of its own request.
    const chunks = await request.toArray().catch(() => undefined)
    if (chunks === undefined) return
    const bytes = Buffer.concat(chunks)
    const seen: SeenRequest = {
      method,
      url,
      headers,
      bytes,
      connection: numbers.get(request.socket) ?? 0,
      ended,
      // Few tests read the text of an upload.
      get body() {
        return bytes.toString()
      },
    }
    const number = requests.push(seen)
    await respond(response, await current(seen, number), ended, answered)
  })
  server.on('connection', (socket) => numbers.set(socket, ++connections))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  return {
    url: `http://127.0.0.1:${address.port}/`,
    requests,
    forget() {
      requests.length = 0
    },
    get mostAtOnce() {
      return mostAtOnce
    },
    get connections() {
      return connections
    },
    open: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    script(script) {
      current = script
    },
    answers(...answers) {
      const left = [...answers]
      current = () => (left.length > 1 ? left.shift() : left[0]) ?? {status: 404}
    },
    async close() {
      const isClosed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await isClosed
    },
  }
}

async function respond(
  response: ServerResponse,
  answer: Answer | End,
  ended: Promise<unknown>,
  answered: () => void,
): Promise<void> {
  if (typeof answer === 'symbol') return end(response, answer)
  if (answer.processing === true) response.writeProcessing()
  response.statusCode = answer.status
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (name === 'transfer-encoding') response.removeHeader(name)
    else response.setHeader(name, value)
  }
  const {body = []} = answer
  const parts: readonly Part[] = isList(body) ? body : [body]
  if (parts.length > 0) response.flushHeaders()
  for (const part of parts) {
    if (response.destroyed) return
    if (typeof part === 'symbol') return end(response, part)
    if (typeof part === 'number') await delay(part)
    else if (part instanceof Promise) await part
    else if (!response.write(part)) await Promise.race([drained(response), ended])
  }
  answered()
  response.end()
}

function isList(body: Part | readonly Part[]): body is readonly Part[] {
  return Array.isArray(body)
}

function end(response: ServerResponse, how: End): void {
  if (how === RESET) response.socket?.resetAndDestroy()
  else if (how === CLOSE) response.socket?.destroySoon()
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once('close', () => resolve()))
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once('drain', () => resolve()))
}

/** Start tag of the root of a Multi-Status document. */
export const OPEN = '<D:multistatus xmlns:D="DAV:">'
/** End tag of the root. */
export const SHUT = '</D:multistatus>'

/** Creates a 207 with this body, whole or in parts. */
export function answer207(body: Part | readonly Part[], headers: Answer['headers'] = {}): Answer {
  return {
    status: 207,
    headers: {'content-type': 'application/xml; charset=utf-8', ...headers},
    body,
  }
}

/** Formats the body of a 207 to a DELETE: one status for each href. */
export function verdicts(statuses: Readonly<Record<string, string>>): string {
  return multistatusBody(
    Object.entries(statuses).map(([href, status]) => ({href, status: `HTTP/1.1 ${status}`})),
  )
}

/** Formats a response of a listing. An href with a slash at its end is a collection. */
export function listed(href: string): string {
  const types = href.endsWith('/') ? '<D:collection/>' : ''
  const prop = `<D:resourcetype>${types}</D:resourcetype>`
  return `<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>`
}

/** Formats a whole listing of these hrefs. */
export function listing(...hrefs: readonly string[]): string {
  return OPEN + hrefs.map(listed).join('') + SHUT
}
