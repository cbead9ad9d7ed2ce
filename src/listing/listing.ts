/** The listing of one collection: a PROPFIND, and the pages of its answer as one. RFC 4918, section 9.1; RFC 8288. */

import type {DavResult, Failure} from '../multistatus/result.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {noteIncomplete} from '../multistatus/summary.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import type {SentScheme} from '../protocol/challenge.ts'
import type {Depth} from '../protocol/depth.ts'
import {formatDepth} from '../protocol/depth.ts'
import {
  DavError,
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  MultiStatusError,
} from '../protocol/errors.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import {within} from '../protocol/wait.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import {discard} from '../transport/transport.ts'
import type {AnswerHead, MultiStatusAnswer, PlainAnswer} from '../call/answer.ts'
import {causeOf, readAnswer, readHead} from '../call/answer.ts'
import type {CallSummary} from '../call/call.ts'
import {NamedResources} from './named.ts'
import type {Connection} from '../call/connection.ts'
import type {Session} from '../call/session.ts'

// More pages than this are taken for a server that goes round in circles.
const MOST_PAGES = 10_000

// Milliseconds that the words of a refusal have before it is tried again without them.
const WORDS_WITHIN = 1000

/** How all collections of a call are asked for. */
export interface CallContext {
  readonly session: Session
  readonly connection: Connection
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
  readonly mayRepeat?: (status: number, problem: unknown) => boolean
}

/** An answer that has begun. */
export interface ListingAnswer<P> {
  /** The URL that answered. */
  readonly url: string
  /** Whether that is another resource than the one that was asked. */
  readonly isElsewhere: boolean
  /** The status of the answer, where that is no success. */
  readonly status: number | undefined
  /** What the server says it is. */
  readonly server: string
  /** The results of all pages, related to that URL. Ending the iteration early gives the body up. */
  readonly batches: AsyncIterable<readonly DavResult<P>[]>
  /** Whether the answer is a listing of the resource: it named members, or itself and nothing of another collection. */
  readonly hasListed: boolean
  /** Whether the answer named the resource itself, and not as a failure. */
  readonly hasSelf: boolean
  /** What can be said when the batches have ended. */
  end(): CallSummary
}

/**
 * Sends a PROPFIND.
 *
 * @throws DavHttpError where it is refused as a whole; MultiStatusError, DavNetworkError, DavTimeoutError.
 */
export async function list<P>(
  request: ListingRequest,
  context: CallContext,
): Promise<ListingAnswer<P>> {
  const first = await exchange<P>(request.url, request, context)
  const {url} = first.head
  const incomplete: Incomplete[] = []
  let end: CallSummary = {incomplete}
  const named = new NamedResources(url)

  async function* batches(): AsyncGenerator<readonly DavResult<P>[], undefined, undefined> {
    const pages = new Set([request.url, url])
    for (let page = first; ;) {
      const isFirst = page === first
      // 206: a part of it, whatever was asked for.
      if (page.head.status >= 300 || page.head.status === 206)
        incomplete.push({href: url, reason: 'failed', status: page.head.status})
      for await (const batch of page.answer.batches) {
        // Each page may begin with the collection itself.
        const hadSelf = !isFirst && named.self
        for (const result of batch) if (isFirst || !isOwn(result)) named.see(result)
        yield hadSelf ? batch.filter((result) => !isOwn(result)) : batch
        if (!isFirst) named.self ||= batch.some((result) => isOwn(result))
      }
      const summary = page.answer.summary()
      for (const one of summary.incomplete) noteIncomplete(incomplete, one)
      if (isFirst) end = {...summary, incomplete}
      const next = nextPage(page.head, pages)
      if (next === undefined || next === 'lost') {
        if (next === 'lost') incomplete.push({href: url, reason: 'paged'})
        break
      }
      page = await exchange<P>(next, {...request, url}, context)
      if (!isPageOf(url, next, page.head, pages)) {
        incomplete.push({href: url, reason: 'paged'})
        await page.answer.discard()
        break
      }
    }
    for (const one of named.incomplete(request)) noteIncomplete(incomplete, one)
    return undefined
  }

  return {
    url,
    isElsewhere: canonicalPathOf(url) !== canonicalPathOf(request.url),
    status: first.head.status >= 300 ? first.head.status : undefined,
    server: first.head.server,
    batches: batches(),
    get hasListed() {
      return named.hasListed(request.depth)
    },
    get hasSelf() {
      return named.hasSelf
    },
    end: () => end,
  }
}

/** The error where another resource answered. */
export function ledElsewhere(url: string, answer: ListingAnswer<unknown>): DavError {
  return new DavError(
    `PROPFIND ${url} was redirected to ${answer.url}, which is another resource`,
    {method: 'PROPFIND', url},
  )
}

function isOwn({ok, relation}: DavResult<unknown>): boolean {
  return ok && relation === 'self'
}

