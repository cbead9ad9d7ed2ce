/** The locks of a fake server. They end by the clock. RFC 4918, sections 6 and 7. */

import {formatLockTimeout} from '../protocol/lock-timeout.ts'
import type {XmlElement} from '../xml/element.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {isAtOrBelow} from './tree.ts'

/** A lock. */
export interface HeldLock {
  readonly token: string
  /** The path of the locked resource. */
  readonly root: string
  readonly depth: 0 | 'infinity'
  readonly scope: 'exclusive' | 'shared'
  readonly owner: XmlElement | undefined
  /** The end by the clock, in milliseconds; `Infinity` for none. */
  readonly end: number
}

/** True if a lock protects a resource: its root, or everything below. RFC 4918, section 7.4. */
export function covers({root, depth}: Pick<HeldLock, 'root' | 'depth'>, path: string): boolean {
  return path === root || (depth === 'infinity' && isAtOrBelow(path, root))
}

/** The locks that hold. */
export class Locks {
  #held: readonly HeldLock[] = []
  #tokens = 0

  get all(): readonly HeldLock[] {
    const now = Date.now()
    this.#held = this.#held.filter(({end}) => end > now)
    return this.#held
  }

  on(path: string): readonly HeldLock[] {
    return this.all.filter((lock) => covers(lock, path))
  }

  /** Finds the locks that a new one conflicts with. RFC 4918, section 6.2. */
  conflicts({root, depth, scope}: Pick<HeldLock, 'root' | 'depth' | 'scope'>): readonly HeldLock[] {
    return this.all.filter(
      (lock) =>
        (covers(lock, root) || (depth === 'infinity' && isAtOrBelow(lock.root, root))) &&
        (scope === 'exclusive' || lock.scope === 'exclusive'),
    )
  }

  /** Adds a lock. Its token is the same in each run of a test. */
  add(wanted: Omit<HeldLock, 'token'>): HeldLock {
    const number = String(++this.#tokens).padStart(12, '0')
    const lock = {...wanted, token: `urn:uuid:00000000-0000-4000-8000-${number}`}
    this.#held = [...this.all, lock]
    return lock
  }

  replace(old: HeldLock, lock?: HeldLock): void {
    this.#held = this.all.flatMap((one) => (one === old ? (lock ?? []) : [one]))
  }

  /** Ends the locks at and below a path. The lock of a replaced resource stays on its place. RFC 4918, section 7.6. */
  end(path: string, why?: 'replaced'): void {
    this.#held = this.all.filter(
      ({root}) => !isAtOrBelow(root, path) || (why === 'replaced' && root === path),
    )
  }

  /** Returns a function that undoes all later changes. */
  save(): () => void {
    const held = this.#held
    return () => {
      this.#held = held
    }
  }

  /** Tells if a resource is locked for a request with these tokens. */
  isLocked(path: string, tokens: ReadonlySet<string>): boolean {
    const locks = this.on(path)
    return locks.length > 0 && !locks.some(({token}) => tokens.has(token))
  }
}

/** Makes the element of a lock. RFC 4918, section 14.1. */
export function activelock(lock: HeldLock, href: string): ElementToWrite {
  const {token, depth, scope, owner, end} = lock
  return {
    name: 'activelock',
    children: [
      {name: 'locktype', children: [{name: 'write'}]},
      {name: 'lockscope', children: [{name: scope}]},
      {name: 'depth', children: [String(depth)]},
      ...(owner === undefined ? [] : [owner]),
      {name: 'timeout', children: [formatLockTimeout(end - Date.now())]},
      {name: 'locktoken', children: [hrefElement(token)]},
      {name: 'lockroot', children: [hrefElement(href)]},
    ],
  }
}

/** The kinds of locks. RFC 4918, section 15.10. */
export const SUPPORTED_LOCKS: readonly ElementToWrite[] = ['exclusive', 'shared'].map((scope) => ({
  name: 'lockentry',
  children: [
    {name: 'lockscope', children: [{name: scope}]},
    {name: 'locktype', children: [{name: 'write'}]},
  ],
}))

function hrefElement(href: string): ElementToWrite {
  return {name: 'href', children: [href]}
}
