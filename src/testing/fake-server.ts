/**
 * A WebDAV server in memory for the tests of an application. It has no sockets: its transport answers the requests of a client. It
 * obeys RFC 4918, RFC 5689, RFC 6578 and the ranges of RFC 9110, and fails as its test asks it to.
 */

import {textOf} from '../properties/value-parts.ts'
import type {RawValue} from '../properties/vocabulary.ts'
import {FAKE_LOCK_MILLISECONDS} from '../protocol/bounds.ts'
import {canonicalPath} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, NUMBER, oneOf, readOptions, RECORD, TEXT, TEXTS} from '../protocol/options.ts'
import {encodePath} from '../protocol/path.ts'
import type {Transport} from '../transport/transport.ts'
import type {XmlElement} from '../xml/element.ts'
import {childElements} from '../xml/element.ts'
import type {FakeRequest} from './exchange.ts'
import {bytesOf, decode, fetchFrom, makeTransport, plainOf} from './exchange.ts'
import type {Fault, FaultRule, RandomFaults} from './faults.ts'
import {Faults, withoutSlashes} from './faults.ts'
import {Locks} from './locks.ts'
import type {Settings, Site} from './site.ts'
import {isCollection, makeCollection, parentOf, Tree} from './tree.ts'

/** Options of {@link fakeServer}. */
export interface FakeServerOptions {
  /**
   * The URL of the root, with a slash at its end.
   *
   * @defaultValue `https://dav.example/`
   */
  readonly url?: string | undefined
  /** Content by plain path. A path with a slash at its end is a collection. Parents are made. */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | undefined
  /**
   * Has locks, which makes it a server of class 2. RFC 4918, section 18.2.
   *
   * @defaultValue `true`
   */
  readonly locks?: boolean | undefined
  /**
   * The longest time that it grants to a lock, in milliseconds.
   *
   * @defaultValue 3,600,000: one hour
   */
  readonly lockTimeout?: number | undefined
  /**
   * Has the report sync-collection. RFC 6578.
   *
   * @defaultValue `true`
   */
  readonly sync?: boolean | undefined
  /**
   * The most results in an answer to sync-collection. Further ones are cut off with 507. RFC 6578, section 3.6.
   *
   * @defaultValue `Infinity`
   */
  readonly pageSize?: number | undefined
  /**
   * Answers a PROPFIND with Depth infinity, or refuses it with 403 `propfind-finite-depth`. RFC 4918, section 9.1.
   *
   * @defaultValue `true`
   */
  readonly infinity?: boolean | undefined
  /** The bytes of all files together. A request for more is refused with 507. RFC 4331. */
  readonly quota?: number | undefined
  /** Names of headers that it ignores in requests: nginx ignores `if-match`, and rclone all conditions. */
  readonly ignores?: readonly string[] | undefined
  /** Faults at random, the same ones in each run of a test. */
  readonly random?: RandomFaults | undefined
}

/** A resource of {@link fakeServer}. */
export interface FakeResource {
  /** True for a collection. */
  readonly isCollection: boolean
  /** The content as bytes; empty for a collection. */
  readonly content: Uint8Array
  /** The content as text. */
  readonly text: string
  /** The Content-Type; empty for a collection. */
  readonly type: string
  /** The ETag with its quotes; empty for a collection. */
  readonly etag: string
  /** The dead properties by name, as in results. */
  readonly properties: Readonly<Record<string, RawValue>>
}

/** Further facts of a resource that a test puts on {@link fakeServer}. */
export interface FakeResourceOptions {
  /**
   * The Content-Type.
   *
   * @defaultValue `application/octet-stream`
   */
  readonly type?: string | undefined
  /** Dead properties by name: text, or the element of the property. */
  readonly properties?: Readonly<Record<string, RawValue>> | undefined
}

/** A lock that somebody else takes on {@link fakeServer}. */
export interface FakeLockOptions {
  /**
   * The reach of the lock.
   *
   * @defaultValue `'infinity'`
   */
  readonly depth?: 0 | 'infinity' | undefined
  /**
   * The scope of the lock.
   *
   * @defaultValue `'exclusive'`
   */
  readonly scope?: 'exclusive' | 'shared' | undefined
  /**
   * Milliseconds until it ends.
   *
   * @defaultValue `Infinity`
   */
  readonly timeout?: number | undefined
}

/** A lock on {@link fakeServer}. */
export interface FakeLock {
  /** The plain path of the locked resource. */
  readonly path: string
  /** The token. */
  readonly token: string
  /** The reach. */
  readonly depth: 0 | 'infinity'
  /** The scope. */
  readonly scope: 'exclusive' | 'shared'
  /** The text of its owner; empty without one. */
  readonly owner: string
}