/** Whether the answer for a page is one, and not another resource or a page once more, to which a redirect has led. */
function isPageOf(
  url: string,
  asked: string,
  {url: answered}: AnswerHead,
  pages: Set<string>,
): boolean {
  if (answered === asked) return true
  return canonicalPathOf(answered) === canonicalPathOf(url) && !pages.has(answered)
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

/**
 * Sends the request for a page of the listing of a URL, until its answer is one to keep or there is no other attempt.
 *
 * @throws What the last attempt threw or was refused with, and the signal's reason.
 */
async function exchange<P>(
  page: string,
  request: ListingRequest,
  context: CallContext,
): Promise<{head: AnswerHead; answer: MultiStatusAnswer<P>}> {
  const {onSend, mayRepeat = () => true} = request
  const {repeats} = context.connection
  for (let attempt = 1; ; attempt++) {
    onSend?.(attempt)
    let sent: Sent<P> | undefined
    let problem: unknown
    try {
      sent = await sendOnce<P>(page, request, context)
    } catch (error) {
      const isBroken = error instanceof DavNetworkError || error instanceof DavTimeoutError
      if (!isBroken || error instanceof HiddenRedirectError) throw error
      problem = error
    }
    const status = sent?.head.status ?? 0
    const isFinal = (status > 0 && status < 300) || !mayRepeat(status, problem)
    let wait: (() => Promise<void>) | undefined
    try {
      if (!isFinal && repeats !== undefined) {
        const answer = await sent?.soon()
        wait = repeats.next(attempt, [failureOf(page, sent?.head, answer, problem)])
      }
      if (wait === undefined) {
        if (sent === undefined) throw problem
        const {head} = sent
        const answer = await sent.answer
        if (answer.kind === 'multistatus') return {head, answer}
        throw problemOf(head, answer, request, context.connection.sent)
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
  /** What it is, as soon as its body tells. */
  readonly answer: Promise<Answer<P>>
  /** The same, or `undefined` where the body does not come soon. */
  soon(): Promise<Answer<P> | undefined>
  /** Gives the body up. */
  discard(): Promise<void>
}

async function sendOnce<P>(
  page: string,
  {url, depth, body, decoders}: ListingRequest,
  {session, connection}: CallContext,
): Promise<Sent<P>> {
  const headers = {depth: formatDepth(depth), 'content-type': 'application/xml; charset=utf-8'}
  const response = await connection.send({method: 'PROPFIND', url: page, headers, body})
  const head = readHead(response, page, connection.repeats)
  const answer = readAnswer<P>(session, response, {
    method: 'PROPFIND',
    url: page === url ? head.url : url,
    decoders,
  })
  // Where the body is given up, nobody waits for it any more.
  answer.catch(() => {})
  // A success is one whose body can be read as far as to tell what it is.
  if (head.status < 300) await answer
  return {
    head,
    answer,
    soon: () => within(answer, WORDS_WITHIN),
    discard: async () => {
      await discard(response)
    },
  }
}

/** What is thrown of an answer that is no Multi-Status document. */
function problemOf(
  head: AnswerHead,
  answer: PlainAnswer,
  {depth}: ListingRequest,
  sent: SentScheme,
): unknown {
  // A 2xx that is no Multi-Status is not a refusal but nonsense: a login form, JSON, an empty body.
  if (head.status < 300) return withStatus(answer, head)
  const {conditions, description, excerpt} = answer
  const asked = {method: 'PROPFIND', depth: formatDepth(depth), sent}
  return new DavHttpError({...head, ...asked, conditions, description, excerpt})
}

function withStatus(answer: PlainAnswer, {status, url}: AnswerHead): unknown {
  const problem = answer.problem()
  if (!(problem instanceof MultiStatusError)) {
    const sentence = `PROPFIND ${url} was answered ${status} without a body`
    return problem ?? new DavError(sentence, {method: 'PROPFIND', url})
  }
  const {message, reason, offset, limit} = problem
  const {conditions, excerpt} = answer
  const facts = {method: problem.method, url: problem.url, conditions, excerpt}
  return new MultiStatusError(`${message} (status ${status})`, reason, offset, limit, facts)
}

/** A refused or broken PROPFIND, for those who say whether it is worth another attempt. */
function failureOf(
  url: string,
  head: AnswerHead | undefined,
  answer: Answer<unknown> | undefined,
  problem: unknown,
): Failure {
  const {retryAfter} = head ?? {}
  const plain = answer?.kind === 'plain' ? answer : undefined
  const words = plain?.description ?? ''
  return {
    ok: false,
    href: new URL(url).pathname,
    url,
    relation: 'self',
    status: head?.status ?? 0,
    reason: head === undefined ? 'no-answer' : 'status',
    ...(problem instanceof DavError && {cause: causeOf(problem)}),
    conditions: plain?.conditions ?? [],
    missing: [],
    ...(words !== '' && {description: words}),
    ...(retryAfter !== undefined && {retryAfter}),
  }
}
