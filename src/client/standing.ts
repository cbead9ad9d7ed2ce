/**
 * What failed in a target over several attempts at it. An answer that is whole says it anew; one that broke off, or that names
 * none, leaves open what has become of those before. RFC 4918, section 9.6.1.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import {ancestorsOf, canonicalPathOf} from '../protocol/href.ts'
import type {DeleteAttempt} from './delete-exchange.ts'

interface Standee {
  readonly failure: Failure
  /** When it was noted. */
  readonly at: number
  /** Whether the target was sent again since, and perhaps begun. */
  readonly isOutdated: boolean
}

/** Those that failed, each once, as long as they have not gone since: by themselves, or with a collection they are in. */
export class Standing {
  #failed = new Map<unknown, Standee>()
  /** When what went, by path. */
  readonly #gone = new Map<string, number>()
  #clock = 0

  /** Takes what an attempt at the target says. */
  hear({verdict, members, extent, problem}: DeleteAttempt): void {
    const isWhole = problem === undefined && (verdict.ok || members.some(({ok}) => !ok))
    if (isWhole) this.#failed.clear()
    else if (extent !== 'none') {
      this.#failed = new Map(this.#left.map(([key, one]) => [key, {...one, isOutdated: true}]))
    }
    this.note(members)
  }

  /** Takes what an answer says of some. What it says to stand stands, whatever else of it is gone. */
  note(results: readonly DavResult[]): void {
    this.#clock++
    for (const result of results) {
      if (result.ok) this.#gone.set(canonicalPathOf(result.url), this.#clock)
      else this.#failed.set(keyOf(result), {failure: result, at: this.#clock, isOutdated: false})
    }
  }

  get failures(): readonly Failure[] {
    return this.#left.map(([, {failure}]) => failure)
  }

  /** The failures as they are to be told: it is not known any more what an outdated one is. */
  get told(): readonly Failure[] {
    return this.#left.map(([, one]) => (one.isOutdated ? withoutAnswer(one.failure) : one.failure))
  }

  get #left(): readonly (readonly [unknown, Standee])[] {
    return [...this.#failed].filter(([key, {at}]) => {
      const isGone = (path: string): boolean => (this.#gone.get(path) ?? 0) > at
      return typeof key !== 'string' || !(isGone(key) || ancestorsOf(key).some(isGone))
    })
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
  const description = `It failed with ${member.status}, and the target was sent again since`
  return {...member, status: 0, reason: 'no-answer', conditions: [], description}
}
