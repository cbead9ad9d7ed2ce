// A program with a client that locks and changes the resources of a model server. Draws its calls from a seed, and goes on after a
// restart with its locks from JSON. RFC 4918, section 9.

import {DavClient, type DavResult, encodePath, type Failure, type Lock} from 'multistatus'

import type {Random} from '../fuzz/random.ts'
import {covers, isAtOrBelow, pathIn} from './lock-rules.ts'
import type {LockingServer} from './locking-server.ts'
import {transportTo} from './model-transport.ts'
import {resultsOf} from './results.ts'

const ORIGIN = 'http://model.example/'
const NAMES = ['a', 'b c', 'é', '%41', 'd.txt'] as const
const MAX_SEGMENTS = 4
export const PROPERTY = '{urn:m}p'

// Collections with more locked members than an If header has room for: by their number, and by the length of their names.
const FULL = ['/m', `/${'long'.repeat(70)}`] as const
const FULL_MEMBERS = 18

const VERBS = ['lock', 'refresh', 'unlock', 'put', 'putMany', 'mkcol', 'proppatch'] as const
const STRUCTURE = ['delete', 'deleteMany', 'copy', 'copyMany', 'move', 'moveMany'] as const
type Verb = (typeof VERBS)[number] | (typeof STRUCTURE)[number] | 'lockAll'

/** A target of a call. */
export interface LockedTarget {
  readonly path: string
  /** The destination of a COPY or MOVE. */
  readonly to?: string
  /** The content of a PUT or PROPPATCH. */
  readonly content?: string
  /** The token of the lock to refresh or to remove. */
  readonly token?: string
}

/** A call and everything that it gave. */
export interface LockedCall {
  readonly verb: Verb
  readonly targets: readonly LockedTarget[]
  /** The members, then the verdict on their target. */
  readonly results: readonly DavResult[]
  readonly error?: unknown
}

type Given = Promise<DavResult | readonly DavResult[]>

/** A program that calls a client. */
export class LockingProgram {
  readonly number: number
  /** All locks that it ever held, by their tokens. */
  readonly granted: Map<string, Lock> = new Map()
  dav: DavClient
  /** The token that somebody handed over for this call. */
  handed: string | undefined
  readonly #server: LockingServer

  constructor(number: number, server: LockingServer) {
    this.number = number
    this.#server = server
    this.dav = this.#connect([])
  }

  /** Kills the program. The next one has the locks that it wrote down. */
  restart(): void {
    this.dav = this.#connect(this.dav.locks)
    for (const lock of this.dav.locks) this.granted.set(lock.token, lock)
  }

