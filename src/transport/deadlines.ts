/**
 * Ends every exchange: by its answer, by the caller's signal, by a time limit, or by an error of the network. Each end has its
 * own error, the same on every platform. The limit until the headers is separate and long, because a server may be silent before
 * it lists a large collection.
 */

import type {Chunks, Reading} from '../multistatus/source.ts'
import {END, openReading} from '../multistatus/source.ts'
import {
  LONGEST_TIMER_MILLISECONDS,
  SENT_PIECE_BYTES,
  SLOWEST_UPLOAD_BYTES_PER_SECOND,
} from '../protocol/bounds.ts'
import {DavTimeoutError} from '../protocol/errors.ts'
import type {Rules} from '../protocol/options.ts'
import {NUMBER, readOptions} from '../protocol/options.ts'
import {keepAlive} from '../protocol/wait.ts'
import type {Group} from '../protocol/group.ts'
import {checkRequest, withHeaderText} from './headers.ts'
import {explainError, hiddenRedirect} from './explain-error.ts'
import {isStreamed, openPieces} from './request-body.ts'
import type {DavBody, DavRequest, DavResponse, IterableBody, Send} from './transport.ts'
import {discard, giveUp} from './transport.ts'

/** Time limits of an exchange, in milliseconds; `Infinity` for none. */
export interface Timeouts {
  /**
   * From the request to the headers of the answer. Each sent piece of a streamed body begins the time again, and with undici
   * each piece of any long body. `fetch` shows no other pieces. There a long body adds the time that it takes at 64 KiB per
   * second.
   *
   * @defaultValue 300,000: nephele was seen to be silent for 35 s before it listed 20,000 files
   */
  readonly headers?: number | undefined
  /**
   * Between two chunks of the answer's body. The time in which nobody reads does not count.
   *
   * @defaultValue 60,000
   */
  readonly idle?: number | undefined
}

/** Time limits of an exchange, with the defaults. */
export type ResolvedTimeouts = {readonly [Name in keyof Timeouts]-?: number}

const TIMEOUTS: Rules<Timeouts> = {headers: NUMBER, idle: NUMBER}

/**
 * Completes time limits with the defaults. One number is both limits.
 *
 * @throws RangeError for a number that is not above zero, TypeError for another type or an unknown name.
 */
export function resolveTimeouts(given: number | Timeouts = {}): ResolvedTimeouts {
  if (typeof given !== 'number' && typeof given !== 'object')
    throw new TypeError('timeout: give a number of milliseconds, or one for headers and for idle')
  const {headers = 300_000, idle = 60_000} =
    typeof given === 'number'
      ? {headers: given, idle: given}
      : readOptions('timeout', given, TIMEOUTS)
  for (const [name, value] of Object.entries({headers, idle})) {
    if (!(value > 0))
      throw new RangeError(`timeout: ${name} is a number of milliseconds above zero, or Infinity`)
  }
  return {headers, idle}
}

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
 */
export function withDeadlines<C extends EndingCall>(
  transport: Send<DavResponse, C>,
  timeouts: ResolvedTimeouts,
  check: (request: DavRequest, response: DavResponse) => void,
): Send<OpenResponse, C> {
  return async (request, call) => {
    const {signal, exchanges} = call
    // Behind this check, every error of the transport or its body is a broken exchange, whatever its class.
    checkRequest(request)
    signal.throwIfAborted()
    const deadline = new Deadline(request, timeouts, exchanges)
    let sent: Promise<DavResponse> | undefined
    try {
      const send = (): Promise<DavResponse> =>
        (sent = Promise.resolve(transport(withProgress(request, deadline), call)))
      const answer = await deadline.race(send, 'headers', sendingTime(request))
      deadline.rest()
      const {status, headers, body, url = ''} = answer
      if (status === 0) throw hiddenRedirect(request)
      check(request, answer)
      const head = {status, headers: withHeaderText(headers), ...(url !== '' && {url})}
      // A transport without types may leave the body out.
      if (body !== null && body !== undefined) return {...head, body: new OpenBody(body, deadline)}
      deadline.end()
      return {...head, body: null}
    } catch (error) {
      deadline.end()
      // A transport that ignores the signal may still answer. That body must be closed too.
      void sent?.then(discard, () => {})
      throw deadline.explain(error)
    }
  }
}

