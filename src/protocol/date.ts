/**
 * Decodes dates as WebDAV servers write them: the three formats of HTTP, RFC 3339 and close relatives. Strict about the calendar
 * and the zone: nonsense is no date, and never the epoch. RFC 9110, section 5.6.7.
 */

import {DATE_CHARACTERS} from './bounds.ts'
import {decodeDigits} from './characters.ts'

const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec'

// The two formats of nearly every server: Sun, 06 Nov 1994 08:49:37 GMT and 1994-11-06T08:49:37Z. Tested without groups and read
// by position, because a listing has both in every response.
const IMF_FIXDATE = /^[a-z]{3}, \d\d [a-z]{3} \d{4} \d\d:\d\d:\d\d GMT$/i
const SHORT_RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

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
  const at = (from: number, to: number): number => decodeDigits(text, from, to)
  if (IMF_FIXDATE.test(text))
    return utc(at(12, 16), monthOf(text.slice(8, 11)), at(5, 7), at(17, 19), at(20, 22), at(23, 25))
  if (SHORT_RFC_3339.test(text))
    return utc(at(0, 4), at(5, 7) - 1, at(8, 10), at(11, 13), at(14, 16), at(17, 19))
  // Seconds since 1970.
  if (/^\d{9,11}$/.test(text)) return new Date(Number(text) * 1000)
  const match = RFC_3339.exec(text) ?? RFC_1123.exec(text) ?? ASCTIME.exec(text)
  const {year = '', month = '', day, hour, minute, second, ...rest} = match?.groups ?? {}
  const index = /\d/.test(month) ? Number(month) - 1 : monthOf(month)
  const date = utc(fullYear(year), index, Number(day), Number(hour), Number(minute), Number(second))
  const {fraction = '0', offset = '+0000'} = rest
  const hours = Number(offset.slice(0, 3))
  const minutes = Number(offset.charAt(0) + offset.slice(-2))
  if (date === undefined || Math.abs(hours) > 23 || Math.abs(minutes) > 59) return undefined
  const milliseconds = Math.trunc(Number(`0.${fraction}`) * 1000)
  return new Date(date.getTime() + milliseconds - (hours * 60 + minutes) * 60_000)
}

/** Completes the two-digit year of RFC 850. RFC 9110 moves a year more than 50 years ahead into the past. */
function fullYear(year: string): number {
  if (year.length !== 2) return Number(year)
  const now = new Date().getUTCFullYear()
  const full = Number(year) + now - (now % 100)
  return full > now + 50 ? full - 100 : full
}

function monthOf(name: string): number {
  const index = MONTHS.indexOf(name.toLowerCase())
  return name.length === 3 && index % 3 === 0 ? index / 3 : -1
}

function utc(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): Date | undefined {
  // A leap second counts as the first of the next minute. NaN is out of every range.
  const isTime = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60
  const isDay = month >= 0 && month < 12 && day >= 1 && day <= 31
  if (!isTime || !isDay) return undefined
  const date = new Date(Date.UTC(year, month, day, hour, minute, second))
  if (year < 100) date.setUTCFullYear(year)
  return day > 28 && day > new Date(Date.UTC(year, month + 1, 0)).getUTCDate() ? undefined : date
}
