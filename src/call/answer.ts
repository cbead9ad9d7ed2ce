/**
 * Tells a Multi-Status document, under any status and Content-Type, from a plain answer with the beginning of its body.
 * RFC 4918, sections 13 and 16.
 */

import type {Decoders} from '../properties/vocabulary.ts'
import {MultiStatusParser} from '../multistatus/parser.ts'
import {readResults} from '../multistatus/read-results.ts'
import type {DavResult, FailureCause} from '../multistatus/result.ts'
import {charsetOf} from '../multistatus/source.ts'
import type {Summary} from '../multistatus/summary.ts'
import {DESCRIPTION_CHARACTERS, EXCERPT_CHARACTERS, PLAIN_ANSWER_BYTES} from '../protocol/bounds.ts'
import type {Challenge} from '../protocol/challenge.ts'
import {decodeChallenges} from '../protocol/challenge.ts'
import type {DavError} from '../protocol/errors.ts'
import {DavNetworkError, DavTimeoutError, MultiStatusError} from '../protocol/errors.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import type {Repeats} from '../retry/repeats.ts'
import type {OpenResponse} from '../transport/deadlines.ts'
import {WithheldError} from '../transport/withheld.ts'
import type {DavResponse} from '../transport/transport.ts'
import {isUndecodable} from '../transport/undecodable.ts'
import {trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import {readDocument} from '../xml/document.ts'
import {findNextPage} from './link.ts'
import type {Session} from './session.ts'

/** An answer without its body. */
export interface AnswerHead {
  readonly status: number
  /** The URL that answered. */
  readonly url: string
  readonly retryAfter: number | undefined
  readonly location: string | undefined
  /** The Server header, empty if there is none. */
  readonly server: string
  /** The ways to authenticate that the server offers. */
  readonly challenges: readonly Challenge[]
  /** The URL reference of the next page, if there is one. RFC 8288. */
  readonly next: string | undefined
}

/** An answer that is no Multi-Status document. */
export interface PlainAnswer {
  readonly kind: 'plain'
  /** Names in its `DAV:error`. */
  readonly conditions: readonly string[]
  /** The server's words: the message of a `DAV:error`, or the beginning of a text. Empty if there are none. */
  readonly description: string
  /** The beginning of its body. */
  readonly excerpt: string
  /** True for a `DAV:error`. */
  readonly isError: boolean
  /** True for a body that may be the beginning of a Multi-Status document, and was cut off too early to tell. */
  readonly isCut: boolean
  /** The fault that it has as a Multi-Status document. */
  problem(): unknown
}

/** An answer that is a Multi-Status document. */
export interface MultiStatusAnswer<P> {
  readonly kind: 'multistatus'
  /** The results as they arrive. Ending the iteration early gives the body up. */
  readonly batches: AsyncIterable<readonly DavResult<P>[]>
  /** The summary of the document, as soon as the batches have ended. */
  summary(): Summary
  /** Gives the body up unread. */
  discard(): Promise<void>
}

// They have no body, though some platforms give one. RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5.
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/** Reads the headers. `repeats` are those of the call, if it has any: a date in Retry-After is no shorter than their delays. */
export function readHead(
  response: DavResponse,
  url: string,
  repeats: Pick<Repeats, 'minDelay'> | undefined,
): AnswerHead {
  const {headers, status} = response
  const answerer = URL.parse(response.url ?? url, url)?.href ?? url
  return {
    status,
    url: answerer,
    retryAfter: readRetryAfter(headers, Date.now(), repeats?.minDelay),
    location: headers.get('location') ?? undefined,
    challenges: decodeChallenges(headers.get('www-authenticate')),
    server: headers.get('server') ?? '',
    next: findNextPage(headers.get('link'), answerer),
  }
}

/** Reads an answer as far as its kind needs. The batches of a Multi-Status document read the rest; any other is read already. */
export async function readAnswer<P>(
  session: Session,
  response: OpenResponse,
  request: {
    readonly method: string
    readonly url: string
    readonly decoders?: Decoders | undefined
  },
): Promise<PlainAnswer | MultiStatusAnswer<P>> {
  const {limits, malformed} = session
  const encoding = (): string | undefined => charsetOf(response.headers.get('content-type'))
  const makeParser = (): MultiStatusParser<P> =>
    new MultiStatusParser<P>({...request, encoding: encoding(), limits, malformed})
  let parser: MultiStatusParser<P> | undefined
  const problem = (): unknown => problemOf(parser ?? makeParser())
  const nothing = {conditions: [], description: '', excerpt: '', isError: false, isCut: false}
  const empty = {kind: 'plain', ...nothing, problem} as const
  const {body} = response
  // Most answers to a DELETE.
  if (body === null) return empty
  if (BODILESS.has(response.status)) {
    await body.cancel()
    return empty
  }
  const head: Uint8Array[] = []
  let length = 0
  try {
    // The parser decides. White space and comments before the root may have any length.
    while (length < PLAIN_ANSWER_BYTES || parser?.error === undefined) {
      const next = await body.next()
      if (next.done === true) break
      parser ??= makeParser()
      if (parser.error === undefined) {
        const results = parser.write(next.value)
        if (parser.isMultiStatus) {
          const reading = parser
          return {
            kind: 'multistatus',
            batches: readResults(() => body, reading, results),
            summary: () => reading.endBehindRoot(),
            discard: () => body.cancel(),
          }
        }
      }
      if (length < PLAIN_ANSWER_BYTES) head.push(next.value)
      length += next.value.length
    }
  } catch (error) {
    // A refusal whose body breaks off is a refusal. A success whose body cannot be decoded is a success, other than a listing.
    const isOther = parser?.error !== undefined
    const isClear =
      response.status >= 300 || isOther || (response.status !== 207 && isUndecodable(error))
    if (!isClear) throw error
    if (response.status < 300 && !isOther) return {...empty, problem: () => error}
  }
  await body.cancel()
  if (length === 0) return empty
  const {text, root} = readDocument(head, encoding())
  const isError = root?.name === 'error' || root?.name === '{DAV}error'
  const conditions = isError ? childElements(root).map(({name}) => name) : []
  const description = isError ? messageOf(root) : textOf(response, text)
  const excerpt = text.slice(0, EXCERPT_CHARACTERS)
  const found = problem()
  const isCut =
    found instanceof MultiStatusError && found.reason === 'truncated' && trimSpace(text) !== ''
  return {kind: 'plain', conditions, description, excerpt, isError, isCut, problem}
}

const MESSAGES: ReadonlySet<string> = new Set([
  '{http://sabredav.org/ns}message',
  'responsedescription',
])

/** The words in a `DAV:error`: SabreDAV's message, or its own text. SOGo writes the text, in the namespace `DAV`. */
function messageOf(error: XmlElement): string {
  const message = childElements(error).find(({name}) => MESSAGES.has(name))
  const own = (message ?? error).children.filter((child) => typeof child === 'string').join('')
  return trimSpace(own).slice(0, DESCRIPTION_CHARACTERS)
}

/** The beginning of a plain text. The words of a page have no known place. */
function textOf({headers}: DavResponse, text: string): string {
  const isText = /^\s*text\/plain\b/i.test(headers.get('content-type') ?? '')
  return isText ? trimSpace(text.slice(0, DESCRIPTION_CHARACTERS)) : ''
}

/** The cause of a Failure without an answer, from the error of its exchange. */
export function causeOf(error: DavError): FailureCause {
  if (error instanceof DavTimeoutError) return 'timeout'
  if (error instanceof WithheldError) return 'not-sent'
  return error instanceof DavNetworkError ? 'network' : 'unreadable'
}

function problemOf(parser: MultiStatusParser<unknown>): unknown {
  try {
    parser.end()
  } catch (error) {
    return error
  }
  return undefined
}
