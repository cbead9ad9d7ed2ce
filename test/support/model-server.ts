// A server with all verbs over a tree in memory, true except for the faults that its seed draws: resets before and after
// the deed, refusals, partial deeds, wrong 207s, wrong bodies, and lies about success. Each lane is a collection with its
// own tree, for one operation at a time. It records each request that its operation did not name. RFC 4918, section 9;
// RFC 9110, sections 13 and 14.

import type {Random} from '../fuzz/random.ts'
import {type Answer, answer207, CLOSE, OPEN, RESET, SHUT} from './fault-server.ts'
import {propstat} from './fixtures.ts'
import {
  breakIn,
  document,
  type Fault,
  group,
  HTML,
  joined,
  type Meet,
  nameAll,
  PAGE,
  pickSome,
  plainFault,
  reset,
  wrong207,
} from './model-answers.ts'
import {drawFault, drawTraits, type Traits} from './model-faults.ts'
import {change, element, readInstructions, readNames, valueOf} from './model-properties.ts'
import {type ModelRequest, openModel, type OpenModel, type Reply} from './model-transport.ts'
import {
  below,
  type CollectionNode,
  copyOf,
  EMPTY,
  type FileNode,
  find,
  leave,
  type Node,
  NO_PROPERTIES,
  type Path,
  put,
} from './model-tree.ts'
import {draw} from './unruly-faults.ts'

/** A request as the model reads it. */
export interface Asked {
  readonly method: string
  readonly path: Path
  /** The destination of a COPY or MOVE. */
  readonly to?: Path
  readonly overwrites: boolean
}

/** The operation of a lane as its server knows it. */
export interface Permission {
  readonly number: number
  /** True for a request that the operation allows its client. */
  permits(asked: Asked): boolean
}

/** The state of one lane. */
export interface Lane {
  readonly number: number
  readonly traits: Traits
  /** Path of the lane on the server, with its slashes. */
  readonly root: string
  tree: CollectionNode
  /** Files that a fault changed during the operation, by joined path. Each has one more version then. */
  readonly versions: Map<string, FileNode[]>
  /** Joined paths of targets about which the server lied, or that it destroyed, in this operation. */
  readonly lies: Set<string>
  /** Requests that the operation did not name. */
  readonly strange: string[]
  /** Faults of this operation, by method and name. */
  readonly faults: string[]
  /** Begins an operation. Removes the drafts that the operation before left because of a fault. */
  begin(permission: Permission): void
}

export interface ModelServer extends OpenModel {
  readonly lanes: readonly Lane[]
  /** Faults that were met, by method and name. */
  readonly met: ReadonlySet<string>
}

const ALLOW = 'OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE'

