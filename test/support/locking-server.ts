// A server that enforces locks, in the dialects of real ones, over a tree in memory. By its seed it loses requests and answers,
// refuses, and answers wrongly after the deed. Locks end by the clock of the process. RFC 4918, sections 6, 7, 9.10 and 9.11.

import type {Random} from '../fuzz/random.ts'
import {type Answer, answer207, OPEN, RESET, SHUT} from './fault-server.ts'
import {propstat, verdict} from './fixtures.ts'
import {
  changedBy,
  conflicts,
  covers,
  holds,
  isAtOrBelow,
  type LockedRequest,
  type ModelList,
  type ModelLock,
  parentOf,
  pathIn,
  readIfHeader,
} from './lock-rules.ts'
import {activelock} from './locks.ts'
import {document, wrong207} from './model-answers.ts'
import {element, readInstructions, readNames} from './model-properties.ts'
import type {ModelRequest, Reply} from './model-transport.ts'
import {draw} from './unruly-faults.ts'

/** A resource. One without content is a collection. */
export interface Resource {
  readonly content?: string
  /** The value of the only dead property. */
  readonly property?: string
}

/** The constant oddities of a server. */
export interface LockDialect {
  /**
   * The locks that it shows in a PROPFIND. `no tokens`: SabreDAV 1.8. `none`: Apache 2.4 with `DavLockDiscovery Off`. `no support`:
   * x/net 0.7, which does not have the property, and does not tell that it has locks either.
   */
  readonly shows: 'all' | 'no tokens' | 'none' | 'no support'
  /** True if a lock outlives its resource, as in x/net 0.7 and SabreDAV 1.8. */
  readonly keepsLocks: boolean
  /** True if a refused member does not keep others from deletion. RFC 4918, section 9.6.1. */
  readonly isPartial: boolean
  /** True if a MOVE of a locked resource is refused with 412, as in x/net 0.7. */
  readonly refusesLockedMoves: boolean
  /** True if it answers 200 to the refresh of a lock that is not there, as lighttpd 1.4 does. */
  readonly refreshesAll: boolean
  /** The longest time that it grants, in seconds; `Infinity` for no end. */
  readonly seconds: number
}

/** A request with its outcome. */
export interface LoggedRequest extends LockedRequest {
  readonly client: number
  readonly header: string | undefined
  readonly lists: readonly ModelList[]
  status: number
  /** The names of its faults. */
  readonly faults: string[]
}

const REMOVING = {
  'reset before': 20,
  'reset after': 60,
  '503': 10,
  '412': 20,
  '423': 10,
  'wrong 207': 20,
  '504, done': 20,
}

/** Faults by method, each with its weight in a thousand. */
const LOTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  LOCK: {
    'reset before': 40,
    'reset after': 80,
    '503': 10,
    '504, done': 20,
    'no header': 30,
    'no body': 30,
    'no token': 15,
  },
  UNLOCK: {'reset before': 30, 'reset after': 60, '503': 10, '403': 15, '504, done': 15},
  PROPFIND: {'reset before': 30, '503': 20, '403': 10, 'half a document': 20},
  PUT: {'reset before': 20, 'reset after': 40, '503': 10, '412': 20, '423': 10, '504, done': 20},
  MKCOL: {'reset before': 20, 'reset after': 40, '503': 10, '412': 20, '423': 10},
  PROPPATCH: {'reset before': 20, 'reset after': 40, '503': 10, '412': 20, '423': 10},
  DELETE: REMOVING,
  MOVE: REMOVING,
  COPY: {'reset before': 20, 'reset after': 40, '503': 10, '412': 20, '423': 10, 'wrong 207': 20},
}

/** All faults, each with its method. */
export const LOCK_FAULTS: readonly string[] = Object.entries(LOTS).flatMap(([method, lots]) =>
  Object.keys(lots).map((name) => `${method}: ${name}`),
)

const XML = {'content-type': 'application/xml; charset=utf-8'}
const SUPPORT = ['exclusive', 'shared']
  .map((scope) =>
    element(
      'lockentry',
      element('lockscope', element(scope, '')) + element('locktype', element('write', '')),
    ),
  )
  .join('')

