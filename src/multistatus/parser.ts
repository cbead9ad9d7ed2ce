/**
 * The synchronous parser of a Multi-Status document: bytes or text in, results out as they are complete. Connects decoder,
 * scanner and reader, and finds the byte of a fault. Knows no HTTP, no clock and no stream. RFC 4918, section 13.
 */

import {DECODERS} from '../properties/decode.ts'
import type {Property} from '../properties/values.ts'
import type {Decoders, PropertiesOf} from '../properties/vocabulary.ts'
import {EXCERPT_CHARACTERS, PLAIN_ANSWER_BYTES} from '../protocol/bounds.ts'
import {hideCredentials, MultiStatusError} from '../protocol/errors.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, oneOf, readOptions, RECORD, TEXT} from '../protocol/options.ts'
import {ownCopy} from '../xml/characters.ts'
import {readRoot} from '../xml/document.ts'
import {childElements} from '../xml/element.ts'
import {EncodingReader} from '../xml/encoding.ts'
import {ScanError} from '../xml/handler.ts'
import {Scanner} from '../xml/scanner.ts'
import {errorOf} from './dav-error.ts'
import {beginMarkup, KnownMarkup} from './known-markup.ts'
import type {Limits} from './limits.ts'
import {resolveLimits} from './limits.ts'
import {MultiStatusReader} from './reader.ts'
import type {Chunk} from './source.ts'
import {readChunk} from './source.ts'
import type {DavResult} from './result.ts'
import type {Summary} from './summary.ts'
import {setsAll} from './summary.ts'

/** Options of the parser. */
export interface ParserOptions<D extends Decoders = Decoders> {
  /**
   * The absolute URL of the request. Hrefs are resolved against it, and `relation` compares them with it.
   *
   * @defaultValue the `url` of a `Response`, else `http://localhost/`
   */
  readonly url?: string | URL | undefined
  /**
   * The method of the request. Only answers to PROPFIND, REPORT and SEARCH list members, and so can be incomplete. Those to
   * REPORT and SEARCH are so after a 507 of any resource, and after any response that cannot be understood. PROPPATCH and MKCOL
   * set all properties or none, so one failed propstat makes a Failure.
   *
   * @defaultValue `PROPFIND`
   */
  readonly method?: string | undefined
  /**
   * The charset of the answer's Content-Type. It wins over the XML declaration, and a byte-order mark wins over it. An unknown
   * label counts as absent.
   *
   * @defaultValue the encoding that the document declares, else UTF-8
   */
  readonly encoding?: string | undefined
  /**
   * Bounds on the memory that a body may take.
   *
   * @defaultValue those of {@link Limits}
   */
  readonly limits?: Partial<Limits> | undefined
  /**
   * Decoders by property name. They win over the built-in ones. Results with the same markup share one decoded value.
   *
   * @defaultValue none
   */
  readonly decoders?: (D & Decoders) | undefined
  /**
   * The treatment of a body that is not well-formed. `throw` ends with an error after the complete results, as RFC 4918 asks.
   * `skip` goes on at the next start tag of a response, and yields the broken response as a Failure `malformed`.
   *
   * @defaultValue `throw`
   */
  readonly malformed?: 'throw' | 'skip' | undefined
  /**
   * The markup of earlier documents, which this one adds to. It changes no result but the order of the keys in `properties`. It counts
   * for documents of one origin with the same limits. Documents with `decoders`, with `malformed: 'skip'`, and answers to PROPPATCH and
   * MKCOL do without it.
   *
   * @defaultValue none: each document is learnt anew
   */
  readonly markup?: KnownMarkup | undefined
}

/** The options that the parser knows. */
export const PARSER_OPTIONS: Rules<ParserOptions> = {
  url: ANY,
  method: TEXT,
  encoding: TEXT,
  limits: RECORD,
  decoders: DECODERS,
  malformed: /* @__PURE__ */ oneOf('throw', 'skip'),
  markup: {words: 'a KnownMarkup', accepts: (value) => value instanceof KnownMarkup},
}

