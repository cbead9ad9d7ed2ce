/** The Retry-After header: seconds or a date. RFC 9110, section 10.2.3. */

import {decodeDate} from './date.ts'

/** Milliseconds from `now` on, `undefined` where the header is missing or nonsense. A date that is past is 0. */
export function decodeRetryAfter(
  value: string | null | undefined,
  now: number,
): number | undefined {
  if (value === null || value === undefined) return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) {
    const milliseconds = Number(text) * 1000
    return Number.isSafeInteger(milliseconds) ? milliseconds : undefined
  }
  const date = decodeDate(text)
  return date === undefined ? undefined : Math.max(0, date.getTime() - now)
}
