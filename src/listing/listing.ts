/**
 * One listing: a PROPFIND, REPORT or SEARCH for one resource, with its retries, and with all pages of the answer read as one.
 * Follows no collection. RFC 4918, section 9.1; RFC 3253, section 3.6; RFC 5323, section 2; RFC 8288.
 */

import type {AnswerHead, MultiStatusAnswer, PlainAnswer} from '../call/answer.ts'
import {readAnswer, readHead} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {DavResult} from '../multistatus/result.ts'
import {forEach} from '../multistatus/pull.ts'
import {isBelow} from '../multistatus/selection.ts'
import type {Ending, Sink} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {noteIncomplete, picks} from '../multistatus/summary.ts'
import {REFUSAL_BODY_MILLISECONDS} from '../protocol/bounds.ts'
import {formatDepth} from '../protocol/depth.ts'
import type {DavError} from '../protocol/errors.ts'
import {
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  MultiStatusError,
  NO_DAV_ADDRESS,
} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {within} from '../protocol/wait.ts'
import {BarredError} from '../transport/barred.ts'
import {discard} from '../transport/transport.ts'
import {XML_TYPE} from '../xml/writer.ts'
import {isDepthRefusal, isDepthRefusalError} from './depth-refusal.ts'
import {readReport} from './report-content.ts'
import type {Listing, ListingQuery} from './query.ts'
import {NamedResources} from './named.ts'
import type {PageRequest, Pages} from './pages.ts'
import {firstPage, PageTurner, withoutPage} from './pages.ts'
import {failureOf, isDeep, listingError} from './query.ts'

/** A page whose body has begun. */
interface Page<P> {
  readonly head: AnswerHead
  readonly answer: MultiStatusAnswer<P>
}

/**
 * Sends the request of a listing.
 *
 * @throws DavHttpError for a refusal; MultiStatusError, DavNetworkError, DavTimeoutError.
 */
export async function list<P>(listing: Listing, context: CallContext): Promise<ListingAnswer<P>> {
  const first = firstPage(listing.url, pagesOf(listing))
  return new ListingAnswer(listing, context, await exchange<P>(listing, context, first))
}

/** Finds the pages to request. An answer to another Depth than 1 has no order that could be continued. */
function pagesOf({depth, query}: Listing): Pages | undefined {
  return depth === 1 ? query.pages : undefined
}

/**
 * An answer whose body has begun. Reads all pages as one: the gaps of all pages count, and the description and sync token of the
 * first. A later page may be refused or break like the first.
 */
export class ListingAnswer<P> {
  /** The URL that answered. */
  readonly url: string
  /** True if another resource answered than the requested one. */
  readonly isElsewhere: boolean
  /** The status of the answer; `undefined` for a success. */
  readonly status: number | undefined
  /** The Server header. */
  readonly server: string
  readonly #listing: Listing
  readonly #context: CallContext
  readonly #first: Page<P>
  readonly #turner: PageTurner
  #named: NamedResources
  readonly #incomplete: Incomplete[] = []
  #end: Ending | undefined

  constructor(listing: Listing, context: CallContext, first: Page<P>) {
    const {status, server} = first.head
    const pages = pagesOf(listing)
    const url = withoutPage(first.head.url, pages)
    this.url = url
    this.isElsewhere = canonicalPathOf(url) !== canonicalPathOf(listing.url)
    this.status = isSuccessStatus(status) ? undefined : status
    this.server = server
    this.#listing = listing
    this.#context = context
    this.#first = first
    this.#named = new NamedResources(url)
    this.#turner = new PageTurner(url, listing.url, pages, picks(listing.query.method))
  }

  /** True if the answer lists the resource: it names members, or the resource and nothing of another collection. */
  get hasListed(): boolean {
    return this.#named.hasListed(this.#listing.depth)
  }

  /** True if a Success names the resource itself. */
  get hasSelf(): boolean {
    return this.#named.hasSelf
  }