/** A tree with locks on it, at the root of an origin. */
export class LockingServer {
  readonly resources: Map<string, Resource> = new Map([['', {}]])
  readonly log: LoggedRequest[] = []
  readonly met: Set<string> = new Set()
  readonly dialect: LockDialect
  /** True while faults happen. */
  isUnruly = true
  /** Names the operation, on which faults depend. */
  operation = ''
  /** Called when a request arrives, before anything happens. */
  onRequest: (request: LoggedRequest) => void = () => {}
  #locks: readonly ModelLock[] = []
  readonly #seed: number
  readonly #times = new Map<string, number>()
  #tokens = 0

  constructor(seed: number) {
    this.#seed = seed
    const dice = draw(seed, 'dialect', 0)
    const shows = dice.pick(['all', 'all', 'all', 'no tokens', 'none', 'no support'] as const)
    this.dialect = {
      shows,
      keepsLocks: dice.oneIn(3),
      isPartial: dice.oneIn(2),
      refusesLockedMoves: shows === 'no support',
      refreshesAll: shows === 'all' && dice.oneIn(4),
      seconds: dice.pick([60, 600, 600, 3600, Number.POSITIVE_INFINITY]),
    }
  }

  /** The locks that hold now. */
  get locks(): readonly ModelLock[] {
    this.#locks = this.#locks.filter(({end}) => end > Date.now())
    return this.#locks
  }

  /** Removes a lock, as an administrator does. */
  breakLock(lock: ModelLock): void {
    this.#locks = this.#locks.filter((one) => one !== lock)
  }

  /** Begins an operation. */
  begin(operation: string): void {
    this.operation = operation
    this.log.length = 0
    this.#times.clear()
  }

