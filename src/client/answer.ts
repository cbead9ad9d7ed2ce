/**
 * What an answer is: results of a Multi-Status document, whatever the status and the Content-Type, or a plain answer with
 * the beginning of its body. RFC 4918, sections 13 and 16.
 */

import type {Decoders} from '../properties/vocabulary.ts'
import {MultiStatusParser} from '../multistatus/parser.ts'
import type {DavResult} from '../multistatus/result.ts'
import {charsetOf, readChunks} from '../multistatus/source.ts'
import type {Summary} from '../multistatus/summary.ts'
import {readRetryAfter} from '../protocol/retry-after.ts'
import type {DavResponse} from '../transport/transport.ts'
import {childElements} from '../xml/element.ts'
import {readDocument} from '../xml/document.ts'
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
  /** The URL reference of the next page, where there is one. RFC 8288. */
  readonly next: string | undefined
}

/** An answer that is no Multi-Status document. */
export interface PlainAnswer {
  readonly kind: 'plain'
  /** Names in its `DAV:error`. */
  readonly conditions: readonly string[]
  /** The beginning of its body. */
  readonly excerpt: string
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
}

const LONGEST_HEAD = 65_536
const LONGEST_EXCERPT = 1000

/** What the headers say. */
export function readHead(response: DavResponse, url: string): AnswerHead {
  const {headers, status} = response
  return {
    status,
    url: response.url ?? url,
    retryAfter: readRetryAfter(headers, Date.now()),
    location: headers.get('location') ?? undefined,
    server: headers.get('server') ?? '',
    next: nextPage(headers.get('link')),
  }
}

const LINK = /<([^<>]*)>((?:[^,"]|"[^"]*")*)/g
const PARAMETER = /;\s*([^\s=;,"]+)\s*(?:=\s*(?:"([^"]*)"|([^\s;,"]*)))?/g

/** The next page that a Link header names. RFC 8288, section 3. */
function nextPage(link: string | null): string | undefined {
  if (link === null) return undefined
  for (const [, reference, parameters = ''] of link.matchAll(LINK)) {
    for (const [, name = '', quoted, bare = ''] of parameters.matchAll(PARAMETER)) {
      if (name.toLowerCase() !== 'rel') continue
      if ((quoted ?? bare).toLowerCase().split(/\s+/).includes('next')) return reference
      // Only the first one counts.
      break
    }
  }
  return undefined
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
  const empty = {kind: 'plain', conditions: [], excerpt: '', problem} as const
  // Most answers to a DELETE.
  if (response.body === null) return empty
  const chunks = readChunks(response.body)
  const head: (Uint8Array | string)[] = []
  let length = 0
  try {
    for (;;) {
      const next = await chunks.next()
      if (next.done === true) break
      parser ??= makeParser()
      if (parser.error === undefined) {
        const results = parser.write(next.value)
        if (parser.isMultiStatus) return streamed(results, chunks, parser)
      }
      head.push(next.value)
      length += next.value.length
      if (length >= LONGEST_HEAD) break
    }
  } catch (error) {
    // A refusal whose body breaks off is a refusal all the same.
    if (response.status < 300) throw error
  }
  await chunks.return(undefined)
  if (length === 0) return empty
  const {text, root} = readDocument(head, encoding())
  const conditions = root?.name === 'error' ? childElements(root).map(({name}) => name) : []
  return {kind: 'plain', conditions, excerpt: text.slice(0, LONGEST_EXCERPT), problem}
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
  results: readonly DavResult<P>[],
  chunks: AsyncGenerator<Uint8Array | string, undefined, undefined>,
  parser: MultiStatusParser<P>,
): MultiStatusAnswer<P> {
  const batches = readOn(results, chunks, parser)
  return {kind: 'multistatus', batches, summary: () => parser.end()}
}

async function* readOn<P>(
  first: readonly DavResult<P>[],
  chunks: AsyncGenerator<Uint8Array | string, undefined, undefined>,
  parser: MultiStatusParser<P>,
): AsyncGenerator<readonly DavResult<P>[], undefined, undefined> {
  try {
    yield first
    // At once, not with the next chunk, for which a server may let us wait.
    if (parser.error !== undefined) throw parser.error
    for await (const chunk of chunks) {
      yield parser.write(chunk)
      if (parser.error !== undefined) throw parser.error
    }
    parser.end()
    return undefined
  } finally {
    await chunks.return(undefined)
  }
}
