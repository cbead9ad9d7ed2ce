/**
 * Decides for each resource of an answer if it is news: new, changed or gone. Compares with the state, reports the news, and then
 * changes the state and its journal. RFC 6578, section 3.5.
 */

import {createFailure, pathOf} from '../multistatus/failure.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {isCollection, looksLikeCollection} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {incompleteResult, noteIncomplete} from '../multistatus/summary.ts'
import {JOURNAL_LINES} from '../protocol/bounds.ts'
import {ancestorsOf} from '../protocol/href.ts'
import {memberOf} from '../protocol/members.ts'
import {isUnreported} from './report.ts'
import {COLLECTION, type SyncState, UNTAKEN} from './state.ts'

/** Takes the lines of a journal. */
export type SavePage = (lines: string) => void | Promise<void>

/**
 * The source of a full listing. `report`: the report sync-collection. `members`: a listing of the members. `tree`: a walk, which
 * notes failed members by itself. `folders`: a walk of a tree in which the ETag of a collection changes with everything below.
 */
export type Source = 'report' | 'members' | 'tree' | 'folders'

/** A result with the path of its resource below the collection. */
interface Row<P> {
  readonly result: DavResult<P>
  readonly path: string
  /** The known ETag; `undefined` for an unknown resource. */
  readonly known: string | undefined
  /** The ETag that the result tells; `undefined` for a resource that is gone. */
  readonly told: string | undefined
  /** True for a changed collection of a walk. Its ETag counts only after its members were listed: they must not be missed later. */
  readonly isOpen: boolean
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
  /** True for an answer to no token. Only the absence of a resource tells that it is gone. RFC 6578, section 3.4. */
  isInitial = false
  // True if the answers named a resource that has not changed.
  #hasUnchanged = false
  // True if they named one as gone.
  #hasGone = false
  #hasCollection = false
  #hasDescendant = false
  // True if the server said that it leaves out what is below a collection.
  #isCut = false
  // The first resource that they named.
  #first: string | undefined
  #source: Source = 'report'
  // ETags of the open collections.
  readonly #folders = new Map<string, string>()
  // Resources that changed in an interrupted sync, and that this sync has not named.
  readonly #doubtful: Set<string>
  // Paths of the known collections with members, at the first need.
  #collections: ReadonlySet<string> | undefined
  // Paths of collections without changes, and of failed members. What is below them was not named, and is not gone.
  readonly #skipped = new Set<string>()
  // URLs of members that the server would refuse again.
  readonly #refused = new Set<string>()
  #saving: Promise<void> = Promise.resolve()
  readonly #state: SyncState | undefined
  readonly #emit: Sink<DavResult<P>>
  readonly #save: SavePage | undefined

  constructor(state: SyncState | undefined, save: SavePage | undefined, emit: Sink<DavResult<P>>) {
    this.#state = state
    this.#doubtful = new Set(state?.ahead())
    this.#save = save
    this.#emit = emit
  }

  /** Begins a full listing. */
  begin(source: Source): void {
    this.incomplete.length = 0
    this.isFull = true
    this.isInitial = true
    this.isFirst = this.#state?.size === 0
    this.#state?.begin()
    this.#source = source
    this.#folders.clear()
    this.#skipped.clear()
    this.#refused.clear()
    this.#hasCollection = false
    this.#hasDescendant = false
  }

  /**
   * True if a resource that changed in an interrupted sync was not named. It may have changed back: then xandikos 0.2, which compares
   * the resources at two tokens, does not name it.
   */
  get hasDoubt(): boolean {
    return this.#doubtful.size > 0
  }

