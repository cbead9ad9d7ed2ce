/**
 * Text between tags: what may not stand in it, what is decoded, and how much of a run is whole where a chunk ends in it.
 * XML 1.0, sections 2.4, 2.11 and 4.1.
 */

import {visible} from '../protocol/errors.ts'
import {decodeReferences, LONGEST_REFERENCE, normalizeLineEnds} from './characters.ts'
import {ScanError} from './handler.ts'
import type {OpenElements} from './open-elements.ts'

/** Reads runs of text, in order. */
export class TextRuns<Detail> {
  readonly #elements: OpenElements<Detail>
  readonly #fault: (message: string, at: number) => void
  // Where the next one of these is, so that a chunk is searched for each of them once and not once a run of text; and
  // where the first of `&` and `]]>` is, which need a look wherever they stand.
  #ampersand = 0
  #return = 0
  #brackets = 0
  #special = 0

  /** `fault` hears what is not well-formed, with its index in the text. */
  constructor(elements: OpenElements<Detail>, fault: (message: string, at: number) => void) {
    this.#elements = elements
    this.#fault = fault
  }

  /** Begins with another text. */
  reset(): void {
    this.#ampersand = this.#return = this.#brackets = this.#special = -1
  }

  /** Reads the run between two indices. */
  read(text: string, from: number, to: number): void {
    const elements = this.#elements
    if (elements.node.collects === 'nothing' && this.#special >= to) return
    if (this.#ampersand < from) this.#ampersand = indexOrEnd(text, '&', from)
    if (this.#brackets < from) this.#brackets = indexOrEnd(text, ']]>', from)
    this.#special = Math.min(this.#ampersand, this.#brackets)
    if (this.#brackets < to) this.#fault("']]>' may not stand in text", this.#brackets)
    if (elements.node === elements.document) {
      this.#outsideRoot(text, from, to)
      return
    }
    const isWanted = elements.wantsText
    if (!isWanted && this.#ampersand >= to) return
    let run = text.slice(from, to)
    if (this.#ampersand < to) {
      run = decodeReferences(run, normalizeLineEnds, (message, at) =>
        this.#fault(message, from + at),
      )
    } else {
      if (this.#return < from) this.#return = indexOrEnd(text, '\r', from)
      if (this.#return < to) run = normalizeLineEnds(run)
    }
    if (isWanted) elements.value.append(run)
  }

  #outsideRoot(text: string, from: number, to: number): void {
    const index = text.slice(from, to).search(/[^ \t\r\n]/)
    if (index === -1) return
    const at = from + index
    if (this.#elements.hasRoot) {
      this.#fault('there is text after the root element', at)
      return
    }
    const excerpt = visible(text.slice(at, at + 100), 60)
    const message = `the body begins with ${JSON.stringify(excerpt)}`
    throw new ScanError(message, 'not-multistatus', text.slice(at))
  }
}

/** Where the part of a run ends that can be read without what comes next: before a reference, a `]]>` or a CR LF that is cut. */
export function wholeRunEnd(text: string, from: number): number {
  let to = text.length
  if (text.endsWith('\r') || text.endsWith(']')) to--
  if (text.endsWith(']]')) to--
  const tail = text.slice(Math.max(from, text.length - LONGEST_REFERENCE))
  const ampersand = tail.lastIndexOf('&')
  if (ampersand !== -1 && !tail.includes(';', ampersand)) to = text.length - tail.length + ampersand
  return Math.max(from, to)
}

/** The index of what is searched, the length of the text where it is not there. */
export function indexOrEnd(text: string, search: string, from: number): number {
  const index = text.indexOf(search, from)
  return index === -1 ? text.length : index
}
