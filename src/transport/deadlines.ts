/**
 * Ends every exchange: by its answer, by the caller's signal, by a time limit, or by an error of the network. Each end has its
 * own error, the same on every platform.
 */

import type {Chunks, Reading} from '../multistatus/source.ts'
import {END, openReading} from '../multistatus/source.ts'
import {
  LONGEST_TIMER_MILLISECONDS,
  SENT_PIECE_BYTES,
  SLOWEST_UPLOAD_BYTES_PER_SECOND,
} from '../protocol/bounds.ts'
import {bytesOf} from '../protocol/bytes.ts'
import {DavTimeoutError} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import {keepAlive} from '../protocol/wait.ts'
import type {Group} from '../protocol/group.ts'
import {checkRequest, withHeaderText} from './headers.ts'
import {explainError, hiddenRedirect} from './explain-error.ts'
import {isStreamed, openPieces, sizeOf} from './request-body.ts'
import type {ResolvedTimeouts} from './timeouts.ts'
import type {DavBody, DavHeaders, DavRequest, DavResponse, IterableBody, Send} from './transport.ts'
import {discard, giveUp} from './transport.ts'

/** An answer inside the client. Its body is the same class for every transport. */
export interface OpenResponse extends DavResponse {
  readonly body: OpenBody | null
}

/** The part of a call that concerns the ends of its exchanges. */
export interface EndingCall {
  /** Aborted to end the exchanges under way. */
  readonly signal: AbortSignal
  /** The exchanges under way, which the call breaks when the signal is aborted. */
  readonly exchanges: Group<Breakable>
  readonly timeouts: ResolvedTimeouts
}

/** Callbacks about an exchange, for diagnostics. */
export interface ExchangeWatcher extends Required<Pick<BodyWatcher, 'onBytes' | 'onEnd'>> {
  /** Called with the number of bytes of the request's body that are seen to be sent so far. */
  readonly onSent: (bytes: number) => void
  /** Called at the headers of the answer. */
  readonly onHead: (status: number, headers: DavHeaders) => void
}

/** An exchange under way. */
interface Breakable {
  /** Ends the exchange with a reason. */
  break(reason: unknown): void
}

/**
 * Wraps a transport to apply the limits and the signal of the call, and to give each error its class. This is the border to
 * transports of any origin. Inside it, each body is an {@link OpenBody}, and each error is of this copy of the package.
 *
 * @param check - Called with each answer. Its error ends the exchange.
 * @param watch - Called with each request that is sent. The watcher hears of one end, whatever it is.
 */
export function withDeadlines<C extends EndingCall>(
  transport: Send<DavResponse, C>,
  check: (request: DavRequest, response: DavResponse) => void,
  watch?: (request: DavRequest, call: C) => ExchangeWatcher | undefined,
): Send<OpenResponse, C> {
  return async (asked, call) => {
    const {signal, exchanges, timeouts} = call
    // Behind this check, every error of the transport or its body is a broken exchange, whatever its class.
    const request = checkRequest(asked)
    signal.throwIfAborted()
    const watcher = watch?.(request, call)
    const deadline = new Deadline(request, timeouts, exchanges)
    let sent: Promise<DavResponse> | undefined
    try {
      const send = (): Promise<DavResponse> =>
        (sent = Promise.resolve(transport(withProgress(request, deadline, watcher), call)))
      const answer = await deadline.race(send, 'headers', sendingTime(request))
      deadline.rest()
      const {status, headers, body, trailers, url = ''} = answer
      // A transport without types may have made it.
      if (typeof memberOf(headers, 'get') !== 'function')
        throw new TypeError('The transport gave an answer without headers')
      if (status === 0) throw hiddenRedirect(request)
      const head = {
        status,
        headers: withHeaderText(headers),
        ...(url !== '' && {url}),
        ...(trailers !== undefined && {trailers}),
      }
      watcher?.onHead(status, head.headers)
      check(request, answer)
      // A transport without types may leave the body out.
      if (body !== null && body !== undefined) {
        const opened = new OpenBody(body, deadline)
        if (watcher !== undefined) opened.watch(watcher)
        return {...head, body: opened}
      }
      deadline.end()
      watcher?.onEnd()
      return {...head, body: null}
    } catch (error) {
      const reason = deadline.explain(error)
      deadline.fail(reason)
      // A transport that ignores the signal may still answer. That body must be closed too.
      void sent?.then(discard).catch(() => {})
      watcher?.onEnd(reason)
      throw reason
    }
  }
}

