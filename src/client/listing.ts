/** The listing of one collection: a PROPFIND, and the pages of its answer as one. RFC 4918, section 9.1; RFC 8288. */

import type {DavResult} from '../multistatus/result.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import type {Depth} from '../protocol/depth.ts'
import {formatDepth} from '../protocol/depth.ts'
import {DavError, DavHttpError, MultiStatusError} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {sendUntilAnswered} from '../retry/exchange.ts'
import type {Transport} from '../transport/transport.ts'
import type {AnswerHead, MultiStatusAnswer} from './answer.ts'
import {readAnswer, readHead} from './answer.ts'
import type {CallSummary} from './call.ts'
import type {Line, Session} from './session.ts'

// More pages than this are taken for a server that goes round in circles.
const MOST_PAGES = 10_000

/** How all collections of a call are asked for. */
export interface Manner {
  readonly session: Session
  readonly line: Line
  /** Is aborted when the reader goes away. */
  readonly stop: AbortController
}

/** One collection, or another resource, to list. */
export interface ListingRequest {
  readonly url: string
  readonly depth: Depth
  readonly body: string
  readonly decoders: Decoders
  /** Is told of each time that it is sent: how often that was so far. */
  readonly onSend?: (times: number) => void
  /** Says which statuses are no refusal for good. */
  readonly mayRepeat?: (status: number) => boolean
}

/** An answer that has begun. */
export interface ListingAnswer<P> {
  /** The URL that answered. */
  readonly url: string
  /** What the server says it is. */
  readonly server: string
  /** The results of all pages, related to that URL. Ending the iteration early gives the body up. */
  readonly batches: AsyncIterable<readonly DavResult<P>[]>
  /** Whether the answer named the resource or what is in it. If not, it is no listing of it. */
  readonly hasListed: boolean
  /** What can be said when the batches have ended. */
  end(): CallSummary
}

/**
 * Sends a PROPFIND.
 *
 * @throws DavHttpError where it is refused as a whole; MultiStatusError, DavNetworkError, DavTimeoutError.
 */
export async function list<P>(request: ListingRequest, manner: Manner): Promise<ListingAnswer<P>> {
  const first = await exchange<P>(request.url, request, manner)
  const {url} = first.head
  const incomplete: Incomplete[] = []
  let end: CallSummary = {incomplete}
  const named = {self: false, members: false, others: false}
  let selves = 0

  async function* batches(): AsyncGenerator<readonly DavResult<P>[], undefined, undefined> {
    const pages = new Set([request.url, url])
    for (let page = first; ;) {
      const isFirst = page === first
      if (page.head.status >= 300)
        incomplete.push({href: url, reason: 'failed', status: page.head.status})
      for await (const batch of page.answer.batches) {
        for (const {ok, url: other, relation} of batch) {
          if (relation === 'self' && ok && isFirst) selves++
          if (relation === 'self') named.self = true
          else if (relation !== 'outside') named.members = true
          else if (!isWithin(url, other)) named.others = true
        }
        // Each page may begin with the collection itself.
        yield isFirst ? batch : batch.filter(({ok, relation}) => !ok || relation !== 'self')
      }
      const summary = page.answer.summary()
      incomplete.push(...summary.incomplete)
      if (isFirst) end = {...summary, incomplete}
      // SabreDAV gives members of a collection whose name it cannot write the href of the collection.
      if (isFirst && selves > 1 && request.depth !== 0) incomplete.push({href: url, reason: 'self'})
      const next = nextPage(page.head, pages)
      if (next === undefined) return undefined
      if (next === 'lost') {
        incomplete.push({href: url, reason: 'paged'})
        return undefined
      }
      page = await exchange<P>(next, {...request, url}, manner)
    }
  }

  return {
    url,
    server: first.head.server,
    batches: batches(),
    get hasListed() {
      // The members of a collection that a proxy renames, say, are others: the collection is not empty.
      return named.members || (named.self && !named.others)
    },
    end: () => end,
  }
}

/** Whether a URL is in another one: a server may name what is around a collection. */
function isWithin(url: string, other: string): boolean {
  return relate(canonicalPathOf(url), canonicalPathOf(other)) !== 'outside'
}

/** The URL of the next page; `lost` where there is one that must not be read: elsewhere, or once more. */
function nextPage({url, next}: AnswerHead, pages: Set<string>): string | undefined {
  if (next === undefined) return undefined
  const to = URL.parse(next, url)
  if (to === null || to.origin !== new URL(url).origin || pages.size === MOST_PAGES) return 'lost'
  to.hash = ''
  to.username = ''
  to.password = ''
  if (pages.has(to.href)) return 'lost'
  pages.add(to.href)
  return to.href
}

/** Sends the request for a page of the listing of a URL. */
async function exchange<P>(
  page: string,
  {url, depth, body, decoders, onSend, mayRepeat}: ListingRequest,
  {session, line}: Manner,
): Promise<{head: AnswerHead; answer: MultiStatusAnswer<P>}> {
  const headers = {depth: formatDepth(depth), 'content-type': 'application/xml; charset=utf-8'}
  const sent = {method: 'PROPFIND', url: page, headers, body}
  let times = 0
  const send: Transport = (once) => {
    onSend?.(++times)
    return line.send(once)
  }
  const response = await sendUntilAnswered(send, sent, line.repeats, mayRepeat)
  const head = readHead(response, page)
  const answer = await readAnswer<P>(session, response, {
    method: 'PROPFIND',
    url: page === url ? head.url : url,
    decoders,
  })
  if (answer.kind === 'multistatus') return {head, answer}
  const {conditions, excerpt} = answer
  // A 2xx that is no Multi-Status is not a refusal but nonsense: a login form, JSON, an empty body.
  if (head.status < 300) throw withStatus(answer.problem(), head.status)
  const facts = {method: 'PROPFIND', depth: headers.depth, conditions, excerpt, sent: line.sent}
  throw new DavHttpError({...head, ...facts})
}

function withStatus(problem: unknown, status: number): unknown {
  if (!(problem instanceof MultiStatusError))
    return problem ?? new DavError(`PROPFIND was answered ${status} without a body`)
  return new MultiStatusError(
    `${problem.message} (status ${status})`,
    problem.reason,
    problem.offset,
    problem.limit,
    problem,
  )
}
