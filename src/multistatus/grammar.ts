/**
 * Which elements of a Multi-Status document mean something, by their place. All others are skipped with what is in them,
 * never an error. RFC 4918, sections 14 and 17; RFC 6578, section 6.
 */

import type {PathNode} from '../xml/path.ts'

/** What an element is. Numbers, because every tag of a body is looked at. */
export const Role = {
  skipped: 0,
  document: 1,
  multistatus: 2,
  response: 3,
  href: 4,
  status: 5,
  propstat: 6,
  propstatStatus: 7,
  prop: 8,
  property: 9,
  error: 10,
  condition: 11,
  propstatError: 12,
  propstatCondition: 13,
  description: 14,
  propstatDescription: 15,
  documentDescription: 16,
  location: 17,
  locationHref: 18,
  syncToken: 19,
  misnamed: 20,
} as const

const CHILDREN: ReadonlyMap<number, ReadonlyMap<string, number>> = new Map([
  // <!ELEMENT multistatus (response*, responsedescription?, sync-token?) >
  [
    Role.multistatus,
    new Map<string, number>([
      ['response', Role.response],
      ['responsedescription', Role.documentDescription],
      ['sync-token', Role.syncToken],
    ]),
  ],
  // <!ELEMENT response (href, ((href*, status)|(propstat+)), error?, responsedescription? , location?) >
  [
    Role.response,
    new Map<string, number>([
      ['href', Role.href],
      ['status', Role.status],
      ['propstat', Role.propstat],
      ['error', Role.error],
      ['responsedescription', Role.description],
      ['location', Role.location],
    ]),
  ],
  // <!ELEMENT propstat (prop, status, error?, responsedescription?) >
  [
    Role.propstat,
    new Map<string, number>([
      ['prop', Role.prop],
      ['status', Role.propstatStatus],
      ['error', Role.propstatError],
      ['responsedescription', Role.propstatDescription],
    ]),
  ],
  // <!ELEMENT location (href) >
  [Role.location, new Map<string, number>([['href', Role.locationHref]])],
])

const ANY_CHILD: ReadonlyMap<number, number> = new Map<number, number>([
  [Role.prop, Role.property],
  [Role.error, Role.condition],
  [Role.propstatError, Role.propstatCondition],
])

const TEXT: ReadonlySet<number> = new Set<number>([
  Role.href,
  Role.status,
  Role.propstatStatus,
  Role.description,
  Role.propstatDescription,
  Role.documentDescription,
  Role.locationHref,
  Role.syncToken,
])

// In no namespace, with an undeclared prefix, or with DAV: misspelt: a response that nobody can read, and no extension.
const MISNAMED_RESPONSE = /^(?:\{(?:dav:?)?\})?(?:[^{}:]+:)?response$/i

/** Settles what a new path is. A root that is skipped must be refused. */
export function classify(node: PathNode): void {
  const parent = node.parent
  if (parent === undefined || parent.depth === 0) {
    node.role = node.name.text === 'multistatus' ? Role.multistatus : Role.skipped
    return
  }
  node.role =
    ANY_CHILD.get(parent.role) ?? CHILDREN.get(parent.role)?.get(node.name.text) ?? Role.skipped
  const isStranger = node.role === Role.skipped && parent.role === Role.multistatus
  if (isStranger && MISNAMED_RESPONSE.test(node.name.text)) node.role = Role.misnamed
  if (node.role === Role.property) node.collects = 'markup'
  else if (TEXT.has(node.role)) node.collects = 'text'
}
