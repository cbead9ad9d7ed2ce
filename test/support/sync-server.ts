// A model of a server that reports the changes of a collection, in the dialects of real servers: in pages, with silent full
// listings, without the report, and with the ETags of Nextcloud's collections. Others change it between its answers. RFC 6578.

import {multistatusBody, type MultiStatusResponse} from 'multistatus/testing'

import type {Random} from '../fuzz/random.ts'
import {type Answer, answer207, CLOSE} from './fault-server.ts'
import type {ModelRequest} from './model-transport.ts'
import {collection, cut, listingOf, member, refusal, removed, tokenOf} from './sync-answers.ts'

/**
 * - `pages`: Cyrus 3.6. `plain`: Radicale 3.1.
 * - `ungraceful`: xandikos 0.2, 500 for a lost token. Its ETags are hashes of the content, and it compares the resources at two
 *   tokens: nothing tells of one that has changed back, or that came and went.
 * - `silent`: DAViCal 1.1, a full listing for a lost token, and the last changes again and again.
 * - `tagged`: no report, and a tag that changes with the members, as older calendar servers have.
 * - `limited`: Google, 507 for a report without a limit, and now and then for one with a limit too.
 * - `listing`: no report, Depth 1 only, and no ETag for some. `folders`: Nextcloud, whose collections have the ETags of everything below.
 */
export const DIALECTS = [
  'pages',
  'plain',
  'ungraceful',
  'silent',
  'limited',
  'tagged',
  'listing',
  'folders',
] as const
export type Dialect = (typeof DIALECTS)[number]

const FOLDERS = ['', 'p/', 'p/q/', 'r/'] as const
const CTAG = '{http://calendarserver.org/ns/}getctag'
const FILE_ID = '{http://owncloud.org/ns}fileid'
/** A member that the server names and never shows. */
export const HIDDEN = 'hidden'

/** The resources of a collection at `/c/`, with the version of the last change of each. */
export class SyncServer {
  readonly files: Map<string, number> = new Map()
  /** The ETags of the resources, empty for one without. A renamed resource keeps its own. */
  readonly etags: Map<string, string> = new Map()
  /** Faults and changes of others happen while this is true. */
  isUnruly = true
  /** The number of changes so far. Each is a version, and each version is a token. */
  version = 0
  /** Resources that were there at all times since `watch`. */
  steady: Set<string> = new Set()
  readonly met: Set<string> = new Set()
  readonly #dialect: Dialect
  readonly #random: Random
  readonly #removed = new Map<string, number>()
  // The resources at each token.
  readonly #history = new Map<number, ReadonlyMap<string, string>>()
  #horizon = 0

