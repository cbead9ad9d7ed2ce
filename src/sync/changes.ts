/**
 * Decides for each resource of an answer if it is news: new, changed or gone. Compares with the state, reports the news, and then
 * changes the state and its journal. RFC 6578, section 3.5.
 */

import {createFailure, pathOf} from '../multistatus/failure.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {looksLikeCollection} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {incompleteResult, noteIncomplete} from '../multistatus/summary.ts'
import {JOURNAL_LINES} from '../protocol/bounds.ts'
import {memberOf} from '../protocol/members.ts'
import {type SyncState, UNTAKEN} from './state.ts'

/** Takes the lines of a journal. */
export type SavePage = (lines: string) => void | Promise<void>

/**
 * The source of a full listing. `report`: the report sync-collection. `members`: a listing of the members. `tree`: a walk, which
 * notes failed members by itself. `folders`: a walk of a tree in which the ETag of a collection changes with everything below.
 */
export type Source = 'report' | 'members' | 'tree' | 'folders'

/** A result with the path of its resource below the collection, and with the ETag that was known before. */
interface Row<P> {
  readonly result: DavResult<P>
  readonly path: string
  readonly known: string | undefined
}

/** The changes of a collection, as they are found. */
export class Changes<P> {
  /** The gaps since the last `begin`. */
  readonly incomplete: Incomplete[] = []
  /** The number of named resources, the collection itself aside. */
  named = 0
  /** True for a full listing, which names all resources and not only changed ones. */
  isFull = false
  /** True for the first listing of all. */
  isFirst = false
  // True if the answers named a resource that has not changed.
  #hasUnchanged = false
  // True if they named one as gone.
  #hasGone = false
  #hasCollection = false
  #hasDescendant = false
  // The first resource that they named.
  #first: string | undefined
  #source: Source = 'report'
  // In a walk: collections whose members may have changed, with their ETags.
  readonly #folders = new Map<string, string>()
  // Paths of collections without changes.
  readonly #skipped = new Set<string>()
  #saving: Promise<void> = Promise.resolve()
  readonly #state: SyncState | undefined
  readonly #emit: Sink<DavResult<P>>
  readonly #save: SavePage | undefined

  constructor(state: SyncState | undefined, save: SavePage | undefined, emit: Sink<DavResult<P>>) {
    this.#state = state
    this.#save = save
    this.#emit = emit
  }

  /** Begins a full listing. */
  begin(source: Source): void {
    this.incomplete.length = 0
    this.isFull = true
    this.isFirst = this.#state?.size === 0
    this.#state?.begin()
    this.#source = source
    this.#folders.clear()
    this.#skipped.clear()
    this.#hasCollection = false
    this.#hasDescendant = false
  }

  /** True if they named collections and none of their members. The server may report the first level only. */
  get mayBeShallow(): boolean {
    return this.isFull && this.#hasCollection && !this.#hasDescendant
  }

