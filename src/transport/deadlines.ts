/**
 * An exchange that ends: by its answer, by the caller's signal, by a time limit, or by the network. Each end has its own
 * error, whatever the platform throws. The time until the headers has a limit of its own. A server may
 * be silent for long before it begins to list a large collection.
 */

import {readChunks} from '../multistatus/source.ts'
import {DavError, DavNetworkError, DavTimeoutError, visible} from '../protocol/errors.ts'
import type {Rules} from '../protocol/options.ts'
import {NUMBER, readOptions} from '../protocol/options.ts'
import {checkRequest} from './headers.ts'
import type {DavBody, DavRequest, DavResponse, Transport} from './transport.ts'
import {discard, givenUp} from './transport.ts'
import {isUndecodable, UndecodableError} from './undecodable.ts'

/** Time limits of an exchange, in milliseconds; `Infinity` for none. */
export interface Timeouts {
  /**
   * Until the headers of the answer are there, from the sending of the request.
   *
   * @defaultValue 300,000: nephele was seen to be silent for 35 s before it listed 20,000 files
   */
  readonly headers?: number | undefined
  /**
   * Without a byte of the body while one is waited for.
   *
   * @defaultValue 60,000
   */
  readonly idle?: number | undefined
}

/** The time limits that there are. */
const TIMEOUTS: Rules<Timeouts> = {headers: NUMBER, idle: NUMBER}

// What a timer can hold; a longer one would fire at once.
const LONGEST_TIMER = 2_147_483_647

/**
 * The limits to apply: one number is both.
 *
 * @throws RangeError where one is not above zero, TypeError where it is no number or has no such name.
 */
