/** Decodes the reports that a resource is said to have. RFC 3253, section 3.1.5. */

import {childrenOf} from './value-parts.ts'
import type {RawValue} from './vocabulary.ts'

/**
 * The decoder of `supported-report-set`, for `decoders`. It gives the names of the reports, such as `sync-collection` or
 * `{urn:ietf:params:xml:ns:caldav}calendar-query`.
 *
 * Believe it with care: SOGo and DAViCal name `expand-property` and do not have it. So the client asks no server for this list
 * before it sends a report.
 *
 * @example
 * ```ts
 * const properties = ['supported-report-set'] as const
 * const calendar = await dav.stat('calendars/work/', {properties, decoders: reportDecoders})
 * if (calendar.ok) console.log(calendar.properties['supported-report-set']?.includes('sync-collection'))
 * ```
 */
export const reportDecoders: {
  readonly 'supported-report-set': (value: RawValue) => readonly string[] | undefined
} = {'supported-report-set': namesOfReports}

function namesOfReports(value: RawValue): readonly string[] | undefined {
  if (typeof value === 'string') return value.trim() === '' ? [] : undefined
  const names = childrenOf(value, 'supported-report').flatMap((entry) => {
    const [report = entry] = childrenOf(entry, 'report')
    // xandikos 0.2 leaves out the `report` element between.
    return childrenOf(report).map(({name}) => name)
  })
  return Object.freeze(names)
}
