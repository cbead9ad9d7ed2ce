/**
 * Node's own HTTP client as a transport: agents with keep-alive, streamed bodies, content codings removed. It takes answers that
 * undici refuses, and agents of other packages. Node only. RFC 9110, sections 10.1.1 and 15.2.
 */

import type {Agent as HttpAgent, ClientRequest, IncomingMessage} from 'node:http'
import {Agent, request as requestHttp} from 'node:http'
import {Agent as SecureAgent, request as requestHttps} from 'node:https'
import {Socket} from 'node:net'
import {urlToHttpOptions} from 'node:url'

import {
  CONTINUE_MILLISECONDS,
  IDLE_CONNECTION_MILLISECONDS,
  KEEP_ALIVE_MARGIN_MILLISECONDS,
} from '../protocol/bounds.ts'
import type {Chunks} from '../multistatus/source.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, NUMBER, readOptions, assertCount} from '../protocol/options.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {startTimer} from '../protocol/wait.ts'
import {ByteQueue} from './byte-queue.ts'
import {explainTls} from './certificates.ts'
import type {Holder} from './connections.ts'
import {Connections} from './connections.ts'
import {HeldAnswer} from './held-answer.ts'
import {noteWritten} from './lent.ts'
import {decodeAnswer, isBodiless, readHeaders} from './node-answer.ts'
import {formatHeaders, readUpload} from './node-request.ts'
import {Settling} from './settling.ts'
import type {TlsOptions} from './tls.ts'
import {readTls, TLS_OPTIONS} from './tls.ts'
import type {DavHeaders, DavRequest, DavResponse, Transport} from './transport.ts'

/** Options of `httpTransport`. */
export interface HttpTransportOptions extends TlsOptions {
  /**
   * The agent to send with, such as one of the packages `proxy-agent` and `socks-proxy-agent`. It has connections and certificates of
   * its own.
   *
   * @defaultValue an agent of the transport's own. It ignores the proxies of the environment
   */
  readonly agent?: HttpAgent | undefined
  /**
   * The most connections to an origin at once, with the transport's own agent.
   *
   * @defaultValue no limit: the client limits the requests at once
   */
  readonly connections?: number | undefined
  /**
   * The most milliseconds to connect, with the transport's own agent. Zero or `Infinity` is no limit.
   *
   * @defaultValue 10,000
   */
  readonly connectTimeout?: number | undefined
  /**
   * Asks the server before a long or streamed body is sent. The body waits for the server's consent, at most one second. A server
   * that refuses the request gets no body. Some servers err: chezdav stores an empty file. RFC 9110, section 10.1.1.
   *
   * @defaultValue false
   */
  readonly expectContinue?: boolean | undefined
}

const HTTP_OPTIONS: Rules<HttpTransportOptions> = {
  ...TLS_OPTIONS,
  agent: {
    words: 'an Agent of node:http or node:https',
    accepts: (value) => typeof memberOf(value, 'addRequest') === 'function',
  },
  connections: NUMBER,
  connectTimeout: NUMBER,
  expectContinue: BOOLEAN,
}

/** A transport that can be closed. */
export interface HttpTransport extends Transport {
  /**
   * Closes idle connections and waits for the others; later requests fail. Calling it is optional, because idle connections do
   * not keep a process alive. An agent of yours stays open.
   */
  close(): Promise<void>
}

/**
 * Makes a transport over `node:http` and `node:https`.
 *
 * @throws TypeError for an unknown option or one of the wrong type, and for certificates that Node cannot read. TypeError for an
 *   option that an `agent` of yours would ignore. RangeError for a number out of range.
 * @example
 * ```ts
 * const transport = httpTransport({agent: new SocksProxyAgent('socks://proxy.example:1080')})
 * const dav = new DavClient({url, transport})
 * ```
 */