/** Adds the signal of the deadline to a request. Each piece of the body that is seen to be sent begins the time again. */
function withProgress(
  request: DavRequest,
  deadline: Deadline,
  watcher: ExchangeWatcher | undefined,
): DavRequest {
  const ends = {onInterim: () => deadline.restart(), signal: deadline.signal}
  const {body, length, onSent, onWhole} = request
  if (body === undefined) return {...request, ...ends}
  const report = (bytes: number): void => {
    deadline.restart()
    watcher?.onSent(bytes)
    onSent?.(bytes)
  }
  if (!isStreamed(body)) return {...request, onSent: report, ...ends}
  let opened: Chunks<Uint8Array> | undefined
  let isOver = false
  // A transport may fail before it reads the body, or an answer come early. The platform's fetch leaves the source open then.
  deadline.onEnd = () => {
    isOver = true
    void giveUp(async () => (opened ?? openPieces(body)).return())
  }
  const open = (): Chunks<Uint8Array> => {
    const pieces = openPieces(body, length)
    opened = pieces
    let sent = 0
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      deadline.isSourceAwaited = true
      const piece = await pieces.next()
      deadline.isSourceAwaited = false
      // The beginning must not pass for the whole.
      if (isOver) throw new TypeError('the body was given up')
      if (piece.done !== true) {
        report((sent += piece.value.length))
        // Transports hold pieces, and the source may use its buffer again.
        return {value: new Uint8Array(piece.value), done: false}
      }
      onWhole?.()
      return piece
    }
    return {next, return: () => pieces.return()}
  }
  // The pieces are counted here.
  const {onSent: _, onWhole: __, ...others} = request
  return {...others, body: {[Symbol.asyncIterator]: open}, ...ends}
}

/** Computes the milliseconds that a long body may take if no piece of it is seen. */
function sendingTime({body}: DavRequest): number {
  const size = (body !== undefined && sizeOf(body)) || 0
  return size <= SENT_PIECE_BYTES ? 0 : Math.ceil((size / SLOWEST_UPLOAD_BYTES_PER_SECOND) * 1000)
}

/** Callbacks about the reading of a body. */
export interface BodyWatcher {
  /** Called before each wait for a chunk. */
  readonly onRead?: () => void
  /** Called with the number of bytes of each chunk. */
  readonly onBytes?: (length: number) => void
  /** Called at the end of a whole body. Its error becomes that of the body. */
  readonly onDone?: () => void
  /** Called once: at the end of the body, when the reader gives it up, or with the error of a broken one. */
  readonly onEnd?: (error?: unknown) => void
}

/**
 * The body of an answer of any transport: bytes, under the time limit. Any end of it frees the connection. Not a generator, which
 * would cost each chunk several steps more.
 */
class OpenBody implements Required<IterableBody> {
  readonly #chunks: Reading<unknown>
  readonly #deadline: Deadline
  readonly #watchers: BodyWatcher[] = []
  #isOver = false

