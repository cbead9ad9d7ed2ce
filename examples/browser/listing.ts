// Lists a folder into the table: rows appear while the answer arrives. Tells whether the listing is complete.

import {type DavClient, members, type Summary} from 'multistatus'

import type {Board} from './board.ts'
import type {Folder} from './folder.ts'
import type {Table} from './table.ts'
import {gaps, problem} from './words.ts'

const PROPERTIES = ['resourcetype', 'getcontentlength', 'getlastmodified', 'getetag'] as const

// Chunks that have arrived already are read without a pause, and nothing is drawn meanwhile.
const TURN_MILLISECONDS = 12

/** A listing that is under way or has ended. */
export class Listing {
  readonly #stop = new AbortController()
  /** True until the server has told that this is everything. */
  isCut = true
  isEnded = false
  /** The reason why the listing is not complete; empty if it is. */
  words = ''

  stop(): void {
    this.#stop.abort(new Error('This listing is not complete: it was stopped.'))
  }

  /** Lists a folder. Never throws: a break is the reason why the listing is not complete. */
  async run(dav: DavClient, folder: Folder, table: Table, board: Board): Promise<void> {
    const {signal} = this.#stop
    const stream = dav.propfind(folder.url, {depth: 1, properties: PROPERTIES, signal})
    table.begin()
    let resumedAt = performance.now()
    try {
      for await (const batch of members(stream).batches()) {
        // A folder that was left must add nothing to the next one.
        signal.throwIfAborted()
        table.add(batch.map((result) => board.list(result)))
        if (performance.now() - resumedAt < TURN_MILLISECONDS) continue
        await nextTask()
        resumedAt = performance.now()
      }
      this.#take(await stream.summary)
    } catch (error) {
      this.words = signal.aborted
        ? problem(signal.reason)
        : `This listing is not complete. ${problem(error)}`
    }
    this.isEnded = true
  }

  #take({complete, incomplete}: Summary): void {
    this.isCut = !complete
    this.words = complete ? '' : gaps(incomplete)
  }
}

/** Lets the browser draw and listen. A timer would wait for seconds in a tab that nobody looks at. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const {port1, port2} = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage('')
  })
}
