/**
 * Failures in a target, over several attempts at it and at its members. A whole answer replaces those of earlier attempts. One
 * that broke off, or that names no member, leaves them as they are. RFC 4918, section 9.6.1.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import {ancestorsOf, canonicalPathOf} from '../protocol/href.ts'
import type {DeleteAttempt} from './exchange.ts'

interface Noted {
  readonly failure: Failure
  readonly at: number
  /** Whether the server says that it has done it, though that could not be seen. */
  readonly isDone: boolean
}

/** Those that failed, each once, as long as no later answer speaks of them or of a collection that they are in. */
export class FailedMembers {
  /** The path of the target. */
  readonly #path: string
  readonly #failed = new Map<unknown, Noted>()
  /** Paths, with the time since which what was noted before of what is in them does not hold any more. */
  readonly #superseded = new Map<string, number>()
  /** Paths, with the time since which it is not known whether that holds. */
  readonly #begun = new Map<string, number>()
  #clock = 0

  constructor(url: string) {
    this.#path = canonicalPathOf(url)
  }

  /** Takes what an attempt at the target says. */
  hear(deletion: DeleteAttempt): void {
    this.#hear(this.#path, deletion)
    for (const member of deletion.members) this.#note(member)
  }

  /** Takes what an attempt at a member says: its own verdict, and what is in it. */
  hearMember({url, relation}: Failure, deletion: DeleteAttempt): void {
    const {verdict, members, isDone} = deletion
    this.#hear(canonicalPathOf(url), deletion)
    for (const member of members) {
      // What was named outside of the member is none that failed with the target.
      if (member.relation !== 'outside') this.#note({...member, relation: 'descendant'})
    }
    this.#note({...verdict, url, relation}, isDone)
  }

  /** Those that may be sent again. */
  get open(): readonly Failure[] {
    return this.#left.filter(({isDone}) => !isDone).map(({failure}) => failure)
  }

  /** All of them, as they are to be told. */
  get told(): readonly Failure[] {
    return this.#left.map(({failure, isOutdated}) =>
      isOutdated ? withoutAnswer(failure) : failure,
    )
  }

  #hear(path: string, {verdict, members, extent, problem}: DeleteAttempt): void {
    const isWhole = problem === undefined && (verdict.ok || members.some(({ok}) => !ok))
    this.#clock++
    if (isWhole) this.#superseded.set(path, this.#clock)
    else if (extent !== 'none') this.#begun.set(path, this.#clock)
  }

  #note(result: DavResult, isDone = false): void {
    if (!result.ok) this.#failed.set(keyOf(result), {failure: result, at: this.#clock, isDone})
    else if (result.relation !== 'outside')
      this.#superseded.set(canonicalPathOf(result.url), this.#clock)
  }

  get #left(): readonly (Noted & {readonly isOutdated: boolean})[] {
    const left: (Noted & {readonly isOutdated: boolean})[] = []
    for (const noted of this.#failed.values()) {
      const {failure, at} = noted
      const isSince = (times: ReadonlyMap<string, number>) => (path: string) =>
        (times.get(path) ?? 0) > at
      const paths = [this.#path]
      if (failure.relation !== 'outside') {
        const path = canonicalPathOf(failure.url)
        paths.push(path, ...ancestorsOf(path))
      }
      if (paths.some(isSince(this.#superseded))) continue
      left.push({...noted, isOutdated: paths.some(isSince(this.#begun))})
    }
    return left
  }
}

/** What tells failures apart. Those without an href are told apart by nothing. */
function keyOf(failure: Failure): unknown {
  if (failure.relation !== 'outside') return canonicalPathOf(failure.url)
  return failure.href === '' ? failure : `outside ${failure.url}`
}

function withoutAnswer(member: Failure): Failure {
  // What was named outside of the target was not sent again with it.
  if (member.request === undefined) return member
  const description = `It failed with ${member.status}, and was sent again since with what it is in`
  return {
    ...member,
    status: 0,
    reason: 'no-answer',
    cause: 'unreadable',
    conditions: [],
    description,
  }
}