  constructor(dialect: Dialect, random: Random) {
    this.#dialect = dialect
    this.#random = random
    for (const path of this.#paths().slice(0, 6)) this.#write(path)
  }

  get isDeep(): boolean {
    return this.#dialect === 'listing' || this.#dialect === 'folders'
  }

  /** Begins to watch which resources are there at all times. */
  watch(): void {
    this.steady = new Set(this.files.keys())
  }

  /** Changes up to a number of resources. */
  change(most: number): void {
    for (let count = this.#random.below(most + 1); count > 0; count--) {
      const path = this.#random.pick(this.#paths())
      const etag = this.etags.get(path)
      if (etag === undefined || this.#random.oneIn(2)) this.#write(path)
      else {
        this.#remove(path)
        if (this.#random.oneIn(3)) this.#write(this.#random.pick(this.#paths()), etag)
      }
    }
  }

  /** Forgets all tokens that it gave. */
  loseTokens(): void {
    this.#horizon = ++this.version
    this.met.add('lost token')
  }

  /** Answers a request. While it is unruly, others change resources before the answer. */
  answer(request: ModelRequest): Answer | typeof CLOSE {
    const random = this.#random
    if (!this.isUnruly) return this.#answer(request)
    if (random.oneIn(3)) this.change(2)
    if (random.oneIn(40)) this.loseTokens()
    if (random.oneIn(25)) return this.#met('503', {status: 503})
    if (random.oneIn(25)) return this.#met('no answer', CLOSE)
    const answer = this.#answer(request)
    if (answer.status !== 207 || typeof answer.body !== 'string' || !random.oneIn(12)) return answer
    return this.#met('cut body', {
      ...answer,
      body: [answer.body.slice(0, random.below(answer.body.length - 20)), CLOSE],
    })
  }

  #answer({method, url, headers, body}: ModelRequest): Answer {
    const path = decodeURIComponent(url).replace(/^\/c\//, '')
    if (method === 'REPORT') {
      const isTaken = body.includes('nresults') && !(this.isUnruly && this.#random.oneIn(3))
      if (this.#dialect === 'limited' && !isTaken) return this.#met('507', {status: 507})
      return this.#report(tokenOf(body) ?? '')
    }
    if (headers['depth'] === '0') {
      if (path === '') return listingOf(this.#folder(''))
      return this.files.has(path) ? listingOf(this.#row(path)) : {status: 404}
    }
    const parent = path.endsWith('/') || path === '' ? path : `${path}/`
    const isIn = (one: string): boolean =>
      one !== parent && one.startsWith(parent) && !/\/./.test(one.slice(parent.length))
    const folders = this.isDeep ? FOLDERS : []
    return listingOf(
      this.#folder(parent),
      ...folders.filter(isIn).map((one) => this.#folder(one)),
      ...[...this.files.keys()].filter(isIn).map((one) => this.#row(one)),
    )
  }

  #report(token: string): Answer {
    if (this.isDeep || this.#dialect === 'tagged') return {status: 405}
    const since = token === '' ? 0 : Number(token.replace(/^t/, ''))
    const isLost = token !== '' && since < this.#horizon
    if (isLost && this.#dialect === 'ungraceful') return {status: 500, body: 'KeyError'}
    if (isLost && this.#dialect !== 'silent') return refusal(403, 'valid-sync-token')
    const all = token === '' || isLost
    // The clock of DAViCal has whole seconds, so its last changes are repeated.
    const from = all ? -1 : this.#dialect === 'silent' ? since - 2 : since
    const before = this.#isHashed && !all ? this.#history.get(since) : undefined
    const changes = [...this.files, ...(all ? [] : this.#removed)]
      .filter(([path, version]) =>
        before === undefined ? version > from : before.get(path) !== this.etags.get(path),
      )
      .toSorted(([, one], [, other]) => one - other)
    const isPaged = this.#dialect === 'pages' && changes.length > 3
    const page = isPaged ? changes.slice(0, 3) : changes
    const next = isPaged ? (page.at(-1)?.[1] ?? 0) : this.version
    if (isPaged) this.met.add('page')
    this.#history.set(next, new Map(this.etags))
    const rows = page.map(([path]) =>
      this.files.has(path) ? this.#row(path) : removed(`/c/${path}`),
    )
    const failing = this.isUnruly && this.#random.oneIn(15) ? page.at(0)?.[0] : undefined
    if (failing !== undefined) {
      this.met.add('failed member')
      rows[0] = {href: `/c/${failing}`, status: 500}
    }
    const hidden: MultiStatusResponse = {href: `/c/${HIDDEN}`, status: 403}
    const responses = [...(all ? [hidden] : []), ...rows, ...(isPaged ? [cut('/c/')] : [])]
    return answer207(multistatusBody(responses, {syncToken: `t${next}`}))
  }

  #row(path: string): MultiStatusResponse {
    const etag = this.etags.get(path) ?? ''
    const row = member(`/c/${path}`, etag)
    return etag === '' ? {...row, properties: {resourcetype: []}} : row
  }

  #folder(path: string): MultiStatusResponse {
    if (this.#dialect === 'tagged') {
      const resourcetype = ['collection']
      return {href: `/c/${path}`, properties: {resourcetype, [CTAG]: String(this.version)}}
    }
    if (this.#dialect !== 'folders') return collection(`/c/${path}`)
    const below = [...this.files, ...this.#removed].filter(([one]) => one.startsWith(path))
    const etag = Math.max(0, ...below.map(([, version]) => version))
    const {properties, ...row} = collection(`/c/${path}`, String(etag))
    return {...row, properties: {...properties, [FILE_ID]: '1'}}
  }

  #paths(): readonly string[] {
    const names = ['a', 'b c', 'ä', 'd%', 'e', 'f.ics', 'g', 'h']
    if (!this.isDeep) return names
    return FOLDERS.flatMap((folder) => names.slice(0, 3).map((name) => folder + name))
  }

  get #isHashed(): boolean {
    return this.#dialect === 'ungraceful'
  }

  #write(path: string, etag?: string): void {
    this.#removed.delete(path)
    this.files.set(path, ++this.version)
    const isBare = this.#dialect === 'listing' && path.endsWith('a')
    const own = String(this.#isHashed ? this.#random.below(2) : this.version)
    this.etags.set(path, isBare ? '' : (etag ?? own))
  }

  #remove(path: string): void {
    this.files.delete(path)
    this.etags.delete(path)
    this.#removed.set(path, ++this.version)
    this.steady.delete(path)
  }

  #met<T>(name: string, value: T): T {
    this.met.add(name)
    return value
  }
}
