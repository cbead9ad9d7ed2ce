/**
 * Listings in pages: the request for each page, in the dialect of the server. After any doubt the whole listing is requested, so
 * no member is lost between pages. Sends nothing. RFC 8288, section 3.
 */

import type {AnswerHead} from '../call/answer.ts'
import type {DavResult} from '../multistatus/result.ts'
import {looksLikeCollection} from '../multistatus/selection.ts'
import {MAX_PAGES} from '../protocol/bounds.ts'
import {DavHttpError} from '../protocol/errors.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import {isWholeNumber} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {NUMBER, oneOf, readOptions} from '../protocol/options.ts'

/** A request for listings in pages. Only requests with Depth 1 are in pages. */
export interface Pages {
  /** The most results of a page, the collection itself among them: a whole number above 1. */
  readonly size: number
  /**
   * The way to ask for a page.
   *
   * - `nextcloud`: by the headers `X-NC-Paginate` of Nextcloud 31 and later. Other servers ignore them and answer with one page.
   * - `offset`: by the query `?offset=0&amount=100` of Yandex Disk, which orders members by name. Each collection with members
   *   takes a request more, which finds the end: a server may give fewer results than requested.
   *
   * @defaultValue `'nextcloud'`
   */
  readonly dialect?: 'nextcloud' | 'offset' | undefined
}

const PAGES: Rules<Pages> = {size: NUMBER, dialect: oneOf('nextcloud', 'offset')}

/**
 * Reads the option `pages`.
 *
 * @throws TypeError for an unknown member, and for a value of the wrong type. RangeError for a wrong size.
 */
export function readPages(given: Pages): Pages {
  const pages = readOptions('pages', given, PAGES)
  if (isWholeNumber(pages.size, 2)) return pages
  throw new RangeError(`pages: size is a whole number above 1, not ${pages.size}`)
}

/** The request for a page. */
export interface PageRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

const PAGINATE = 'x-nc-paginate'
const TOKEN = `${PAGINATE}-token`
const TOTAL = `${PAGINATE}-total`
const COUNT = `${PAGINATE}-count`
const OFFSET = `${PAGINATE}-offset`

/** Makes the request for the first page, or for a listing that is not in pages. */
export function firstPage(url: string, pages: Pages | undefined): PageRequest {
  if (pages === undefined) return {url}
  const {size, dialect} = pages
  if (dialect === 'offset') return pageAt(url, 0, size)
  return {url, headers: {[PAGINATE]: 'true', ...countOf(pages)}}
}

function countOf(pages: Pages | undefined): Readonly<Record<string, string>> {
  return pages === undefined ? {} : {[COUNT]: `${pages.size}`}
}

function pageAt(url: string, offset: number, amount: number): PageRequest {
  return {url: `${url}${url.includes('?') ? '&' : '?'}offset=${offset}&amount=${amount}`}
}

/** Removes the query of a page. */
export function withoutPage(url: string, pages: Pages | undefined): string {
  return pages?.dialect === 'offset' ? url.replace(/[?&]offset=\d+&amount=\d+$/, '') : url
}

/** Finds the pages of one listing, and leaves out what earlier pages named. */
export class PageTurner {
  readonly #url: string
  readonly #pages: Pages | undefined
  readonly #isOfMatches: boolean
  // Requested URLs, against links in circles.
  readonly #visited: Set<string>
  // Paths of the results so far, if there may be another page.
  readonly #known = new Set<string>()
  #remembers = false
  #isWhole = false
  // The results so far, without and with repetitions.
  #count = 0
  #offset = 0
  // The last member, and its place among all.
  #last: string | undefined
  #place = 0
  // The token and the total of Nextcloud.
  #token: string | null = null
  #total = 0
  // The facts of the present page.
  #number = 0
  #link: string | undefined
  #isInDoubt = false
  #members = 0
  #hasNews = false
  #lastBefore: string | undefined
  #hasLastBefore = false

  /**
   * @param url - The URL that answered.
   * @param asked - The URL of the listing.
   * @param isOfMatches - True for an answer that may name a resource several times, such as one to a report.
   */
  constructor(url: string, asked: string, pages: Pages | undefined, isOfMatches: boolean) {
    this.#url = url
    this.#visited = new Set([asked, url])
    this.#pages = pages
    this.#isOfMatches = isOfMatches
  }

  /** True if the present page, or the next one after `next`, is the whole listing. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Begins a page. */
  begin({url, next, headers}: AnswerHead): void {
    const token = headers.get(TOKEN)
    this.#link = next === undefined ? undefined : (URL.parse(next, url)?.href ?? '')
    this.#members = 0
    this.#hasNews = false
    this.#hasLastBefore = false
    this.#lastBefore = this.#last
    if (++this.#number === 1) {
      this.#token = token
      this.#total = Number(headers.get(TOTAL)) || Infinity
      this.#remembers = (this.#pages ?? next ?? token ?? undefined) !== undefined
    } else this.#isInDoubt = token !== null && (this.#isWhole || token !== this.#token)
  }

