/**
 * The grammar of a Multi-Status document: the role of each element, by its place. Elements without a role are skipped with their
 * content and are never an error. RFC 4918, sections 14 and 17; RFC 6578, section 6.
 */

import type {PathNode} from '../xml/path.ts'

// The roles of elements. Numbers, because each tag of a body is switched on one. 0 is fixed by the scanner: no callbacks.
export const MULTISTATUS = 1
export const RESPONSE = 2
export const HREF = 3
export const STATUS = 4
export const PROPSTAT = 5
const PROP = 6
export const PROPERTY = 7
const ERROR = 8
export const CONDITION = 9
export const DESCRIPTION = 10
const LOCATION = 11
export const LOCATION_HREF = 12
export const SYNC_TOKEN = 13
export const MISNAMED = 14

// <!ELEMENT mkcol-response (propstat+) >: one response without an href. RFC 5689, section 5.2.
const ROOTS: Readonly<Record<string, number>> = {
  multistatus: MULTISTATUS,
  'mkcol-response': RESPONSE,
}

// The order and the number of children are not checked, so that an odd server loses none of its values.
const CHILDREN: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  // <!ELEMENT multistatus (response*, responsedescription?, sync-token?) >
  [MULTISTATUS]: {
    response: RESPONSE,
    responsedescription: DESCRIPTION,
    'sync-token': SYNC_TOKEN,
  },
  // <!ELEMENT response (href, ((href*, status)|(propstat+)), error?, responsedescription? , location?) >
  [RESPONSE]: {
    href: HREF,
    status: STATUS,
    propstat: PROPSTAT,
    error: ERROR,
    responsedescription: DESCRIPTION,
    location: LOCATION,
  },
  // <!ELEMENT propstat (prop, status, error?, responsedescription?) >
  [PROPSTAT]: {
    prop: PROP,
    status: STATUS,
    error: ERROR,
    responsedescription: DESCRIPTION,
  },
  // <!ELEMENT location (href) >
  [LOCATION]: {href: LOCATION_HREF},
}

/** The role of all children of these elements: a property or a condition may have any name. */
const ANY_CHILD: Readonly<Record<number, number>> = {
  [PROP]: PROPERTY,
  [ERROR]: CONDITION,
}

// Elements whose text is their value.
const TEXT: ReadonlySet<number> = /* @__PURE__ */ new Set<number>([
  HREF,
  STATUS,
  DESCRIPTION,
  LOCATION_HREF,
  SYNC_TOKEN,
])

// A `response` in no namespace, with an undeclared prefix, or with a misspelt `DAV:` is no extension. Something was meant that
// cannot be read, so the listing is not complete.
const MISNAMED_RESPONSE = /^(?:\{(?:dav:?)?\})?(?:[^{}:]+:)?response$/i

/** Sets the role of a new path. The reader refuses a root without one. */
export function classify(node: PathNode): void {
  const parent = node.parent
  if (node.depth === 1) {
    node.role = roleAmong(ROOTS, node)
  } else if (parent !== undefined) {
    node.role = ANY_CHILD[parent.role] ?? roleAmong(CHILDREN[parent.role], node)
  }
  node.repeats = node.role === RESPONSE
  node.varies = node.role === PROPERTY || node.role === HREF
  if (node.role === PROPERTY) node.collects = 'element'
  else if (TEXT.has(node.role)) node.collects = 'text'
}

function roleAmong(children: Readonly<Record<string, number>> | undefined, node: PathNode): number {
  // The prefix of a name is resolved only here: children of skipped elements need no name.
  if (children === undefined) return 0
  const name = node.name.text
  if (Object.hasOwn(children, name)) return children[name] ?? 0
  const isMisnamed = node.depth === 2 && MISNAMED_RESPONSE.test(name)
  return isMisnamed ? MISNAMED : 0
}
