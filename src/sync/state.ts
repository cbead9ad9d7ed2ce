/**
 * The state of a synchronized collection: its token, and the ETag of each resource. Plain JSON lines in and out, written as a
 * journal. Knows no network. RFC 6578, section 3.
 */

import {canonicalPathOf} from '../protocol/href.ts'
import {memberOf} from '../protocol/members.ts'
import {keyOf} from '../protocol/path.ts'
import {ownCopy} from '../xml/characters.ts'

/** The reach of a sync: the members of the collection, or everything below it. RFC 6578, section 6.3. */
export type SyncLevel = 1 | 'infinity'

interface Collection {
  readonly url: string
  readonly level: SyncLevel
}

/** The ETag of a resource whose result may not have been taken. The resource may be in the caller's mirror or not. */
export const UNTAKEN = '?'
/** Stands for the ETag of a collection without one. A file without one has an empty ETag. */
export const COLLECTION = '/'

/**
 * The known resources of a collection after a sync. Give it to `dav.sync`, which changes it as its results are read.
 *
 * To survive a crash, append the lines of `onPage` to a file, and `read` that file later. `lines` writes the state anew and
 * shorter. A million resources take about 220 MB.
 *
 * @example
 * ```ts
 * const state = await SyncState.read(existsSync('state.jsonl') ? readFileSync('state.jsonl', 'utf8') : [])
 * const changes = dav.sync('calendar/', {state, onPage: (lines) => appendFileSync('state.jsonl', lines)})
 * ```
 */
export class SyncState {
  #collection: Collection | undefined
  // The path of the collection, with which the path of each resource begins.
  #base = ''
  // ETags by the path below the collection. The resource that was named last is the last one.
  #known = new Map<string, string>()
  // Resources that a full listing has not named so far.
  #unseen = new Map<string, string>()
  #token: string | undefined
  #tag: string | undefined
  // Paths of resources that changed here after the token or the tag. Their lines are behind its line.
  readonly #ahead = new Set<string>()
  // Lines that the journal has not so far; `undefined` without a journal.
  #unsaved: string[] | undefined
  /** @internal True while a sync reads and changes it. */
  isInUse = false

