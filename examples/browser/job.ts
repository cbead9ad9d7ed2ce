// One bulk call of the page: its targets, its verdicts, its counts. It can be stopped at any time, and its summary is true then.

import {type DavResult, keyOf} from 'multistatus'

import type {Board} from './board.ts'
import {type Action, type Entry, isUnsent, type Ledger} from './ledger.ts'
import type {Row, Verdict} from './row.ts'
import {count, digits, problem, size} from './words.ts'

const WORDS: Readonly<Record<Action, {readonly doing: string; readonly done: string}>> = {
  delete: {doing: 'Deleting', done: 'deleted'},
  move: {doing: 'Moving', done: 'moved'},
  upload: {doing: 'Uploading', done: 'uploaded'},
  download: {doing: 'Downloading', done: 'downloaded'},
}

/** The method that sends a target. Others, such as a PROPFIND before it, are no sign that it was sent. */
const METHODS: Readonly<Record<Action, string>> = {
  delete: 'DELETE',
  move: 'MOVE',
  upload: 'PUT',
  download: 'GET',
}

/** The records that a job writes to. */
export interface Books {
  readonly board: Board
  readonly ledger: Ledger
  /** Called when a row or a count has changed. */
  readonly onChange: () => void
}

/** A bulk call that is under way or has ended. */
export class Job {
  readonly total: number
  /** The verb, or the word for a job of several verbs. */
  readonly #doing: string
  readonly #done: string
  readonly #books: Books
  readonly #pending: Map<string, Action>
  readonly #stop = new AbortController()
  readonly #counts = {done: 0, failed: 0, unknown: 0, unsent: 0, inside: 0}
  #problem = ''
  #isEnded = false

  /** Makes a job for these resources. Their rows wait from now on. */
  constructor(
    books: Books,
    targets: readonly {readonly url: string; readonly action: Action}[],
    words?: {readonly doing: string; readonly done: string},
  ) {
    this.#books = books
    this.#pending = new Map(targets.map((target) => [keyOf(target), target.action]))
    this.total = this.#pending.size
    const [first] = targets
    const {doing, done} = words ?? WORDS[first?.action ?? 'delete']
    this.#doing = doing
    this.#done = done
    for (const key of this.#pending.keys()) this.#mark(key, 'waiting', 'waiting')
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Targets with a verdict. */
  get settled(): number {
    const {done, failed, unknown, unsent} = this.#counts
    return done + failed + unknown + unsent
  }

  /** Opens the results and reads them to their end. Never throws: whatever ends them is a part of the summary. */
  async run(open: () => AsyncIterable<readonly DavResult[]>): Promise<void> {
    try {
      for await (const batch of open()) {
        for (const result of batch) this.take(result)
      }
    } catch (error) {
      if (!this.signal.aborted) this.#problem = problem(error)
    }
    this.#end()
  }

  /** Takes the result of one resource: a target, or something inside one. */
  take(result: DavResult): void {
    const key = keyOf(result)
    const action = this.#pending.get(key)
    const entry = this.#books.ledger.note(result, action ?? actionOf(result))
    if (action === undefined) {
      if (!result.ok) this.#counts.inside++
    } else if (entry === undefined) this.done(key, action)
    else if (isUnsent(entry.failure)) this.#settle(key, 'unsent', 'failed', entry.words)
    else this.failed(key, entry)
  }

  /** The resource is done. */
  done(key: string, action: Action): void {
    const row = this.#settle(key, 'done', 'done', WORDS[action].done)
    if (row !== undefined && (action === 'delete' || action === 'move')) row.isGone = true
  }

  /** The resource failed, or nobody knows. */
  failed(key: string, {isUnknown, words}: Entry): void {
    const kind = isUnknown ? 'unknown' : 'failed'
    this.#settle(key, kind, kind, words)
  }

  /** Ends the job soon. What is under way has a moment to be answered. */
  stop(): void {
    this.#stop.abort(new Error('Stopped.'))
  }

  /** The request for a resource goes out. */
  sent(method: string, url: string): void {
    const key = keyOf({url})
    const action = this.#pending.get(key)
    if (action === undefined || METHODS[action] !== method) return
    this.#mark(key, 'sent', 'sent')
    this.#books.onChange()
  }

  /** A part of a body went over the line. */
  moved(url: string, bytes: number, total: number | undefined): void {
    const key = keyOf({url})
    if (!this.#pending.has(key)) return
    const part = total === undefined || total === 0 ? size(bytes) : `${percent(bytes, total)} %`
    this.#mark(key, 'sent', part)
    this.#books.onChange()
  }

  /** The state of the job in a sentence. */
  words(): string {
    const {done, failed, unknown, unsent, inside} = this.#counts
    const others = [
      ...(failed > 0 ? [`${digits(failed)} failed`] : []),
      ...(unknown > 0 ? [`${digits(unknown)} unknown`] : []),
      ...(unsent > 0 ? [`${digits(unsent)} not sent`] : []),
      ...(inside > 0 ? [`${digits(inside)} failed inside`] : []),
    ].join(', ')
    if (!this.#isEnded) {
      const stopping = this.signal.aborted ? 'Stopping: ' : ''
      const so = `${this.#doing}: ${digits(this.settled)} of ${digits(this.total)}`
      return `${stopping}${so}${others === '' ? '' : `, ${others}`}`
    }
    const begin = this.signal.aborted ? 'Stopped: ' : ''
    const end = `${digits(done)} of ${count(this.total)} ${this.#done}`
    return `${begin}${end}${others === '' ? '' : `, ${others}`}. ${this.#problem}`.trim()
  }

  /** A stream that broke leaves targets without a verdict. Those that were sent are unknown. */
  #end(): void {
    for (const key of this.#pending.keys()) {
      const wasSent = this.#books.board.find(key)?.verdict === 'sent'
      if (wasSent) this.#settle(key, 'unknown', 'unknown', 'no verdict')
      else this.#settle(key, 'unsent', 'failed', 'not sent')
    }
    this.#isEnded = true
    this.#books.onChange()
  }

  #settle(
    key: string,
    as: 'done' | 'failed' | 'unknown' | 'unsent',
    verdict: Verdict,
    words: string,
  ): Row | undefined {
    if (this.#pending.delete(key)) this.#counts[as]++
    this.#books.onChange()
    return this.#mark(key, verdict, words)
  }

  #mark(key: string, verdict: Verdict, words: string): Row | undefined {
    const row = this.#books.board.find(key)
    return row === undefined ? undefined : Object.assign(row, {verdict, words})
  }
}

/** The verb of a result inside a target: only DELETE and MOVE have such results. */
function actionOf(result: DavResult): Action {
  return !result.ok && result.request?.method === 'MOVE' ? 'move' : 'delete'
}

function percent(bytes: number, total: number): number {
  return Math.floor((100 * bytes) / total)
}