  answer(request: ModelRequest): Reply {
    const {method, url, headers, bytes} = request
    const text = (name: string): string | undefined => headers[name]?.toString()
    const destination = text('destination')
    const header = text('if')
    const path = pathIn(url)
    const asked: LoggedRequest = {
      method,
      path,
      to: destination === undefined ? undefined : pathIn(destination),
      isDeep: text('depth') !== '0',
      client: Number(text('x-client')),
      header,
      lists: header === undefined ? [] : readIfHeader(header),
      status: 0,
      faults: [],
    }
    this.log.push(asked)
    this.onRequest(asked)
    if (this.isUnruly && draw(this.#seed, `others ${this.operation}`, this.log.length).oneIn(60))
      this.#meddle(asked)
    const key = `${method} ${url}`
    const time = (this.#times.get(key) ?? 0) + 1
    this.#times.set(key, time)
    const dice = draw(this.#seed, `${this.operation} ${key}`, time)
    const fault = this.isUnruly ? drawFault(method, dice) : undefined
    const reply = this.#reply(asked, {text, body: bytes.toString(), url}, fault, dice)
    if (typeof reply === 'symbol') return reply
    asked.status = reply.status
    const server = this.dialect.refreshesAll ? {server: 'lighttpd/1.4.69'} : {}
    return {...reply, headers: {...reply.headers, ...server}}
  }

  /** Ends the locks on a resource, as their time or an administrator does. Somebody else takes a lock there. */
  #meddle(asked: LoggedRequest): void {
    asked.faults.push('others')
    this.met.add('others')
    this.#locks = this.locks.filter((lock) => !covers(lock, asked.path))
    if (this.resources.has(asked.path)) this.lockForOthers(asked.path)
  }

  /** Gives somebody else a lock. */
  lockForOthers(root: string): void {
    const token = `urn:others:${this.#seed}-${++this.#tokens}`
    const end = Date.now() + 200_000
    this.#locks = [
      ...this.locks,
      {token, root, isDeep: false, isShared: false, owner: 'Others', holder: -1, end},
    ]
  }

  #reply(
    asked: LoggedRequest,
    {text, body, url}: {text: (name: string) => string | undefined; body: string; url: string},
    fault: string | undefined,
    dice: Random,
  ): Reply {
    const meet = (): void => {
      asked.faults.push(fault ?? '')
      this.met.add(`${asked.method}: ${fault}`)
    }
    if (fault === 'reset before') {
      meet()
      return RESET
    }
    if (fault !== undefined && /^\d{3}$/.test(fault)) {
      meet()
      return {status: Number(fault), headers: {'retry-after': '0'}}
    }
    const {method, path, lists} = asked
    if (method === 'PROPFIND') return this.#propfind(path, url, text('depth'), body, fault, meet)
    if (method === 'GET' || method === 'HEAD') return this.#get(path)
    const done = method === 'UNLOCK' ? this.#unlock(path, text('lock-token') ?? '') : undefined
    const mayHold = method === 'LOCK' && body.length === 0 && this.dialect.refreshesAll
    const isHeld = mayHold || lists.length === 0 || holds(lists, path, this.locks)
    const answer = done ?? (isHeld ? this.#change(asked, text, body) : {status: 412})
    const isRefused = answer.status === 207 && method !== 'PROPPATCH'
    if (answer.status >= 300 || isRefused) return answer
    if (fault === 'reset after') {
      meet()
      return RESET
    }
    if (fault === '504, done') {
      meet()
      return {status: 504}
    }
    if (fault === 'wrong 207') {
      meet()
      return wrong207([], dice)
    }
    if (method !== 'LOCK' || fault === undefined) return answer
    const {headers, ...others} = answer
    const isRefresh = body === ''
    if (isRefresh && fault !== 'no body') return answer
    meet()
    if (fault === 'no header') return {...others, headers: XML}
    return fault === 'no body' ? {status: answer.status, ...(headers && {headers})} : {status: 200}
  }

  #get(path: string): Reply {
    const {content} = this.resources.get(path) ?? {}
    return content === undefined ? {status: 404} : {status: 200, body: content}
  }

  #change(asked: LoggedRequest, text: (name: string) => string | undefined, body: string): Answer {
    const {method, path, to = '', lists} = asked
    const {resources} = this
    const old = resources.get(path)
    if (method === 'LOCK') return this.#lock(asked, text, body)
    const isCreating = method === 'PUT' || method === 'MKCOL'
    if (!isCreating && old === undefined) return {status: 404}
    if (method === 'MKCOL' && old !== undefined) return {status: 405}
    if (method === 'PUT' && old !== undefined && old.content === undefined) return {status: 405}
    if (isCreating && !this.#isCollection(parentOf(path))) return {status: 409}
    const hasEnds = method === 'COPY' || method === 'MOVE'
    if (hasEnds) {
      if (isAtOrBelow(to, path) || isAtOrBelow(path, to)) return {status: 403}
      if (!this.#isCollection(parentOf(to))) return {status: 409}
      if (resources.has(to) && text('overwrite') === 'F') return {status: 412}
    }
    const tokens = new Set(lists.flatMap(({terms}) => terms.map(({token}) => token)))
    const isOfLocks = this.locks.some((lock) => covers(lock, path))
    if (method === 'MOVE' && this.dialect.refusesLockedMoves && isOfLocks) {
      // It finds the token on the destination, where no lock is.
      if (tokens.size > 0) return {status: 412}
    }
    const locked = this.#lockedAmong(changedBy(asked, [...resources.keys()]), tokens)
    if (locked.length > 0) {
      const isOfMembers = locked.every((one) => one !== path && isAtOrBelow(one, path))
      if (method === 'DELETE' && isOfMembers && this.dialect.isPartial)
        return this.#deletePart(path, locked)
      return {
        status: 423,
        headers: XML,
        body: `<D:error xmlns:D="DAV:"><D:lock-token-submitted><D:href>${this.#hrefOf(locked[0] ?? path)}</D:href></D:lock-token-submitted></D:error>`,
      }
    }
    switch (method) {
      case 'PUT':
        resources.set(path, {...old, content: body})
        return {status: old === undefined ? 201 : 204}
      case 'MKCOL':
        resources.set(path, {})
        return {status: 201}
      case 'PROPPATCH': {
        const [first] = readInstructions(body)
        resources.set(path, {
          ...(old?.content !== undefined && {content: old.content}),
          ...(first?.value !== undefined && {property: first.value}),
        })
        const name = element(first?.name ?? '', '')
        return answer207(
          document([
            `<D:response><D:href>${this.#hrefOf(path)}</D:href>${propstat('HTTP/1.1 200 OK', name)}</D:response>`,
          ]),
        )
      }
      case 'DELETE':
        this.#remove(path)
        return {status: 204}
      case 'COPY':
      case 'MOVE': {
        const status = resources.has(to) ? 204 : 201
        const whole = [...resources].filter(([one]) => isAtOrBelow(one, path))
        this.#remove(to, 'replaced')
        for (const [one, resource] of whole) resources.set(to + one.slice(path.length), resource)
        if (method === 'MOVE') this.#remove(path)
        return {status}
      }
      default:
        return {status: 501}
    }
  }

  /** Lists the resources that locks protect against a request with these tokens. */
  #lockedAmong(paths: readonly string[], tokens: ReadonlySet<string>): readonly string[] {
    return paths.filter((path) => {
      const own = this.locks.filter((lock) => covers(lock, path))
      return own.length > 0 && !own.some(({token}) => tokens.has(token))
    })
  }

  /** Deletes all but the locked members and their ancestors. */
  #deletePart(path: string, locked: readonly string[]): Answer {
    for (const one of this.resources.keys()) {
      const isKept = locked.some((kept) => isAtOrBelow(kept, one) || isAtOrBelow(one, kept))
      if (isAtOrBelow(one, path) && !isKept) this.#remove(one)
    }
    return answer207(
      OPEN + locked.map((one) => verdict(this.#hrefOf(one), 'HTTP/1.1 423 Locked')).join('') + SHUT,
    )
  }

  /** Removes a resource with everything below. The locks of a replaced one stay on what replaces it. */
  #remove(path: string, why?: 'replaced'): void {
    for (const one of this.resources.keys()) if (isAtOrBelow(one, path)) this.resources.delete(one)
    const isEnded = ({root}: ModelLock): boolean =>
      isAtOrBelow(root, path) && !(why === 'replaced' && root === path)
    if (!this.dialect.keepsLocks) this.#locks = this.#locks.filter((lock) => !isEnded(lock))
  }

  #lock(
    {path, isDeep = true, lists, client}: LoggedRequest,
    text: (name: string) => string | undefined,
    body: string,
  ): Answer {
    const {seconds} = this.dialect
    const asked = text('timeout') ?? ''
    const wanted = asked === 'Infinite' ? Number.POSITIVE_INFINITY : Number(asked.slice(7))
    const granted = Math.min(wanted, seconds)
    const end = Date.now() + granted * 1000
    if (body === '') {
      const token = lists[0]?.terms[0]?.token
      const lock = this.locks.find((one) => one.token === token && covers(one, path))
      if (lock === undefined)
        return this.dialect.refreshesAll
          ? {status: 200, headers: XML, body: this.#prop([])}
          : {status: 412}
      lock.end = end
      return {status: 200, headers: XML, body: this.#prop([lock])}
    }
    const isThere = this.resources.has(path)
    if (text('if-none-match') === '*' && isThere) return {status: 412}
    if (!isThere && !this.#isCollection(parentOf(path))) return {status: 409}
    const isShared = body.includes('shared')
    const owner = /owner>(.*)<\/[^>]*owner>/s.exec(body)?.[1] ?? ''
    const token = `urn:lock:${this.#seed}-${++this.#tokens}`
    const lock = {token, root: path, isDeep, isShared, owner, holder: client, end}
    const [other] = conflicts(lock, this.locks)
    if (other !== undefined) {
      if (other.root === path || !isAtOrBelow(other.root, path)) return {status: 423}
      const failed = verdict(this.#hrefOf(path), 'HTTP/1.1 424 Failed Dependency')
      const cause = verdict(this.#hrefOf(other.root), 'HTTP/1.1 423 Locked')
      return answer207(OPEN + cause + failed + SHUT)
    }
    const tokens = new Set(lists.flatMap(({terms}) => terms.map((term) => term.token)))
    const isNew = {method: 'LOCK', path}
    if (this.#lockedAmong(changedBy(isNew, [...this.resources.keys()]), tokens).length > 0)
      return {status: 423}
    if (!isThere) this.resources.set(path, {content: ''})
    this.#locks = [...this.locks, lock]
    return {
      status: isThere ? 200 : 201,
      headers: {...XML, 'lock-token': `<${token}>`},
      body: this.#prop(this.locks.filter((one) => covers(one, path))),
    }
  }

  #unlock(path: string, header: string): Answer {
    const token = header.replaceAll(/[<>]/g, '')
    const lock = this.locks.find((one) => one.token === token && covers(one, path))
    if (lock === undefined) return {status: 409}
    this.breakLock(lock)
    return {status: 204}
  }

  #propfind(
    path: string,
    url: string,
    depth: string | undefined,
    body: string,
    fault: string | undefined,
    meet: () => void,
  ): Reply {
    if (!this.resources.has(path)) return {status: 404}
    const names = readNames(body)
    const shown = [...this.resources.keys()].filter(
      (one) => one === path || (depth !== '0' && isAtOrBelow(one, path)),
    )
    const within = shown.filter((one) => depth !== '1' || one === path || parentOf(one) === path)
    const respond = (one: string): string => {
      const values = names.map((name) => [name, this.#valueOf(one, name)] as const)
      const found = values.filter(([, value]) => value !== undefined)
      const missing = values.filter(([, value]) => value === undefined)
      const groups = [
        propstat(
          'HTTP/1.1 200 OK',
          found.map(([name, value = '']) => element(name, value)).join(''),
        ),
        ...(missing.length > 0
          ? [propstat('HTTP/1.1 404 No', missing.map(([name]) => element(name, '')).join(''))]
          : []),
      ]
      const href = one === path ? url : this.#hrefOf(one)
      return `<D:response><D:href>${href}</D:href>${groups.join('')}</D:response>`
    }
    const text = document(within.map(respond))
    if (fault !== 'half a document') return answer207(text)
    meet()
    return answer207(text.slice(0, text.length >> 1))
  }

  #valueOf(path: string, name: string): string | undefined {
    const {shows} = this.dialect
    const {content, property} = this.resources.get(path) ?? {}
    switch (name) {
      case 'resourcetype':
        return content === undefined ? '<D:collection/>' : ''
      case 'getcontentlength':
        return content === undefined ? undefined : String(Buffer.byteLength(content))
      case 'supportedlock':
        return shows === 'no support' ? '' : SUPPORT
      case 'lockdiscovery': {
        if (shows === 'no support') return undefined
        if (shows === 'none') return ''
        const own = this.locks.filter((lock) => covers(lock, path))
        return this.#activelocks(own, shows === 'all')
      }
      default:
        return property
    }
  }

  #prop(locks: readonly ModelLock[]): string {
    return `<D:prop xmlns:D="DAV:"><D:lockdiscovery>${this.#activelocks(locks, true)}</D:lockdiscovery></D:prop>`
  }

  #activelocks(locks: readonly ModelLock[], hasTokens: boolean): string {
    return locks
      .map(({token, root, isDeep, isShared, owner, end}) =>
        activelock({
          scope: isShared ? 'shared' : 'exclusive',
          depth: isDeep ? 'infinity' : '0',
          owner,
          timeout:
            end === Number.POSITIVE_INFINITY
              ? 'Infinite'
              : `Second-${Math.round((end - Date.now()) / 1000)}`,
          token: hasTokens ? token : undefined,
          root: this.#hrefOf(root),
        }),
      )
      .join('')
  }

  #isCollection(path: string): boolean {
    const resource = this.resources.get(path)
    return resource !== undefined && resource.content === undefined
  }

  #hrefOf(path: string): string {
    const href = path.split('/').map(encodeURIComponent).join('/')
    return this.#isCollection(path) ? `${href}/` : href
  }
}

function drawFault(method: string, dice: Random): string | undefined {
  let left = dice.below(1000)
  for (const [name, weight] of Object.entries(LOTS[method] ?? {})) {
    left -= weight
    if (left < 0) return name
  }
  return undefined
}