export function httpTransport(options: HttpTransportOptions = {}): HttpTransport {
  const given = readOptions('httpTransport', options, HTTP_OPTIONS)
  const {agent, connections: most = Number.POSITIVE_INFINITY, connectTimeout = 10_000} = given
  for (const name of ['connections', 'connectTimeout', 'ca', 'cert', 'key'] as const) {
    if (agent !== undefined && given[name] !== undefined)
      throw new TypeError(`httpTransport: give ${name} to your agent, which decides it`)
  }
  assertCount('httpTransport: connections', given.connections)
  if (!(connectTimeout >= 0))
    throw new RangeError('httpTransport: connectTimeout is a number of milliseconds')
  const kept = {keepAlive: true, maxSockets: most, timeout: IDLE_CONNECTION_MILLISECONDS}
  const secureContext = readTls('httpTransport', given)
  const own =
    agent === undefined
      ? {
          plain: withTimes(new Agent(kept), connectTimeout),
          secure: withTimes(
            new SecureAgent({...kept, ...(secureContext !== undefined && {secureContext})}),
            connectTimeout,
          ),
        }
      : undefined
  const around: Surroundings = {
    agentOf: (isSecure) => agent ?? (isSecure ? own?.secure : own?.plain),
    connections: new Connections(agent === undefined ? most : limitOf(agent)),
    asks: given.expectContinue === true,
    // Node's agent gives a connection out at once, before it has read that the server has ended it.
    settling: new Settling(2),
    unwilling: new Set(),
  }
  const open = new Set<Promise<void>>()
  let isClosed = false

  const transport: Transport = async (request) => {
    await around.settling.last
    request.signal?.throwIfAborted()
    if (isClosed) throw new Error('the transport is closed')
    const exchange = new Exchange(request, around)
    open.add(exchange.ended)
    void exchange.ended.finally(() => open.delete(exchange.ended))
    return exchange.answered
  }
  return Object.assign(transport, {
    sendsLength: true,
    close: async () => {
      isClosed = true
      if (own === undefined) return
      const agents = [own.plain, own.secure]
      for (const {freeSockets} of agents)
        for (const socket of Object.values(freeSockets).flat()) socket?.destroy()
      await Promise.all(open)
      for (const one of agents) one.destroy()
    },
  })
}

/** Returns the most connections of a caller's agent. It may be one, so that is assumed where the agent does not say. */
function limitOf({maxSockets}: Partial<HttpAgent>): number {
  return maxSockets !== undefined && maxSockets > 0 ? maxSockets : 1
}

// The times for which servers keep connections, in milliseconds.
const KEPT = new WeakMap<object, number>()

/** Notes the time for which a server keeps a connection. RFC 2068, section 19.7.1.1. */
function noteKept({headers, socket}: IncomingMessage): void {
  const hint = /\btimeout=(\d+)/i.exec([headers['keep-alive']].join(','))?.[1]
  if (hint !== undefined)
    KEPT.set(socket, Math.max(0, Number(hint) * 1000 - KEEP_ALIVE_MARGIN_MILLISECONDS))
}

/**
 * Gives an agent its times. It closes an idle connection before the server does: Node's own margin is a second, which keeps none for
 * `timeout=1`. It gives up a connection that is not made in time, where Node waits as long as the system does.
 */
function withTimes<A extends HttpAgent>(agent: A, milliseconds: number): A {
  agent.keepSocketAlive = (socket) => {
    const kept = Math.min(KEPT.get(socket) ?? Infinity, IDLE_CONNECTION_MILLISECONDS)
    if (!(socket instanceof Socket) || kept === 0) return false
    socket.setKeepAlive(true, 1000).unref().setTimeout(kept)
    return true
  }
  if (milliseconds === 0) return agent
  const create = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    const socket = create(options, done)
    const timer = startTimer(() => {
      // As undici words it, so that the client finds the number.
      const reason = new Error(`Connect Timeout Error (timeout: ${milliseconds}ms)`)
      socket?.destroy(Object.assign(reason, {code: 'ETIMEDOUT'}))
    }, milliseconds)
    const stop = (): void => clearTimeout(timer)
    socket?.once(agent instanceof SecureAgent ? 'secureConnect' : 'connect', stop)
    socket?.once('close', stop)
    return socket
  }
  return agent
}

/** The parts of the transport that its exchanges share. */
interface Surroundings {
  agentOf(isSecure: boolean): HttpAgent | undefined
  readonly connections: Connections
  readonly settling: Settling
  /** Reports if long bodies wait for the server's consent. */
  readonly asks: boolean
  /** The origins that answered 417 to the question. They are not asked again. */
  readonly unwilling: Set<string>
}

/** One exchange, from the request to the end of the answer's body. */
class Exchange implements Holder {
  /** Resolves with the answer, at its headers. */
  readonly answered: Promise<DavResponse>
  /** Resolves at the end of the answer's body, or of an exchange without an answer. Never rejects. */
  readonly ended: Promise<void>
  readonly #request: DavRequest
  readonly #origin: string
  readonly #around: Surroundings
  readonly #response = Promise.withResolvers<DavResponse>()
  readonly #over = Promise.withResolvers<void>()
  #message: ClientRequest | undefined
  #body: ByteQueue | undefined
  #answer: IncomingMessage | undefined
  #held: HeldAnswer | undefined
  #isConnected = false
  #isOver = false

