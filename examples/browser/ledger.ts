// The failures that are not settled, and all verdicts in the order of their arrival. Knows no HTML.

import {type DavResult, type Failure, isRetryable, keyOf} from 'multistatus'

import {reason, said} from './words.ts'

/** The verbs of the page. */
export type Action = 'delete' | 'move' | 'upload' | 'download'

/** A failure that is not settled. */
export interface Entry {
  readonly key: string
  readonly action: Action
  readonly failure: Failure
  /** True if nobody knows whether the server did it. */
  readonly isUnknown: boolean
  /** The reason: equal ones make a group. */
  readonly words: string
  readonly said: string
}

/** Failures with one reason. */
export interface Group {
  readonly action: Action
  readonly words: string
  readonly isUnknown: boolean
  readonly entries: readonly Entry[]
}

/** The failures of the page. They stay until they are settled or dismissed. */
export class Ledger {
  readonly #entries = new Map<string, Entry>()
  readonly #verdicts: DavResult[] = []

  get size(): number {
    return this.#entries.size
  }

  /** All verdicts and the answers to all checks, in the order of their arrival. */
  get verdicts(): readonly DavResult[] {
    return this.#verdicts
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()]
  }

  /** Writes down a verdict. A failure takes the place of an earlier one, and a success settles it. */
  note(result: DavResult, action: Action): Entry | undefined {
    this.#verdicts.push(result)
    const key = keyOf(result)
    if (result.ok) {
      this.settle(key, action)
      return undefined
    }
    const isUnknown = action !== 'download' && isUnclear(result)
    const facts = {key, action, failure: result, isUnknown}
    return this.#put({...facts, words: reason(result), said: said(result)})
  }

  /** Writes down the answer to a check: the outcome is still not the wanted one. */
  amend(entry: Entry, found: Pick<Entry, 'words' | 'isUnknown'>): Entry {
    this.#checked(entry, found.words)
    return this.#put({...entry, ...found, said: ''})
  }

  /** Writes down the answer to a check: the request has done its work after all. */
  settleChecked(entry: Entry): void {
    this.#checked(entry, 'done after all')
    this.settle(entry.key, entry.action)
  }

  /** Removes the failure of a resource. Where that is gone, nothing in it is left either. */
  settle(key: string, action: Action): void {
    this.#entries.delete(idOf({key, action}))
    if (action !== 'delete' && action !== 'move') return
    for (const [id, entry] of this.#entries)
      if (entry.key.startsWith(`${key}/`)) this.#entries.delete(id)
  }

  /** Sorts the failures by verb and reason, in the order of their arrival. */
  groups(): readonly Group[] {
    const byReason = Map.groupBy(
      this.#entries.values(),
      ({action, isUnknown, words}) => `${action} ${isUnknown} ${words}`,
    )
    return [...byReason.values()].flatMap((entries) => {
      const [first] = entries
      if (first === undefined) return []
      const {action, words, isUnknown} = first
      return [{action, words, isUnknown, entries}]
    })
  }

  /** Removes all failures from the list. Their verdicts stay. */
  dismiss(): void {
    this.#entries.clear()
  }

  #checked({failure}: Entry, words: string): void {
    this.#verdicts.push({...failure, description: `checked: ${words}`})
  }

  #put(entry: Entry): Entry {
    this.#entries.set(idOf(entry), entry)
    return entry
  }
}

/** Tells if the request of a failure can be sent again, and if that may help. */
export function canRetry({action, failure}: Entry): boolean {
  return isRetryable(failure) && (action === 'download' || failure.request !== undefined)
}

/** Tells if the request was never sent: the job was stopped before. */
export function isUnsent({reason: kind, cause, request}: Failure): boolean {
  return kind === 'no-answer' && cause === 'not-sent' && (request?.attempts ?? 0) === 0
}

function isUnclear(failure: Failure): boolean {
  return failure.reason === 'no-answer' && !isUnsent(failure)
}

function idOf({key, action}: Pick<Entry, 'key' | 'action'>): string {
  return `${action} ${key}`
}
