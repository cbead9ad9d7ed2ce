/**
 * Remembers the layouts of elements that repeat, such as the responses of a listing: their markup, with the places of the values.
 * An element with a known layout costs a few comparisons, and only its values are cut out. A layout is taken only where all bytes
 * of its markup are equal, below the same start tags. So its result is that of the scanner, which reads the same without this file.
 */

import {
  LAYOUT_BYTES,
  LAYOUT_OVERHEAD_BYTES,
  LAYOUTS,
  MAX_MISSES,
  SLOT_BYTES,
} from '../protocol/bounds.ts'
import {LESS} from '../protocol/characters.ts'
import {decodeText, PLAIN} from './characters.ts'
import type {Source} from './source.ts'
import {NOTHING, standsAt} from './source.ts'

/**
 * Does what the callbacks for an element with a layout would do. It is called with the values and the bytes of the element, and with
 * the handler, because a later document has another one. Returns false if it cannot: it has then changed nothing, and the scanner
 * reads the element.
 */
export type Replay = (values: LayoutValues, length: number, handler: object) => boolean

/** The markup of an element from behind its start tag on. A value stands behind each piece but the last. */
export interface Layout {
  readonly pieces: readonly Source[]
  readonly replay: Replay
}

/** An element that repeats. */
interface Repeating {
  readonly endTag: Source | undefined
  /** The layouts that it had, the frequent ones first. */
  layouts: Layout[] | undefined
}

/** The values of an element with a layout, in the order of the document. */
export class LayoutValues {
  /** The source that holds them. */
  source: Source = NOTHING
  // For each value its first byte and the byte behind it.
  readonly #places: number[] = []
  // The decoded text of each value that is more than plain text, and `undefined` for others.
  readonly #texts: (string | undefined)[] = []

  /** The first byte of a value. */
  from(index: number): number {
    return this.#places[index * 2] ?? 0
  }

  /** The byte behind a value. */
  to(index: number): number {
    return this.#places[index * 2 + 1] ?? 0
  }

  /** True for a value of plain text. Its bytes are its text. */
  isPlain(index: number): boolean {
    return this.#texts[index] === undefined
  }

  /** Returns the text of a value, with references decoded. */
  text(index: number): string {
    return this.#texts[index] ?? this.source.slice(this.from(index), this.to(index))
  }

  /** Reads the values behind a start tag. Returns the byte behind the element, or -1 if it has another layout or a fault. */
  read({pieces}: Layout, source: Source, from: number, longest: number): number {
    const {bytes, length} = source
    const places = this.#places
    const texts = this.#texts
    const values = pieces.length - 1
    let hasOdd = false
    let at = from
    for (let index = 0; index < values; index++) {
      const piece = pieces[index] ?? NOTHING
      if (!standsAt(source, piece, at)) return -1
      at += piece.length
      const begin = at
      while (at < length && PLAIN[bytes[at] ?? 0] === 1) at++
      const isOdd = bytes[at] !== LESS
      if (isOdd) at = bytes.indexOf(LESS, at)
      if (at === -1 || at - begin > longest) return -1
      hasOdd ||= isOdd
      texts[index] = isOdd ? '' : undefined
      places[index * 2] = begin
      places[index * 2 + 1] = at
    }
    const last = pieces[values] ?? NOTHING
    if (!standsAt(source, last, at)) return -1
    this.source = source
    return hasOdd && !this.#decode(values) ? -1 : at + last.length
  }

  /** Decodes all texts that are more than plain. Returns false for a fault in one. */
  #decode(values: number): boolean {
    const texts = this.#texts
    for (let index = 0; index < values; index++) {
      if (texts[index] === undefined) continue
      const text = decodeUnlessBroken(this.source.slice(this.from(index), this.to(index)))
      if (text === undefined) return false
      texts[index] = text
    }
    return true
  }
}

function decodeUnlessBroken(text: string): string | undefined {
  let isBroken = false
  const decoded = decodeText(text, () => {
    isBroken = true
  })
  return isBroken ? undefined : decoded
}

/** The room for layouts, which many documents may share. */
interface LayoutRoom {
  layoutRoom: number
  layoutMisses: number
}

/** The layouts of one document. Learns from elements that the scanner reads. */
export class Layouts<Slot> {
  readonly #values = new LayoutValues()
  readonly #handler: object
  readonly #longest: number
  readonly #learnt: LayoutRoom
  // The element that is read, the byte behind its start tag, and its values so far.
  #node: Repeating | undefined
  #from = 0
  #slots: Slot[] = []
  #ends: number[] = []

  /** @param longest - The most bytes of a value. */
  constructor(handler: object, longest: number, learnt: LayoutRoom) {
    this.#handler = handler
    this.#longest = longest
    this.#learnt = learnt
  }

  /**
   * Reads an element whose start tag stands from `lt` to `from`. Returns the byte behind the element, or -1 if it has no known layout.
   * Then its values are to be told by `add`, and its end by `end`.
   */
  read(node: Repeating, source: Source, lt: number, from: number): number {
    const learnt = this.#learnt
    // Nothing is compared any more: it does not pay.
    if (learnt.layoutMisses > MAX_MISSES) return -1
    const known = node.layouts
    if (known !== undefined) {
      for (let index = 0; index < known.length; index++) {
        const layout = known[index]
        if (layout === undefined) continue
        const end = this.#values.read(layout, source, from, this.#longest)
        if (end === -1) continue
        if (!layout.replay(this.#values, end - lt, this.#handler)) return -1
        learnt.layoutMisses = 0
        // The frequent ones move to the front.
        const before = index === 0 ? undefined : known[index - 1]
        if (before !== undefined) {
          known[index - 1] = layout
          known[index] = before
        }
        return end
      }
      learnt.layoutMisses++
    }
    this.#node = node
    this.#from = from
    this.#slots = []
    this.#ends = []
    return -1
  }

  /** Notes a value of the element that is read. */
  add(slot: Slot, from: number, to: number): void {
    if (this.#node === undefined) return
    this.#slots.push(slot)
    this.#ends.push(from, to)
  }

  /** Forgets the element that is read: the bytes of the source are gone. */
  stop(): void {
    this.#node = undefined
  }

  /**
   * Remembers the layout of the element that was read, if its end tag stands at `lt`.
   *
   * @param learn - Makes the replay of an element with these values; `undefined` for one that has more than values.
   */
  end(source: Source, lt: number, learn: (slots: readonly Slot[]) => Replay | undefined): void {
    const node = this.#node
    this.#node = undefined
    if (node === undefined) return
    const {endTag} = node
    // The end tag is kept from the second element on. A start tag that came once may never come again.
    if (endTag === undefined || !standsAt(source, endTag, lt)) return
    const to = lt + endTag.length
    const length = to - this.#from
    const size = length + LAYOUT_OVERHEAD_BYTES + this.#slots.length * SLOT_BYTES
    if (length > LAYOUT_BYTES || size > this.#learnt.layoutRoom) return
    const replay = learn(this.#slots)
    if (replay === undefined) return
    this.#learnt.layoutRoom -= size
    const borders = [this.#from, ...this.#ends, to]
    const pieces = Array.from({length: borders.length / 2}, (_, index) =>
      source.cut(borders[index * 2] ?? to, borders[index * 2 + 1]).copy(),
    )
    const known = (node.layouts ??= [])
    if (known.length === LAYOUTS) known.pop()
    known.push({pieces, replay})
  }
}