  /** @throws TypeError for a body that cannot be read. */
  constructor(body: DavBody, deadline: Deadline) {
    this.#deadline = deadline
    if (!isStreamed(body)) throw new TypeError('the body is no stream and no iterable of bytes')
    this.#chunks = openReading(body)
    // Nobody may read the body any more, and so meet the reason. The exchange must not hold it: it may be dropped unread.
    const watchers = this.#watchers
    deadline.onBreak = (reason) => endWatchers(watchers, reason)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Adds callbacks. Called before the body is read. */
  watch(watcher: BodyWatcher): void {
    this.#watchers.push(watcher)
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isOver) return END
    for (const {onRead} of this.#watchers) onRead?.()
    try {
      const next = await this.#deadline.race(() => this.#chunks.read(), 'idle')
      this.#deadline.rest()
      if (next.done !== true) {
        const value = this.#bytesOf(next.value)
        for (const {onBytes} of this.#watchers) onBytes?.(value.length)
        return {value, done: false}
      }
      for (const {onDone} of this.#watchers) onDone?.()
      this.#end()
      return END
    } catch (error) {
      if (this.#isOver) return END
      const reason = this.#deadline.explain(error)
      this.#end(reason)
      // Not awaited: a transport that ignores the signal may never end.
      void this.#chunks.close().catch(() => {})
      throw reason
    }
  }

  /** Gives the body up. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.cancel()
    return END
  }

  /** Gives the body up, even while `next` waits. */
  async cancel(): Promise<void> {
    if (this.#isOver) return
    this.#end()
    // Not all platforms can cancel a body that is being read, but every exchange can be ended.
    this.#deadline.break(new DOMException('The body was given up', 'AbortError'))
    await giveUp(() => this.#chunks.close())
  }

  #end(error?: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#deadline.end()
    endWatchers(this.#watchers, error)
  }

  #bytesOf(chunk: unknown): Uint8Array {
    if (chunk instanceof Uint8Array) return chunk
    if (ArrayBuffer.isView(chunk)) return bytesOf(chunk)
    const kind = chunk === null ? 'null' : typeof chunk
    throw new TypeError(`a chunk of the body is no Uint8Array but ${kind}`)
  }
}

/** Tells each watcher of the end, once. */
function endWatchers(watchers: BodyWatcher[], error: unknown): void {
  for (const {onEnd} of watchers.splice(0)) onEnd?.(error)
}

/** The signal and the timer of one exchange. */
class Deadline implements Breakable {
  readonly #request: DavRequest
  readonly #timeouts: ResolvedTimeouts
  readonly #exchanges: EndingCall['exchanges']
  readonly #controller = new AbortController()
  /** The kind of the current wait. */
  #which: 'headers' | 'idle' = 'headers'
  /** The limit of the current wait in milliseconds. */
  #limit = 0
  /** The end of the current wait, in the time of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY
  /** Milliseconds that are left of the exchange, at the beginning of the current wait. */
  #left: number
  /** The end of the exchange if the current wait lasts so long, in the time of `performance.now()`. */
  #over = Number.POSITIVE_INFINITY
  #timer: ReturnType<typeof setTimeout> | undefined
  #reject: ((reason: unknown) => void) | undefined
  /** True while the caller's source of the body is waited for. */
  isSourceAwaited = false
  /** Called at the end of the exchange. */
  onEnd: (() => void) | undefined
  /** Called if the exchange is ended early. */
  onBreak: ((reason: unknown) => void) | undefined

  constructor(request: DavRequest, timeouts: ResolvedTimeouts, exchanges: EndingCall['exchanges']) {
    this.#request = request
    this.#timeouts = timeouts
    this.#left = timeouts.exchange
    this.#exchanges = exchanges
    exchanges.add(this)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Ends the use of the caller's signal. */
  end(): void {
    this.#exchanges.delete(this)
    clearTimeout(this.#timer)
    this.onEnd?.()
  }

  /** Ends the exchange by an error of the transport. A wrapper may have failed behind an answer that nobody has. */
  fail(reason: unknown): void {
    this.end()
    this.#controller.abort(reason)
  }

  /**
   * Waits for a promise until the time limit or the signal ends the wait, even if the transport ignores both. `extra` is added to
   * the limit until it begins again. After a success, `rest` ends the limit.
   */
  race<T>(wait: () => Promise<T>, which: 'headers' | 'idle', extra = 0): Promise<T> {
    this.signal.throwIfAborted()
    this.#which = which
    if (this.#left < Number.POSITIVE_INFINITY) this.#over = performance.now() + this.#left
    this.#begin(this.#timeouts[which] + extra)
    const {promise, resolve, reject} = Promise.withResolvers<T>()
    this.#reject = reject
    wait().then(resolve, reject)
    return promise
  }

  /** Stops the time until the next wait. A body that nobody reads does not keep the process alive. */
  rest(): void {
    this.#due = Number.POSITIVE_INFINITY
    if (this.#over < Number.POSITIVE_INFINITY) {
      this.#left = this.#over - performance.now()
      this.#over = Number.POSITIVE_INFINITY
    }
    if (this.#timer !== undefined) keepAlive(this.#timer, false)
  }

  /** Begins the wait for the headers again. */
  restart(): void {
    const isWaiting = this.#due < Number.POSITIVE_INFINITY
    if (isWaiting && this.#which === 'headers') this.#begin(this.#timeouts.headers)
  }

  /** Ends the exchange with a reason. */
  break(reason: unknown): void {
    this.#controller.abort(reason)
    this.#reject?.(reason)
    this.onBreak?.(reason)
  }

  /** Makes the public error for the error of an exchange. After an abort, that is the reason of the signal. */
  explain(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : explainError(error, this.#request)
  }

  #begin(limit: number): void {
    this.#limit = limit
    this.#due = performance.now() + limit
    if (this.#timer === undefined) this.#look()
    else keepAlive(this.#timer, true)
  }

  /**
   * Looks if the time is over, and else looks again at the end of the shorter limit. So one timer serves all waits of an exchange:
   * to make one for each chunk would cost more than the rest of it.
   */
  #look(): void {
    const rest = Math.min(this.#due, this.#over) - performance.now()
    this.#timer = undefined
    if (rest <= 0) this.break(this.#timeoutError())
    else if (rest < Number.POSITIVE_INFINITY) {
      const {headers, idle} = this.#timeouts
      const next = Math.min(rest, headers, idle, LONGEST_TIMER_MILLISECONDS)
      this.#timer = setTimeout(() => this.#look(), next)
    }
  }

  #timeoutError(): DavTimeoutError {
    const which = this.#over <= this.#due ? 'exchange' : this.#which
    const limit = which === 'exchange' ? this.#timeouts.exchange : this.#limit
    const {method, url} = this.#request
    const [outcome, advice] = WORDS[which === 'headers' && this.isSourceAwaited ? 'source' : which]
    const sentence = `${method} ${url} ${outcome} within ${limit} ms: ${advice} timeout.${which}`
    return new DavTimeoutError(sentence, which, {method, url})
  }
}

const WORDS = {
  headers: ['got no answer', 'the server may need longer for it, raise'],
  source: ['got no more of its body', 'if its source may pause so long, raise'],
  idle: ['got no more of the answer', 'if the server may pause so long, raise'],
  exchange: ['did not end', 'if it may take longer, raise'],
} as const
