/** Makes the body of an expand-property report: the properties of resources that properties name. RFC 3253, section 3.8. */

import {DAV, parseName} from '../protocol/name.ts'
import {isRecord} from '../protocol/options.ts'
import type {XmlElement} from '../xml/element.ts'

/** Properties by name, each with the properties to read of the resources in its hrefs; `{}` for none. */
export interface PropertyTree {
  readonly [name: string]: PropertyTree
}

/**
 * Makes the body of an expand-property report, for `report`. It reads properties, and properties of the resources in their hrefs,
 * in one request.
 *
 * In the results, the value of such a property is an `XmlElement` with a `response` in it for each resource. These are no results
 * of their own. DAViCal names the report in `supported-report-set` and gives empty values; SOGo names it too and answers 501.
 *
 * @throws TypeError for a tree without a property, and for one that is no object of objects.
 * @example
 * ```ts
 * const body = expandProperty({'group-membership': {displayname: {}}})
 * for await (const result of dav.report('principals/ana/', {body})) console.log(result)
 * ```
 */
export function expandProperty(tree: PropertyTree): XmlElement {
  const children = propertiesOf(tree)
  if (children.length === 0) throw new TypeError('expandProperty: name at least one property')
  return {name: 'expand-property', attributes: {}, children}
}

function propertiesOf(tree: PropertyTree): XmlElement[] {
  if (!isRecord(tree)) throw new TypeError('expandProperty: give each name an object of names')
  return Object.entries(tree).map(([given, inner]) => {
    const {namespace, local} = parseName(given)
    const attributes = {name: local, ...(namespace !== DAV && {namespace})}
    return {name: 'property', attributes, children: propertiesOf(inner)}
  })
}
