/** The listing of one collection: a PROPFIND, and the pages of its answer as one. RFC 4918, section 9.1; RFC 8288. */

import type {AnswerHead, MultiStatusAnswer, PlainAnswer} from '../call/answer.ts'
import {readAnswer, readHead} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {DavResult} from '../multistatus/result.ts'
import {forEach} from '../multistatus/pull.ts'
import type {Ending, Sink} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {noteIncomplete} from '../multistatus/summary.ts'
import {MAX_PAGES, REFUSAL_BODY_MILLISECONDS} from '../protocol/bounds.ts'
import {formatDepth} from '../protocol/depth.ts'
import type {DavError} from '../protocol/errors.ts'
import {
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  MultiStatusError,
} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {within} from '../protocol/wait.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import {discard} from '../transport/transport.ts'
import {isDepthRefusal, isDepthRefusalError} from './depth-refusal.ts'
import type {Listing} from './query.ts'
import {NamedResources} from './named.ts'
import {failureOf, propfindError} from './query.ts'

/** An answer whose body has begun. */
interface Page<P> {
  readonly head: AnswerHead
  readonly answer: MultiStatusAnswer<P>
}

/**
 * Sends a PROPFIND.
 *
 * @throws DavHttpError for a refusal of the whole; MultiStatusError, DavNetworkError, DavTimeoutError.
 */
export async function list<P>(listing: Listing, context: CallContext): Promise<ListingAnswer<P>> {
  return new ListingAnswer(listing, context, await exchange<P>(listing, context, listing.url))
}

/**
 * An answer that has begun. It reads all pages as one: the gaps of each count, and the description and the token of the
 * first. A further page may be refused or break as the first one may.
 */
export class ListingAnswer<P> {
  /** The URL that answered. */
  readonly url: string
  /** Tells if that is another resource than the one that was asked. */
  readonly isElsewhere: boolean
  /** The status of the answer, unless it is a success. */
  readonly status: number | undefined
  /** The name that the server gives itself. */
  readonly server: string
  readonly #listing: Listing
  readonly #context: CallContext
  readonly #first: Page<P>
  readonly #named: NamedResources
  readonly #incomplete: Incomplete[] = []
  #end: Ending | undefined

  constructor(listing: Listing, context: CallContext, first: Page<P>) {
    const {url, status, server} = first.head
    this.url = url
    this.isElsewhere = canonicalPathOf(url) !== canonicalPathOf(listing.url)
    this.status = isSuccessStatus(status) ? undefined : status
    this.server = server
    this.#listing = listing
    this.#context = context
    this.#first = first
    this.#named = new NamedResources(url)
  }

  /** Tells if it lists the resource: it named members, or the resource and nothing of another collection. */
  get hasListed(): boolean {
    return this.#named.hasListed(this.#listing.depth)
  }

  /** Tells if it named the resource itself, and not as a failure. */
  get hasSelf(): boolean {
    return this.#named.hasSelf
  }

