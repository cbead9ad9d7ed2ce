/** Decodes the properties of calendars and their owners. RFC 4791; RFC 6638; RFC 7809; RFC 7953. */

import type {DecodersOf, MediaType} from './kinds.ts'
import {
  contentOf,
  count,
  href,
  hrefs,
  integer,
  listOf,
  mediaTypes,
  nameAttribute,
  names,
  someOf,
  text,
  time,
  token,
  truth,
} from './kinds.ts'
import {childrenOf} from './value-parts.ts'
import type {RawValue} from './vocabulary.ts'

/** The properties that {@link calendarDecoders} decode. All hrefs are as the server wrote them. */
export interface CalendarProperties {
  /** The free and busy hours of the principal, an iCalendar document. RFC 7953, section 7.2.4. */
  readonly '{urn:ietf:params:xml:ns:caldav}calendar-availability': string
  /** The iCalendar document, in the answer to a report. RFC 4791, section 9.6. */
  readonly '{urn:ietf:params:xml:ns:caldav}calendar-data': string
  /** A description for people. RFC 4791, section 5.2.1. */
  readonly '{urn:ietf:params:xml:ns:caldav}calendar-description': string
  /** The collections with the calendars of the principal. RFC 4791, section 6.2.1. */
  readonly '{urn:ietf:params:xml:ns:caldav}calendar-home-set': readonly string[]
  /** The time zone, an iCalendar document. RFC 4791, section 5.2.2. */
  readonly '{urn:ietf:params:xml:ns:caldav}calendar-timezone': string
  /** The name of the time zone, such as `Europe/Berlin`. RFC 7809, section 5.2. */
  readonly '{urn:ietf:params:xml:ns:caldav}calendar-timezone-id': string
  /** The addresses of the principal, such as `mailto:ana@example.com`. RFC 6638, section 2.4.1. */
  readonly '{urn:ietf:params:xml:ns:caldav}calendar-user-address-set': readonly string[]
  /** The kind of the principal, such as `INDIVIDUAL` or `ROOM`. RFC 6638, section 2.4.2. */
  readonly '{urn:ietf:params:xml:ns:caldav}calendar-user-type': string
  /** The most attendees of one event. RFC 4791, section 5.2.9. */
  readonly '{urn:ietf:params:xml:ns:caldav}max-attendees-per-instance': number
  /** The latest time that the calendar takes. RFC 4791, section 5.2.7. */
  readonly '{urn:ietf:params:xml:ns:caldav}max-date-time': Date
  /** The most instances of one recurring event. RFC 4791, section 5.2.8. */
  readonly '{urn:ietf:params:xml:ns:caldav}max-instances': number
  /** The most bytes of one calendar object. RFC 4791, section 5.2.5. */
  readonly '{urn:ietf:params:xml:ns:caldav}max-resource-size': number
  /** The earliest time that the calendar takes. RFC 4791, section 5.2.6. */
  readonly '{urn:ietf:params:xml:ns:caldav}min-date-time': Date
  /** `transparent` if the events do not make the owner busy. RFC 6638, section 9.1. */
  readonly '{urn:ietf:params:xml:ns:caldav}schedule-calendar-transp': 'opaque' | 'transparent'
  /** The calendar for new invitations, one href at most. RFC 6638, section 9.2. */
  readonly '{urn:ietf:params:xml:ns:caldav}schedule-default-calendar-URL': readonly string[]
  /** The collection of received invitations. RFC 6638, section 2.2.1. */
  readonly '{urn:ietf:params:xml:ns:caldav}schedule-inbox-URL': string
  /** The collection to which invitations are sent. RFC 6638, section 2.1.1. */
  readonly '{urn:ietf:params:xml:ns:caldav}schedule-outbox-URL': string
  /** The Schedule-Tag of the object, quotes included. RFC 6638, section 9.3. */
  readonly '{urn:ietf:params:xml:ns:caldav}schedule-tag': string
  /** The components that the calendar takes, such as `VEVENT`. A calendar without the property takes all. RFC 4791, section 5.2.3. */
  readonly '{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set': readonly string[]
  /** The formats that the calendar takes. RFC 4791, section 5.2.4. */
  readonly '{urn:ietf:params:xml:ns:caldav}supported-calendar-data': readonly MediaType[]
  /** The collations for text in queries. RFC 4791, section 7.5.1. */
  readonly '{urn:ietf:params:xml:ns:caldav}supported-collation-set': readonly string[]
  /** The servers for time zones. RFC 7809, section 5.1. */
  readonly '{urn:ietf:params:xml:ns:caldav}timezone-service-set': readonly string[]
  /** The color, such as `#FF0000FF`, as the server wrote it. An extension of Apple. */
  readonly '{http://apple.com/ns/ical/}calendar-color': string
  /** The place in the list of calendars. An extension of Apple. */
  readonly '{http://apple.com/ns/ical/}calendar-order': number
  /** The allowed ways of sharing, such as `{http://calendarserver.org/ns/}can-be-shared`. An extension of Calendar Server. */
  readonly '{http://calendarserver.org/ns/}allowed-sharing-modes': readonly string[]
  /** The principals whose calendars the principal may read. An extension of Calendar Server. */
  readonly '{http://calendarserver.org/ns/}calendar-proxy-read-for': readonly string[]
  /** The principals whose calendars the principal may write. An extension of Calendar Server. */
  readonly '{http://calendarserver.org/ns/}calendar-proxy-write-for': readonly string[]
  /** Another value after each change of a member. An extension of Calendar Server. */
  readonly '{http://calendarserver.org/ns/}getctag': string
  /** The public URL of the calendar. An extension of Calendar Server. */
  readonly '{http://calendarserver.org/ns/}publish-url': string
  /** The URL of a subscribed calendar. An extension of Calendar Server. */
  readonly '{http://calendarserver.org/ns/}source': string
  /** `false` if the user has hidden the calendar. An extension of ownCloud and Nextcloud. */
  readonly '{http://owncloud.org/ns}calendar-enabled': boolean
  /** `true` if the user may not write. An extension of ownCloud and Nextcloud. */
  readonly '{http://owncloud.org/ns}read-only': boolean
}

