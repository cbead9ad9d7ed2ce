// Clients that lock and change the resources of a model server, lose answers, and go on after a restart with their locks from JSON.
// After each operation their verdicts, their locks and their requests are compared with the server. Each problem is one line of text.
// RFC 4918, sections 6, 7, 9.10, 9.11 and 10.4.

import {DavClient, type DavResult, encodePath, type Failure, type Lock} from 'multistatus'
import {vi} from 'vitest'

import type {Random} from '../fuzz/random.ts'
import {concern, covers, isAtOrBelow, pathIn} from './lock-rules.ts'
import {LockingServer, type LoggedRequest, type Resource} from './locking-server.ts'
import {markupOf} from './model-properties.ts'
import {transportTo} from './model-transport.ts'
import {resultsOf} from './results.ts'
import {draw} from './unruly-faults.ts'

const ORIGIN = 'http://model.example/'
const CLIENTS = 3
const NAMES = ['a', 'b c', 'é', '%41', 'd.txt'] as const
const LONG = 'long'.repeat(70)
const PROPERTY = '{urn:m}p'
// The limits that the project states for the If header.
const MAX_LISTS = 16
const MAX_CHARACTERS = 7000

type Tree = ReadonlyMap<string, Resource>

/** The outcome of a seed. */
export interface LockCampaign {
  readonly problems: readonly string[]
  /** Faults, and verdicts by verb and kind. */
  readonly met: ReadonlySet<string>
}

/** A program with its client. */
interface Program {
  readonly number: number
  dav: DavClient
  /** All locks that it ever held, by their tokens. */
  readonly granted: Map<string, Lock>
}

/** A call and everything that it gave. */
interface Call {
  readonly verb: string
  readonly targets: readonly Target[]
  results: readonly DavResult[]
  error?: unknown
}

interface Target {
  readonly path: string
  readonly to?: string
  readonly content?: string
}

/** Runs this many operations of a seed. The clock of the process is the model's while it runs. */
export async function runLockCampaign(seed: number, operations: number): Promise<LockCampaign> {
  vi.useFakeTimers({toFake: ['Date'], now: Date.UTC(2026, 0, 1)})
  try {
    const campaign = new Campaign(seed)
    for (let number = 1; number <= operations; number++) await campaign.run(number)
    await campaign.end()
    return campaign
  } finally {
    vi.useRealTimers()
  }
}

class Campaign implements LockCampaign {
  readonly problems: string[] = []
  readonly met: Set<string> = new Set()
  readonly #seed: number
  readonly #server: LockingServer
  readonly #programs: readonly Program[]
  /** Locks of lost answers, which their clients could not know or remove. */
  readonly #orphans = new Set<string>()
  #words = ''

