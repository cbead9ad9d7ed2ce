/**
 * Status lines as they stand in the `DAV:status` element. Servers leave out the version, the reason or both, so
 * only the number counts. RFC 4918, section 14.28; RFC 9110, section 15.
 */

const STATUS_LINE = /^(?:HTTP(?:\/\d+(?:\.\d+)?)?\s+)?([1-9]\d\d)(?:\s|$)/i

/** Reads the code in a status line; 0 for a line without one. */
export function decodeStatusLine(line: string): number {
  return decodeUsual(line) ?? decodeOdd(line)
}

/** Reads by position the line of nearly every server: `HTTP/1.1 `, three digits, and a reason. */
function decodeUsual(line: string): number | undefined {
  if (!line.startsWith('HTTP/1.1 ') || (line.length > 12 && line.charCodeAt(12) !== 0x20))
    return undefined
  const hundreds = line.charCodeAt(9) - 0x30
  const tens = line.charCodeAt(10) - 0x30
  const ones = line.charCodeAt(11) - 0x30
  const isNumber =
    hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9
  return isNumber ? hundreds * 100 + tens * 10 + ones : undefined
}

function decodeOdd(line: string): number {
  const match = STATUS_LINE.exec(line.trim())
  return match === null ? 0 : Number(match[1])
}

/** Tells if a status says that there is nothing. RFC 9110, sections 15.5.5 and 15.5.11. */
export function isMissingStatus(status: number): boolean {
  return status === 404 || status === 410
}

/** Tells if a status is 200 to 299. */
export function isSuccessStatus(status: number): boolean {
  return status >= 200 && status < 300
}