  /** Leaves out repetitions. A Failure of the collection itself, such as a 507, is never left out. */
  filter<P>(batch: readonly DavResult<P>[]): readonly DavResult<P>[] {
    if (!this.#remembers) return batch
    const kept = batch.filter((result) => this.#isKept(result))
    this.#offset += batch.length
    this.#count += kept.length
    return kept
  }

  /** Returns the request for the next page, `lost` for a page that must not be read, and `undefined` behind the last page. */
  next(): PageRequest | 'lost' | undefined {
    if (this.#link !== undefined) return this.#follow(this.#link)
    if (this.#isWhole) return this.#isInDoubt ? 'lost' : undefined
    if (!this.#remembers) return undefined
    const next =
      this.#pages?.dialect === 'offset' ? this.#nextByOffset(this.#pages.size) : this.#nextByToken()
    return next !== undefined && this.#number >= MAX_PAGES ? 'lost' : next
  }

  /** Returns the request that replaces a refused one. */
  insteadOf(error: unknown): PageRequest | undefined {
    // Nextcloud 34 answers so if its cache has lost a part of the page.
    const isLost = error instanceof DavHttpError && error.status === 500
    const whole = isLost && this.#token !== null && !this.#isWhole ? this.#whole() : 'lost'
    return whole === 'lost' ? undefined : whole
  }

  /** True if a page by a link was requested before. */
  hasVisited(url: string): boolean {
    return this.#visited.has(url)
  }

  #isKept(result: DavResult<unknown>): boolean {
    const {ok, href, url, relation} = result
    if (href === '' || (this.#isOfMatches && relation !== 'self')) {
      this.#hasNews = true
      return true
    }
    // On later pages of Nextcloud 31.0 a collection has lost its type. The whole listing has the type.
    const isPart = this.#token !== null && this.#number > 1 && !this.#isWhole
    if (isPart && ok && url.endsWith('/') && !looksLikeCollection(result)) return false
    const path = canonicalPathOf(url)
    this.#hasLastBefore ||= path === this.#lastBefore
    if (relation === 'member') {
      this.#members++
      this.#last = path
    }
    if (this.#known.has(path)) return this.#number === 1 || (!ok && relation === 'self')
    this.#known.add(path)
    this.#hasNews = true
    return true
  }

  /**
   * Resolves the URL of a link, without the credentials that a server may write in it. A page on another origin, or read before,
   * must not be read.
   */
  #follow(link: string): PageRequest | 'lost' {
    const to = URL.parse(link)
    const visited = this.#visited
    if (to?.origin !== new URL(this.#url).origin || visited.size === MAX_PAGES) return 'lost'
    to.hash = ''
    to.username = ''
    to.password = ''
    if (visited.has(to.href)) return 'lost'
    visited.add(to.href)
    return {url: to.href}
  }

  #nextByToken(): PageRequest | 'lost' | undefined {
    const token = this.#token
    if (token === null) {
      // A full page without a token may be all. Or the header was dropped on the way, as browsers do.
      const isFull = this.#number === 1 && this.#count === this.#pages?.size
      return isFull ? this.#whole() : undefined
    }
    if (this.#isInDoubt) return this.#whole()
    if (this.#count === this.#total) return undefined
    if (!this.#hasNews || this.#offset >= this.#total) return this.#whole()
    // Without X-NC-Paginate, a forgotten token gives the whole listing. With it, Nextcloud makes another listing at this offset.
    const headers = {[TOKEN]: token, [OFFSET]: `${this.#offset}`, ...countOf(this.#pages)}
    return {url: this.#url, headers}
  }

  /**
   * Each page has the last member of the page before, so no member is between them. If it is missing, members before it were
   * removed. The last page has nothing else.
   */
  #nextByOffset(size: number): PageRequest | 'lost' | undefined {
    if (this.#number === 1) {
      // A server without pages gives more results than requested.
      if (this.#members === 0 || this.#count > size + 1) return undefined
    } else if (!this.#hasNews || !this.#hasLastBefore)
      return this.#hasLastBefore && this.#members === 1 ? undefined : this.#whole()
    this.#place += this.#members - 1
    return pageAt(this.#url, this.#place, size + 1)
  }

  /** Requests the whole listing. If the client's own headers ask for pages, there is no such request. */
  #whole(): PageRequest | 'lost' {
    if (this.#pages === undefined) return 'lost'
    this.#isWhole = true
    return {url: this.#url}
  }
}
