/** Decodes the properties of address books and their owners. RFC 6352, sections 6, 7 and 10.4. */

import type {DecodersOf, MediaType} from './kinds.ts'
import {contentOf, count, href, hrefs, listOf, mediaTypes, text, token, truth} from './kinds.ts'

/** The properties that {@link addressbookDecoders} decode. All hrefs are as the server wrote them. */
export interface AddressbookProperties {
  /** The vCard, in the answer to a report. RFC 6352, section 10.4. */
  readonly '{urn:ietf:params:xml:ns:carddav}address-data': string
  /** A description for people. RFC 6352, section 6.2.1. */
  readonly '{urn:ietf:params:xml:ns:carddav}addressbook-description': string
  /** The collections with the address books of the principal. RFC 6352, section 7.1.1. */
  readonly '{urn:ietf:params:xml:ns:carddav}addressbook-home-set': readonly string[]
  /** The most bytes of one vCard. RFC 6352, section 6.2.3. */
  readonly '{urn:ietf:params:xml:ns:carddav}max-resource-size': number
  /** The vCard of the principal. RFC 6352, section 7.1.2. */
  readonly '{urn:ietf:params:xml:ns:carddav}principal-address': string
  /** The formats that the address book takes. RFC 6352, section 6.2.2. */
  readonly '{urn:ietf:params:xml:ns:carddav}supported-address-data': readonly MediaType[]
  /** The collations for text in queries. RFC 6352, section 8.3.1. */
  readonly '{urn:ietf:params:xml:ns:carddav}supported-collation-set': readonly string[]
  /** Another value after each change of a member. An extension of Calendar Server. */
  readonly '{http://calendarserver.org/ns/}getctag': string
  /** `false` if the user has hidden the address book. An extension of ownCloud and Nextcloud. */
  readonly '{http://owncloud.org/ns}enabled': boolean
  /** `true` if the user may not write. An extension of ownCloud and Nextcloud. */
  readonly '{http://owncloud.org/ns}read-only': boolean
}

/**
 * Decoders for CardDAV.
 *
 * @example
 * ```ts
 * const dav = new DavClient({url: 'https://dav.example/contacts/', decoders: addressbookDecoders})
 * ```
 */
export const addressbookDecoders: DecodersOf<AddressbookProperties> = {
  '{urn:ietf:params:xml:ns:carddav}address-data': text,
  '{urn:ietf:params:xml:ns:carddav}addressbook-description': text,
  '{urn:ietf:params:xml:ns:carddav}addressbook-home-set': hrefs,
  '{urn:ietf:params:xml:ns:carddav}max-resource-size': count,
  '{urn:ietf:params:xml:ns:carddav}principal-address': href,
  '{urn:ietf:params:xml:ns:carddav}supported-address-data': /* @__PURE__ */ mediaTypes(
    '{urn:ietf:params:xml:ns:carddav}address-data-type',
    'text/vcard',
    '3.0',
  ),
  '{urn:ietf:params:xml:ns:carddav}supported-collation-set': /* @__PURE__ */ listOf(
    '{urn:ietf:params:xml:ns:carddav}supported-collation',
    contentOf,
  ),
  '{http://calendarserver.org/ns/}getctag': token,
  '{http://owncloud.org/ns}enabled': truth,
  '{http://owncloud.org/ns}read-only': truth,
}
