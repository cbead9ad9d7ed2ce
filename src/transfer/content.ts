/**
 * The content of a resource, or of a range of it, as it arrives. Counts the bytes, and goes on after a break if that is allowed.
 * Never joins bytes of two states of the resource. RFC 9110, sections 8.6, 13.1.5 and 14.2.
 */

import type {OpenCall} from '../call/call.ts'
import {failureOf} from '../listing/query.ts'
import {END} from '../multistatus/source.ts'
import {DavError, DavHttpError, DavNetworkError, DavTimeoutError} from '../protocol/errors.ts'
import type {Repeats} from '../retry/repeats.ts'
import type {Part, PartRequest} from './part.ts'
import {PartError, sendGet} from './part.ts'
import type {TransferProgress} from './progress.ts'
import {ByteMeter} from './progress.ts'

/** A request with its answer, whose content is to be read. */
export interface ContentOptions {
  readonly call: OpenCall
  readonly request: PartRequest
  readonly part: Part
  /** Counts the attempts after a break. Without it, the first break is the end. */
  readonly repeats: Repeats | undefined
  readonly onProgress: ((progress: TransferProgress) => void) | undefined
}

/** The bytes of a resource from one place to another. */
export class Content implements AsyncIterable<Uint8Array> {
  readonly #options: ContentOptions
  readonly #meter: ByteMeter
  readonly #from: number
  /** The place behind the last byte that is wanted. The resource may end before. */
  readonly #limit: number
  #length: number | undefined
  /** The current answer; `undefined` after a break. */
  #part: Part | undefined
  /** Bytes of the current answer. */
  #received = 0
  /** The place of the next byte for the reader. */
  #position: number
  /** Breaks since the reader got the last byte. */
  #breaks = 0
  #isTaken = false
  #isOver = false

  constructor(options: ContentOptions) {
    const {part, repeats, request, onProgress} = options
    const {start = 0, end = Number.POSITIVE_INFINITY} = request.range ?? {}
    this.#options = options
    this.#part = part
    this.#from = start
    this.#position = start
    this.#limit = end + 1
    const {length = 0, status, total} = part
    // A server may send the beginning of a range only, and the rest can be asked for. RFC 9110, section 15.3.7.
    const isAll = status !== 206 || (repeats !== undefined && total !== undefined)
    this.#length = this.#lengthOf(isAll ? total : start + length)
    this.#meter = new ByteMeter(onProgress, this.#length)
  }

  /** True after the last byte, an error, or `return`. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** The number of bytes, if known. */
  get length(): number | undefined {
    return this.#length
  }

