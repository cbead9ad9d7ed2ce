/** The propstats of a response while it is read. RFC 4918, section 14.22. */

import type {Property} from '../properties/bag.ts'
import type {Written} from '../properties/values.ts'
import type {PathNode} from '../xml/path.ts'

/** What belongs to a response and to each of its propstats. */
export interface Part {
  conditions: string[] | undefined
  description: string
}

// A propstat that had more properties gives their room back.
const MOST_ROOM = 256

/** A `DAV:propstat`: properties that share a status. */
export class PropstatDraft implements Part {
  status: number | undefined
  conditions: string[] | undefined
  description = ''
  /** How many properties it has. */
  size = 0
  // By their number: the elements, and what is written in each.
  #nodes: (PathNode<Property> | undefined)[] = []
  #written: (Written | undefined)[] = []

  /** Adds a property: its element, and what is written in it. */
  add(node: PathNode<Property>, written: Written): void {
    this.#nodes[this.size] = node
    this.#written[this.size] = written
    this.size++
  }

  /** The element of the property of that number. */
  node(number: number): PathNode<Property> | undefined {
    return this.#nodes[number]
  }

  /** What is written in the property of that number. */
  written(number: number): Written {
    return this.#written[number] ?? ''
  }

  /** Forgets everything, but keeps its room: every response has a propstat, and most have as many properties as the one before. */
  clear(): void {
    this.status = undefined
    this.conditions = undefined
    this.description = ''
    if (this.size > MOST_ROOM) {
      this.#nodes = []
      this.#written = []
    } else {
      for (let number = 0; number < this.size; number++) {
        this.#nodes[number] = undefined
        this.#written[number] = undefined
      }
    }
    this.size = 0
  }

  /** Real servers leave the status out and mean 200. */
  get effectiveStatus(): number {
    return this.status ?? 200
  }
}

const MOST_SPARE = 4

/** Makes the propstats of one body, of those that were read before. */
export class Propstats {
  readonly #spare: PropstatDraft[] = []

  /** An empty one. */
  make(): PropstatDraft {
    return this.#spare.pop() ?? new PropstatDraft()
  }

  /** Takes back those of a response. */
  take(propstats: readonly PropstatDraft[]): void {
    for (const propstat of propstats) {
      if (this.#spare.length === MOST_SPARE) return
      propstat.clear()
      this.#spare.push(propstat)
    }
  }
}
