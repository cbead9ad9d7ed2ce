/**
 * Watches the stream of an exchange over HTTP/2. undici 8.12 and Node take a stream that the server has reset for a complete one. Only
 * END_STREAM is the end of an answer. RFC 9113, sections 6.4, 6.8, 8.1 and 8.7.
 */

import {subscribe} from 'node:diagnostics_channel'
import type {ClientHttp2Stream, Http2Session} from 'node:http2'
import {constants} from 'node:http2'

import {HTTP2_PING_MILLISECONDS, HTTP2_STREAMS, UNPROCESSED_ATTEMPTS} from '../protocol/bounds.ts'
import {memberOf} from '../protocol/members.ts'
import {keepAlive} from '../protocol/wait.ts'
import {noteWritten} from './lent.ts'
import {isReplayable} from './request-body.ts'
import type {DavRequest, DavResponse, Transport} from './transport.ts'
import {WithheldError} from './withheld.ts'

/** A request that its server did not process, and said so. Any method may be sent again. RFC 9113, section 8.7. */
class UnprocessedError extends WithheldError {
  static override readonly name = 'DavError'
}

/** Sends a request, and again if the server says that it did not process it. */
export async function repeatUnprocessed(
  send: Transport,
  request: DavRequest,
): Promise<DavResponse> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(request)
    } catch (error) {
      const mayRepeat = error instanceof UnprocessedError && isReplayable(request.body)
      if (!mayRepeat || attempt >= UNPROCESSED_ATTEMPTS) throw error
    }
  }
}

/** The exchange whose stream is made next, if it is one over HTTP/2. */
interface Expected {
  readonly request: DavRequest
  readonly onStream: (stream: WatchedStream) => void
}

let expected: Expected | undefined
let isSubscribed = false

/** Calls back with the stream of a request that undici begins. It makes the stream before its next wait. */
export function expectStream(request: DavRequest, onStream: Expected['onStream']): void {
  if (!isSubscribed) subscribe('http2.client.stream.created', onCreated)
  isSubscribed = true
  const own = {request, onStream}
  expected = own
  queueMicrotask(() => {
    if (expected === own) expected = undefined
  })
}

function onCreated(message: unknown): void {
  if (expected === undefined) return
  const {request, onStream} = expected
  if (memberOf(memberOf(message, 'headers'), ':method') !== request.method) return
  expected = undefined
  // The channel of Node is not typed. Its message has the stream.
  const {stream} = message as {readonly stream: ClientHttp2Stream}
  onStream(new WatchedStream(stream))
}

/** The stream of one exchange. */
export class WatchedStream {
  readonly #stream: ClientHttp2Stream
  // A stream that has ended forgets its session.
  readonly #connection: Http2Session | undefined
  readonly #session: WatchedSession | undefined
  #hasEnded = false

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream
    this.#connection = stream.session
    this.#session = stream.session && watchSession(stream.session)
    const push = stream.push.bind(stream)
    // At END_STREAM the stream is open. At any other end, Node closes it first.
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.closed) this.#hasEnded = true
      if (chunk !== null) this.#session?.hear()
      return push(chunk, encoding)
    }
    const close = stream.close.bind(stream)
    // Node would put END_STREAM before the reset, and half an upload would look whole. Or it sends nothing, if a stream is piped in.
    stream.close = (code, callback) => {
      if (stream.writableFinished) close(code, callback)
      else stream.destroy(new Error('The request was given up'))
    }
    const write = stream.write.bind(stream)
    type Done = (error?: Error | null) => void
    stream.write = (chunk: Uint8Array | string, encoding?: BufferEncoding | Done, done?: Done) => {
      if (typeof chunk !== 'string' && encoding === undefined)
        return write(chunk, () => noteWritten(chunk))
      return typeof encoding === 'string' ? write(chunk, encoding, done) : write(chunk, encoding)
    }
  }

  /**
   * Asks the server for a sign of life, after a time limit, and gives its connection up without one. A dead connection, as behind a
   * NAT that has forgotten it, would cost each further request its time limit. RFC 9113, section 6.7.
   */
  probe(): void {
    this.#session?.probe()
  }

  /** The most streams of its connection at once. */
  get mostAtOnce(): number {
    const {maxConcurrentStreams = HTTP2_STREAMS} = this.#connection?.remoteSettings ?? {}
    return Math.min(maxConcurrentStreams, HTTP2_STREAMS)
  }

  /**
   * Finds the reason why an answer is not complete; `undefined` for one that is.
   *
   * @param isCounted - False for content without a length. HAProxy 2.6 puts END_STREAM behind half of it.
   */
  findBreak(isCounted: boolean): Error | undefined {
    if (!this.#hasEnded) return new Error(this.#end)
    return isCounted ? undefined : new Error(UNTOLD)
  }

  /** Explains the error of an exchange without an answer. */
  explain(error: Error, {method, url}: DavRequest): Error {
    const {rstCode, id = Number.POSITIVE_INFINITY} = this.#stream
    const isBeyond = id > (this.#session?.lastId ?? Number.POSITIVE_INFINITY)
    if (isBeyond || rstCode === constants.NGHTTP2_REFUSED_STREAM) {
      const word = isBeyond ? 'GOAWAY' : 'REFUSED_STREAM'
      const sentence = `${method} ${url} was not processed: the server refused it (HTTP/2 ${word}). It can be sent again`
      return new UnprocessedError(sentence, {method, url, cause: error})
    }
    return memberOf(error, 'code') === 'UND_ERR_INFO' ? new Error(this.#end, {cause: error}) : error
  }

  get #end(): string {
    const {rstCode} = this.#stream
    return `the HTTP/2 stream ended with ${CODES[rstCode] ?? rstCode} before the answer was complete`
  }
}

/** A connection over HTTP/2. */
class WatchedSession {
  /** The last stream that the server may have processed, after a GOAWAY. */
  lastId: number | undefined
  readonly #session: Http2Session
  #silence: ReturnType<typeof setTimeout> | undefined

  constructor(session: Http2Session) {
    this.#session = session
    // undici fails the exchanges in its own listener.
    session.prependListener('goaway', (_code: number, lastId: number) => (this.lastId = lastId))
  }

  /** Sends a PING, and destroys the connection if nothing comes back in time. */
  probe(): void {
    const session = this.#session
    if (this.#silence !== undefined || session.closed || session.destroyed) return
    const silence = new Error('the server does not answer on this HTTP/2 connection any more')
    this.#silence = setTimeout(() => session.destroy(silence), HTTP2_PING_MILLISECONDS)
    keepAlive(this.#silence, false)
    session.ping((error) => {
      if (error === null) this.hear()
    })
  }

  /** Notes a sign of life. */
  hear(): void {
    clearTimeout(this.#silence)
    this.#silence = undefined
  }
}

const SESSIONS = new WeakMap<Http2Session, WatchedSession>()

function watchSession(session: Http2Session): WatchedSession {
  const known = SESSIONS.get(session)
  if (known !== undefined) return known
  const watched = new WatchedSession(session)
  SESSIONS.set(session, watched)
  return watched
}

const UNTOLD =
  'over HTTP/2 its end cannot be told, because it has no Content-Length: read it without http2'

// RFC 9113, section 7.
const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]
