/**
 * Decodes dates as WebDAV servers write them: the three formats of HTTP, RFC 3339 and close relatives. Strict about the calendar
 * and the zone: nonsense is no date, and never the epoch. RFC 9110, section 5.6.7.
 */

import {DATE_CHARACTERS} from './bounds.ts'
import {decodeDigits} from './characters.ts'

const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec'
// The days of a year before each month, without a leap day; behind the last one, those of the year.
const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
const DAY_SECONDS = 86_400
// The days from the beginning of the year 0 to that of 1970.
const DAYS_BEFORE_1970 = 719_528

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
  if (IMF_FIXDATE.test(text))
    return atTime(text, 17, decodeDigits(text, 12, 16), monthOf(text.slice(8, 11)), 5)
  if (SHORT_RFC_3339.test(text))
    return atTime(text, 11, decodeDigits(text, 0, 4), decodeDigits(text, 5, 7) - 1, 8)
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

/** Finds a month by its name, from 0 on; -1 for nonsense. */
function monthOf(name: string): number {
  const index = MONTHS.indexOf(name.toLowerCase())
  return name.length === 3 && index % 3 === 0 ? index / 3 : -1
}

/** Reads the day and a time such as 08:49:37 at their places in a text. */
function atTime(
  text: string,
  timeAt: number,
  year: number,
  month: number,
  dayAt: number,
): Date | undefined {
  return utc(
    year,
    month,
    decodeDigits(text, dayAt, dayAt + 2),
    decodeDigits(text, timeAt, timeAt + 2),
    decodeDigits(text, timeAt + 3, timeAt + 5),
    decodeDigits(text, timeAt + 6, timeAt + 8),
  )
}

/** Makes a date; `undefined` for one that no calendar has. Counts the days itself, which takes half the time of `Date.UTC`. */
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
  const before = DAYS_BEFORE[month]
  const after = DAYS_BEFORE[month + 1]
  if (!isTime || before === undefined || after === undefined) return undefined
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  if (!(day >= 1 && day <= after - before + (isLeap && month === 1 ? 1 : 0))) return undefined
  // The leap days of all years before this one. The year 0 has one.
  const past = year - 1
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) + 1
  const days = year * 365 + leapDays + before + (isLeap && month > 1 ? 1 : 0) + day - 1
  const seconds = (days - DAYS_BEFORE_1970) * DAY_SECONDS + hour * 3600 + minute * 60 + second
  return new Date(seconds * 1000)
}
