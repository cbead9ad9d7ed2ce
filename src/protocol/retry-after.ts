/** The Retry-After header: seconds or a date. RFC 9110, section 10.2.3. */

import {decodeDate} from './date.ts'

/**
 * Milliseconds from `now` on, `undefined` for a header that is missing or nonsense.
 *
 * @param leastOfDate - The least milliseconds of a date. A date that is past names no time to come back.
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
 * Milliseconds that an answer asks to wait. A date is compared with the answer's own Date: the server's clock may be off.
 *
 * @param now - The moment of an answer without a Date, in milliseconds since the epoch.
 * @param leastOfDate - The least milliseconds of a date.
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
