/**
 * The value of the innermost element that has one: its text, decoded; or, from its first child element on, its markup as
 * it is written. Grows over chunks, holds nothing twice.
 */

import {escapeText} from './characters.ts'
import {ScanError} from './handler.ts'

/** Collects one value after the other. */
export class ValueCollector {
  /** Whether the value is markup. */
  isStructured = false
  readonly #limits: {readonly value: number; readonly elements: number}
  #value = ''
  #elements = 0
  // Where the markup of the value goes on in the text at hand.
  #from = 0

  constructor(limits: {readonly value: number; readonly elements: number}) {
    this.#limits = limits
  }

  /** Begins with an empty value. */
  begin(): void {
    this.#value = ''
    this.#elements = 0
    this.isStructured = false
  }

  /** Adds text. */
  append(run: string): void {
    this.#value = this.#value === '' ? run : this.#value + run
    this.#check(run)
  }

  /** Goes on as markup from an index of the text at hand; what was text becomes markup. */
  beginMarkup(from: number): void {
    this.isStructured = true
    this.#value = escapeText(this.#value)
    this.#from = from
  }

  /** Takes over what is markup up to an index of the text at hand; the next text goes on there. */
  cut(text: string, to: number): void {
    if (!this.isStructured) return
    this.#value += text.slice(this.#from, to)
    this.#from = 0
    this.#check(text.slice(to))
  }

  /** Leaves a piece of the text at hand out of markup. */
  leaveOut(text: string, from: number, to: number): void {
    if (!this.isStructured) return
    this.cut(text, from)
    this.#from = to
  }

  /** Counts an element of the value. */
  countElement(): void {
    if (++this.#elements <= this.#limits.elements) return
    const message = `a value has more than ${this.#limits.elements} elements`
    throw new ScanError(message, 'limit-exceeded', '', 'elements')
  }

  /** Ends the value at an index of the text at hand. */
  end(text: string, to: number): string {
    this.cut(text, to)
    return this.#value
  }

  #check(rest: string): void {
    if (this.#value.length <= this.#limits.value) return
    const message = `a value is longer than ${this.#limits.value} characters`
    throw new ScanError(message, 'limit-exceeded', rest, 'value')
  }
}
