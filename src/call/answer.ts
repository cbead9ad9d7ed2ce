/**
 * Reads an answer: a Multi-Status document under any status and Content-Type, or a plain answer. Apache sends the document with
 * 424, Radicale with 200. Of a plain answer only the beginning is read. RFC 4918, sections 13 and 16.
 */

import {hrefsOf} from '../properties/value-parts.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {errorOf} from '../multistatus/dav-error.ts'
import type {Limits} from '../multistatus/limits.ts'
import {MultiStatusParser} from '../multistatus/parser.ts'
import {readResults} from '../multistatus/read-results.ts'
import type {DavResult, Failure, FailureCause} from '../multistatus/result.ts'
import {charsetOf} from '../multistatus/source.ts'
import type {Summary} from '../multistatus/summary.ts'
import {DESCRIPTION_CHARACTERS, EXCERPT_CHARACTERS, PLAIN_ANSWER_BYTES} from '../protocol/bounds.ts'
import type {FullChallenge} from '../protocol/challenge.ts'
import {decodeChallenges} from '../protocol/challenge.ts'
import type {DavError} from '../protocol/errors.ts'
import {
  DavNetworkError,
  DavTimeoutError,
  hideCredentials,
  MultiStatusError,
} from '../protocol/errors.ts'
import {HrefResolver} from '../protocol/href.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import type {Repeats} from '../retry/repeats.ts'
import {BarredError} from '../transport/barred.ts'
import type {OpenResponse} from '../transport/deadlines.ts'
import {isSafe} from '../transport/methods.ts'
import {WithheldError} from '../transport/withheld.ts'
import type {DavHeaders, DavResponse} from '../transport/transport.ts'
import {isUndecodable} from '../transport/undecodable.ts'
import {trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import {readDocument} from '../xml/document.ts'
import {findNextPage} from './link.ts'
import type {Session} from './session.ts'

/** The headers of an answer, decoded. */
export interface AnswerHead {
  readonly status: number
  /** All headers. */
  readonly headers: DavHeaders
  /** The URL that answered. */
  readonly url: string
  readonly retryAfter: number | undefined
  readonly location: string | undefined
  readonly etag: string | undefined
  /** The Server header; empty without one. */
  readonly server: string
  /** The authentication schemes that the server offers. */
  readonly challenges: readonly FullChallenge[]
  /** The URL reference of the next page. RFC 8288. */
  readonly next: string | undefined
}

/** An answer that is no Multi-Status document. */
export interface PlainAnswer {
  readonly kind: 'plain'
  /** Names of the conditions in its `DAV:error`. */
  readonly conditions: readonly string[]
  /** The absolute URLs that the conditions name. */
  readonly conditionUrls: readonly string[]
  /** The server's words: the message of a `DAV:error`, or the beginning of a text; empty without any. */
  readonly description: string
  /** The beginning of the body. */
  readonly excerpt: string
  /** The text of the body, as far as it was kept. */
  readonly text: string
  /** The bytes of the body, as far as it was read. */
  readonly length: number
  /** The root element of an XML document, within the limits. */
  readonly root?: XmlElement | undefined
  /** True for a `DAV:error`, and for responses without a Multi-Status document around them. */
  readonly isError: boolean
  /** True for a body that was cut off before its kind was clear. It may have been a Multi-Status document. */
  readonly isCut: boolean
  /** Returns the error of reading the body as a Multi-Status document. */
  problem(): unknown
}

/** An answer that is a Multi-Status document. */
export interface MultiStatusAnswer<P> {
  readonly kind: 'multistatus'
  /** The results as they arrive. An early end gives the body up. */
  readonly batches: AsyncIterable<readonly DavResult<P>[]>
  /** Returns the summary of the document, after the batches have ended. */
  summary(): Summary
  /** Gives the body up unread. */
  discard(): Promise<void>
}

// Statuses without a body, though some platforms give an empty one. RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5.
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/** Decodes the headers of an answer. The policy in `repeats` gives the shortest wait for a date in Retry-After. */
export function readHead(
  response: DavResponse,
  url: string,
  repeats: Pick<Repeats, 'minDelay'> | undefined,
): AnswerHead {
  const {headers, status} = response
  const answerer = response.url === undefined ? url : (URL.parse(response.url, url)?.href ?? url)
  return {
    status,
    headers,
    url: answerer,
    retryAfter: readRetryAfter(headers, Date.now(), repeats?.minDelay),
    location: headers.get('location') ?? undefined,
    etag: headers.get('etag') ?? undefined,
    challenges: decodeChallenges(headers.get('www-authenticate')),
    server: headers.get('server') ?? '',
    next: findNextPage(headers.get('link'), answerer),
  }
}

/** The request whose answer is read. */
export interface Reading {
  readonly method: string
  readonly url: string
  readonly decoders?: Decoders | undefined
  /** The limits of a plain answer whose text is wanted as a whole. Default: its beginning is kept. */
  readonly whole?: Limits | undefined
}

/** Reads the body until its kind is clear. The batches of a Multi-Status document read the rest. */
export async function readAnswer<P>(
  session: Session,
  response: OpenResponse,
  request: Reading,
): Promise<PlainAnswer | MultiStatusAnswer<P>> {
  const {limits, malformed, markup} = session
  const {method, url, whole} = request
  // Calls without decoders of their own share what they learn.
  const decoders = isEmpty(request.decoders) ? undefined : request.decoders
  // One byte more tells a longer text.
  const kept = whole === undefined ? PLAIN_ANSWER_BYTES : Math.min(whole.bytes, whole.value) + 1
  const encoding = (): string | undefined => charsetOf(response.headers.get('content-type'))
  const makeParser = (): MultiStatusParser<Decoders> =>
    new MultiStatusParser({
      method,
      url,
      decoders,
      encoding: encoding(),
      limits,
      malformed,
      markup,
    })
  let parser: MultiStatusParser<Decoders> | undefined
  const problem = (): unknown => problemOf(parser ?? makeParser())
  const empty = {
    kind: 'plain',
    conditions: [],
    conditionUrls: [],
    description: '',
    excerpt: '',
    text: '',
    length: 0,
    isError: false,
    isCut: false,
    problem,
  } as const
  const {body} = response
  // Most answers to a DELETE.
  if (body === null) return empty
  if (BODILESS.has(response.status)) {
    await body.cancel()
    return empty
  }
  const head: Uint8Array[] = []
  let length = 0
  let page: string | undefined
  try {
    // The parser decides the kind, because white space and comments before the root may have any length.
    while (length < kept || (page === undefined && parser?.error === undefined)) {
      const next = await body.next()
      if (next.done === true) break
      if (length === 0) page = readPage(response, method, next.value)
      if (page === undefined && (parser ??= makeParser()).error === undefined) {
        const results = parser.write(next.value)
        if (parser.isMultiStatus) {
          const reading = parser
          const batches: AsyncIterable<readonly DavResult[]> = readResults(
            () => body,
            reading,
            results,
          )
          return {
            kind: 'multistatus',
            // The call types the properties, by its decoders and by the names in its request.
            batches: batches as AsyncIterable<readonly DavResult<P>[]>,
            summary: () => reading.endBehindRoot(),
            discard: () => body.cancel(),
          }
        }
      }
      if (length < kept) head.push(next.value)
      length += next.value.length
    }
  } catch (error) {
    // The status stands, although the body breaks: a refusal is a refusal. An undecodable body leaves a success, but no listing.
    // A text that is wanted as a whole must not be cut.
    const isOther = whole === undefined && (page !== undefined || parser?.error !== undefined)
    const isClear =
      response.status >= 300 || isOther || (response.status !== 207 && isUndecodable(error))
    if (!isClear) throw error
    if (response.status < 300 && !isOther) return {...empty, problem: () => error}
  }
  await body.cancel()
  if (length === 0) return empty
  if (page !== undefined) return {...empty, excerpt: page}
  const {text, root} = readDocument(head, encoding(), whole)
  const error = errorOf(root)
  const found = childElements(error)
  const conditions = found.map(({name}) => name)
  const conditionUrls = urlsIn(found, url)
  const description = hideCredentials(
    error === undefined ? textOf(response, text) : messageOf(error),
  )
  const isError = error !== undefined || RESPONSE.test(text)
  const excerpt = hideCredentials(text.slice(0, EXCERPT_CHARACTERS))
  const fault = problem()
  const isCut =
    fault instanceof MultiStatusError && fault.reason === 'truncated' && trimSpace(text) !== ''
  const words = {conditions, conditionUrls, description, excerpt, text, length, root}
  return {kind: 'plain', ...words, isError, isCut, problem}
}

function isEmpty(decoders: Decoders | undefined): boolean {
  return decoders === undefined || Object.keys(decoders).length === 0
}

/** Resolves the hrefs in conditions. */
function urlsIn(conditions: readonly XmlElement[], url: string): readonly string[] {
  const hrefs = conditions.flatMap((condition) => hrefsOf(condition)).filter((href) => href !== '')
  if (hrefs.length === 0) return []
  const resolver = new HrefResolver(new URL(url))
  return hrefs.map((href) => resolver.resolve(href).url)
}

/** Recognizes the beginning of a page for people. */
export const PAGE: RegExp = /^\s*<(?:!doctype\s+html|html)\b/i

/**
 * Reads the beginning of a page for people behind a success, such as Apache's to COPY, MOVE and PUT; `undefined` for another body.
 * To read a page as XML would take longer than the rest of the exchange.
 */
function readPage({status}: DavResponse, method: string, chunk: Uint8Array): string | undefined {
  if (!isSuccessStatus(status) || status === 207 || isSafe(method)) return undefined
  const text = new TextDecoder().decode(chunk.subarray(0, EXCERPT_CHARACTERS), {stream: true})
  return PAGE.test(text) ? text : undefined
}

// lighttpd 1.4.69 answers a MOVE that lost a member with 200, and with its `response` alone.
const RESPONSE = /^\s*(?:<\?xml[^>]*>\s*)?<(?:[\w.-]+:)?response[\s>]/

const MESSAGES: ReadonlySet<string> = new Set([
  '{http://sabredav.org/ns}message',
  'responsedescription',
])

/** Reads the words of a `DAV:error`: SabreDAV's message element, or the text. SOGo writes a text, in the namespace `DAV`. */
function messageOf(error: XmlElement): string {
  const message = childElements(error).find(({name}) => MESSAGES.has(name))
  const own = (message ?? error).children.filter((child) => typeof child === 'string').join('')
  return trimSpace(own).slice(0, DESCRIPTION_CHARACTERS)
}

/** Reads the words of a plain text. A page has words too, but at no known place. */
function textOf({headers}: DavResponse, text: string): string {
  const isText = /^\s*text\/plain\b/i.test(headers.get('content-type') ?? '')
  return isText ? trimSpace(text.slice(0, DESCRIPTION_CHARACTERS)) : ''
}

/** Finds the cause of a Failure without an answer, from the error of its exchange. */
export function causeOf(error: DavError): FailureCause {
  if (error instanceof DavTimeoutError) return 'timeout'
  if (error instanceof WithheldError) return 'not-sent'
  return error instanceof DavNetworkError ? 'network' : 'unreadable'
}

/** Finds the reason of a Failure without an answer. A request that would fail in the same way each time is refused. */
export function reasonOf(error: DavError): Pick<Failure, 'reason' | 'cause'> {
  return error instanceof BarredError
    ? {reason: 'refused'}
    : {reason: 'no-answer', cause: causeOf(error)}
}

function problemOf(parser: MultiStatusParser<Decoders>): unknown {
  try {
    parser.end()
  } catch (error) {
    return error
  }
  return undefined
}