  /**
   * True if they named no member of a collection, but should have. The server may report the first level only. A full listing must
   * name such members again. Changes may name collections alone, if the server has named such members before.
   */
  get mayBeShallow(): boolean {
    if (this.#isCut) return true
    if (this.#hasDescendant) return false
    if (this.#state === undefined) return this.isFull && this.#hasCollection
    if (this.isFull) return this.#hasCollection || this.#state.hasDeeper
    return this.#hasCollection && !this.#state.hasDeeper
  }

  /** True if all gaps are members that the server would refuse again. Everything outside of them was listed. */
  get isBounded(): boolean {
    return this.incomplete.every(({href}) => this.#refused.has(href))
  }

  /** Reports the news of a batch and, after they were read, adds them to the state. Returns `false` if the reader has gone. */
  readonly take: Sink<DavResult<P>> = (batch) =>
    // Radicale names removed resources in its first answer. In a walk, a 404 may be that of a listed collection which cannot be opened.
    this.#give(
      batch
        .filter((result) => result.relation !== 'self' && !(this.isInitial && isGone(result)))
        .map(as404),
    )

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

  /** Reports the resources that a listing did not name, those below failed members aside. Returns `false` if the reader has gone. */
  async reportGone(): Promise<boolean> {
    const state = this.#state
    if (state === undefined) return true
    let gone: Failure[] = []
    for (const path of state.unseen()) {
      if (!isInside(path, this.#skipped)) gone.push(goneAt(path, state))
      if (gone.length < JOURNAL_LINES) continue
      if (!(await this.#give(gone))) return false
      gone = []
    }
    if (!(await this.#give(gone))) return false
    for (const [path, etag] of this.#folders) state.set(path, etag, COLLECTION)
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

  async #give(batch: readonly DavResult<P>[]): Promise<boolean> {
    const state = this.#state
    const rows = state === undefined ? batch.map(rowOf) : this.#rowsOf(batch, state)
    const news = rows.filter(isNews)
    // Their journal has them before the caller. Killed before it could save more, the program gets them again.
    const unsure = news.filter(({known, told}) => known !== told && known !== UNTAKEN)
    for (const {path} of unsure) state?.announce(path)
    if (unsure.length > 0) await this.save()
    if (!(await this.#emit(news.map(({result}) => result)))) {
      for (const {path} of unsure) state?.set(path, UNTAKEN, UNTAKEN)
      return false
    }
    for (const row of rows) this.#add(row)
    if ((state?.unsaved ?? 0) >= JOURNAL_LINES) await this.save()
    return true
  }

  #rowsOf(batch: readonly DavResult<P>[], state: SyncState): readonly Row<P>[] {
    const rows: Row<P>[] = []
    // A batch may name a resource more than once.
    const named = new Map<string, string | undefined>()
    const add = (result: DavResult<P>): void => {
      if (result.relation === 'outside') {
        rows.push(rowOf(result))
        return
      }
      const path = state.pathOf(result.url)
      const known = named.has(path) ? named.get(path) : state.find(path)
      const told = result.ok ? etagOf(result) : isGone(result) ? undefined : known
      const isOpen = this.#isWalk && result.ok && told !== known && looksLikeCollection(result)
      rows.push({result, path, known, told, isOpen})
      named.set(path, isOpen ? COLLECTION : told)
    }
    if (!this.isInitial && state.isDeep) for (const gone of this.#goneBelow(batch, state)) add(gone)
    for (const result of batch) add(result)
    return rows
  }

  #add({result, path, known, told, isOpen}: Row<P>): void {
    this.named++
    if (result.relation === 'outside') {
      // Listings note these by themselves, and malformed responses without an href are gaps already.
      if (this.#source === 'report' && result.href !== '')
        noteIncomplete(this.incomplete, incompleteResult(result))
      return
    }
    this.#doubtful.delete(path)
    const isDirectory = result.ok && looksLikeCollection(result)
    const isSame = told !== '' && told !== COLLECTION && known === told
    this.#hasDescendant ||= result.relation === 'descendant'
    this.#hasCollection ||= isDirectory
    this.#hasGone ||= isGone(result)
    if (!this.isFull) {
      this.#first ??= path
      this.#hasUnchanged ||= result.ok && (known === UNTAKEN || isSame)
    }
    if (isOpen && told !== undefined) this.#folders.set(path, told)
    else if (isDirectory && isSame && this.#source === 'folders') this.#skipped.add(path)
    if (told === undefined) this.#state?.remove(path, known)
    else if (isOpen) this.#state?.set(path, COLLECTION)
    else this.#state?.set(path, told, known)
    if (result.ok || isGone(result)) return
    this.#skipped.add(path)
    this.#isCut ||= isUnreported(result.conditions)
    // The server would refuse these again, so the next sync must not wait for them.
    if (result.status === 403 || result.status === 405) {
      this.#refused.add(result.url)
      // The next sync must list the collections around it, although their ETags are the same.
      if (this.#source === 'folders')
        for (const one of [path, ...ancestorsOf(path)]) this.#folders.delete(one)
    } else if (!this.#isWalk) noteIncomplete(this.incomplete, incompleteResult(result))
  }

  /** Finds the known resources below collections that are gone, or are files now. Servers may name the collection alone. */
  #goneBelow(batch: readonly DavResult<P>[], state: SyncState): readonly Failure[] {
    const ended = batch
      .filter((result) => isGone(result) || isCollection(result) === false)
      .filter(({relation}) => relation !== 'outside')
      .map(({url}) => state.pathOf(url))
    const found = new Set(ended.filter((path) => this.#collectionsOf(state).has(path)))
    const gone: Failure[] = []
    if (found.size === 0) return gone
    for (const path of state.paths()) if (isInside(path, found)) gone.push(goneAt(path, state))
    return gone
  }

  #collectionsOf(state: SyncState): ReadonlySet<string> {
    if (this.#collections !== undefined) return this.#collections
    const collections = new Set<string>()
    for (const path of state.paths())
      for (const ancestor of ancestorsOf(path)) collections.add(ancestor)
    return (this.#collections = collections)
  }

  get #isWalk(): boolean {
    return this.#source === 'tree' || this.#source === 'folders'
  }
}

/** Makes the row of a result without a state. */
function rowOf<P>(result: DavResult<P>): Row<P> {
  return {result, path: '', known: undefined, told: undefined, isOpen: false}
}

function isNews({result, known, told}: Row<unknown>): boolean {
  if (!result.ok || known === undefined || known === UNTAKEN) return true
  // Without an ETag, the content may have changed.
  return told !== known || told === ''
}

/** Tells if a path is below one of others. */
function isInside(path: string, others: ReadonlySet<string>): boolean {
  return others.size > 0 && ancestorsOf(path).some((ancestor) => others.has(ancestor))
}

/** Recognizes a removed resource by its own status. Properties with 404 do not make a removal. */
function isGone(result: DavResult<unknown>): boolean {
  return result.relation !== 'outside' && isMissing(result) && result.missing.length === 0
}

/** Tells each removal by one status. */
function as404<P>(result: DavResult<P>): DavResult<P> {
  return isGone(result) ? {...result, status: 404} : result
}

/** Reads the ETag, or the mark that the state has in its place: empty for a file without one. */
function etagOf(result: Success<unknown>): string {
  return etagIn(result) || (looksLikeCollection(result) ? COLLECTION : '')
}

/** Reads the ETag; empty without one. A decoder of the caller may have changed it. */
export function etagIn({properties}: {readonly properties: unknown}): string {
  const etag = memberOf(properties, 'getetag')
  return typeof etag === 'string' ? etag : ''
}

/** Makes the Failure of a resource that a whole listing did not name, or whose collection is gone. */
function goneAt(path: string, state: SyncState): Failure {
  const url = state.urlOf(path)
  const relation = path.includes('/') ? 'descendant' : 'member'
  const description = 'The server does not name it any more'
  return createFailure({
    url,
    href: pathOf(url),
    relation,
    status: 404,
    reason: 'status',
    description,
  })
}
