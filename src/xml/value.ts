/**
 * The value of the innermost element that has one: its text, decoded; or, from its first child element on, its markup as
 * it is written. Grows over chunks, holds nothing twice.
 */

import {escapeText} from './characters.ts'
import {ScanError} from './handler.ts'
import type {Source} from './source.ts'

/** Collects one value after the other. */
export class ValueCollector {
  /** Whether the value is markup. */
  isStructured = false
  readonly #limits: {readonly value: number; readonly elements: number}
  #value = ''
  #elements = 0
  // Of markup: how many bytes it has.
  #bytes = 0
  // Where the markup of the value goes on in the source at hand.
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

  /** Adds text, which ends at a byte of the source at hand. */
  append(run: string, source: Source, to: number): void {
    this.#value = this.#value === '' ? run : this.#value + run
    if (this.#value.length > this.#limits.value) this.#exceeded(source, to)
  }

  /** Goes on as markup from a byte of the source at hand; what was text becomes markup. */
  beginMarkup(from: number): void {
    this.isStructured = true
    this.#value = escapeText(this.#value)
    this.#bytes = this.#value === '' ? 0 : new TextEncoder().encode(this.#value).length
    this.#from = from
  }

  /** Takes over what is markup up to a byte of the source at hand; the next source goes on there. */
  cut(source: Source, to: number): void {
    if (!this.isStructured) return
    this.check(source, to)
    this.#value += source.slice(this.#from, to)
    this.#bytes += to - this.#from
    this.#from = 0
  }

  /** Counts an element of the value. */
  countElement(): void {
    if (++this.#elements <= this.#limits.elements) return
    const message = `a value has more than ${this.#limits.elements} elements`
    throw new ScanError(message, 'limit-exceeded', undefined, 'elements')
  }

  /**
   * Throws where the value is too long at a byte of the source at hand. It is looked at for each tag in it, so that it makes
   * no difference where chunks end.
   */
  check(source: Source, at: number): void {
    if (this.isStructured && this.#bytes + at - this.#from > this.#limits.value)
      this.#exceeded(source, at)
  }

  /** Ends the value at a byte of the source at hand. */
  end(source: Source, to: number): string {
    this.cut(source, to)
    return this.#value
  }

  #exceeded(source: Source, to: number): never {
    const unit = this.isStructured ? 'bytes' : 'characters'
    const message = `a value is longer than ${this.#limits.value} ${unit}`
    throw new ScanError(message, 'limit-exceeded', source.slice(to), 'value')
  }
}