  constructor(seed: number) {
    this.#seed = seed
    this.#server = new LockingServer(seed)
    this.#programs = Array.from({length: CLIENTS}, (_, number) => ({
      number,
      dav: this.#connect(number, []),
      granted: new Map(),
    }))
    this.#server.onRequest = (request) => this.#checkRequest(request)
  }

  async run(number: number): Promise<void> {
    const dice = draw(this.#seed, 'operation', number)
    const server = this.#server
    if (dice.oneIn(8)) vi.setSystemTime(Date.now() + 1000 * dice.below(400))
    const [broken] = server.locks.filter(() => dice.oneIn(150))
    if (broken !== undefined) server.breakLock(broken)
    const program = dice.pick(this.#programs)
    server.begin(String(number))
    if (dice.oneIn(12)) {
      this.#restart(program)
      return
    }
    const before = new Map(server.resources)
    const held = program.dav.locks
    const live = new Set(server.locks.map(({token}) => token))
    const call = await this.#act(program, dice)
    const {shows, keepsLocks} = server.dialect
    const faults = server.log.flatMap(({method, fault}) => (fault ? [`${method}: ${fault}`] : []))
    this.#words = `seed ${this.#seed}, operation ${number} (${shows}${keepsLocks ? ', keeps' : ''}), client ${program.number}: ${call.verb} ${call.targets.map(({path, to}) => (to === undefined ? path : `${path} to ${to}`)).join(', ')} [${faults.join(', ')}] ${call.results.map((result) => `${result.status} ${result.ok ? 'ok' : result.reason} ${result.description ?? ''}`).join('; ')}${call.error instanceof Error ? call.error.message : ''}`
    if (process.env['TRACE'] === String(number)) console.log(server.log, call.results)
    this.#checkTree(call, before)
    this.#checkLocks(program, call, held, live)
    for (const result of call.results)
      this.met.add(
        `${call.verb}: ${result.ok ? 'success' : result.reason}${faults.length > 0 ? ' after a fault' : ''}`,
      )
    if (call.error !== undefined) this.met.add(`${call.verb}: error`)
  }

  /** Ends: all clients unlock what they hold, from a server that answers well. */
  async end(): Promise<void> {
    const server = this.#server
    server.isUnruly = false
    server.begin('end')
    for (const {dav, number} of this.#programs) {
      for (const lock of dav.locks) {
        const isLive = server.locks.some(({token}) => token === lock.token)
        const result = await lock.unlock()
        const isKnown = server.dialect.shows === 'all' || server.dialect.shows === 'none'
        this.#words = `seed ${this.#seed}, end, client ${number} ${lock.lockRoot}`
        if (!result.ok && (isLive || isKnown))
          this.#problem(`not unlocked: ${result.status} ${result.description}`)
      }
      await dav.close()
    }
    for (const {token, root, holder} of server.locks)
      if (holder >= 0 && !this.#orphans.has(token))
        this.#problem(`a lock is left: ${token} ${root}`)
    for (const name of server.met) this.met.add(name)
  }

  #connect(number: number, locks: DavClient['locks']): DavClient {
    return new DavClient({
      url: ORIGIN,
      headers: {'x-client': String(number)},
      transport: transportTo((request) => this.#server.answer(request)),
      locks: JSON.parse(JSON.stringify(locks)),
    })
  }

  /** Kills a program. The next one has the locks that it wrote down. */
  #restart(program: Program): void {
    const {dav, number, granted} = program
    program.dav = this.#connect(number, dav.locks)
    for (const lock of program.dav.locks) granted.set(lock.token, lock)
    this.met.add('restart')
  }

  #problem(text: string): void {
    this.problems.push(`${this.#words}: ${text}`)
  }

  /** Each request submits the tokens of the locks that it touches, and no others. */
  #checkRequest(request: LoggedRequest): void {
    const {client, method, path, header, lists} = request
    const program = this.#programs[client]
    if (program === undefined) return
    const words = `request ${method} ${path} with ${header}`
    const submitted = new Set(lists.flatMap(({terms}) => terms.map(({token}) => token)))
    if (lists.length > MAX_LISTS || (header?.length ?? 0) > MAX_CHARACTERS)
      this.#problem(`${words}: the If header is too long`)
    if (lists.reduce((sum, {terms}) => sum + terms.length, 0) > submitted.size)
      this.#problem(`${words}: a token twice`)
    const isRefresh = method === 'LOCK' && lists.length === 1 && lists[0]?.tag === undefined
    const given = this.#given
    for (const token of submitted) {
      const lock = program.granted.get(token)
      if (token === given || isRefresh) continue
      if (lock === undefined || concern(request, rootOf(lock)) === undefined)
        this.#problem(`${words}: a token that it does not touch`)
    }
    if (isRefresh) return
    const earlier = this.#server.log
      .slice(0, -1)
      .filter((one) => one.method === method && one.path === path)
    // After a refusal, the tokens that the server may not have understood are left out.
    const isAgain = earlier.some(({status}) => status === 412 || status === 423)
    const touched = program.dav.locks.filter((lock) => concern(request, rootOf(lock)) !== undefined)
    if (touched.length > MAX_LISTS) this.met.add('more locks than lists')
    for (const lock of touched) {
      const isFar = concern(request, rootOf(lock)) === 'far'
      if (submitted.has(lock.token) || (isFar && (isAgain || this.#isFull(touched)))) continue
      this.#problem(`${words}: without the token of ${lock.lockRoot}, which the client holds`)
    }
  }

  #isFull(touched: readonly Lock[]): boolean {
    const length = touched.reduce(
      (sum, {lockRoot, token}) => sum + lockRoot.length + token.length + 8,
      0,
    )
    return touched.length > MAX_LISTS || length > MAX_CHARACTERS
  }

  #given: string | undefined

  async #act(program: Program, dice: Random): Promise<Call> {
    const {dav} = program
    const held = dav.locks
    const verb = dice.pick(VERBS)
    const retry = dice.oneIn(3) ? {attempts: 3, minDelay: 0, maxDelay: 1} : undefined
    const some = (): string => this.#drawPath(dice, dav)
    const path = some()
    const content = `content ${this.#server.operation}`
    const target = urlOf(path)
    const call: Call = {verb, targets: [], results: []}
    const settle = async (
      targets: readonly Target[],
      give: () => Promise<DavResult | readonly DavResult[]>,
    ): Promise<Call> => {
      try {
        const given = await give()
        return {...call, targets, results: isList(given) ? given : resultsOf(given)}
      } catch (error) {
        return {...call, targets, error}
      }
    }
    const many = (paths: readonly string[]): readonly string[] =>
      paths.filter(
        (one, index) =>
          !paths
            .slice(0, index)
            .some((other) => isAtOrBelow(one, other) || isAtOrBelow(other, one)),
      )
    // A token that another program handed over.
    const others = this.#server.locks.filter((lock) => covers(lock, path))
    const handed = dice.oneIn(5) ? others[0] : undefined
    this.#given = handed?.token
    const conditions =
      handed === undefined ? {} : {lockToken: handed.token, lockRoot: urlOf(handed.root)}
    const options = {...conditions, retry}
    switch (verb) {
      case 'lock': {
        const scope = dice.oneIn(4) ? 'shared' : 'exclusive'
        const depth = dice.oneIn(2) ? 0 : 'infinity'
        const timeout = dice.oneIn(5) ? Number.POSITIVE_INFINITY : 1000 * (30 + dice.below(2000))
        return settle([{path}], async () => {
          const lock = await dav.lock(target, {scope, depth, timeout, create: dice.oneIn(8), retry})
          if (lock.ok) program.granted.set(lock.token, lock)
          return lock
        })
      }
      case 'lockAll': {
        const members = Array.from(
          {length: 18},
          (_, number) => `/${dice.pick(['m', LONG])}/${number}`,
        )
        return settle([], async () => {
          const results: DavResult[] = [
            await dav.mkcol(urlOf('/m')),
            await dav.mkcol(urlOf(`/${LONG}`)),
          ]
          for (const member of members) {
            const lock = await dav.lock(urlOf(member), {depth: 0})
            if (lock.ok) program.granted.set(lock.token, lock)
            results.push(lock)
          }
          return results
        })
      }
      case 'refresh': {
        const lock = held.length === 0 ? undefined : dice.pick(held)
        if (lock === undefined) return call
        return settle([{path: rootOf(lock).root}], async () =>
          lock.refresh(dice.oneIn(2) ? {} : {timeout: 100_000}),
        )
      }
      case 'unlock': {
        const lock = held.length === 0 ? undefined : dice.pick(held)
        if (lock === undefined) return call
        const targets = [{path: rootOf(lock).root, content: lock.token}]
        if (dice.oneIn(3))
          return settle(targets, async () => {
            await lock[Symbol.asyncDispose]()
            return []
          })
        return settle(targets, () =>
          dice.oneIn(2) ? lock.unlock({retry}) : dav.unlock(lock.toJSON(), {retry}),
        )
      }
      case 'put':
        return settle([{path, content}], () => dav.put(target, content, options))
      case 'putMany': {
        const paths = many([path, some(), some()])
        return settle(
          paths.map((one) => ({path: one, content})),
          () =>
            Array.fromAsync(
              dav.putMany(
                paths.map((one) => ({href: urlOf(one), body: content})),
                {retry},
              ),
            ),
        )
      }
      case 'mkcol':
        return settle([{path}], () => dav.mkcol(target, options))
      case 'proppatch':
        return settle([{path, content}], () =>
          dav.proppatch(target, {...options, set: {[PROPERTY]: content}}),
        )
      case 'delete':
        return settle([{path}], () => dav.delete(target, options))
      case 'deleteMany': {
        const paths = many([path, some(), some()])
        return settle(
          paths.map((one) => ({path: one})),
          () => Array.fromAsync(dav.deleteMany(paths.map(urlOf), {retry, concurrency: 2})),
        )
      }
      default: {
        const to = some()
        const pair = {path, to}
        if (isAtOrBelow(to, path) || isAtOrBelow(path, to)) return call
        const ends = [target, urlOf(to)] as const
        const transfer = {...options, overwrite: dice.oneIn(2)}
        if (verb === 'copy') return settle([pair], () => dav.copy(...ends, transfer))
        if (verb === 'move') return settle([pair], () => dav.move(...ends, transfer))
        const pairs = [{from: target, to: urlOf(to)}]
        const many = {retry, overwrite: transfer.overwrite}
        const stream = verb === 'copyMany' ? dav.copyMany(pairs, many) : dav.moveMany(pairs, many)
        return settle([pair], async () => {
          const results = await Array.fromAsync(stream)
          const failed = results.filter((result) => !result.ok && result.request !== undefined)
          if (failed.length === 0 || dice.oneIn(2)) return results
          // Another process takes the failures from a queue.
          this.#restart(program)
          const queue: readonly Failure[] = JSON.parse(JSON.stringify(failed))
          const again = await Array.fromAsync(
            program.dav.retry(queue, {attempts: 2, minDelay: 0, maxDelay: 1}),
          )
          return [...results.filter((result) => result.relation !== 'self' && result.ok), ...again]
        })
      }
    }
  }

  /** Draws a path that is there, one at a lock, or a new one. */
  #drawPath(dice: Random, dav: DavClient): string {
    const paths = [...this.#server.resources.keys()].filter((path) => path !== '')
    const roots = dav.locks.map((lock) => rootOf(lock).root)
    if (roots.length > 0 && dice.oneIn(3)) return dice.pick(roots)
    if (paths.length > 0 && dice.oneIn(2)) return dice.pick(paths)
    const collections = [
      '',
      ...paths.filter((path) => this.#server.resources.get(path)?.content === undefined),
    ].filter((path) => path.split('/').length < 4)
    return `${dice.pick(collections)}/${dice.pick(NAMES)}`
  }

  /** No verdict on a resource is untrue. */
  #checkTree({verb, targets, results, error}: Call, before: Tree): void {
    const after = this.#server.resources
    for (const {path, to = '', content} of targets) {
      const result = results.findLast((one) => one.relation === 'self' && pathIn(one.url) === path)
      if (result === undefined) {
        if (error === undefined && !['unlock', 'refresh'].includes(verb))
          this.#problem(`no verdict on ${path}`)
        continue
      }
      const isUnknown = isUnclear(result) || (!result.ok && result.reason === 'member')
      const [old, now] = [before.get(path), after.get(path)]
      const [given, put] = [wholeAt(before, path), wholeAt(after, to)]
      switch (verb) {
        case 'put':
        case 'putMany':
          if ((now?.content === content) !== result.ok && !isUnknown)
            this.#problem(`${path} has ${now?.content}`)
          break
        case 'mkcol':
          if (result.ok && (now === undefined || now.content !== undefined))
            this.#problem(`${path} is no collection`)
          if (!result.ok && !isUnknown && old !== now) this.#problem(`${path} was made`)
          break
        case 'proppatch': {
          const isSet = now?.property === markupOf([content ?? ''])
          if (isSet !== result.ok && !isUnknown) this.#problem(`${path} has ${now?.property}`)
          break
        }
        case 'delete':
        case 'deleteMany':
          if (result.ok && now !== undefined) this.#problem(`${path} stands`)
          if (!result.ok && !isUnknown && old !== undefined && now === undefined)
            this.#problem(`${path} is gone`)
          break
        case 'copy':
        case 'copyMany':
          if (result.ok && given !== put) this.#problem(`${to} is no copy`)
          if (!result.ok && !isUnknown && wholeAt(before, to) !== put)
            this.#problem(`${to} was changed`)
          break
        case 'move':
        case 'moveMany':
          if (result.ok && (now !== undefined || (old !== undefined && given !== put)))
            this.#problem(`${path} is not moved`)
          if (!result.ok && !isUnknown && old !== undefined && now === undefined)
            this.#problem(`${path} was moved`)
          break
        default:
      }
    }
  }

  /** No verdict on a lock is untrue, none is left behind or forgotten, and each lost one is told. */
  #checkLocks(
    {number, dav, granted}: Program,
    {verb, targets, results, error}: Call,
    held: readonly Lock[],
    live: ReadonlySet<string>,
  ): void {
    const server = this.#server
    const now = new Map(server.locks.map((lock) => [lock.token, lock]))
    const kept = new Set(dav.locks.map(({token}) => token))
    const lost = new Set(results.flatMap((result) => (result.ok ? [] : (result.lostLocks ?? []))))
    for (const token of lost) {
      if (now.has(token)) this.#problem(`${token} is not lost`)
      if (kept.has(token)) this.#problem(`${token} is lost, and the client keeps it`)
    }
    for (const lock of held) {
      const {token} = lock
      const {root} = rootOf(lock)
      const isLost = granted.get(token)?.signal.aborted === true
      if (isLost && now.has(token)) this.#problem(`${token} is aborted, and holds`)
      if (lost.has(token) && !isLost) this.#problem(`${token} is lost, and not aborted`)
      if (kept.has(token)) {
        if (isLost) this.#problem(`${token} is aborted, and kept`)
        continue
      }
      const isUnlocked = verb === 'unlock' && targets[0]?.content === token && error === undefined
      const isDeleted = results.some(
        (result) => result.ok && isAtOrBelow(root, pathIn(result.url)) && /delete|move/.test(verb),
      )
      const isGivenUp = results.some(({description = ''}) => description.includes('given up'))
      if (!isLost && !isUnlocked && !isDeleted && !isGivenUp)
        this.#problem(`${token} of ${root} was forgotten`)
    }
    for (const {token, holder, root} of server.locks) {
      if (holder !== number || kept.has(token) || this.#orphans.has(token)) continue
      const isTold =
        error !== undefined ||
        results.some((result) => isUnclear(result) || (!result.ok && result.reason === 'malformed'))
      const isUnlockLost = server.log.some(
        (one) => one.method === 'UNLOCK' && (one.fault !== undefined || one.status >= 400),
      )
      if (/^lock/.test(verb) && isTold) this.met.add('a lock of a lost answer')
      else if (isUnlockLost && verb !== 'unlock') this.met.add('a lock of a lost UNLOCK')
      else this.#problem(`${token} of ${root} is left behind`)
      this.#orphans.add(token)
    }
    const [first] = results
    const mayBeUntold = server.log.some(({fault}) => fault === 'no body' || fault === 'others')
    if (first?.ok === true && (verb === 'lock' || verb === 'refresh') && !mayBeUntold)
      this.#checkGranted(first as Lock)
    // What a server shows, the client can tell.
    const submitted = server.log
      .filter(({status, method}) => status === 412 && method !== 'LOCK')
      .flatMap(({lists}) => lists.flatMap(({terms}) => terms.map(({token}) => token)))
    const isQuiet = server.log.every(({fault}) => fault === undefined)
    if (isQuiet && error === undefined && server.dialect.shows !== 'no tokens')
      for (const token of submitted)
        if (!live.has(token) && !lost.has(token) && !results.every(({ok}) => ok))
          this.#problem(`${token} is lost, and nobody tells`)
    if (lost.size > 0) this.met.add('lost')
  }

  /** A lock has the facts that the server granted. */
  #checkGranted({token, depth, scope, expires}: Lock): void {
    const lock = this.#server.locks.find((one) => one.token === token)
    const granted = lock && {
      depth: lock.isDeep ? 'infinity' : 0,
      scope: lock.isShared ? 'shared' : 'exclusive',
      expires: lock.end === Number.POSITIVE_INFINITY ? undefined : lock.end,
    }
    const [wanted, told] = [granted, {depth, scope, expires}].map((facts) => JSON.stringify(facts))
    if (wanted !== told) this.#problem(`its lock is ${wanted}, and not ${told}`)
  }
}

