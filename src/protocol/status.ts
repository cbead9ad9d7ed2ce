/**
 * Decodes the status lines of `DAV:status` elements. Servers leave out the version, the reason or both, so only the number
 * counts. RFC 4918, section 14.28; RFC 9110, section 15.
 */

import {decodeDigits, SPACE} from './characters.ts'

const STATUS_LINE = /^\s*(?:HTTP(?:\/\d+(?:\.\d+)?)?\s+)?([1-9]\d\d)(?:\s|$)/i

/** Decodes the code of a status line; 0 for nonsense. */
export function decodeStatusLine(line: string): number {
  // Nearly every server writes `HTTP/1.1 `, three digits and a reason, so this form is read by position.
  const isUsual =
    line.startsWith('HTTP/1.1 ') && (line.length === 12 || line.charCodeAt(12) === SPACE)
  const code = isUsual ? decodeDigits(line, 9, 12) : -1
  return code >= 100 ? code : Number(STATUS_LINE.exec(line)?.[1] ?? 0)
}

/** Recognizes the statuses of a missing resource, 404 and 410. RFC 9110, sections 15.5.5 and 15.5.11. */
export function isMissingStatus(status: number): boolean {
  return status === 404 || status === 410
}

/** Recognizes the statuses 200 to 299. */
export function isSuccessStatus(status: number): boolean {
  return status >= 200 && status < 300
}
