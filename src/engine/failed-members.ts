/**
 * Keeps the failed members of a target over several attempts. A complete answer replaces the failures of earlier attempts. An
 * answer that broke off, or names no member, leaves them. RFC 4918, section 9.6.1.
 */

import {UNREADABLE} from '../multistatus/failure.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {ancestorsOf, canonicalPathOf} from '../protocol/href.ts'
import type {Attempt} from './verb.ts'

interface FailedMember {
  readonly failure: Failure
  readonly at: number
  /** True if the server reported the member as done, but the check failed. It must not be sent again. */
  readonly isDone: boolean
}

/** Failed members, each once, until a later answer covers the member or a collection around it. */
export class FailedMembers {
  /** The path of the target. */
  readonly #path: string
  readonly #failed = new Map<unknown, FailedMember>()
  /** By path: failures of it and its members that are older than this time are wrong now. */
  readonly #superseded = new Map<string, number>()
  /** By path: failures that are older than this time may be wrong, because a later attempt has no complete answer. */
  readonly #begun = new Map<string, number>()
  #clock = 0

  constructor(url: string) {
    this.#path = canonicalPathOf(url)
  }

  /** Adds the outcome of an attempt at the target. */
  addAttempt(attempt: Attempt): void {
    this.#begin(this.#path, attempt)
    for (const member of attempt.members) this.#add(member, pathFor(member))
  }

  /** Adds the outcome of an attempt at a member: its own verdict, and its members. */
  addMemberAttempt(failure: Failure, attempt: Attempt): void {
    const {relation} = failure
    const path = pathFor(failure)
    this.#begin(path, attempt)
    for (const member of attempt.members) {
      // A resource outside the member is no part of the target.
      if (member.relation !== 'outside')
        this.#add({...member, relation: 'descendant'}, pathFor(member))
    }
    this.#add({...attempt.verdict, relation}, path, attempt.isDone)
  }

  /** The failures that may be sent again. */
  get open(): readonly Failure[] {
    return this.#left.filter(({isDone}) => !isDone).map(({failure}) => failure)
  }

  /** All failures, in the form in which they are reported. */
  get reported(): readonly Failure[] {
    return this.#left.map(({failure, isOutdated}) =>
      isOutdated ? withoutAnswer(failure) : failure,
    )
  }

  /** Notes an attempt. A complete answer supersedes earlier failures below its path; a broken one leaves them in doubt. */
  #begin(path: string, {verdict, members, extent, problem}: Attempt): void {
    const isWhole = problem === undefined && (verdict.ok || members.some(({ok}) => !ok))
    this.#clock++
    if (isWhole) this.#superseded.set(path, this.#clock)
    else if (extent !== 'none') this.#begun.set(path, this.#clock)
  }

  #add(result: DavResult, path: string, isDone = false): void {
    if (!result.ok)
      this.#failed.set(keyOfFailure(result, path), {failure: result, at: this.#clock, isDone})
    else if (result.relation !== 'outside') this.#superseded.set(path, this.#clock)
  }

  /** The failures that no later answer superseded. Outdated ones may be wrong by now. */
  get #left(): readonly (FailedMember & {readonly isOutdated: boolean})[] {
    const left: (FailedMember & {readonly isOutdated: boolean})[] = []
    for (const member of this.#failed.values()) {
      const {failure, at} = member
      const isSince = (times: ReadonlyMap<string, number>) => (path: string) =>
        (times.get(path) ?? 0) > at
      const paths = [this.#path]
      if (failure.relation !== 'outside') {
        const path = pathFor(failure)
        paths.push(path, ...ancestorsOf(path))
      }
      if (paths.some(isSince(this.#superseded))) continue
      left.push({...member, isOutdated: paths.some(isSince(this.#begun))})
    }
    return left
  }
}

/** Finds the path of the request for a result. The answer to a COPY or MOVE may name a member in the destination instead. */
function pathFor(result: DavResult): string {
  return canonicalPathOf(result.request?.url ?? result.url)
}

/** Key of a failure; without an href none are equal. */
function keyOfFailure(failure: Failure, path: string): unknown {
  if (failure.relation !== 'outside') return path
  return failure.href === '' ? failure : `outside ${failure.url}`
}

/** Makes a `no-answer` of an outdated failure, because a later attempt may have changed the member. */
function withoutAnswer(member: Failure): Failure {
  // A resource outside the target was not sent again with it.
  if (member.request === undefined) return member
  const description = `It failed with ${member.status}, and was sent again with the collection around it`
  return {...member, ...UNREADABLE, conditions: [], description}
}