const VERBS = [
  ...['lock', 'lock', 'lock', 'lock', 'refresh', 'refresh', 'unlock'],
  ...['put', 'put', 'put', 'putMany', 'mkcol', 'mkcol', 'mkcol', 'proppatch'],
  ...['delete', 'deleteMany', 'copy', 'copyMany', 'move', 'move', 'moveMany'],
  ...['lockAll'],
] as const

function urlOf(path: string): string {
  return ORIGIN + encodePath(path.slice(1))
}

function rootOf({lockRoot, depth}: Pick<Lock, 'lockRoot' | 'depth'>): {
  root: string
  isDeep: boolean
} {
  return {root: pathIn(lockRoot), isDeep: depth === 'infinity'}
}

function isUnclear(result: DavResult): boolean {
  return (
    !result.ok &&
    (result.reason === 'no-answer' ||
      (result.reason === 'malformed' && result.status === 207) ||
      result.status === 504)
  )
}

/** Formats a resource with everything below, so that copies can be compared. */
function wholeAt(tree: Tree, path: string): string {
  const whole = [...tree].filter(([one]) => isAtOrBelow(one, path))
  return JSON.stringify(
    whole.map(([one, resource]) => [one.slice(path.length), resource]).toSorted(),
  )
}

function isList(given: DavResult | readonly DavResult[]): given is readonly DavResult[] {
  return Array.isArray(given)
}