/** Adds the signal of the deadline to a request. Each piece of the body that is seen to be sent begins the time again. */
function withProgress(request: DavRequest, deadline: Deadline): DavRequest {
  const {signal} = deadline
  const {body, length, onSent} = request
  if (body === undefined) return {...request, signal}
  const report = (bytes: number): void => {
    deadline.restart()
    onSent?.(bytes)
  }
  if (!isStreamed(body)) return {...request, onSent: report, signal}
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
      const piece = await pieces.next()
      // The beginning must not pass for the whole.
      if (isOver) throw new TypeError('the body was given up')
      if (piece.done !== true) report((sent += piece.value.length))
      return piece
    }
    return {next, return: () => pieces.return()}
  }
  // The pieces are counted here.
  const {onSent: _, ...others} = request
  return {...others, body: {[Symbol.asyncIterator]: open}, signal}
}

/** Computes the milliseconds that a long body may take if no piece of it is seen. */
function sendingTime({body}: DavRequest): number {
  if (body === undefined || isStreamed(body)) return 0
  const size = typeof body === 'string' ? body.length : 'size' in body ? body.size : body.byteLength
  return size <= SENT_PIECE_BYTES ? 0 : Math.ceil((size / SLOWEST_UPLOAD_BYTES_PER_SECOND) * 1000)
}

/** Callbacks about the reading of a body. */
export interface BodyWatcher {
  /** Called before each wait for a chunk. */
  readonly onRead?: () => void
  /** Called with the number of bytes of each chunk. */
  readonly onBytes?: (length: number) => void
  /** Called once, at the end of the body, when it is given up, or with the error that broke it. */
  readonly onEnd: (error?: unknown) => void
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
    for (const {onEnd} of this.#watchers) onEnd(error)
  }

  #bytesOf(chunk: unknown): Uint8Array {
    if (chunk instanceof Uint8Array) return chunk
    if (ArrayBuffer.isView(chunk))
      return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const kind = chunk === null ? 'null' : typeof chunk
    throw new TypeError(`a chunk of the body is no Uint8Array but ${kind}`)
  }
}

/** The signal and the timer of one exchange. */
class Deadline implements Breakable {
  readonly #request: DavRequest
  readonly #timeouts: ResolvedTimeouts
  readonly #exchanges: EndingCall['exchanges']
  readonly #controller = new AbortController()
  /** The kind of the current wait. */
  #which: keyof ResolvedTimeouts = 'headers'
  /** The limit of the current wait in milliseconds. */
  #limit = 0
  /** The end of the current wait, in the time of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY
  #timer: ReturnType<typeof setTimeout> | undefined
  #reject: ((reason: unknown) => void) | undefined
  /** Called at the end of the exchange. */
  onEnd: (() => void) | undefined

  constructor(request: DavRequest, timeouts: ResolvedTimeouts, exchanges: EndingCall['exchanges']) {
    this.#request = request
    this.#timeouts = timeouts
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

  /**
   * Waits for a promise until the time limit or the signal ends the wait, even if the transport ignores both. `extra` is added to
   * the limit until it begins again. After a success, `rest` ends the limit.
   */
  race<T>(wait: () => Promise<T>, which: keyof ResolvedTimeouts, extra = 0): Promise<T> {
    this.signal.throwIfAborted()
    this.#which = which
    this.#begin(this.#timeouts[which] + extra)
    const {promise, resolve, reject} = Promise.withResolvers<T>()
    this.#reject = reject
    wait().then(resolve, reject)
    return promise
  }

  /** Stops the time until the next wait. A body that nobody reads does not keep the process alive. */
  rest(): void {
    this.#due = Number.POSITIVE_INFINITY
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
    const rest = this.#due - performance.now()
    this.#timer = undefined
    if (rest <= 0) this.break(this.#timeoutError())
    else if (rest < Number.POSITIVE_INFINITY) {
      const {headers, idle} = this.#timeouts
      const next = Math.min(rest, headers, idle, LONGEST_TIMER_MILLISECONDS)
      this.#timer = setTimeout(() => this.#look(), next)
    }
  }

  #timeoutError(): DavTimeoutError {
    const outcome = this.#which === 'headers' ? 'got no answer' : 'got no more of the answer'
    const {method, url} = this.#request
    const sentence = `${method} ${url} ${outcome} within ${this.#limit} ms`
    return new DavTimeoutError(sentence, this.#which, {method, url})
  }
}
