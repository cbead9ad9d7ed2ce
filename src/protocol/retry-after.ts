/** The Retry-After header: seconds or a date. RFC 9110, section 10.2.3. */

import {decodeDate} from './date.ts'

/**
 * Milliseconds from `now` on, `undefined` where the header is missing or nonsense.
 *
 * @param leastOfDate - Milliseconds that a date gives at the least: one that is past says nothing of when to come back.
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
 * Milliseconds that an answer asks to wait. A date is held against the answer's own Date: the server's clock may be off.
 *
 * @param now - The moment where the answer has no Date, in milliseconds since the epoch.
 * @param leastOfDate - Milliseconds that a date gives at the least.
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
