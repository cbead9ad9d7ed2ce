/** Reads the text of a header by patterns. RFC 9110, section 5.6. */

/** Reads a header from its beginning to its end. Each pattern must match at the current place. */
export class HeaderReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** Takes the match of a sticky pattern at this place. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text) ?? undefined
    if (match !== undefined) this.#at = pattern.lastIndex
    return match
  }
}

/** Resolves the escapes of a quoted string, which is given without its quotation marks. */
export function unquote(quoted: string): string {
  return quoted.replaceAll(/\\(.)/gs, '$1')
}