  /** @throws TypeError for a second reading, which must not pass for an empty resource. */
  [Symbol.asyncIterator](): this {
    if (this.#isTaken) throw new TypeError('The content can be read once')
    this.#isTaken = true
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (!this.#isOver) {
      try {
        const part = (this.#part ??= await this.#goOn())
        const bytes = this.#read(part, await this.#nextOf(part))
        // The server sends more than the range.
        if (this.#part !== part) await part.body?.cancel()
        if (this.#isOver) return END
        if (bytes === undefined) {
          this.#meter.report()
          this.#end()
        } else if (bytes.length > 0) {
          this.#breaks = 0
          this.#meter.add(bytes.length)
          return {value: bytes, done: false}
        }
      } catch (error) {
        if (!this.#isOver) await this.#recover(error)
      }
    }
    return END
  }

  /** Gives the content up, even while `next` waits. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isOver) return END
    this.#isOver = true
    await this.#part?.body?.cancel()
    // Ends the wait for another attempt too.
    this.#options.call.connection.stop()
    this.#end()
    return END
  }

  #end(): void {
    this.#isOver = true
    this.#options.call.close()
  }

  #lengthOf(end: number | undefined): number | undefined {
    return end === undefined ? undefined : Math.max(0, Math.min(this.#limit, end) - this.#from)
  }

  /** The place behind the last byte. */
  get #to(): number {
    return this.#length === undefined ? this.#limit : this.#from + this.#length
  }

  /** Cuts out the bytes that the reader wants and does not have yet; `undefined` at the end. */
  #read(part: Part, next: IteratorResult<Uint8Array, undefined>): Uint8Array | undefined {
    const {start, length} = part
    const at = start + this.#received
    if (next.done === true) {
      const missing = this.#length === undefined ? this.#from - at : this.#to - this.#position
      if (missing > 0) throw this.#broken(`it ended ${missing} bytes too early`)
      return undefined
    }
    this.#received += next.value.length
    if (length !== undefined && this.#received > length)
      throw this.#broken(`it has more than the ${length} bytes that were announced`)
    const to = this.#to
    const bytes = next.value.subarray(Math.max(0, this.#position - at), Math.max(0, to - at))
    this.#position += bytes.length
    if (this.#position === to && this.#received !== length) this.#part = {...part, body: null}
    return bytes
  }

  async #nextOf({body}: Part): Promise<IteratorResult<Uint8Array, undefined>> {
    if (body === null) return END
    try {
      return await body.next()
    } catch (error) {
      // A break behind the last byte is none.
      if (this.#length !== undefined && this.#position === this.#to) return END
      throw error
    }
  }

  /** Waits for the next attempt after a break. Throws any error after which the content cannot go on. */
  async #recover(error: unknown): Promise<void> {
    const {call, part, repeats, request} = this.#options
    try {
      await this.#part?.body?.cancel()
      this.#part = undefined
      // Bytes that the reader has cannot be taken back.
      const canGoOn = part.strong !== undefined || this.#position === this.#from
      const wait =
        canGoOn && isBreak(error)
          ? repeats?.next(++this.#breaks, [failureOf(error, request.url, 'self')])
          : undefined
      if (wait === undefined) throw error
      await wait()
    } catch (reason) {
      if (this.#isOver) return
      this.#end()
      throw call.explain(reason)
    }
  }

  /** Asks for the rest: all of it again without a strong ETag, of which the reader has nothing. */
  async #goOn(): Promise<Part> {
    const {call, part: first, request} = this.#options
    const {strong} = first
    const end = this.#to === Number.POSITIVE_INFINITY ? undefined : this.#to - 1
    // Without a length, the last byte is asked for again: behind the end, a server could only answer 416.
    const start = Math.max(this.#from, this.#position - (this.#length === undefined ? 1 : 0))
    const rest = {headers: {'if-range': strong ?? ''}, range: {start, end}}
    const part = await sendGet(strong === undefined ? request : {...request, ...rest}, call).catch(
      (error: unknown) => {
        const isBeyond = error instanceof DavHttpError && error.status === 416
        throw isBeyond && this.#length !== undefined ? this.#changed(error) : error
      },
    )
    this.#part = part
    this.#received = 0
    if (!this.#isOf(part)) throw this.#changed()
    this.#length ??= this.#lengthOf(part.total)
    // Nobody could tell the last part from one that is followed by others.
    if (this.#length === undefined && part.status === 206)
      throw new PartError(request.url, 206, 'without the length of the resource')
    return part
  }

  /** Tells if an answer is of the same state of the resource. chezdav 3.0 and CivetWeb 1.15 answer a stale If-Range with 206. */
  #isOf({etag, lastModified, total}: Part): boolean {
    const {strong, ...first} = this.#options.part
    const isEqual = total === undefined || first.total === undefined || total === first.total
    const isDated = lastModified?.getTime() === first.lastModified?.getTime()
    return isEqual && etag === first.etag && (strong !== undefined || isDated)
  }

  #changed(cause?: unknown): DavError {
    const {url} = this.#options.request
    const sentence = `GET ${url} broke at byte ${this.#position}, and the resource has changed since`
    return new DavError(sentence, {method: 'GET', url, ...(cause !== undefined && {cause})})
  }

  #broken(problem: string): DavNetworkError {
    const {url} = this.#options.request
    return new DavNetworkError(`GET ${url} was not answered whole: ${problem}`, {
      method: 'GET',
      url,
    })
  }
}

function isBreak(error: unknown): error is DavError {
  return [DavNetworkError, DavTimeoutError, DavHttpError].some((kind) => error instanceof kind)
}
