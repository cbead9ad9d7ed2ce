/**
 * What an answer is: results of a Multi-Status document, whatever the status and the Content-Type, or a plain answer with
 * the beginning of its body. RFC 4918, sections 13 and 16.
 */

import type {Decoders} from '../properties/vocabulary.ts'
import {MultiStatusParser} from '../multistatus/parser.ts'
import {readResults} from '../multistatus/read-results.ts'
import type {DavResult, FailureCause} from '../multistatus/result.ts'
import {charsetOf, readChunks} from '../multistatus/source.ts'
import type {Summary} from '../multistatus/summary.ts'
import type {Challenge} from '../protocol/challenge.ts'
import {decodeChallenges} from '../protocol/challenge.ts'
import type {DavError} from '../protocol/errors.ts'
import {DavNetworkError, DavTimeoutError, MultiStatusError} from '../protocol/errors.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import type {DavResponse} from '../transport/transport.ts'
import type {Repeats} from '../retry/repeats.ts'
import {discard} from '../transport/transport.ts'
import {isUndecodable} from '../transport/undecodable.ts'
import {trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import {readDocument} from '../xml/document.ts'
import {findNextPage} from './link.ts'
import type {Session} from './session.ts'

/** What is known of an answer without its body. */
export interface AnswerHead {
  readonly status: number
  /** The URL that answered. */
  readonly url: string
  readonly retryAfter: number | undefined
  readonly location: string | undefined
  /** What the server says it is, empty where it does not. */
  readonly server: string
  /** The schemes that it asks to be authenticated by. */
  readonly challenges: readonly Challenge[]
  /** The URL reference of the next page, where there is one. RFC 8288. */
  readonly next: string | undefined
}

/** An answer that is no Multi-Status document. */
export interface PlainAnswer {
  readonly kind: 'plain'
  /** Names in its `DAV:error`. */
  readonly conditions: readonly string[]
  /** The server's words: the message of a `DAV:error`, or the beginning of a text. Empty where there are none. */
  readonly description: string
  /** The beginning of its body. */
  readonly excerpt: string
  /** Whether it is a `DAV:error`. */
  readonly isError: boolean
  /** Whether it may be the beginning of a Multi-Status document, which was cut off before it could be told. */
  readonly isCut: boolean
  /** What is wrong with it as a Multi-Status document. */
  problem(): unknown
}

/** An answer that is one. */
export interface MultiStatusAnswer<P> {
  readonly kind: 'multistatus'
  /** The results as they arrive. Ending the iteration early gives the body up. */
  readonly batches: AsyncIterable<readonly DavResult<P>[]>
  /** What can be said when the batches have ended. */
  summary(): Summary
  /** Gives the body up unread. */
  discard(): Promise<void>
}

// Bytes of a body that are kept to be shown, or to be read as a DAV:error.
const LONGEST_HEAD = 65_536
const LONGEST_EXCERPT = 1000
// They have no body, whatever a platform gives. RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5.
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])
const LONGEST_DESCRIPTION = 300

/** What the headers say. `repeats` are those of the call, if it has any: a date in Retry-After is no shorter than their delays. */
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

/** Reads an answer as far as is needed to tell what it is. The body is then read on by the batches, or done with. */
export async function readAnswer<P>(
  session: Session,
  response: DavResponse,
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
  // Most answers to a DELETE.
  if (response.body === null) return empty
  if (BODILESS.has(response.status)) {
    await discard(response)
    return empty
  }
  const chunks = readChunks(response.body)
  const head: (Uint8Array | string)[] = []
  let length = 0
  try {
    // The parser says what it is. White space and comments before the root may be as long as they like.
    while (length < LONGEST_HEAD || parser?.error === undefined) {
      const next = await chunks.next()
      if (next.done === true) break
      parser ??= makeParser()
      if (parser.error === undefined) {
        const results = parser.write(next.value)
        if (parser.isMultiStatus) return streamed(response, results, chunks, parser)
      }
      if (length < LONGEST_HEAD) head.push(next.value)
      length += next.value.length
    }
  } catch (error) {
    // A refusal whose body breaks off is a refusal all the same. So is a success whose body cannot be decoded, but for a listing.
    const isOther = parser?.error !== undefined
    const isTold =
      response.status >= 300 || isOther || (response.status !== 207 && isUndecodable(error))
    if (!isTold) throw error
    if (response.status < 300 && !isOther) return {...empty, problem: () => error}
  }
  await chunks.return(undefined)
  if (length === 0) return empty
  const {text, root} = readDocument(head, encoding())
  const isError = root?.name === 'error' || root?.name === '{DAV}error'
  const conditions = isError ? childElements(root).map(({name}) => name) : []
  const description = isError ? messageOf(root) : textOf(response, text)
  const excerpt = text.slice(0, LONGEST_EXCERPT)
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
  return trimSpace(own).slice(0, LONGEST_DESCRIPTION)
}

/** The beginning of a text. A page has its words in places that nobody knows. */
function textOf({headers}: DavResponse, text: string): string {
  const isText = /^\s*text\/plain\b/i.test(headers.get('content-type') ?? '')
  return isText ? trimSpace(text.slice(0, LONGEST_DESCRIPTION)) : ''
}

/** Why there is no answer, by what an exchange broke with. */
export function causeOf(error: DavError): FailureCause {
  if (error instanceof DavTimeoutError) return 'timeout'
  return error instanceof DavNetworkError ? 'network' : 'unreadable'
}

/** Why what was read is no Multi-Status document. */
function problemOf(parser: MultiStatusParser<unknown>): unknown {
  try {
    parser.end()
  } catch (error) {
    return error
  }
  return undefined
}

function streamed<P>(
  response: DavResponse,
  results: readonly DavResult<P>[],
  chunks: AsyncGenerator<Uint8Array | string, undefined, undefined>,
  parser: MultiStatusParser<P>,
): MultiStatusAnswer<P> {
  const batches = readOn(response, results, chunks, parser)
  return {
    kind: 'multistatus',
    batches,
    summary: () => parser.endBehindRoot(),
    discard: () => discard(response),
  }
}

async function* readOn<P>(
  response: DavResponse,
  first: readonly DavResult<P>[],
  chunks: AsyncGenerator<Uint8Array | string, undefined, undefined>,
  parser: MultiStatusParser<P>,
): AsyncGenerator<readonly DavResult<P>[], undefined, undefined> {
  // A body that is waited for is given up by its own means: the iteration would end with the next chunk.
  const rest = readResults(chunks, parser, () => void discard(response))
  let isBegun = false
  try {
    yield first
    // At once, not with the next chunk, for which a server may let us wait.
    if (parser.error !== undefined) throw parser.error
    isBegun = true
    yield* rest
    return undefined
  } finally {
    if (!isBegun) await chunks.return(undefined)
  }
}

/** What a promise gives; `undefined` where it does not within some milliseconds. */
export async function orLate<T>(
  promise: Promise<T | undefined>,
  milliseconds: number,
): Promise<T | undefined> {
  const {promise: late, resolve} = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), milliseconds)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
