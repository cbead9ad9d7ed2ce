// Answers about locks, as servers give them to LOCK and PROPFIND. RFC 4918, sections 9.10 and 15.8.

import {type Answer, answer207, OPEN, SHUT} from './fault-server.ts'
import {propstat} from './fixtures.ts'

/** The parts of an activelock. One that is `undefined` is left out. */
export interface Parts {
  readonly scope?: string | undefined
  readonly depth?: string | undefined
  readonly owner?: string | undefined
  readonly timeout?: string | undefined
  readonly token?: string | undefined
  readonly root?: string | undefined
}

/** Formats one lock. */
export function activelock({scope, depth, owner, timeout, token, root}: Parts): string {
  const element = (name: string, content: string | undefined): string =>
    content === undefined ? '' : `<D:${name}>${content}</D:${name}>`
  const href = (content: string | undefined): string | undefined =>
    content && `<D:href>${content}</D:href>`
  const parts = [
    element('locktype', '<D:write/>'),
    element('lockscope', scope && `<D:${scope}/>`),
    element('depth', depth),
    element('owner', owner),
    element('timeout', timeout),
    element('locktoken', href(token)),
    element('lockroot', href(root)),
  ]
  return `<D:activelock>${parts.join('')}</D:activelock>`
}

/** Creates the answer of a LOCK. The first lock is that of the header. */
export function granted(...locks: readonly Parts[]): Answer {
  const body = `<D:prop xmlns:D="DAV:"><D:lockdiscovery>${locks.map(activelock).join('')}</D:lockdiscovery></D:prop>`
  return {
    status: 200,
    headers: {'lock-token': `<${locks[0]?.token}>`, 'content-type': 'application/xml'},
    body,
  }
}

const SUPPORT =
  '<D:supportedlock><D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry></D:supportedlock>'

/** Creates the answer of a PROPFIND that shows these locks, of a server with or without `supportedlock`. */
export function shown(
  href: string,
  locks: readonly Parts[],
  {supports = true}: {readonly supports?: boolean} = {},
): Answer {
  const prop = `<D:lockdiscovery>${locks.map(activelock).join('')}</D:lockdiscovery>${supports ? SUPPORT : '<D:supportedlock/>'}`
  return answer207(
    `${OPEN}<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>${SHUT}`,
  )
}
