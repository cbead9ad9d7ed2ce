// The line at the bottom: the job, its progress, its end. What changes often is spoken seldom.

import {byId} from './dom.ts'
import type {Job} from './job.ts'

const SPEAK_MILLISECONDS = 4000

/** The status line of the page. */
export class Status {
  readonly #text = byId('status', HTMLElement)
  readonly #live = byId('live', HTMLElement)
  readonly #bar = byId('progress', HTMLProgressElement)
  readonly #stop = byId('stop', HTMLButtonElement)
  #spokenAt = 0

  /** Shows a job that is under way. */
  show(job: Job): void {
    this.#text.textContent = job.words()
    this.#bar.hidden = false
    this.#bar.max = job.total
    this.#bar.value = job.settled
    this.#stop.hidden = false
    this.#stop.disabled = job.signal.aborted
    const now = performance.now()
    if (now - this.#spokenAt >= SPEAK_MILLISECONDS) this.say(job.words())
  }

  /** Shows the end of a job. */
  end(words: string): void {
    this.#text.textContent = words
    this.#bar.hidden = true
    this.#stop.hidden = true
    this.say(words)
  }

  /** Speaks a sentence by the live region. */
  say(words: string): void {
    this.#spokenAt = performance.now()
    this.#live.textContent = words
  }
}