/**
 * Decoders for CalDAV.
 *
 * @example
 * ```ts
 * const dav = new DavClient({url: 'https://dav.example/calendars/', decoders: calendarDecoders})
 * ```
 */
export const calendarDecoders: DecodersOf<CalendarProperties> = {
  '{urn:ietf:params:xml:ns:caldav}calendar-availability': text,
  '{urn:ietf:params:xml:ns:caldav}calendar-data': text,
  '{urn:ietf:params:xml:ns:caldav}calendar-description': text,
  '{urn:ietf:params:xml:ns:caldav}calendar-home-set': hrefs,
  '{urn:ietf:params:xml:ns:caldav}calendar-timezone': text,
  '{urn:ietf:params:xml:ns:caldav}calendar-timezone-id': token,
  '{urn:ietf:params:xml:ns:caldav}calendar-user-address-set': hrefs,
  '{urn:ietf:params:xml:ns:caldav}calendar-user-type': token,
  '{urn:ietf:params:xml:ns:caldav}max-attendees-per-instance': count,
  '{urn:ietf:params:xml:ns:caldav}max-date-time': time,
  '{urn:ietf:params:xml:ns:caldav}max-instances': count,
  '{urn:ietf:params:xml:ns:caldav}max-resource-size': count,
  '{urn:ietf:params:xml:ns:caldav}min-date-time': time,
  '{urn:ietf:params:xml:ns:caldav}schedule-calendar-transp': decodeTransparency,
  '{urn:ietf:params:xml:ns:caldav}schedule-default-calendar-URL': hrefs,
  '{urn:ietf:params:xml:ns:caldav}schedule-inbox-URL': href,
  '{urn:ietf:params:xml:ns:caldav}schedule-outbox-URL': href,
  '{urn:ietf:params:xml:ns:caldav}schedule-tag': token,
  '{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set': /* @__PURE__ */ someOf(
    '{urn:ietf:params:xml:ns:caldav}comp',
    nameAttribute,
  ),
  '{urn:ietf:params:xml:ns:caldav}supported-calendar-data': /* @__PURE__ */ mediaTypes(
    '{urn:ietf:params:xml:ns:caldav}calendar-data',
    'text/calendar',
    '2.0',
  ),
  '{urn:ietf:params:xml:ns:caldav}supported-collation-set': /* @__PURE__ */ listOf(
    '{urn:ietf:params:xml:ns:caldav}supported-collation',
    contentOf,
  ),
  '{urn:ietf:params:xml:ns:caldav}timezone-service-set': hrefs,
  '{http://apple.com/ns/ical/}calendar-color': text,
  '{http://apple.com/ns/ical/}calendar-order': integer,
  '{http://calendarserver.org/ns/}allowed-sharing-modes': names,
  '{http://calendarserver.org/ns/}calendar-proxy-read-for': hrefs,
  '{http://calendarserver.org/ns/}calendar-proxy-write-for': hrefs,
  '{http://calendarserver.org/ns/}getctag': token,
  '{http://calendarserver.org/ns/}publish-url': href,
  '{http://calendarserver.org/ns/}source': href,
  '{http://owncloud.org/ns}calendar-enabled': truth,
  '{http://owncloud.org/ns}read-only': truth,
}

function decodeTransparency(value: RawValue): 'opaque' | 'transparent' | undefined {
  const [mode, ...others] = childrenOf(value).map(({name}) => name)
  if (others.length > 0) return undefined
  if (mode === '{urn:ietf:params:xml:ns:caldav}opaque') return 'opaque'
  return mode === '{urn:ietf:params:xml:ns:caldav}transparent' ? 'transparent' : undefined
}