/** A WebDAV server in memory. Its own methods change the tree at once, without a request, a lock or a fault. */
export interface FakeServer {
  /** The URL of the root. */
  readonly url: string
  /** The transport of a client for this server. It knows no other server: a request to another one breaks. */
  readonly transport: Transport
  /** All requests so far, in the order in which they arrived. */
  readonly requests: readonly FakeRequest[]
  /** The text of each file by plain path, and `''` for each empty collection, by its path with a slash. A copy. */
  readonly files: Readonly<Record<string, string>>
  /** The locks that hold now. */
  readonly locks: readonly FakeLock[]
  /**
   * Answers a request of the platform, for interceptors such as msw. Rejects with a TypeError where the connection breaks.
   */
  fetch(request: Request): Promise<Response>
  /**
   * Stores a file, or with a slash at the end of the path a collection. Makes missing parents. Drops the dead properties of a resource
   * that was there.
   *
   * @throws TypeError for a path below a file.
   */
  put(path: string, content?: string | Uint8Array, options?: FakeResourceOptions): void
  /** Finds a resource; `undefined` for a missing one. */
  get(path: string): FakeResource | undefined
  /** Lists the plain paths of everything below a collection, each collection with a slash and before its members. */
  list(path?: string): readonly string[]
  /** Removes a resource with everything below and with its locks. The root stays, without members. */
  remove(path: string): void
  /**
   * Locks a resource for somebody else.
   *
   * @returns The token.
   * @throws TypeError for a missing resource, and for a lock that another one forbids.
   */
  lock(path: string, options?: FakeLockOptions): string
  /** Ends a lock, as an administrator does. */
  unlock(token: string): void
  /**
   * Adds a fault. Of several rules that fit a request, the first one counts.
   *
   * @throws TypeError for a rule without a fault, or with two of them, or with an option that has no effect. RangeError for a number that
   *   no server has.
   * @example
   * ```ts
   * server.fault({method: 'DELETE', path: 'a.txt', times: 1, reset: true, obeyed: true})
   * ```
   */
  fault(rule: FaultRule): Fault
  /** Loses all sync tokens, as a server does that was restored. The next sync begins anew. RFC 6578, section 3.2. */
  loseTokens(): void
  /** Drops the recorded requests. */
  forget(): void
}

const OPTIONS: Rules<FakeServerOptions> = {
  url: TEXT,
  files: RECORD,
  locks: BOOLEAN,
  lockTimeout: NUMBER,
  sync: BOOLEAN,
  pageSize: NUMBER,
  infinity: BOOLEAN,
  quota: NUMBER,
  ignores: TEXTS,
  random: RECORD,
}
const RESOURCE_OPTIONS: Rules<FakeResourceOptions> = {type: TEXT, properties: RECORD}
const LOCK_OPTIONS: Rules<FakeLockOptions> = {
  depth: {words: "0 or 'infinity'", accepts: (value) => value === 0 || value === 'infinity'},
  scope: oneOf('exclusive', 'shared'),
  timeout: NUMBER,
}

/**
 * Makes a WebDAV server in memory, for tests without sockets.
 *
 * @throws TypeError for an unknown option, and for files of which one replaces another. TypeError for a URL that is not http or https, or
 *   has no slash at its end.
 * @example
 * ```ts
 * const server = fakeServer({files: {'drafts/a.txt': 'a', 'drafts/b.txt': 'b'}})
 * const dav = new DavClient({url: server.url, transport: server.transport})
 * server.lock('drafts/b.txt')
 * const result = await dav.delete('drafts/') // a Failure: b.txt is locked, and a.txt is gone
 * ```
 */
