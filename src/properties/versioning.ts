/** Decodes the reports and methods that a resource supports. RFC 3253, sections 3.1.3 to 3.1.5. */

import type {DecodersOf} from './kinds.ts'
import {firstNameIn, listOf, nameAttribute} from './kinds.ts'
import {childrenOf} from './value-parts.ts'

/** The properties that {@link versioningDecoders} decode. */
export interface VersioningProperties {
  /** The names of the live properties of the resource. RFC 3253, section 3.1.4. */
  readonly 'supported-live-property-set': readonly string[]
  /** The methods of the resource. RFC 3253, section 3.1.3. */
  readonly 'supported-method-set': readonly string[]
  /** The names of the reports, such as `sync-collection`. Servers have others too, and not all of these. RFC 3253, section 3.1.5. */
  readonly 'supported-report-set': readonly string[]
}

/**
 * Decoders for the abilities of a resource.
 *
 * @example
 * ```ts
 * const properties = ['supported-report-set'] as const
 * const result = await dav.stat('', {properties, decoders: versioningDecoders})
 * if (result.ok) console.log(result.properties['supported-report-set']?.includes('sync-collection'))
 * ```
 */
export const versioningDecoders: DecodersOf<VersioningProperties> = {
  'supported-live-property-set': /* @__PURE__ */ listOf('supported-live-property', (element) =>
    firstNameIn(childrenOf(element, 'prop')[0]),
  ),
  'supported-method-set': /* @__PURE__ */ listOf('supported-method', nameAttribute),
  // xandikos 0.2.8 leaves out the `report` around the name.
  'supported-report-set': /* @__PURE__ */ listOf('supported-report', (element) =>
    firstNameIn(childrenOf(element, 'report')[0] ?? element),
  ),
}
