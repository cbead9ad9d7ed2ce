// Users of both sides of a mirror: they create, change and delete files. A ledger holds each text that somebody wrote and nobody
// gave up: such a text must survive, under its name or as a conflict copy.

import type {Random} from '../fuzz/random.ts'
import type {Side} from './mirror-process.ts'

/** Makes the text of a file from a number that no other text has, and the text that it replaces. */
export type Author = (number: number, before: string | undefined) => string

interface UserFacts {
  readonly folders: readonly string[]
  readonly extension: string
  /** Gives the part of a file that no mirror changes. */
  readonly textOf: (file: string) => string
}

export class MirrorUsers {
  /** Texts that nobody gave up, without the parts that a mirror may change. */
  readonly kept: Set<string> = new Set()
  /** Changes so far, by kind. */
  readonly met: Map<string, number> = new Map()
  readonly #sides: readonly [Side, Side]
  readonly #random: Random
  readonly #author: Author
  readonly #folders: readonly string[]
  readonly #extension: string
  readonly #textOf: UserFacts['textOf']
  #count = 0

  constructor(
    sides: readonly [Side, Side],
    random: Random,
    author: Author,
    {folders, extension, textOf}: UserFacts,
  ) {
    this.#sides = sides
    this.#random = random
    this.#author = author
    this.#folders = folders
    this.#extension = extension
    this.#textOf = textOf
  }

  /** Makes one change on one side, or on both sides at once. */
  async act(): Promise<void> {
    const random = this.#random
    const side = random.pick(this.#sides)
    // Nobody touches the resources by which the client tests the server.
    const found = [...(await side.read()).keys()]
    const paths = found.filter((path) => path.endsWith(this.#extension)).toSorted()
    if (paths.length < 6 || random.oneIn(4)) {
      const path = `${random.pick(this.#folders)}${++this.#count} ö 100% #${this.#extension}`
      const sides = random.oneIn(3) ? this.#sides : [side]
      for (const one of sides) await this.#create(one, path)
      return this.#meet(sides.length === 1 ? 'create' : 'create twice')
    }
    const path = random.pick(paths)
    const sides = random.oneIn(4) ? this.#sides : [side]
    for (const one of sides) await this.#change(one, path)
  }

  // A text is in the ledger before anybody can read it.
  async #create(side: Side, path: string): Promise<void> {
    const text = this.#author(++this.#count, undefined)
    this.kept.add(this.#textOf(text))
    if (!(await side.create(path, text))) this.kept.delete(this.#textOf(text))
  }

  async #change(side: Side, path: string): Promise<void> {
    const isDeletion = this.#random.oneIn(3)
    const number = ++this.#count
    let text: string | undefined
    const isWritten = await side.change(path, (before) => {
      this.kept.delete(this.#textOf(before))
      if (!isDeletion) text = this.#author(number, before)
      if (text !== undefined) this.kept.add(this.#textOf(text))
      return text
    })
    if (text !== undefined && !isWritten) this.kept.delete(this.#textOf(text))
    this.#meet(isDeletion ? 'delete' : 'change')
  }

  #meet(kind: string): void {
    this.met.set(kind, (this.met.get(kind) ?? 0) + 1)
  }
}
