/**
 * The grammar of a Multi-Status document: the role of each element, by its place. Elements without a role are skipped with their
 * content and are never an error. RFC 4918, sections 14 and 17; RFC 6578, section 6.
 */

import type {PathNode} from '../xml/path.ts'

// The elements with a role, by the role of their parent. The order and the number of children are not checked, so that an odd
// server loses none of its values.
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  // <!ELEMENT mkcol-response (propstat+) >: one response without an href. RFC 5689, section 5.2.
  document: ['multistatus', 'mkcol-response'],
  // <!ELEMENT multistatus (response*, responsedescription?, sync-token?) >
  multistatus: ['response', 'responsedescription', 'sync-token'],
  // <!ELEMENT response (href, ((href*, status)|(propstat+)), error?, responsedescription? , location?) >
  response: ['href', 'status', 'propstat', 'error', 'responsedescription', 'location'],
  // <!ELEMENT propstat (prop, status, error?, responsedescription?) >
  propstat: ['prop', 'status', 'error', 'responsedescription'],
  // <!ELEMENT location (href) >
  location: ['href'],
}

// Elements whose text is their value.
const TEXT = ['href', 'status', 'responsedescription', 'locationHref', 'sync-token']

// A `response` in no namespace, with an undeclared prefix, or with a misspelt `DAV:` is no extension. Something was meant that
// cannot be read, so the listing is not complete.
const MISNAMED_RESPONSE = /^(?:\{(?:dav:?)?\})?(?:[^{}:]+:)?response$/i

/** Sets the role of a new path. The reader refuses a root without one. */
export function classify(node: PathNode): void {
  const role = roleOf(node, node.depth === 1 ? 'document' : (node.parent?.role ?? ''))
  node.role = role
  if (role === 'property') node.collects = 'element'
  else if (TEXT.includes(role)) node.collects = 'text'
}

/** Finds the role of an element: its name, if the grammar has it there. A property or a condition may have any name. */
function roleOf(node: PathNode, place: string): string {
  if (place === 'prop') return 'property'
  if (place === 'error') return 'condition'
  const children = CHILDREN[place]
  // The prefix of a name is resolved only here: children of skipped elements need no name.
  if (children === undefined) return ''
  const name = node.name.text
  if (!children.includes(name))
    return node.depth === 2 && MISNAMED_RESPONSE.test(name) ? 'misnamed' : ''
  if (name === 'mkcol-response') return 'response'
  return place === 'location' ? 'locationHref' : name
}
