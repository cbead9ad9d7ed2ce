/**
 * Roles of the elements of a Multi-Status document, by their place. All others are skipped with their content, never an error.
 * RFC 4918, sections 14 and 17; RFC 6578, section 6.
 */

import type {PathNode} from '../xml/path.ts'

/** The role of an element. Numbers, because every tag of a body is looked at. */
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

/** The role of every child of these elements. */
const ANY_CHILD: Readonly<Record<number, number>> = {
  [Role.prop]: Role.property,
  [Role.error]: Role.condition,
}

const TEXT: ReadonlySet<number> = /* @__PURE__ */ new Set<number>([
  Role.href,
  Role.status,
  Role.description,
  Role.locationHref,
  Role.syncToken,
])

// In no namespace, with an undeclared prefix, or with DAV: misspelt: an unreadable response, and no extension.
const MISNAMED_RESPONSE = /^(?:\{(?:dav:?)?\})?(?:[^{}:]+:)?response$/i

/** Gives a new path its role. A root that is skipped must be refused. */
export function classify(node: PathNode): void {
  const parent = node.parent
  if (node.depth === 1) {
    node.role = node.name.text === 'multistatus' ? Role.multistatus : Role.skipped
  } else if (parent !== undefined) {
    node.role = ANY_CHILD[parent.role] ?? roleAmong(CHILDREN[parent.role], node)
  }
  if (node.role === Role.property) node.collects = 'markup'
  else if (TEXT.has(node.role)) node.collects = 'text'
}

function roleAmong(children: Readonly<Record<string, number>> | undefined, node: PathNode): number {
  // Names are resolved only for elements that may mean something.
  if (children === undefined) return Role.skipped
  const name = node.name.text
  if (Object.hasOwn(children, name)) return children[name] ?? Role.skipped
  const isMisnamed = node.depth === 2 && MISNAMED_RESPONSE.test(name)
  return isMisnamed ? Role.misnamed : Role.skipped
}