  /** Reports the news of a batch and, after they were read, adds them to the state. Returns `false` if the reader has gone. */
  readonly take: Sink<DavResult<P>> = async (batch) => {
    const rows = batch
      .filter(({relation}) => relation !== 'self')
      .map((result) => this.#row(result))
    const news = rows.filter((row) => this.#isNews(row))
    await this.#announce(news)
    if (!(await this.#emit(news.map(({result}) => result)))) return false
    for (const row of rows) this.#add(row)
    if ((this.#state?.unsaved ?? 0) >= JOURNAL_LINES) await this.save()
    return true
  }

  /** Tells if a collection and everything below it is unchanged. */
  isSkipped(url: string): boolean {
    return this.#state !== undefined && this.#skipped.has(this.#state.pathOf(url))
  }

  /**
   * Finds a known resource that the answers did not name, if they may be a silent full listing. Such a listing names unchanged
   * resources, or none as gone. Of an empty collection it has only a new token.
   */
  unnamed(
    hasNewToken: boolean,
  ): {readonly url: string; readonly etag: string | undefined} | undefined {
    const state = this.#state
    const mayBeFull = this.named === 0 ? hasNewToken : this.#hasUnchanged || !this.#hasGone
    const oldest = mayBeFull ? state?.oldest : undefined
    if (state === undefined || oldest === undefined || oldest === this.#first) return undefined
    return {url: state.urlOf(oldest), etag: state.find(oldest)}
  }

  /** Reports the resources that a whole listing did not name. Returns `false` if the reader has gone. */
  async reportGone(): Promise<boolean> {
    const state = this.#state
    if (state === undefined) return true
    let gone: Failure[] = []
    for (const path of state.unseen()) {
      if (!this.#isInSkipped(path)) gone.push(goneAt(path, state))
      if (gone.length < JOURNAL_LINES) continue
      if (!(await this.take(gone))) return false
      gone = []
    }
    if (!(await this.take(gone))) return false
    for (const [path, etag] of this.#folders) state.set(path, etag)
    state.end()
    return true
  }

  /** Saves the new lines of the journal. One call at a time, in their order. */
  save(): Promise<void> {
    return (this.#saving = this.#saveAfter(this.#saving))
  }

  async #saveAfter(earlier: Promise<void>): Promise<void> {
    await earlier
    const state = this.#state
    if (state === undefined || this.#save === undefined || state.unsaved === 0) return
    const count = state.unsaved
    await this.#save(state.formatUnsaved())
    // Not before: after an error they are saved with the next ones.
    state.dropUnsaved(count)
  }

  #row(result: DavResult<P>): Row<P> {
    const state = result.relation === 'outside' ? undefined : this.#state
    const path = state?.pathOf(result.url) ?? ''
    return {result, path, known: state?.find(path)}
  }

  #isNews({result, known}: Row<P>): boolean {
    // A first answer may name resources as removed that the caller never had, as Radicale's does.
    if (isGone(result)) return !this.isFull || known !== undefined
    if (!result.ok || known === undefined) return true
    const etag = etagIn(result)
    // Without an ETag, the content may have changed. A collection has none.
    return known !== etag || (etag === '' && !looksLikeCollection(result))
  }

  /**
   * Saves the names of unknown resources before the caller gets them. Killed before it could save more, the program still learns
   * later that they are gone.
   */
  async #announce(news: readonly Row<P>[]): Promise<void> {
    if (this.#save === undefined) return
    const unknown = news.filter(
      ({result: {ok, relation}, known}) => ok && known === undefined && relation !== 'outside',
    )
    for (const {path} of unknown) this.#state?.set(path, UNTAKEN)
    if (unknown.length > 0) await this.save()
  }

  #add({result, path, known}: Row<P>): void {
    this.named++
    if (result.relation === 'outside') {
      // Listings note these by themselves, and malformed responses without an href are gaps already.
      if (this.#source === 'report' && result.href !== '')
        noteIncomplete(this.incomplete, incompleteResult(result))
      return
    }
    const isCollection = result.ok && looksLikeCollection(result)
    this.#hasDescendant ||= result.relation === 'descendant'
    this.#hasCollection ||= isCollection
    if (!this.isFull) this.#first ??= path
    const isRemoved = isGone(result)
    this.#hasGone ||= isRemoved
    if (isRemoved) this.#state?.remove(path, known)
    else if (result.ok) {
      const etag = etagIn(result)
      const isRepeated = known === UNTAKEN || (etag !== '' && known === etag)
      this.#hasUnchanged ||= !this.isFull && isRepeated
      const isKept = this.#isWalk && isCollection && !this.#isUnchanged(path, etag, known)
      this.#state?.set(path, isKept ? '' : etag, known)
    } else {
      // The server would refuse these again, so the next sync must not wait for them.
      const isLasting = result.status === 403 || result.status === 405
      if (!isLasting && !this.#isWalk) noteIncomplete(this.incomplete, incompleteResult(result))
      if (known !== undefined) this.#state?.set(path, known, known)
    }
  }

  /** Tells if a collection is unchanged. Else keeps its ETag back until its members were listed: they must not be missed later. */
  #isUnchanged(path: string, etag: string, known: string | undefined): boolean {
    const isSame = etag !== '' && known === etag
    if (!isSame) this.#folders.set(path, etag)
    else if (this.#source === 'folders') this.#skipped.add(path)
    return isSame
  }

  get #isWalk(): boolean {
    return this.#source === 'tree' || this.#source === 'folders'
  }

  #isInSkipped(path: string): boolean {
    if (this.#skipped.size === 0) return false
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      if (this.#skipped.has(path.slice(0, end))) return true
    return false
  }
}

/** Recognizes a removed resource by its own status. Properties with 404 do not make a removal. */
function isGone(result: DavResult<unknown>): boolean {
  return result.relation !== 'outside' && isMissing(result) && result.missing.length === 0
}

/** Reads the ETag; empty without one. A decoder of the caller may have changed it. */
export function etagIn({properties}: {readonly properties: unknown}): string {
  const etag = memberOf(properties, 'getetag')
  return typeof etag === 'string' ? etag : ''
}

/** Makes the Failure of a resource that a whole listing did not name. */
function goneAt(path: string, state: SyncState): Failure {
  const url = state.urlOf(path)
  const relation = path.includes('/') ? 'descendant' : 'member'
  const description = 'A whole listing does not name it'
  return createFailure({
    url,
    href: pathOf(url),
    relation,
    status: 404,
    reason: 'status',
    description,
  })
}
