/** Decodes the Retry-After header, seconds or a date. Pure: the current time is an argument. RFC 9110, section 10.2.3. */

import {decodeDate} from './date.ts'

/**
 * Decodes a header as milliseconds from `now`; `undefined` for a missing header and for nonsense.
 *
 * @param leastOfDate - The shortest wait for a date in milliseconds. A past date tells no useful time.
 */
export function decodeRetryAfter(
  value: string | null | undefined,
  now: number,
  leastOfDate = 0,
): number | undefined {
  if (value === null || value === undefined) return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) {
    const milliseconds = Number(text) * 1000
    return Number.isSafeInteger(milliseconds) ? milliseconds : undefined
  }
  const date = decodeDate(text)
  return date === undefined ? undefined : Math.max(leastOfDate, date.getTime() - now)
}

/**
 * Reads the wait of an answer in milliseconds. A date is compared with the answer's own Date, because the server's clock may be
 * wrong.
 *
 * @param now - The current time, for an answer without a Date, in milliseconds since the epoch.
 * @param leastOfDate - The shortest wait for a date in milliseconds.
 */
export function readRetryAfter(
  headers: {get(name: string): string | null},
  now: number,
  leastOfDate?: number,
): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const sent = decodeDate(headers.get('date')?.trim() ?? '')
  return decodeRetryAfter(value, sent?.getTime() ?? now, leastOfDate)
}