  constructor(request: DavRequest, around: Surroundings) {
    this.#request = request
    this.#around = around
    this.#origin = /^[^:]+:\/\/[^/?#]+/.exec(request.url)?.[0] ?? ''
    this.answered = this.#response.promise
    this.ended = this.#over.promise
    request.signal?.addEventListener('abort', this.#onAbort, {once: true})
    around.connections.wait(this.#origin, this)
    try {
      this.#send()
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error('not sent', {cause: error}))
    }
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    return this.#request.url
  }

  get held(): number {
    return this.#body?.held ?? 0
  }

  flow(): void {
    this.#body?.flow()
  }

  refuse(error: Error): void {
    this.#end(error)
  }

  /** Sends the request. A request that is sent once more has a message of its own. */
  #send(): void {
    const {method, url} = this.#request
    const isSecure = url.startsWith('https:')
    const hash = url.indexOf('#')
    const path = url.slice(this.#origin.length, hash === -1 ? undefined : hash)
    const {protocol, hostname, port} = urlToHttpOptions(new URL(this.#origin))
    const message = (isSecure ? requestHttps : requestHttp)({
      protocol,
      hostname,
      port,
      path: path.startsWith('/') ? path : `/${path}`,
      method,
      agent: this.#around.agentOf(isSecure),
      joinDuplicateHeaders: true,
    })
    this.#message = message
    // A header that Node refuses ends the message too.
    message.on('error', (error) => this.#onError(message, error))
    const headers = formatHeaders(this.#request)
    for (let at = 0; at < headers.length; at += 2)
      message.setHeader(headers[at] ?? '', headers[at + 1] ?? '')
    message.once('socket', () => {
      if (!this.#isOver) this.#around.connections.start(this.#origin, this)
    })
    onConnected(message, () => (this.#isConnected = true))
    message.on('information', () => this.#request.onInterim?.())
    message.once('upgrade', (_answer, socket) => {
      socket.destroy()
      this.#end(unasked(101))
    })
    const {onSent, ...silent} = this.#request
    const upload = readUpload(silent, silent.length)
    // A body of no bytes needs no consent, and a server may answer such a request at once. RFC 9110, section 10.1.1.
    const asks =
      typeof upload === 'function' &&
      silent.length !== 0 &&
      this.#around.asks &&
      !this.#around.unwilling.has(this.#origin)
    let isBegun = !asks
    // A success may come in one packet with the consent, before the source has given a piece.
    let isWritten = !asks
    let sent = 0
    const onWrite = (bytes: number): void => {
      isWritten = true
      sent += bytes
      if (bytes > 0) onSent?.(sent)
    }
    message.once('response', (answer) => {
      if (message !== this.#message) return
      const {statusCode: status = 0} = answer
      if (!isBegun && status === 417) this.#sendUnasked(message)
      // Such a server has stored nothing, or an empty file.
      else if (!isWritten && isSuccessStatus(status))
        this.#end(new Error(`the server answered ${status} before the body was sent`))
      else this.#onAnswer(message, answer)
    })
    if (typeof upload !== 'function') {
      // Node writes a text and the headers before it in one encoding, which would spoil bytes in the headers.
      message.end(typeof upload === 'string' ? Buffer.from(upload) : (upload ?? undefined))
      return
    }
    if (!message.hasHeader('content-length')) message.setHeader('Transfer-Encoding', 'chunked')
    if (!asks) {
      void sendPieces(message, upload(), onWrite)
      return
    }
    message.setHeader('Expect', '100-continue')
    message.flushHeaders()
    afterConsent(message, () => {
      isBegun = true
      void sendPieces(message, upload(), onWrite)
    })
  }

  /** Sends the request once more, to a server that takes no question: 417 Expectation Failed. */
  #sendUnasked(message: ClientRequest): void {
    this.#around.unwilling.add(this.#origin)
    this.#send()
    message.destroy()
  }

  #onAnswer(message: ClientRequest, answer: IncomingMessage): void {
    const {statusCode: status = 0, headers: fields} = answer
    if (status < 200) {
      this.#end(unasked(status))
      return
    }
    this.#answer = answer
    noteKept(answer)
    const headers = readHeaders(fields)
    if (isBodiless(this.method, status, fields)) {
      // The connection is free at the end of the answer only, also of one without a body.
      const done = (): void => {
        this.#finish()
        this.#response.resolve({status, headers, body: null})
        if (!message.writableFinished) message.destroy()
      }
      answer.once('end', done).once('close', done).once('error', done).resume()
      return
    }
    const queue = new ByteQueue({
      resume: () => answer.resume(),
      abandon: () => this.#end(new Error('The body was given up')),
    })
    this.#body = queue
    answer.on('data', (chunk: Buffer) => {
      const refused = this.#held?.look(chunk, this.#request)
      if (refused !== undefined) {
        this.#end(refused)
        return
      }
      if (queue.push(chunk)) return
      if (!this.#around.connections.mustFlow(this.#origin, this)) answer.pause()
    })
    answer.once('end', () => {
      this.#finish()
      this.#held?.release()
      queue.end()
      // The rest of a request body that the server did not wait for.
      if (!message.writableFinished) message.destroy()
    })
    const fail = (error = new Error('the connection closed before the end of the body')): void => {
      this.#finish()
      this.#held?.release()
      queue.fail(error)
    }
    answer.once('error', fail).once('close', () => fail())
    const body = decodeAnswer(this.#request, headers, queue)
    const trailers = (): DavHeaders => readHeaders(answer.trailers)
    const report = (): void => this.#response.resolve({status, headers, body, trailers})
    if (status === 400) this.#held = new HeldAnswer(report)
    else report()
  }

  #onError(message: ClientRequest, error: Error): void {
    if (this.#isOver || message !== this.#message) return
    // Bytes behind a complete answer are no error. Node takes a reset for the end of a body without a length.
    if (this.#answer?.complete === true) return
    this.#held?.release()
    this.#end(explainTls(error, this.#request, this.#isConnected) ?? error)
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#request.signal?.reason
    this.#end(reason instanceof Error ? reason : new Error('Aborted', {cause: reason}))
  }

  /** Ends the exchange early. */
  #end(reason: Error): void {
    if (this.#isOver) return
    this.#finish()
    this.#body?.fail(reason)
    this.#response.reject(reason)
    this.#message?.destroy()
  }

  #finish(): void {
    this.#around.settling.begin()
    this.#isOver = true
    this.#held?.stop()
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
    this.#around.connections.end(this.#origin, this)
    this.#over.resolve()
  }
}

function unasked(status: number): Error {
  return new Error(`the server answered ${status} without being asked`)
}

/** Begins a body at 100 Continue, or a while after the connection is made. A refused request has no body. */
function afterConsent(message: ClientRequest, begin: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = (): void => {
    clearTimeout(timer)
    message.off('continue', proceed).off('response', stop).off('close', stop)
  }
  const proceed = (): void => {
    stop()
    begin()
  }
  message.once('continue', proceed).once('response', stop).once('close', stop)
  const wait = (): void => {
    timer = setTimeout(proceed, CONTINUE_MILLISECONDS)
  }
  onConnected(message, wait)
}

/** Calls back when the request has its connection, with TLS if it is to have that. */
function onConnected(message: ClientRequest, done: () => void): void {
  message.once('socket', (socket: Socket) => {
    // The agent of a proxy may give a socket that begins TLS in a tunnel.
    const isMaking = socket.connecting || memberOf(socket, 'secureConnecting') === true
    if (message.reusedSocket || !isMaking) done()
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', done)
  })
}

/**
 * Sends a body as fast as the connection takes it. An error of its source breaks the exchange.
 *
 * @param onWrite - Called with the number of bytes of each piece that is written, and with zero at the end.
 */
async function sendPieces(
  message: ClientRequest,
  pieces: Chunks<Uint8Array>,
  onWrite: (bytes: number) => void,
): Promise<void> {
  // The source may wait for ever, so the end of the exchange ends it.
  const end = (): void => void pieces.return().catch(() => {})
  message.once('close', end)
  try {
    while (!message.destroyed) {
      const piece = await pieces.next()
      if (message.destroyed) return
      onWrite(piece.value?.length ?? 0)
      if (piece.done === true) {
        message.end()
        return
      }
      const {value} = piece
      if (!message.write(value, () => noteWritten(value))) await drained(message)
    }
  } catch (error) {
    message.destroy(error instanceof Error ? error : new Error('the body broke', {cause: error}))
  }
}

async function drained(message: ClientRequest): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>()
  message.once('drain', resolve).once('close', resolve)
  await promise
  message.off('drain', resolve).off('close', resolve)
}