export function fakeServer(options: FakeServerOptions = {}): FakeServer {
  const given = readOptions('fakeServer', options, OPTIONS)
  const {url = 'https://dav.example/', files = {}} = given
  const base = URL.parse(url)
  if (base === null || !/^https?:[^?#]*\/$/.test(base.href))
    throw new TypeError('fakeServer: url begins with http:// or https:// and ends with a slash')
  const faults = new Faults(given.random)
  const site: Site = {
    base,
    prefix: canonicalPath(base.pathname),
    settings: readSettings(given),
    tree: new Tree(),
    locks: new Locks(),
    horizon: 0,
    refusalOf: (method, path) => faults.refusalOf({method, plain: plainOf(path)}),
  }
  const {tree, locks} = site
  const requests: FakeRequest[] = []

  const transport = makeTransport(site, faults, requests)
  const server: FakeServer = {
    url: base.href,
    transport,
    requests,
    get files() {
      const entries = Array.from(tree.within(''), ([path, resource]) => {
        if (!isCollection(resource)) return [[plainOf(path), decode(resource.content)]]
        return path === '' || resource.members.size > 0 ? [] : [[`${plainOf(path)}/`, '']]
      })
      return Object.fromEntries(entries.flat())
    },
    get locks() {
      return locks.all.map(({root, token, depth, scope, owner}) => ({
        path: plainOf(root),
        token,
        depth,
        scope,
        owner: textOf(owner) ?? '',
      }))
    },
    fetch: (request) => fetchFrom(transport, request),
    put(plain, content = '', more = {}) {
      const {type = 'application/octet-stream', properties = {}} = readOptions(
        'put',
        more,
        RESOURCE_OPTIONS,
      )
      const elements = Object.entries(properties).map(
        ([name, value]) => [name, elementOf(name, value)] as const,
      )
      const path = keyOf(plain)
      makeParents(tree, path)
      const isFile = path !== '' && !plain.endsWith('/')
      if (isFile) tree.set(path, tree.makeFile(bytesOf(content).slice(), type))
      else if (!isCollection(tree.find(path))) tree.set(path, makeCollection())
      const stored = tree.find(path)?.properties
      stored?.clear()
      for (const [name, element] of elements) stored?.set(name, element)
    },
    get(plain) {
      const resource = tree.find(keyOf(plain))
      if (resource === undefined) return undefined
      const file = isCollection(resource) ? undefined : resource
      const {content = new Uint8Array(), type = '', etag = ''} = file ?? {}
      const properties = Array.from(resource.properties, ([name, element]) => [
        name,
        valueOf(element),
      ])
      return {
        isCollection: file === undefined,
        content,
        text: decode(content),
        type,
        etag,
        properties: Object.fromEntries(properties),
      }
    },
    list(plain = '') {
      const path = keyOf(plain)
      const all = [...tree.within(path)].filter(([one]) => one !== path)
      return all.map(([one, resource]) => plainOf(one) + (isCollection(resource) ? '/' : ''))
    },
    remove(plain) {
      const path = keyOf(plain)
      for (const [below] of path === '' ? [...tree.within('')] : [[path]]) tree.remove(below)
      locks.end(path)
    },
    lock(plain, more = {}) {
      const {
        depth = 'infinity',
        scope = 'exclusive',
        timeout = Number.POSITIVE_INFINITY,
      } = readOptions('lock', more, LOCK_OPTIONS)
      const root = keyOf(plain)
      const wanted = {root, depth, scope, owner: undefined, end: Date.now() + timeout} as const
      if (tree.find(root) === undefined || locks.conflicts(wanted).length > 0)
        throw new TypeError(`lock: ${plain} is missing or locked`)
      return locks.add(wanted).token
    },
    unlock(token) {
      const held = locks.all.find((one) => one.token === token)
      if (held !== undefined) locks.replace(held)
    },
    fault: (rule) => faults.add(rule),
    loseTokens() {
      site.horizon = tree.renumber()
    },
    forget() {
      requests.length = 0
    },
  }
  for (const [path, content] of Object.entries(files)) {
    if (!path.endsWith('/') && server.get(path) !== undefined)
      throw new TypeError(`fakeServer: files has ${path} twice, or with members`)
    server.put(path, content)
  }
  return server
}

function readSettings(given: FakeServerOptions): Settings {
  const {
    locks: hasLocks = true,
    lockTimeout = FAKE_LOCK_MILLISECONDS,
    sync: hasSync = true,
    pageSize = Number.POSITIVE_INFINITY,
    infinity = true,
    quota = Number.POSITIVE_INFINITY,
    ignores = [],
  } = given
  if (!(lockTimeout > 0)) throw new RangeError('fakeServer: lockTimeout is above zero')
  if (!(pageSize >= 1)) throw new RangeError('fakeServer: pageSize is 1 or more')
  if (!(quota >= 0)) throw new RangeError('fakeServer: quota is 0 or more')
  return {
    hasLocks,
    lockTimeout,
    hasSync,
    pageSize,
    infinity,
    quota,
    ignored: new Set(ignores.map((name) => name.toLowerCase())),
  }
}

/** Finds the path of a plain path. */
function keyOf(plain: string): string {
  return canonicalPath(`/${encodePath(withoutSlashes(plain))}`)
}

function makeParents(tree: Tree, path: string): void {
  const parent = parentOf(path)
  const found = tree.find(parent)
  if (isCollection(found)) return
  if (found !== undefined) throw new TypeError(`put: ${plainOf(parent)} is a file without members`)
  makeParents(tree, parent)
  tree.set(parent, makeCollection())
}

function elementOf(name: string, value: RawValue): XmlElement {
  if (typeof value !== 'string' && !Array.isArray(value?.children))
    throw new TypeError(`put: the property ${name} is a string or an element`)
  return typeof value === 'string'
    ? {name, attributes: {}, children: value === '' ? [] : [value]}
    : value
}

/** Returns a value as results have it: the text, or the element if it has child elements. */
function valueOf(element: XmlElement): RawValue {
  return childElements(element).length > 0 ? element : (textOf(element) ?? '')
}