  /** The summary, after `read`. */
  get end(): Ending {
    return {...this.#end, incomplete: this.#incomplete}
  }

  /**
   * Emits the results of all pages, with relations to the URL that answered.
   *
   * @returns `false` if the reader has gone. The body is then given up, as after an error of `emit`.
   */
  async read(emit: Sink<DavResult<P>>): Promise<boolean> {
    const {url} = this
    const turner = this.#turner
    for (let page = this.#first; ;) {
      const {status} = page.head
      // A 206 is a part of the listing, although no range was requested.
      if (!isSuccessStatus(status) || status === 206)
        this.#incomplete.push({href: url, reason: 'failed', status})
      turner.begin(page.head)
      const isRead = await forEach(page.answer.batches, (batch) => {
        const fresh = turner.filter(batch)
        for (const result of turner.isWhole ? batch : fresh) this.#named.add(result)
        return emit(fresh)
      })
      if (!isRead) return false
      const summary = page.answer.summary()
      this.#end ??= summary
      for (const one of summary.incomplete) noteIncomplete(this.#incomplete, one)
      const {isWhole} = turner
      const next = turner.next()
      if (next === undefined) break
      const following = next === 'lost' ? undefined : await this.#openPage(next)
      if (following === undefined) {
        this.#incomplete.push({href: url, reason: 'paged'})
        break
      }
      page = following
      // A whole listing behind pages proves by itself that it is one.
      if (turner.isWhole !== isWhole) this.#named = new NamedResources(url)
    }
    if (!picks(this.#listing.query.method)) {
      for (const one of this.#named.incomplete(this.#listing)) noteIncomplete(this.#incomplete, one)
    }
    return true
  }

  /**
   * Relates results to a root. Leaves out results for the collection itself and its parents, because earlier listings have
   * reported them.
   */
  place(batch: readonly DavResult<P>[], root: string): readonly DavResult<P>[] {
    const {isFirst} = this.#listing
    if (root === this.url && isFirst) return batch
    const base = canonicalPathOf(root)
    const self = canonicalPathOf(this.url)
    const place = relate(self, base)
    const isInside = place === 'member' || place === 'descendant'
    const placed: DavResult<P>[] = []
    for (const result of batch) {
      if (result.href === '') placed.push(result)
      // Below a collection inside of the root: nearly all results of a walk. No path needs to be compared for that.
      else if (isInside && isBelow(result)) placed.push({...result, relation: 'descendant'})
      else {
        const path = canonicalPathOf(result.url)
        const relation = relate(path, base)
        const isAround = relation !== 'outside' && relate(self, path) !== 'outside'
        const isReported = isAround && !(isFirst && path === self)
        if (!result.ok || !isReported) placed.push({...result, relation})
      }
    }
    return placed
  }

  /** Opens a later page; `undefined` if a redirect leads to another resource or to a page that was read. */
  async #openPage(asked: PageRequest): Promise<Page<P> | undefined> {
    const open = (request: PageRequest): Promise<Page<P>> =>
      exchange<P>(this.#listing, this.#context, request, this.url)
    const page = await open(asked).catch((error: unknown) => {
      const other = this.#turner.insteadOf(error)
      if (other === undefined) throw error
      return open(other)
    })
    const answered = page.head.url
    const isSame = canonicalPathOf(answered) === canonicalPathOf(this.url)
    if (answered === asked.url || (isSame && !this.#turner.hasVisited(answered))) return page
    await page.answer.discard()
    return undefined
  }
}

/** Makes the error for an answer of another resource. */
export function ledElsewhere(
  query: ListingQuery,
  url: string,
  answer: ListingAnswer<unknown>,
): DavError {
  const sentence = `${query.method} ${url} was redirected to ${answer.url}, which is another resource`
  return listingError(query, url, sentence)
}

/**
 * Sends the request for a page until it has a usable answer, or until the policy allows no further attempt.
 *
 * @param base - The URL to which results are related, if not the one that answers.
 * @throws The error or the refusal of the last attempt, and the signal's reason.
 */
async function exchange<P>(
  listing: Listing,
  context: CallContext,
  page: PageRequest,
  base?: string,
): Promise<Page<P>> {
  const {repeats} = context.connection
  const isInfinite = isDeep(listing.query) && listing.depth === 'infinity'
  for (let attempt = 1; ; attempt++) {
    listing.sent = attempt
    let sent: Sent<P> | undefined
    let broken: DavError | undefined
    try {
      sent = await sendOnce<P>(listing, context, page, base)
    } catch (error) {
      const isBroken = error instanceof DavNetworkError || error instanceof DavTimeoutError
      if (!isBroken || error instanceof BarredError) throw error
      broken = error
    }
    const status = sent?.head.status ?? 0
    const isRefused = isInfinite && (isDepthRefusal(status) || isDepthRefusalError(broken))
    let wait: (() => Promise<void>) | undefined
    try {
      if (!isSuccessStatus(status) && !isRefused && repeats !== undefined) {
        // The policy may need the words of a refusal, but a silent body must not delay the next attempt.
        const words = sent && (await within(sent.answer, REFUSAL_BODY_MILLISECONDS))
        const error = broken ?? (sent && refusal(sent.head, words, listing, context))
        if (error !== undefined) wait = repeats.next(attempt, [failureOf(error, page.url, 'self')])
      }
      if (wait === undefined) {
        if (sent === undefined) throw broken
        const {head} = sent
        const answer = await sent.answer
        if (answer.kind === 'multistatus') return {head, answer}
        // A 2xx without a Multi-Status document is no refusal but nonsense: a login form, JSON, an empty body.
        throw isSuccessStatus(status)
          ? nonsense(answer, head, listing.query)
          : refusal(head, answer, listing, context)
      }
    } catch (error) {
      await sent?.discard()
      throw error
    }
    await sent?.discard()
    await wait()
  }
}

type Answer<P> = PlainAnswer | MultiStatusAnswer<P>

/** An answer whose headers have arrived. */
interface Sent<P> {
  readonly head: AnswerHead
  /** Resolves as soon as the kind of the body is clear. */
  readonly answer: Promise<Answer<P>>
  /** Gives the body up. */
  discard(): Promise<void>
}

async function sendOnce<P>(
  {depth, query: {method, body, decoders, mayBeContent = false}}: Listing,
  {session, connection}: CallContext,
  {url, headers: ofPage}: PageRequest,
  base: string | undefined,
): Promise<Sent<P>> {
  // The Depth of a search is in its body. RFC 5323, section 5.4.
  const reach = method === 'SEARCH' ? {} : {depth: formatDepth(depth)}
  const headers = {...reach, ...ofPage, 'content-type': XML_TYPE}
  const response = await connection.send({method, url, headers, body})
  const head = readHead(response, url, connection.repeats)
  const reading = {method, url: base ?? head.url, decoders}
  const answer =
    mayBeContent && isSuccessStatus(head.status)
      ? readReport<P>(session, response, reading, head)
      : readAnswer<P>(session, response, reading)
  // If the body is given up, nobody awaits this, and its error must not be unhandled.
  answer.catch(() => {})
  // A success whose body breaks before its kind is clear is a broken exchange, which may be retried.
  if (isSuccessStatus(head.status)) await answer
  return {head, answer, discard: async () => discard(response)}
}

/** Makes the error of a refusal, with the words of its body if they have arrived. */
function refusal(
  head: AnswerHead,
  words: Answer<unknown> | undefined,
  listing: Listing,
  {connection: {sent}}: CallContext,
): DavHttpError {
  const {conditions, description, excerpt} =
    words?.kind === 'plain' ? words : {conditions: [], description: '', excerpt: ''}
  const {method} = listing.query
  const depth = method === 'SEARCH' ? undefined : formatDepth(listing.depth)
  const asked = {method, depth, sent}
  return new DavHttpError({...head, ...asked, conditions, description, excerpt})
}

/** Makes the error of a success without a Multi-Status document. */
function nonsense(answer: PlainAnswer, {status, url}: AnswerHead, query: ListingQuery): unknown {
  const problem = answer.problem()
  const sentence = `${query.method} ${url} was answered ${status} without a body`
  if (!(problem instanceof MultiStatusError)) return problem ?? listingError(query, url, sentence)
  const {message, reason, offset, limit} = problem
  const {conditions, excerpt} = answer
  const facts = {method: problem.method, url: problem.url, conditions, excerpt}
  const words = status === 207 || conditions.length > 0 ? '' : `, and ${NO_DAV_ADDRESS}`
  return new MultiStatusError(`${message} (status ${status}${words})`, reason, offset, limit, facts)
}