export function resolveTimeouts(
  given: number | Timeouts = {},
): Required<{[Name in keyof Timeouts]: number}> {
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

/** Puts the limits on exchanges, ends them with the signal, and gives every failure its class. */
export function withDeadlines(
  transport: Transport,
  timeouts: {headers: number; idle: number},
  signal: AbortSignal,
): Transport {
  const underWay = new UnderWay(signal)
  return async (request) => {
    // From here on, whatever the transport or its body rejects with is a broken exchange.
    checkRequest(request)
    const deadline = new Deadline(request, underWay)
    let sent: Promise<DavResponse> | undefined
    try {
      const send = (): Promise<DavResponse> =>
        (sent = Promise.resolve(transport({...request, signal: deadline.signal})))
      const answer = await deadline.race(send, timeouts.headers, 'headers')
      const {status, headers, body} = answer
      const url = answer.url ?? ''
      const common = {status, headers, ...(url !== '' && {url})}
      if (body === null) {
        deadline.end()
        return {...common, body}
      }
      return {...common, body: guarded(answer, body, deadline, timeouts.idle)}
    } catch (error) {
      deadline.end()
      // A transport that does not heed the signal may answer all the same.
      void sent?.then(discard, () => {})
      throw error
    }
  }
}

/**
 * The exchanges that one signal ends. It has one listener for all: V8 keeps a chain of those that were removed, which is as
 * long as the call.
 */
class UnderWay {
  readonly signal: AbortSignal
  readonly #deadlines: Deadline[] = []

  constructor(signal: AbortSignal) {
    this.signal = signal
    signal.addEventListener(
      'abort',
      () => {
        for (const deadline of this.#deadlines.slice()) deadline.break(signal.reason)
      },
      {once: true},
    )
  }

  add(deadline: Deadline): void {
    deadline.index = this.#deadlines.push(deadline) - 1
  }

  remove(deadline: Deadline): void {
    if (this.#deadlines[deadline.index] !== deadline) return
    const last = this.#deadlines.pop()
    if (last === undefined || last === deadline) return
    this.#deadlines[deadline.index] = last
    last.index = deadline.index
  }
}

function guarded(answer: DavResponse, body: DavBody, deadline: Deadline, idle: number): DavBody {
  return {
    async *[Symbol.asyncIterator]() {
      // A stream that is waited for is cancelled by the signal alone.
      const chunks = readChunks(body, deadline.signal)
      let isOver = false
      try {
        for (;;) {
          const next = await deadline.race(() => chunks.next(), idle, 'idle')
          isOver = next.done === true
          if (next.done === true) return
          if (typeof next.value !== 'string') yield next.value
        }
      } catch (error) {
        isOver = true
        // Not waited for: a transport that did not heed the signal may never end.
        void chunks.return(undefined).catch(() => {})
        throw error
      } finally {
        deadline.end()
        if (!isOver) await givenUp(chunks.return(undefined))
      }
    },
    async cancel() {
      deadline.end()
      // A body that is being read cannot be cancelled on all platforms. Its exchange can be ended.
      deadline.break(new DOMException('The body was given up', 'AbortError'))
      await discard(answer)
    },
  }
}

/** The signal of one exchange: the caller's, and a timer for what is waited for. */
class Deadline {
  readonly #request: DavRequest
  readonly #underWay: UnderWay
  readonly #controller = new AbortController()
  #reject: ((reason: unknown) => void) | undefined
  /** Its place among those that are under way. */
  index = -1

  constructor(request: DavRequest, underWay: UnderWay) {
    underWay.signal.throwIfAborted()
    this.#request = request
    this.#underWay = underWay
    underWay.add(this)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Lets go of the caller's signal. */
  end(): void {
    this.#underWay.remove(this)
  }

  /** Waits for one thing until the time or the signal ends it, even where the transport heeds neither. */
  async race<T>(
    wait: () => Promise<T>,
    milliseconds: number,
    which: 'headers' | 'idle',
  ): Promise<T> {
    const {signal} = this
    signal.throwIfAborted()
    const timer =
      milliseconds > LONGEST_TIMER
        ? undefined
        : setTimeout(() => this.break(this.#timeoutError(which, milliseconds)), milliseconds)
    const {promise, resolve, reject} = Promise.withResolvers<T>()
    this.#reject = reject
    try {
      wait().then(resolve, reject)
      return await promise
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw this.#networkError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends the exchange. */
  break(reason: unknown): void {
    this.#controller.abort(reason)
    this.#reject?.(reason)
  }

  #timeoutError(which: 'headers' | 'idle', milliseconds: number): DavTimeoutError {
    const what = which === 'headers' ? 'got no answer' : 'got no more of the answer'
    const {method, url} = this.#request
    const sentence = `${this.#subject} ${what} within ${milliseconds} ms`
    return new DavTimeoutError(sentence, which, {method, url})
  }

  #networkError(error: unknown): unknown {
    if (error instanceof DavError) return error
    const {method, url} = this.#request
    const code = errorCode(error)
    if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
      return new DavTimeoutError(`${this.#subject} could not connect in time`, 'connect', {
        cause: error,
        method,
        url,
      })
    }
    return new DavNetworkError(
      `${this.#subject} failed: ${visible(messageOf(error).trim(), 300)}`,
      {cause: error, method, url},
    )
  }

  get #subject(): string {
    return `${this.#request.method} ${this.#request.url}`
  }
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  return errorCode(error.cause)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // zlib's own words do not say what they are about.
  if (isUndecodable(error) && !(error instanceof UndecodableError))
    return new UndecodableError(error).message
  const cause = error.cause instanceof Error ? error.cause.message : ''
  // An AggregateError of several addresses has its words in its parts.
  const parts = error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : ''
  const isEmpty = error.message === '' || EMPTY_WORDS.has(error.message)
  return (
    [isEmpty ? '' : error.message, cause, parts, errorCode(error), error.message].find(
      (text) => text !== '',
    ) ?? ''
  )
}

// What the platform's fetch says where the cause says it.
const EMPTY_WORDS: ReadonlySet<string> = new Set(['fetch failed', 'terminated'])
