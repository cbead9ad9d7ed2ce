/**
 * The grammar of a Multi-Status document: the role of each element, by its place. Elements without a role are skipped with their
 * content and are never an error. RFC 4918, sections 14 and 17; RFC 6578, section 6.
 */

import type {PathNode} from '../xml/path.ts'

/** The roles of elements. Numbers, because each tag of a body is switched on one. 0 is fixed by the scanner: no callbacks. */
export const Role = {
  skipped: 0,
  multistatus: 1,
  response: 2,
  href: 3,
  status: 4,
  propstat: 5,
  prop: 6,
  property: 7,
  error: 8,
  condition: 9,
  description: 10,
  location: 11,
  locationHref: 12,
  syncToken: 13,
  misnamed: 14,
} as const

// <!ELEMENT mkcol-response (propstat+) >: one response without an href. RFC 5689, section 5.2.
const ROOTS: Readonly<Record<string, number>> = {
  multistatus: Role.multistatus,
  'mkcol-response': Role.response,
}

// The order and the number of children are not checked, so that an odd server loses none of its values.
const CHILDREN: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  // <!ELEMENT multistatus (response*, responsedescription?, sync-token?) >
  [Role.multistatus]: {
    response: Role.response,
    responsedescription: Role.description,
    'sync-token': Role.syncToken,
  },
  // <!ELEMENT response (href, ((href*, status)|(propstat+)), error?, responsedescription? , location?) >
  [Role.response]: {
    href: Role.href,
    status: Role.status,
    propstat: Role.propstat,
    error: Role.error,
    responsedescription: Role.description,
    location: Role.location,
  },
  // <!ELEMENT propstat (prop, status, error?, responsedescription?) >
  [Role.propstat]: {
    prop: Role.prop,
    status: Role.status,
    error: Role.error,
    responsedescription: Role.description,
  },
  // <!ELEMENT location (href) >
  [Role.location]: {href: Role.locationHref},
}

/** The role of all children of these elements: a property or a condition may have any name. */
const ANY_CHILD: Readonly<Record<number, number>> = {
  [Role.prop]: Role.property,
  [Role.error]: Role.condition,
}

// Elements whose text is their value.
const TEXT: ReadonlySet<number> = /* @__PURE__ */ new Set<number>([
  Role.href,
  Role.status,
  Role.description,
  Role.locationHref,
  Role.syncToken,
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
  if (node.role === Role.property) node.collects = 'markup'
  else if (TEXT.has(node.role)) node.collects = 'text'
}

function roleAmong(children: Readonly<Record<string, number>> | undefined, node: PathNode): number {
  // The prefix of a name is resolved only here: children of skipped elements need no name.
  if (children === undefined) return Role.skipped
  const name = node.name.text
  if (Object.hasOwn(children, name)) return children[name] ?? Role.skipped
  const isMisnamed = node.depth === 2 && MISNAMED_RESPONSE.test(name)
  return isMisnamed ? Role.misnamed : Role.skipped
}
