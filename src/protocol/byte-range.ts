/** Byte ranges of a resource: the Range header of a request, and the Content-Range of an answer. RFC 9110, section 14. */

import {isWholeNumber} from './members.ts'
import type {Rules} from './options.ts'
import {NUMBER, readOptions} from './options.ts'

/** A range of bytes in a resource. The first byte is number 0. */
export interface ByteRange {
  /** The first byte. */
  readonly start: number
  /** The last byte, inclusive; left out for the end of the resource. */
  readonly end?: number | undefined
}

/** The range in an answer. RFC 9110, section 14.4. */
export interface ContentRange {
  readonly start: number
  readonly end: number
  /** Bytes of the whole resource; absent if the server does not know it. */
  readonly total?: number
}

const RANGE: Rules<ByteRange> = {start: NUMBER, end: NUMBER}

/**
 * Checks a range.
 *
 * @throws RangeError for numbers that are no range of bytes, TypeError for another type or an unknown name.
 */
export function readRange(given: ByteRange): ByteRange {
  const range = readOptions('range', given, RANGE)
  const {start, end = start} = range
  if (isWholeNumber(start) && isWholeNumber(end) && start <= end) return range
  throw new RangeError('range: start and end are whole numbers from 0, and end is not below start')
}

/** Formats a Range header. RFC 9110, section 14.2. */
export function formatRange({start, end}: ByteRange): string {
  return `bytes=${start}-${end ?? ''}`
}

const CONTENT_RANGE = /^\s*bytes\s+(\d+)-(\d+)\/(?:(\d+)|\*)\s*$/i

/** Decodes a Content-Range; `undefined` for nonsense, such as a range beyond the end of the resource. */
export function decodeContentRange(value: string | null): ContentRange | undefined {
  const match = CONTENT_RANGE.exec(value ?? '')
  if (match === null) return undefined
  const [, first, last, whole] = match
  const start = Number(first)
  const end = Number(last)
  const isWithin = whole === undefined || end < Number(whole)
  if (end < start || !isWithin) return undefined
  return {start, end, ...(whole !== undefined && {total: Number(whole)})}
}