  /** Draws a call and runs it. */
  async act(dice: Random): Promise<LockedCall> {
    const {dav} = this
    const isOfStructure = dice.oneIn(3)
    const verb = dice.oneIn(40) ? 'lockAll' : dice.pick<Verb>(isOfStructure ? STRUCTURE : VERBS)
    this.handed = undefined
    const retry = dice.oneIn(3) ? policy(3) : undefined
    const path = this.#drawPath(dice)
    if (verb === 'lock') return settled(verb, [{path}], () => this.#lock(path, dice))
    if (verb === 'lockAll') return settled(verb, [], () => this.#lockAll(dice.pick(FULL)))
    if (verb === 'refresh' || verb === 'unlock') return this.#actOnLock(verb, dice)
    const paths = apart([path, this.#drawPath(dice), this.#drawPath(dice)])
    const content = `content ${this.#server.operation}`
    if (verb === 'putMany') {
      const uploads = paths.map((one) => ({href: urlOf(one), body: content}))
      const targets = paths.map((one) => ({path: one, content}))
      return settled(verb, targets, () => Array.fromAsync(dav.putMany(uploads, {retry})))
    }
    if (verb === 'deleteMany') {
      const targets = paths.map((one) => ({path: one}))
      const options = {retry, concurrency: 2}
      return settled(verb, targets, () =>
        Array.fromAsync(dav.deleteMany(paths.map(urlOf), options)),
      )
    }
    const options = {...this.#drawConditions(path, dice), retry}
    const href = urlOf(path)
    switch (verb) {
      case 'put':
        return settled(verb, [{path, content}], () => dav.put(href, content, options))
      case 'mkcol':
        return settled(verb, [{path}], () => dav.mkcol(href, options))
      case 'proppatch': {
        const set = {[PROPERTY]: content}
        return settled(verb, [{path, content}], () => dav.proppatch(href, {...options, set}))
      }
      case 'delete':
        return settled(verb, [{path}], () => dav.delete(href, options))
      default:
        return this.#transfer(verb, {path, to: this.#drawPath(dice)}, options, dice)
    }
  }

  #connect(locks: DavClient['locks']): DavClient {
    return new DavClient({
      url: ORIGIN,
      headers: {'x-client': String(this.number)},
      transport: transportTo((request) => this.#server.answer(request)),
      locks: JSON.parse(JSON.stringify(locks)),
    })
  }

  async #lock(path: string, dice: Random): Given {
    return this.#keep(
      await this.dav.lock(urlOf(path), {
        scope: dice.oneIn(4) ? 'shared' : 'exclusive',
        depth: dice.oneIn(2) ? 0 : 'infinity',
        timeout: dice.oneIn(5) ? Number.POSITIVE_INFINITY : 1000 * (30 + dice.below(2000)),
        create: dice.oneIn(8),
        retry: dice.oneIn(2) ? policy(3) : undefined,
      }),
    )
  }

  async #lockAll(collection: string): Given {
    const results: DavResult[] = [await this.dav.mkcol(urlOf(collection))]
    for (let number = 0; number < FULL_MEMBERS; number++)
      results.push(this.#keep(await this.dav.lock(urlOf(`${collection}/${number}`), {depth: 0})))
    return results
  }

  #keep(lock: Lock | Failure): Lock | Failure {
    if (lock.ok) this.granted.set(lock.token, lock)
    return lock
  }

  async #actOnLock(verb: 'refresh' | 'unlock', dice: Random): Promise<LockedCall> {
    const {dav} = this
    if (dav.locks.length === 0) return {verb, targets: [], results: []}
    const lock = dice.pick(dav.locks)
    const targets = [{path: pathIn(lock.lockRoot), token: lock.token}]
    const timeout = dice.oneIn(2) ? 100_000 : undefined
    if (verb === 'refresh') return settled(verb, targets, () => lock.refresh({timeout}))
    const retry = dice.oneIn(2) ? policy(2) : undefined
    if (dice.oneIn(3)) return settled(verb, targets, () => lock.unlock({retry}))
    if (dice.oneIn(2)) return settled(verb, targets, () => dav.unlock(lock.toJSON(), {retry}))
    return settled(verb, targets, async () => {
      await lock[Symbol.asyncDispose]()
      return []
    })
  }

  /** Copies or moves. Sometimes another process takes the failures from a queue. */
  async #transfer(
    verb: 'copy' | 'copyMany' | 'move' | 'moveMany',
    pair: {readonly path: string; readonly to: string},
    options: object,
    dice: Random,
  ): Promise<LockedCall> {
    const {dav} = this
    const [from, to] = [urlOf(pair.path), urlOf(pair.to)]
    if (isRelated(pair.path, pair.to)) return {verb, targets: [], results: []}
    const overwrite = dice.oneIn(2)
    if (verb === 'copy' || verb === 'move')
      return settled(verb, [pair], () => dav[verb](from, to, {...options, overwrite}))
    return settled(verb, [pair], async () => {
      const results = await Array.fromAsync(dav[verb]([{from, to}], {overwrite}))
      const failed = results.filter((result) => !result.ok && result.request !== undefined)
      if (failed.length === 0 || dice.oneIn(2)) return results
      this.restart()
      const queue: readonly Failure[] = JSON.parse(JSON.stringify(failed))
      return Array.fromAsync(this.dav.retry(queue, policy(2)))
    })
  }

  /** Sometimes the call has the token of another program. */
  #drawConditions(path: string, dice: Random): {lockToken?: string; lockRoot?: string} {
    const lock = this.#server.locks.find((one) => covers(one, path))
    if (lock === undefined || !dice.oneIn(5)) return {}
    this.handed = lock.token
    return {lockToken: lock.token, lockRoot: urlOf(lock.root)}
  }

  /** Draws the path of a lock, of a resource, or a new one. */
  #drawPath(dice: Random): string {
    const {resources} = this.#server
    const paths = [...resources.keys()].filter((path) => path !== '')
    const full = FULL.find((path) => resources.has(path) && dice.oneIn(12))
    if (full !== undefined) return full
    const roots = this.dav.locks.map(({lockRoot}) => pathIn(lockRoot))
    if (roots.length > 0 && dice.oneIn(3)) return dice.pick(roots)
    if (paths.length > 0 && dice.oneIn(2)) return dice.pick(paths)
    const collections = paths.filter((path) => resources.get(path)?.content === undefined)
    const open = collections.filter((path) => path.split('/').length < MAX_SEGMENTS)
    return `${dice.pick(['', ...open])}/${dice.pick(NAMES)}`
  }
}

/** Runs a call. Rejects for no error of it. */
async function settled(
  verb: Verb,
  targets: readonly LockedTarget[],
  call: () => Given,
): Promise<LockedCall> {
  try {
    const given = await call()
    return {verb, targets, results: isList(given) ? given : resultsOf(given)}
  } catch (error) {
    return {verb, targets, results: [], error}
  }
}

function policy(attempts: number): {attempts: number; minDelay: number; maxDelay: number} {
  return {attempts, minDelay: 0, maxDelay: 1}
}

function urlOf(path: string): string {
  return ORIGIN + encodePath(path.slice(1))
}

/** Leaves out paths that are inside of others, or around them. */
function apart(paths: readonly string[]): readonly string[] {
  return paths.filter((path, index) => !paths.slice(0, index).some((one) => isRelated(path, one)))
}

function isRelated(one: string, other: string): boolean {
  return isAtOrBelow(one, other) || isAtOrBelow(other, one)
}

function isList(given: DavResult | readonly DavResult[]): given is readonly DavResult[] {
  return Array.isArray(given)
}
