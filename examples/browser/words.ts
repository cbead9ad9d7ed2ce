// The sentences of the page: counts, sizes, times, and the reasons of failures. A server's own words pass through `visible`.

import {DavError, DavHttpError, type Failure, type Incomplete, visible} from 'multistatus'

const NUMBER = new Intl.NumberFormat('en')
const TIME = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'short'})
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** Formats a count with its noun: `1,204 items`. */
export function count(number: number, noun = 'item'): string {
  return `${NUMBER.format(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** Formats a bare number. */
export function digits(number: number): string {
  return NUMBER.format(number)
}

/** Formats a number of bytes: `3.4 MB`. */
export function size(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** Formats a time by the clock of this machine. */
export function time(date: Date): string {
  return TIME.format(date)
}

const STATUSES: Readonly<Record<number, string>> = {
  401: 'login needed',
  403: 'not allowed',
  404: 'not found',
  405: 'not possible here',
  409: 'its folder is missing',
  413: 'too large',
  423: 'locked',
  424: 'depends on another failure',
  429: 'too many requests',
  507: 'no space left',
}

/** Tells why a request failed, without a name in it: equal reasons make a group. */
export function reason({reason: kind, status, cause, request}: Failure): string {
  if (kind === 'no-answer') {
    if (cause === 'not-sent') return 'not sent'
    if (cause === 'timeout') return 'no answer in time'
    if (cause === 'aborted') return 'stopped before the answer'
    return cause === 'unreadable' ? 'unreadable answer' : 'no answer'
  }
  if (kind === 'refused') return 'refused before it was sent'
  if (kind === 'malformed') return 'unreadable answer'
  if (kind === 'member') return `something inside failed (${status})`
  const taken = request?.method === 'MOVE' || request?.conditions?.['if-none-match'] === '*'
  if (status === 0) return 'not saved here'
  if (status === 412) return taken ? 'there is one already (412)' : 'it has changed (412)'
  const words = STATUSES[status] ?? (status >= 500 ? 'server error' : 'refused')
  return `${words} (${status})`
}

/** The server's own words about a failure, or none. */
export function said({description, conditions}: Failure): string {
  return visible([...conditions, description ?? ''].filter((text) => text !== '').join(' · '), 200)
}

/** Tells why a call as a whole has no answer. */
export function problem(error: unknown): string {
  if (DavHttpError.is(error) && error.status === 401) return 'The server wants a login (401).'
  if (DavError.is(error)) return `${visible(error.message, 300)}.`
  return visible(error instanceof Error ? error.message : String(error), 300)
}

const GAPS: Readonly<Record<Incomplete['reason'], string>> = {
  storage: 'the server left members out (507)',
  shallow: 'a folder was not listed',
  refused: 'the server refused a part',
  failed: 'a part could not be listed',
  paged: 'there are further pages',
  self: 'the answer is no listing of this folder',
  stopped: 'it was stopped',
  malformed: 'a part of the answer could not be understood',
}

/** Tells why a listing is not complete. */
export function gaps(incomplete: readonly Incomplete[]): string {
  const reasons = new Set(incomplete.map((gap) => GAPS[gap.reason]))
  return `This listing is not complete: ${[...reasons].join('; ')}.`
}
