/**
 * Decodes dates as WebDAV servers write them: the three formats of HTTP, RFC 3339 and close relatives. Strict about the calendar
 * and the zone: nonsense is no date, and never the epoch. RFC 9110, section 5.6.7.
 */

import {DATE_CHARACTERS} from './bounds.ts'
import {decodeDigits} from './characters.ts'

const MONTHS = /* @__PURE__ */ 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

// The two formats of nearly every server: Sun, 06 Nov 1994 08:49:37 GMT and 1994-11-06T08:49:37Z. The platform reads both, and
// fast: a listing has both in every response.
const USUAL =
  /^(?:[a-z]{3}, \d\d [a-z]{3} [1-9]\d{3} \d\d:\d\d:[0-5]\d GMT|[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:[0-5]\dZ)$/i

const TIME = '(?<hour>\\d\\d):?(?<minute>\\d\\d):?(?<second>\\d\\d)'
const OFFSET = '(?<offset>[+-]\\d\\d:?\\d\\d)'
// Sun, 06 Nov 1994 08:49:37 GMT, and variants that servers write: `7 Sep`, `UTC`, `+0000`, `GMT-00:00`.
const RFC_1123 = /* @__PURE__ */ new RegExp(
  `^(?:[a-z]{3,9},?\\s+)?(?<day>\\d{1,2})[ -](?<month>[a-z]{3})[ -](?<year>\\d{4}|\\d\\d)\\s+${TIME}\\s*(?=\\S)(?:GMT|UTC?|Z)?\\s*${OFFSET}?$`,
  'i',
)
// Sun Nov  6 08:49:37 1994
const ASCTIME = /* @__PURE__ */ new RegExp(
  `^[a-z]{3}\\s+(?<month>[a-z]{3})\\s+(?<day>\\d{1,2})\\s+${TIME}\\s+(?<year>\\d{4})$`,
  'i',
)
// 1994-11-06T08:49:37.123456Z, and the basic form 19941106T084937Z.
const RFC_3339 = /* @__PURE__ */ new RegExp(
  `^(?<year>\\d{4})-?(?<month>\\d\\d)-?(?<day>\\d\\d)[t ]${TIME}(?:[.,](?<fraction>\\d+))?(?:z|${OFFSET})$`,
  'i',
)

/** Decodes a date; `undefined` for nonsense. Only the asctime format may lack a zone. */
export function decodeDate(text: string): Date | undefined {
  if (text.length > DATE_CHARACTERS) return undefined
  if (USUAL.test(text)) {
    const from = text[4] === '-' ? 8 : 5
    const date = onDay(decodeDigits(text, from, from + 2), text)
    if (date !== undefined) return date
  }
  // Seconds since 1970.
  if (/^\d{9,11}$/.test(text)) return new Date(Number(text) * 1000)
  const match = RFC_3339.exec(text) ?? RFC_1123.exec(text) ?? ASCTIME.exec(text)
  const {year = '', month = '', day = '', hour, minute, second, ...rest} = match?.groups ?? {}
  const {fraction = '', offset = '+0000'} = rest
  const named = `${MONTHS.indexOf(month.toLowerCase()) + 1}`
  const days = [
    fullYear(year),
    /\d/.test(month) ? month : named.padStart(2, '0'),
    day.padStart(2, '0'),
  ]
  // A leap second counts as the first of the next minute.
  const leap = second === '60' ? 1 : 0
  const seconds = `${leap === 1 ? 59 : second}.${fraction.slice(0, 3).padEnd(3, '0')}`
  const date = onDay(Number(day), `${days.join('-')}T${hour}:${minute}:${seconds}Z`)
  const hours = Number(offset.slice(0, 3))
  const minutes = Number(offset.charAt(0) + offset.slice(-2))
  if (date === undefined || Math.abs(hours) > 23 || Math.abs(minutes) > 59) return undefined
  return new Date(date.getTime() + leap * 1000 - (hours * 60 + minutes) * 60_000)
}

/** Completes the two-digit year of RFC 850. RFC 9110 moves a year more than 50 years ahead into the past. */
function fullYear(year: string): string {
  if (year.length !== 2) return year
  const now = new Date().getUTCFullYear()
  const full = Number(year) + now - (now % 100)
  return `${full > now + 50 ? full - 100 : full}`
}

/** Reads a date by the platform; `undefined` for nonsense. Platforms take 30 February for 1 March, so the day is checked. */
function onDay(day: number, text: string): Date | undefined {
  const date = new Date(text)
  return date.getUTCDate() === day ? date : undefined
}