  /**
   * Reads a state from its lines, those of `lines` or of a journal. Later lines win. The last line may be cut off.
   *
   * @param lines - The lines or pages in order, with or without their ends, or the whole text. Empty lines are skipped.
   * @throws SyntaxError for a line that is not of a state, and for lines of different collections.
   */
  static async read(lines: AsyncIterable<string> | Iterable<string>): Promise<SyncState> {
    const state = new SyncState()
    let number = 0
    let isTorn = false
    for await (const text of typeof lines === 'string' ? [lines] : lines) {
      // A page has several lines.
      for (const line of text.split('\n')) {
        number++
        if (line.trim() === '') continue
        const value = parse(line)
        const isCut = value === undefined && /^[[{]/.test(line)
        // Killed while it wrote a line, a program later appends a page. That begins with the collection, and may be cut off too.
        const isHeader = isCut ? line.startsWith('{') : memberOf(value, 'version') !== undefined
        const isPlaced = !isTorn || isHeader
        if (!isPlaced || !(isCut || state.#replay(value)))
          throw new SyntaxError(`Line ${number} is not a line of this SyncState`)
        isTorn = isCut
      }
    }
    return state
  }

  /** The token for the next sync; `undefined` before the first sync, and for a server without sync-collection. */
  get token(): string | undefined {
    return this.#token
  }

  /** The number of known resources. */
  get size(): number {
    return this.#known.size + this.#unseen.size
  }

  /**
   * Finds the ETag of a resource.
   *
   * @param key - The key of a result, by `keyOf`.
   * @returns The ETag as the server wrote it; empty for a file without one, and `/` for a collection; `?` if its last result was
   *   not taken; `undefined` for an unknown resource.
   */
  get(key: string): string | undefined {
    const base = this.#collection === undefined ? '' : `${keyOf(this.#collection)}/`
    return key.startsWith(base) ? this.find(key.slice(base.length)) : undefined
  }

  /** Writes the state as JSON lines without line ends: the collection, its resources, and the token. */
  *lines(): Generator<string, void, undefined> {
    if (this.#collection === undefined) return
    yield this.#header()
    for (const path of this.paths()) if (!this.#ahead.has(path)) yield this.#line(path)
    if (this.#token !== undefined) yield JSON.stringify({token: this.#token})
    else if (this.#tag !== undefined) yield JSON.stringify({tag: this.#tag})
    for (const path of this.#ahead) yield this.#line(path)
  }

  /** @internal The tag of the last whole listing without a token; empty if the server gave none. */
  get tag(): string | undefined {
    return this.#tag
  }

  /** @internal Binds a new state to a collection. Throws TypeError for the state of another one. */
  bind(url: string, level: SyncLevel): void {
    if (!this.#isOf(url, level))
      throw new TypeError(
        `The state belongs to ${this.#collection?.url}, level ${this.#collection?.level}`,
      )
    this.#collection ??= {url, level}
    this.#base = canonicalPathOf(url)
  }

  /** @internal Makes the path below the collection of a URL in it. */
  pathOf(url: string): string {
    return canonicalPathOf(url).slice(this.#base.length + 1)
  }

  /** @internal Makes the URL of a path below the collection. */
  urlOf(path: string): string {
    return new URL(`${this.#base}/${path}`, this.#collection?.url).href
  }

  /** @internal Finds the ETag of a path. */
  find(path: string): string | undefined {
    return this.#known.get(path) ?? this.#unseen.get(path)
  }

  /** @internal True if its members are all resources below the collection. */
  get isDeep(): boolean {
    return this.#collection?.level === 'infinity'
  }

  /** @internal Lists resources that changed here after the token or the tag, in an interrupted sync. They may have changed back. */
  ahead(): Iterable<string> {
    return this.#ahead
  }

  /** @internal Lists the known paths. */
  *paths(): Generator<string, void, undefined> {
    yield* this.#known.keys()
    yield* this.#unseen.keys()
  }

  /** @internal True if a known resource is deeper than a member of the collection. */
  get hasDeeper(): boolean {
    for (const path of this.paths()) if (path.includes('/')) return true
    return false
  }

  /** @internal Notes in the journal that the caller will get a result of a resource. */
  announce(path: string): void {
    this.#note(path, UNTAKEN)
  }

  /** @internal The path that was named longest ago. */
  get oldest(): string | undefined {
    return this.#known.keys().next().value
  }

  /** @internal Begins a full listing: no resource was named by it so far. */
  begin(): void {
    this.end()
    ;[this.#known, this.#unseen] = [this.#unseen, this.#known]
  }

  /** @internal Lists the paths that the full listing has not named. */
  unseen(): Iterable<string> {
    return this.#unseen.keys()
  }

  /** @internal Ends a full listing. Resources that it did not name stay known. */
  end(): void {
    const isMostSeen = this.#known.size >= this.#unseen.size
    const [most, rest] = isMostSeen ? [this.#known, this.#unseen] : [this.#unseen, this.#known]
    for (const [path, etag] of rest) most.set(path, etag)
    this.#known = most
    this.#unseen = new Map()
  }

  /** @internal Sets the ETag of a named resource, which was known with another one or not at all. */
  set(path: string, etag: string, known?: string): void {
    if (known !== etag) this.#note(path, etag)
    this.#set(path, etag)
  }

  /** @internal Removes a resource that is gone. */
  remove(path: string, known: string | undefined): void {
    if (known !== undefined) this.#note(path)
    this.#remove(path)
  }

  /** @internal Ends a page with the token or, without sync-collection, with the tag of the whole listing. */
  commit(token: string | undefined, tag?: string): void {
    if (token === this.#token && tag === this.#tag && this.#ahead.size === 0) return
    this.#mark(token, tag)
    this.#unsaved?.push(JSON.stringify({token, tag}))
  }

  /** @internal Begins to keep lines for a journal. */
  keepLines(): void {
    this.#unsaved ??= []
  }

  /** @internal The number of lines for the journal. */
  get unsaved(): number {
    return this.#unsaved?.length ?? 0
  }

  /** @internal Formats the unsaved lines for the journal. The empty line ends a line that was cut off. */
  formatUnsaved(): string {
    return ['', this.#header(), ...(this.#unsaved ?? []), ''].join('\n')
  }

  /** @internal Drops lines that were saved. */
  dropUnsaved(count: number): void {
    this.#unsaved?.splice(0, count)
  }

  #header(): string {
    return JSON.stringify({version: 1, ...this.#collection})
  }

  #isOf(url: string, level: SyncLevel): boolean {
    const own = this.#collection
    return own === undefined || (keyOf(own) === keyOf({url}) && own.level === level)
  }

  #line(path: string): string {
    return JSON.stringify([path, this.find(path)])
  }

  /** Adds a line to the journal. */
  #note(...line: readonly [path: string, etag?: string]): void {
    this.#unsaved?.push(JSON.stringify(line))
    this.#change(line[0])
  }

  /** Without a token or a tag, the next sync lists all resources. */
  #change(path: string): void {
    if ((this.#token ?? this.#tag ?? '') !== '') this.#ahead.add(ownCopy(path))
  }

  #mark(token: string | undefined, tag: string | undefined): void {
    this.#token = token
    this.#tag = tag
    this.#ahead.clear()
  }

  #set(path: string, etag: string): void {
    this.#remove(path)
    this.#known.set(ownCopy(path), etag)
  }

  #remove(path: string): void {
    this.#known.delete(path)
    this.#unseen.delete(path)
  }

  /** Applies a parsed line. Returns false for one of another kind. */
  #replay(value: unknown): boolean {
    if (Array.isArray(value)) {
      const [path, etag = null]: readonly unknown[] = value
      if (this.#collection === undefined || typeof path !== 'string') return false
      this.#change(path)
      if (etag === null) this.#remove(path)
      else if (typeof etag === 'string') this.#set(path, etag)
      return etag === null || typeof etag === 'string'
    }
    const [version, url, level, token, tag] = ['version', 'url', 'level', 'token', 'tag'].map(
      (name) => memberOf(value, name),
    )
    if (version !== undefined) {
      const isLevel = level === 1 || level === 'infinity'
      if (version !== 1 || typeof url !== 'string' || !URL.canParse(url) || !isLevel) return false
      if (!this.#isOf(url, level)) return false
      this.bind(url, level)
      return true
    }
    this.#mark(
      typeof token === 'string' ? token : undefined,
      typeof tag === 'string' ? tag : undefined,
    )
    return (token ?? tag) === (this.#token ?? this.#tag) && (token ?? tag) !== undefined
  }
}

/** Parses a line; `undefined` for one that was cut off. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
