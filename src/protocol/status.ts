/**
 * Status lines as they stand in the `DAV:status` element. Servers leave out the version, the reason or both, so
 * only the number counts. RFC 4918, section 14.28; RFC 9110, section 15.
 */

const STATUS_LINE = /^(?:HTTP(?:\/\d+(?:\.\d+)?)?\s+)?([1-9]\d\d)(?:\s|$)/i

/** The code in a status line, 0 where there is none to be read. */
export function decodeStatusLine(line: string): number {
  // What nearly every server writes: "HTTP/1.1 " and three digits.
  if (line.startsWith('HTTP/1.1 200')) {
    const next = line.charCodeAt(12)
    if (next === 0x20 || line.length === 12) return 200
  }
  const match = STATUS_LINE.exec(line.trim())
  return match === null ? 0 : Number(match[1])
}

/** 200 to 299. */
export function isSuccessStatus(status: number): boolean {
  return status >= 200 && status < 300
}

/** Decodes the status lines of one body, of which one is seldom another than the last. */
export class StatusLines {
  #line = ''
  #status = 0

  /** The code in a status line, 0 where there is none to be read. */
  decode(line: string): number {
    if (line !== this.#line) {
      this.#line = line
      this.#status = decodeStatusLine(line)
    }
    return this.#status
  }
}