/** Parses the request URL. Drops credentials, because the URL stands in messages. */
export function requestUrl(given: string | URL = 'http://localhost/'): URL {
  const url = new URL(given)
  // Only where there are some: each of these parses the URL again.
  if (url.username !== '') url.username = ''
  if (url.password !== '') url.password = ''
  return url
}

/**
 * Parses a Multi-Status document chunk by chunk, synchronously. Holds one response at a time.
 *
 * @example
 * ```ts
 * const parser = new MultiStatusParser({url: 'https://dav.example/files/'})
 * for (const chunk of chunks) for (const result of parser.write(chunk)) console.log(result.href, result.status)
 * const summary = parser.end()
 * ```
 */
export class MultiStatusParser<const D extends Decoders = Record<never, never>> {
  readonly #limits: Limits
  readonly #method: string
  readonly #url: URL
  readonly #encoding: EncodingReader
  readonly #reader: MultiStatusReader
  readonly #scanner: Scanner<Property>
  #bytes = 0
  // The byte of the body at which the last decoded text ends. The byte of a fault is counted back from it.
  #end = 0
  // Kept, because the chunk with the fault still returns its results. The next call throws.
  #error: unknown
  #summary: Summary | undefined

  /**
   * Makes a parser for one document.
   *
   * @throws TypeError for an unknown option or limit, for one of the wrong type, and for a `url` that is not absolute.
   *   RangeError for a limit that is not above zero.
   */
  constructor(options: ParserOptions<D> = {}) {
    const {url, method, encoding, limits, decoders, malformed, markup} = readOptions(
      'MultiStatusParser',
      options,
      PARSER_OPTIONS,
    )
    this.#url = requestUrl(url)
    this.#method = (method ?? 'PROPFIND').toUpperCase()
    this.#limits = resolveLimits(limits)
    this.#encoding = new EncodingReader(encoding, {
      text: (source) => {
        this.#end = this.#encoding.offset
        this.#scanner.feed(source)
      },
      broken: (message) => this.#broken(message),
    })
    const position = (): number => this.#scanner.position
    const recovers = malformed === 'skip'
    // Methods that set all or nothing give other results, and recovery reads what is broken. Values that a caller has decoded may be
    // changed by it, so they stay in their document.
    const isApart = recovers || decoders !== undefined || setsAll(this.#method)
    const {learnt, names} =
      markup === undefined || isApart
        ? beginMarkup(decoders)
        : markup.find(`${this.#url.protocol}//${this.#url.host}`, this.#limits)
    this.#reader = new MultiStatusReader(this.#url, this.#method, this.#limits, names, position)
    this.#scanner = new Scanner(this.#reader, this.#limits, recovers, learnt)
  }

  /** True from the start tag of `DAV:multistatus` on. Before it the body may be anything. */
  get isMultiStatus(): boolean {
    return this.#reader.isMultiStatus
  }

  /**
   * True when `DAV:multistatus` has ended. All results were given out; only white space, comments and instructions may follow.
   *
   * @internal
   */
  get isEnded(): boolean {
    return this.isMultiStatus && this.#scanner.isDone
  }

  /** The error that the next `write` or `end` will throw; `undefined` while all is well. */
  get error(): unknown {
    return this.#error
  }

  /**
   * Parses the next chunk.
   *
   * @param chunk - Bytes in the document's encoding, cut anywhere, as an ArrayBuffer or any view of one; or decoded text.
   * @returns The results that the chunk completed, in the order of the document.
   * @throws {@link MultiStatusError} for a fault in an earlier chunk. The chunk with the fault itself returns the results
   *   before it. TypeError after `end()`, and for a value that is no chunk.
   */
  write(chunk: Chunk): DavResult<PropertiesOf<string, D>>[] {
    if (this.#error !== undefined) throw this.#error
    if (this.#summary !== undefined) throw new TypeError('write() after end()')
    const given = readChunk(chunk)
    try {
      this.#feed(given)
    } catch (error) {
      this.#error = this.#explain(error)
    }
    return this.#reader.take() as DavResult<PropertiesOf<string, D>>[]
  }

  /**
   * Ends the document. Further calls give the same summary.
   *
   * @returns The summary of the document.
   * @throws {@link MultiStatusError} if the document is not complete, or for a fault in the last chunk.
   */
  end(): Summary {
    if (this.#error !== undefined) throw this.#error
    if (this.#summary !== undefined) return this.#summary
    try {
      const isCut = this.#encoding.end()
      this.#scanner.end()
      if (isCut) this.#broken('the last character is not complete')
    } catch (error) {
      this.#error = this.#explain(error)
      throw this.#error
    }
    this.#summary = this.#reader.summary()
    return this.#summary
  }

  /**
   * Ends a document of which the root has ended, although its source broke off: nothing of it is missing.
   *
   * @internal
   * @returns The summary of the document.
   * @throws {@link MultiStatusError} for a fault in a chunk, or if the root has not ended.
   */
  endBehindRoot(): Summary {
    if (this.#error !== undefined || !this.isEnded) return this.end()
    this.#summary ??= this.#reader.summary()
    return this.#summary
  }

  /** Reads as much of a chunk as the limit of bytes allows, so that the results before the limit come out. */
  #feed(chunk: Uint8Array | string): void {
    const room = Math.max(0, this.#limits.bytes - this.#bytes)
    const begin = typeof chunk === 'string' ? beginningOf(chunk, room) : chunk.subarray(0, room)
    this.#bytes += typeof begin === 'string' ? 0 : begin.length
    this.#encoding.write(begin)
    if (typeof chunk === 'string') this.#bytes = this.#encoding.offset
    if (begin.length === chunk.length) return
    const message = `the body is longer than ${this.#limits.bytes} bytes`
    throw this.#errorAt(new ScanError(message, 'limit-exceeded', 0, 'bytes'), this.#end)
  }

  /** Reports bytes that are no text. */
  #broken(message: string): void {
    this.#end = this.#encoding.offset
    this.#scanner.fault(message, 'encoding')
  }

  /** Makes the public error of a fault. Its byte is counted back from the end of the decoded text. */
  #explain(error: unknown): unknown {
    if (!(error instanceof ScanError)) return error
    const rest = this.#encoding.byteLength(this.#scanner.textFrom(error.at))
    return this.#errorAt(error, error.reason === 'truncated' ? this.#bytes : this.#end - rest)
  }

  #errorAt({message: problem, reason, limit, at}: ScanError, offset: number): MultiStatusError {
    const request = {method: this.#method, url: this.#url.href}
    const words = reason === 'not-multistatus' && readWords(this.#scanner.textFrom(at))
    const asked = `The Multi-Status answer to ${request.method} ${request.url}`
    const place = `byte ${offset}, after ${this.#reader.responses} complete responses`
    const message = ownCopy(`${asked} cannot be read on at ${place}: ${problem}`)
    return new MultiStatusError(message, reason, offset, limit, {...request, ...words})
  }
}

/** Reads what a body is instead of a Multi-Status document, as far as it has arrived. */
function readWords(text: string): {conditions: readonly string[]; excerpt: string} {
  const error = errorOf(readRoot(text.slice(0, PLAIN_ANSWER_BYTES)))
  const conditions = childElements(error).map(({name}) => name)
  return {conditions, excerpt: ownCopy(hideCredentials(text.slice(0, EXCERPT_CHARACTERS)))}
}

/** Cuts off a text behind as many bytes of UTF-8, on the border of a character. */
function beginningOf(text: string, bytes: number): string {
  if (text.length * 3 <= bytes) return text
  const room = new Uint8Array(Math.min(bytes, text.length * 3))
  return text.slice(0, new TextEncoder().encodeInto(text, room).read)
}