  /** The summary, after `read`. */
  get end(): Ending {
    return {...this.#end, incomplete: this.#incomplete}
  }

  /**
   * Emits the results of all pages, related to the URL that answered.
   *
   * @returns `false` if the reader has gone. The body is given up then, and so it is after an error of `emit`.
   */
  async read(emit: Sink<DavResult<P>>): Promise<boolean> {
    const {url} = this
    const pages = new Set([this.#listing.url, url])
    for (let page = this.#first; ;) {
      const {status} = page.head
      // 206 is a part, without any range in the request.
      if (!isSuccessStatus(status) || status === 206)
        this.#incomplete.push({href: url, reason: 'failed', status})
      const isFirst = page === this.#first
      const isRead = await forEach(page.answer.batches, (batch) =>
        emit(isFirst ? this.#add(batch) : this.#addMore(batch)),
      )
      if (!isRead) return false
      const summary = page.answer.summary()
      this.#end ??= summary
      for (const one of summary.incomplete) noteIncomplete(this.#incomplete, one)
      if (page.head.next === undefined) break
      const next = resolvePage(page.head, pages)
      const following = next === undefined ? undefined : await this.#openPage(next, pages)
      if (following === undefined) {
        this.#incomplete.push({href: url, reason: 'paged'})
        break
      }
      page = following
    }
    for (const one of this.#named.incomplete(this.#listing)) noteIncomplete(this.#incomplete, one)
    return true
  }

  /**
   * Relates results to a root. Leaves out results for the collection itself and for those around it, which their own
   * listings have reported.
   */
  place(batch: readonly DavResult<P>[], root: string): readonly DavResult<P>[] {
    const {isFirst} = this.#listing
    if (root === this.url && isFirst) return batch
    const base = canonicalPathOf(root)
    const self = canonicalPathOf(this.url)
    return batch.flatMap((result) => {
      if (result.href === '') return [result]
      const path = canonicalPathOf(result.url)
      const relation = relate(path, base)
      const isAround = relation !== 'outside' && relate(self, path) !== 'outside'
      const isReported = isAround && !(isFirst && path === self)
      return result.ok && isReported ? [] : [{...result, relation}]
    })
  }

  #add(batch: readonly DavResult<P>[]): readonly DavResult<P>[] {
    for (const result of batch) this.#named.add(result)
    return batch
  }

  /** Leaves out the collection itself from a further page, if a page before it had it. */
  #addMore(batch: readonly DavResult<P>[]): readonly DavResult<P>[] {
    const hadSelf = this.#named.self
    const others = batch.filter(({ok, relation}) => !ok || relation !== 'self')
    this.#add(others)
    this.#named.self ||= others.length < batch.length
    return hadSelf ? others : batch
  }

  /** Opens a further page; `undefined` if a redirect led to another resource or to a page once more. */
  async #openPage(asked: string, pages: ReadonlySet<string>): Promise<Page<P> | undefined> {
    const page = await exchange<P>(this.#listing, this.#context, asked, this.url)
    const answered = page.head.url
    const isSame = canonicalPathOf(answered) === canonicalPathOf(this.url)
    if (answered === asked || (isSame && !pages.has(answered))) return page
    await page.answer.discard()
    return undefined
  }
}

/** Makes the error for an answer of another resource. */
export function ledElsewhere(url: string, answer: ListingAnswer<unknown>): DavError {
  const sentence = `PROPFIND ${url} was redirected to ${answer.url}, which is another resource`
  return propfindError(url, sentence)
}

/**
 * Resolves the URL of the next page, which a server may spell with credentials. `undefined` for a page that must not be read:
 * on another origin, or once more.
 */
function resolvePage({url, next = ''}: AnswerHead, pages: Set<string>): string | undefined {
  const to = URL.parse(next, url)
  if (to === null || to.origin !== new URL(url).origin || pages.size === MAX_PAGES) return undefined
  to.hash = ''
  to.username = ''
  to.password = ''
  if (pages.has(to.href)) return undefined
  pages.add(to.href)
  return to.href
}

/**
 * Sends the request for a page until there is an answer to keep, or no further attempt.
 *
 * @param base - The URL that results are related to, if that is not the one that answers.
 * @throws The error or the refusal of the last attempt, and the signal's reason.
 */
async function exchange<P>(
  listing: Listing,
  context: CallContext,
  page: string,
  base?: string,
): Promise<Page<P>> {
  const {repeats} = context.connection
  const isInfinite = listing.depth === 'infinity'
  for (let attempt = 1; ; attempt++) {
    listing.sent = attempt
    let sent: Sent<P> | undefined
    let broken: DavError | undefined
    try {
      sent = await sendOnce<P>(listing, context, page, base)
    } catch (error) {
      const isBroken = error instanceof DavNetworkError || error instanceof DavTimeoutError
      if (!isBroken || error instanceof HiddenRedirectError) throw error
      broken = error
    }
    const status = sent?.head.status ?? 0
    const isRefused = isInfinite && (isDepthRefusal(status) || isDepthRefusalError(broken))
    let wait: (() => Promise<void>) | undefined
    try {
      if (!isSuccessStatus(status) && !isRefused && repeats !== undefined) {
        // The policy may look at the words of a refusal. A body that does not come must not delay the next attempt.
        const words = sent && (await within(sent.answer, REFUSAL_BODY_MILLISECONDS))
        const error = broken ?? (sent && refusal(sent.head, words, listing, context))
        if (error !== undefined) wait = repeats.next(attempt, [failureOf(error, page, 'self')])
      }
      if (wait === undefined) {
        if (sent === undefined) throw broken
        const {head} = sent
        const answer = await sent.answer
        if (answer.kind === 'multistatus') return {head, answer}
        // A 2xx that is no Multi-Status is not a refusal but nonsense: a login form, JSON, an empty body.
        throw isSuccessStatus(status)
          ? nonsense(answer, head)
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

/** An answer whose headers are there. */
interface Sent<P> {
  readonly head: AnswerHead
  /** Resolves as soon as the body tells its kind. */
  readonly answer: Promise<Answer<P>>
  /** Gives the body up. */
  discard(): Promise<void>
}

async function sendOnce<P>(
  {depth, query: {body, decoders}}: Listing,
  {session, connection}: CallContext,
  page: string,
  base: string | undefined,
): Promise<Sent<P>> {
  const headers = {depth: formatDepth(depth), 'content-type': 'application/xml; charset=utf-8'}
  const response = await connection.send({method: 'PROPFIND', url: page, headers, body})
  const head = readHead(response, page, connection.repeats)
  const answer = readAnswer<P>(session, response, {
    method: 'PROPFIND',
    url: base ?? head.url,
    decoders,
  })
  // Nobody waits for a body that is given up.
  answer.catch(() => {})
  // A success whose body breaks off before its kind is known is a broken exchange.
  if (isSuccessStatus(head.status)) await answer
  return {head, answer, discard: async () => discard(response)}
}

/** Makes the error of a refusal, with the words of its body if there are any so far. */
function refusal(
  head: AnswerHead,
  words: Answer<unknown> | undefined,
  listing: Listing,
  {connection: {sent}}: CallContext,
): DavHttpError {
  const {conditions, description, excerpt} =
    words?.kind === 'plain' ? words : {conditions: [], description: '', excerpt: ''}
  const depth = formatDepth(listing.depth)
  const asked = {method: 'PROPFIND', depth, sent}
  return new DavHttpError({...head, ...asked, conditions, description, excerpt})
}

/** Makes the error of a success without a Multi-Status document. */
function nonsense(answer: PlainAnswer, {status, url}: AnswerHead): unknown {
  const problem = answer.problem()
  if (!(problem instanceof MultiStatusError))
    return problem ?? propfindError(url, `PROPFIND ${url} was answered ${status} without a body`)
  const {message, reason, offset, limit} = problem
  const {conditions, excerpt} = answer
  const facts = {method: problem.method, url: problem.url, conditions, excerpt}
  return new MultiStatusError(`${message} (status ${status})`, reason, offset, limit, facts)
}