/** Starts a server with this many lanes, on loopback or in this process. The same seed misbehaves in the same way. */
export async function startModelServer(
  seed: number,
  {lanes: count, isLocal}: {readonly lanes: number; readonly isLocal: boolean},
): Promise<ModelServer> {
  const met = new Set<string>()
  const lanes = Array.from({length: count}, (_, number) => new ModelLane(seed, number, met))
  const answer = (request: ModelRequest): Reply => {
    const lane = lanes[Number(/^\/lane(\d+)\//.exec(request.url)?.[1])]
    // A request of a client for another lane than its own is recorded in its own.
    const own = lanes[Number(request.headers['x-lane'])]
    if (lane !== undefined && lane === own) return lane.answer(request)
    own?.strange.push(`${request.method} ${request.url}`)
    return {status: 403}
  }
  return {...(await openModel(answer, isLocal)), lanes, met}
}

class ModelLane implements Lane {
  readonly root: string
  readonly traits: Traits
  readonly versions = new Map<string, FileNode[]>()
  readonly lies = new Set<string>()
  readonly strange: string[] = []
  readonly faults: string[] = []
  readonly number: number
  tree: CollectionNode = EMPTY
  readonly #seed: number
  readonly #met: Set<string>
  readonly #times = new Map<string, number>()
  #permission: Permission = {number: 0, permits: () => false}
  #tags = 0

  constructor(seed: number, number: number, met: Set<string>) {
    this.#seed = seed
    this.number = number
    this.#met = met
    this.root = `/lane${number}/`
    this.traits = drawTraits(draw(seed, 'traits', number))
  }

  begin(permission: Permission): void {
    this.#permission = permission
    this.#times.clear()
    this.versions.clear()
    this.lies.clear()
    this.faults.length = 0
    for (const path of below(this.tree).map((joinedPath) => joinedPath.split('/')))
      if (isDraft(path.at(-1) ?? '')) this.tree = put(this.tree, path, undefined)
  }

  answer(request: ModelRequest): Reply {
    const {method, url, headers} = request
    const path = segmentsOf(url.slice(this.root.length))
    const node = find(this.tree, path)
    if (node?.isCollection === true && !url.endsWith('/') && this.traits.redirects)
      return {status: 301, headers: {location: `${url}/`}}
    const to = this.#destinationOf(headers['destination'])
    const overwrites = headers['overwrite'] !== 'F'
    const asked: Asked = {method, path, overwrites, ...(to !== undefined && {to})}
    if (!READING.has(method) && !this.#permission.permits(asked))
      this.strange.push(`${method} ${url} ${to?.join('/') ?? ''}`)
    const key = `${method} ${url}`
    const time = (this.#times.get(key) ?? 0) + 1
    this.#times.set(key, time)
    const name = `${this.number} ${this.#permission.number} ${key.replace(DRAFT, 'draft')}`
    const dice = draw(this.#seed, name, time)
    return this.#act(request, asked, drawFault(method, dice), dice)
  }

  #act(request: ModelRequest, asked: Asked, fault: Fault, dice: Random): Reply {
    const meet = (): void => {
      const name = `${asked.method}: ${fault}`
      this.faults.push(name)
      this.#met.add(name)
    }
    const plain = plainFault(fault)
    if (plain !== undefined) {
      meet()
      return plain
    }
    switch (asked.method) {
      case 'GET':
      case 'HEAD':
        return this.#get(request, asked, fault, meet)
      case 'PUT':
        return this.#put(request, asked, fault, meet)
      case 'MKCOL':
        return this.#mkcol(request, asked, fault, meet)
      case 'DELETE':
        return this.#delete(request, asked, fault, dice, meet)
      case 'COPY':
      case 'MOVE':
        return this.#transfer(request, asked, fault, dice, meet)
      case 'PROPPATCH':
        return this.#proppatch(request, asked, fault, dice, meet)
      case 'PROPFIND':
        return this.#propfind(request, asked, fault, meet)
      case 'OPTIONS':
        return breakIn({status: 200, headers: {dav: '1, 3', allow: ALLOW}, body: PAGE}, fault, meet)
      default:
        return {status: 501}
    }
  }

  #get({method, headers}: ModelRequest, {path}: Asked, fault: Fault, meet: Meet): Reply {
    const node = find(this.tree, path)
    if (node === undefined) return {status: 404}
    if (node.isCollection) return {status: 200, headers: HTML, body: PAGE}
    const {bytes, etag} = node
    const fields = {
      ...(etag !== '' && {etag}),
      'content-type': 'application/octet-stream',
      'last-modified': 'Mon, 12 Jan 1998 09:25:56 GMT',
    }
    const ifNoneMatch = headers['if-none-match']
    if (ifNoneMatch !== undefined && (ifNoneMatch === '*' || ifNoneMatch === etag)) {
      if (fault !== 'If-None-Match ignored') return {status: 304, headers: fields}
      meet()
    }
    if (this.#breaksIfMatch(headers['if-match'], node)) return {status: 412}
    if (method === 'HEAD') return {status: 200, headers: fields}
    const total = bytes.byteLength
    const send = (status: number, body: Buffer, more: Answer['headers'] = {}): Reply => {
      const length = this.traits.isChunked ? {} : {'content-length': String(body.byteLength)}
      const head = {status, headers: {...fields, ...length, ...more}}
      if (fault?.startsWith('half a body') !== true || body.byteLength < 2) return {...head, body}
      meet()
      if (fault === 'half a body, changed') this.#changeFile(path, node)
      const half = body.subarray(0, body.byteLength >> 1)
      return {...head, body: [half, fault === 'half a body, reset' ? RESET : CLOSE]}
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers['range'] ?? '')
    if (range === null) return send(200, bytes)
    const [start, end] = [Number(range[1]), Math.min(Number(range[2] || total), total - 1)]
    const ifRange = headers['if-range']
    const isStale =
      ifRange !== undefined && (ifRange !== etag || etag.startsWith('W/') || etag === '')
    if (isStale && fault === 'stale If-Range') meet()
    else if (isStale) return send(200, bytes)
    if (fault === 'whole for a range') {
      meet()
      return send(200, bytes)
    }
    if (start >= total) return {status: 416, headers: {'content-range': `bytes */${total}`}}
    const part = bytes.subarray(start, end + 1)
    const name = (from: number, to: number, of = total): Answer['headers'] => ({
      'content-range': `bytes ${from}-${to}/${of}`,
    })
    switch (fault) {
      case 'another range': {
        meet()
        const from = start > 0 ? start - 1 : start + 1
        return send(206, bytes.subarray(from, end + 1), name(from, end))
      }
      case 'no Content-Range':
        meet()
        return send(206, part)
      case 'half a range':
        meet()
        return send(206, part.subarray(0, part.byteLength >> 1), name(start, end))
      case 'another total':
        if (ifRange === undefined) break
        meet()
        return send(206, part, name(start, end, total + 1))
      default:
    }
    return send(206, part, name(start, end))
  }

  #put({headers, bytes}: ModelRequest, {path}: Asked, fault: Fault, meet: Meet): Reply {
    const node = find(this.tree, path)
    if (this.#lacksParent(path)) return {status: 409}
    if (node?.isCollection === true) return {status: 405}
    if (headers['content-range'] !== undefined) return {status: 400}
    if (this.traits.honoursConditions) {
      if (headers['if-none-match'] === '*' && node !== undefined) return {status: 412}
      if (this.#breaksIfMatch(headers['if-match'], node)) return {status: 412}
    }
    const status = node === undefined ? 201 : 204
    if (fault === 'lie') return this.#lie(path, {status}, meet)
    if (fault === '500, destroyed') {
      meet()
      if (node === undefined) return {status: 500}
      this.lies.add(path.join('/'))
      this.tree = put(this.tree, path, undefined)
      return {status: 500}
    }
    const stored = fault === 'shortened' ? bytes.subarray(0, bytes.byteLength >> 1) : bytes
    if (stored.byteLength < bytes.byteLength) this.#lie(path, {status}, meet)
    const etag = this.#tag()
    const properties = node?.properties ?? NO_PROPERTIES
    this.tree = put(this.tree, path, {isCollection: false, bytes: stored, etag, properties})
    if (fault === 'reset after') return reset(meet)
    return {status, headers: this.traits.tellsEtag && etag !== '' ? {etag} : {}}
  }

  #mkcol({bytes}: ModelRequest, {path}: Asked, fault: Fault, meet: Meet): Reply {
    if (bytes.byteLength > 0) return {status: 415}
    if (find(this.tree, path) !== undefined) return {status: 405}
    if (this.#lacksParent(path)) return {status: 409}
    if (fault === 'lie') return this.#lie(path, {status: 201}, meet)
    this.tree = put(this.tree, path, EMPTY)
    return fault === 'reset after' ? reset(meet) : {status: 201}
  }

  #delete(
    {headers, url}: ModelRequest,
    {path}: Asked,
    fault: Fault,
    dice: Random,
    meet: Meet,
  ): Reply {
    const node = find(this.tree, path)
    if (node === undefined) return {status: 404}
    if (this.traits.honoursConditions && this.#breaksIfMatch(headers['if-match'], node))
      return {status: 412}
    if (fault === 'lie') return this.#lie(path, {status: 204}, meet)
    const members = below(node)
    const refused = fault === 'part' ? pickSome(members, dice) : NONE
    this.tree = put(
      this.tree,
      path,
      leave(node, (member) => refused.has(member)),
    )
    if (refused.size > 0) {
      meet()
      return answer207(document(nameAll([...refused], [url], dice)))
    }
    return this.#finish(fault, {status: 204}, {url, members, dice, meet})
  }

  #transfer(
    {headers, url}: ModelRequest,
    {method, path, to, overwrites}: Asked,
    fault: Fault,
    dice: Random,
    meet: Meet,
  ): Reply {
    const node = find(this.tree, path)
    if (node === undefined) return {status: 404}
    if (to === undefined) return {status: 502}
    if (isAtOrBelow(to, path) || isAtOrBelow(path, to)) return {status: 403}
    if (this.#lacksParent(to)) return {status: 409}
    if (this.traits.honoursConditions && this.#breaksIfMatch(headers['if-match'], node))
      return {status: 412}
    const old = find(this.tree, to)
    if (old !== undefined && !overwrites) return {status: 412}
    const status = old === undefined ? 201 : 204
    if (fault === 'lie') {
      this.lies.add(to.join('/'))
      return this.#lie(path, {status}, meet)
    }
    const destination = this.root + to.map(encodeURIComponent).join('/')
    const isShallow = method === 'COPY' && headers['depth'] === '0'
    const members = isShallow ? [] : below(node)
    if (fault === 'part' && old !== undefined && below(old).length > 0 && dice.oneIn(2)) {
      // The old resource could not be removed as a whole, so nothing is copied or moved.
      const kept = pickSome(below(old), dice)
      this.tree = put(
        this.tree,
        to,
        leave(old, (member) => kept.has(member)),
      )
      meet()
      return answer207(document(nameAll([...kept], [destination], dice)))
    }
    const isPart = fault === 'part' || fault === 'both ends'
    const refused = isPart ? pickSome(members, dice) : NONE
    const isRefused = (member: string): boolean => refused.has(member)
    const isAtBoth = fault === 'both ends'
    const source: CollectionNode | FileNode =
      isShallow && node.isCollection ? {...node, members: new Map()} : node
    const copy = copyOf(source, isAtBoth ? () => false : isRefused, () => this.#tag())
    this.tree = put(this.tree, to, copy)
    if (method === 'MOVE') this.tree = put(this.tree, path, leave(node, isRefused))
    if (refused.size > 0) {
      meet()
      const places = isAtBoth ? [url] : [url, destination]
      return answer207(document(nameAll([...refused], places, dice)))
    }
    const place = dice.oneIn(2) ? url : destination
    return this.#finish(fault, {status}, {url: place, members, dice, meet})
  }

  /** Answers after a complete deed. */
  #finish(
    fault: Fault,
    answer: Answer,
    {url, members, dice, meet}: {url: string; members: readonly string[]; dice: Random; meet: Meet},
  ): Reply {
    switch (fault) {
      case 'reset after':
        return reset(meet)
      case 'done in a 207':
        meet()
        return answer207(
          document(dice.oneIn(2) ? [] : nameAll(members, [url], dice, 'HTTP/1.1 200 OK')),
        )
      case 'wrong 207':
        meet()
        return wrong207(nameAll(members, [url], dice, 'HTTP/1.1 200 OK'), dice)
      default:
        return answer
    }
  }

  #proppatch(
    {url, bytes}: ModelRequest,
    {path}: Asked,
    fault: Fault,
    dice: Random,
    meet: Meet,
  ): Reply {
    const node = find(this.tree, path)
    if (node === undefined) return {status: 404}
    const instructions = readInstructions(bytes.toString())
    const names = [...new Set(instructions.map(({name}) => name))]
    const respond = (...groups: readonly string[]): string =>
      document([`<D:response><D:href>${url}</D:href>${groups.join('')}</D:response>`])
    if (fault === 'a refused property' || fault === 'a property left out') {
      meet()
      const bad = dice.pick(names)
      const others = fault === 'a property left out' ? [] : names.filter((name) => name !== bad)
      const forbidden = group([bad], 'HTTP/1.1 403 Forbidden')
      const failed = others.length > 0 ? group(others, 'HTTP/1.1 424 Failed Dependency') : ''
      return answer207(dice.oneIn(2) ? respond(forbidden, failed) : respond(failed, forbidden))
    }
    const done = respond(group(names, 'HTTP/1.1 200 OK'))
    const answer: Answer =
      this.traits.proppatch === 207 ? answer207(done) : {status: this.traits.proppatch}
    if (fault === 'lie') return this.#lie(path, answer, meet)
    const properties = change(node.properties, instructions)
    this.tree = put(this.tree, path, {...node, properties})
    if (fault === 'reset after') return reset(meet)
    if (fault === 'wrong 207') {
      meet()
      return wrong207([], dice)
    }
    return breakIn(answer, fault, meet)
  }

  #propfind({url, headers, bytes}: ModelRequest, {path}: Asked, fault: Fault, meet: Meet): Reply {
    const node = find(this.tree, path)
    if (node === undefined) return {status: 404}
    const names = readNames(bytes.toString())
    const respond = (member: string): string => {
      const at = find(node, member === '' ? [] : member.split('/'))
      if (at === undefined) return ''
      const href = joined(url, member) + (at.isCollection && !url.endsWith('/') ? '/' : '')
      const found = names.flatMap((name) => {
        const value = valueOf(at, name)
        return value === undefined ? [] : [element(name, value)]
      })
      const missing = names.filter((name) => valueOf(at, name) === undefined)
      const groups =
        propstat('HTTP/1.1 200 OK', found.join('')) +
        (missing.length > 0 ? group(missing, 'HTTP/1.1 404 Not Found') : '')
      return `<D:response><D:href>${href}</D:href>${groups}</D:response>`
    }
    const depth = headers['depth'] ?? 'infinity'
    const members = depth === '0' ? [] : below(node)
    const shown = depth === '1' ? members.filter((member) => !member.includes('/')) : members
    const text = OPEN + ['', ...shown].map(respond).join('') + SHUT
    if (fault === 'half a document') {
      meet()
      return answer207(text.slice(0, text.length >> 1))
    }
    return breakIn(answer207(text), fault, meet)
  }

  #lie(path: Path, answer: Answer, meet: Meet): Reply {
    meet()
    this.lies.add(path.join('/'))
    return answer
  }

  #breaksIfMatch(condition: string | undefined, node: Node | undefined): boolean {
    if (condition === undefined) return false
    if (node === undefined) return true
    const etag = node.isCollection ? '' : node.etag
    return condition !== '*' && (condition !== etag || etag.startsWith('W/'))
  }

  /** Replaces a file by one of the same length, as another client may do. */
  #changeFile(path: Path, node: FileNode): void {
    const bytes = Buffer.from(node.bytes.map((byte) => byte ^ 1))
    const changed = {...node, bytes, etag: this.#tag()}
    const key = path.join('/')
    this.versions.set(key, [...(this.versions.get(key) ?? []), changed])
    this.tree = put(this.tree, path, changed)
  }

  #tag(): string {
    const {etags} = this.traits
    if (etags === 'none') return ''
    return `${etags === 'weak' ? 'W/' : ''}"${this.#tags++}"`
  }

  #lacksParent(path: Path): boolean {
    return path.length === 0 || find(this.tree, path.slice(0, -1))?.isCollection !== true
  }

  /** Reads a Destination as most servers do: its host is not looked at. */
  #destinationOf(header: string | string[] | undefined): Path | undefined {
    if (typeof header !== 'string') return undefined
    const {pathname} = new URL(header, 'http://model.example')
    return pathname.startsWith(this.root) ? segmentsOf(pathname.slice(this.root.length)) : undefined
  }
}

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND'])
const NONE: ReadonlySet<string> = new Set()

// Names that a client chooses at random, for an upload that is moved when it is whole and for a test of conditions.
const DRAFT = /multistatus-\w+\.tmp/

/** True for the name of a draft of a client. */
export function isDraft(name: string): boolean {
  return DRAFT.test(name)
}

/** True for a path that is the other one, or below it. */
export function isAtOrBelow(path: Path, other: Path): boolean {
  return other.every((name, index) => path[index] === name)
}

/** The decoded segments of a result's URL below the root of a lane. */
export function pathOf({url}: {readonly url: string}, {root}: Lane): Path {
  const {pathname} = new URL(url)
  return pathname.startsWith(root)
    ? segmentsOf(pathname.slice(root.length))
    : ['..', ...pathname.split('/')]
}

function segmentsOf(path: string): Path {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeURIComponent)
}
