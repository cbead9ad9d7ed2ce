/**
 * Dates as WebDAV servers write them: the three formats of HTTP, RFC 3339 and what is close to them. Strict about
 * the calendar and about the zone, so that junk is no date and never the epoch. RFC 9110, section 5.6.7.
 */

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

// Sun, 06 Nov 1994 08:49:37 GMT, with what servers make of it: `7 Sep`, `UTC`, `+0000`, `GMT-00:00`.
const RFC_1123 =
  /^(?:[a-z]{3,9},?\s+)?(\d{1,2})[ -]([a-z]{3})[ -](\d{4}|\d\d)\s+(\d\d):(\d\d):(\d\d)\s*(GMT|UTC|UT|Z)?\s*([+-]\d\d:?\d\d)?$/i
// Sun Nov  6 08:49:37 1994
const ASCTIME = /^[a-z]{3}\s+([a-z]{3})\s+(\d{1,2})\s+(\d\d):(\d\d):(\d\d)\s+(\d{4})$/i
// 1994-11-06T08:49:37.123456Z, and the basic form 19941106T084937Z.
const RFC_3339 =
  /^(\d{4})-?(\d\d)-?(\d\d)[t ](\d\d):?(\d\d):?(\d\d)(?:[.,](\d+))?(?:z|([+-]\d\d:?\d\d))$/i
const UNIX_SECONDS = /^\d{9,11}$/

/** The moment that a text names, `undefined` where it names none. A date without a zone names none, but for asctime. */
export function decodeDate(text: string): Date | undefined {
  // Longer than any date; what a hostile server sends is not worth a search.
  if (text.length > 64) return undefined
  return (
    decodeImfFixdate(text) ??
    decodeShortRfc3339(text) ??
    decodeRfc3339(text) ??
    decodeRfc1123(text) ??
    decodeAsctime(text) ??
    (UNIX_SECONDS.test(text) ? new Date(Number(text) * 1000) : undefined)
  )
}

/** The one format that HTTP allows to be sent, read by position: a listing has one in every response. */
function decodeImfFixdate(text: string): Date | undefined {
  if (text.length !== 29 || !text.endsWith(' GMT')) return undefined
  if (
    text[3] !== ',' ||
    text[7] !== ' ' ||
    text[11] !== ' ' ||
    text[19] !== ':' ||
    text[22] !== ':'
  )
    return undefined
  const month = monthOf(text.slice(8, 11))
  return utc(
    digits(text, 12, 4),
    month,
    digits(text, 5, 2),
    digits(text, 17, 2),
    digits(text, 20, 2),
    digits(text, 23, 2),
  )
}

/** The one format of `creationdate`, as nearly every server writes it, by position too. */
function decodeShortRfc3339(text: string): Date | undefined {
  if (text.length !== 20 || text[10] !== 'T' || text[19] !== 'Z') return undefined
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined
  const month = digits(text, 5, 2) - 1
  return utc(
    digits(text, 0, 4),
    month,
    digits(text, 8, 2),
    digits(text, 11, 2),
    digits(text, 14, 2),
    digits(text, 17, 2),
  )
}

/** The number that some digits are, -1 where one of them is none: whole numbers need no memory. */
function digits(text: string, from: number, length: number): number {
  let number = 0
  for (let index = from; index < from + length; index++) {
    const digit = text.charCodeAt(index) - 0x30
    if (!(digit >= 0 && digit <= 9)) return -1
    number = number * 10 + digit
  }
  return number
}

function decodeRfc1123(text: string): Date | undefined {
  const match = RFC_1123.exec(text)
  if (match === null) return undefined
  const [, day, month = '', year = '', hour, minute, second, zone, offset] = match
  if (zone === undefined && offset === undefined) return undefined
  // RFC 850's two digits: RFC 9110 reads a year that would be over 50 years ahead as one of the past.
  let full = Number(year)
  if (year.length === 2) {
    const now = new Date().getUTCFullYear()
    full += now - (now % 100)
    if (full > now + 50) full -= 100
  }
  return utc(
    full,
    monthOf(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    0,
    offset,
  )
}

function decodeAsctime(text: string): Date | undefined {
  const match = ASCTIME.exec(text)
  if (match === null) return undefined
  const [, month = '', day, hour, minute, second, year] = match
  return utc(
    Number(year),
    monthOf(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
}

function decodeRfc3339(text: string): Date | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction = '0', offset] = match
  const milliseconds = Math.trunc(Number(`0.${fraction}`) * 1000)
  return utc(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    milliseconds,
    offset,
  )
}

function monthOf(name: string): number {
  const exact = MONTHS.indexOf(name)
  if (exact % 3 === 0) return exact / 3
  const title = name.charAt(0).toUpperCase() + name.slice(1).toLowerCase()
  const index = MONTHS.indexOf(title)
  return index % 3 === 0 ? index / 3 : -1
}

function utc(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  milliseconds = 0,
  offset?: string,
): Date | undefined {
  // A leap second counts as the first of the next minute.
  if (
    !(
      year >= 0 &&
      month >= 0 &&
      month < 12 &&
      day >= 1 &&
      day <= 31 &&
      hour >= 0 &&
      hour <= 23 &&
      minute >= 0 &&
      minute <= 59 &&
      second >= 0 &&
      second <= 60
    )
  ) {
    return undefined
  }
  const date = new Date(Date.UTC(year, month, day, hour, minute, second, milliseconds))
  if (year < 100) date.setUTCFullYear(year)
  if (day > 28 && day > new Date(Date.UTC(year, month + 1, 0)).getUTCDate()) return undefined
  if (offset === undefined) return date
  const hours = Number(offset.slice(1, 3))
  const minutes = Number(offset.slice(-2))
  if (hours > 23 || minutes > 59) return undefined
  const shift = (hours * 60 + minutes) * 60_000
  return new Date(date.getTime() + (offset.startsWith('-') ? shift : -shift))
}
