/** LOCK and UNLOCK of a fake server. RFC 4918, sections 9.10 and 9.11. */

import {decodeLockTimeout} from '../protocol/lock-timeout.ts'
import {bareToken} from '../protocol/if-header.ts'
import {childElements} from '../xml/element.ts'
import {formatDocument, XML_TYPE} from '../xml/writer.ts'
import {findRefusal, tokensOf} from './conditions.ts'
import type {HeldLock} from './locks.ts'
import {activelock, covers} from './locks.ts'
import {readBody} from './properties.ts'
import type {Answer, Asked, Site} from './site.ts'
import {hrefOf, multistatus, refusal} from './site.ts'
import {isCollection, parentOf} from './tree.ts'

/** Answers a LOCK. That of a missing resource makes an empty file. RFC 4918, section 7.3. */
export function lock(site: Site, asked: Asked): Answer {
  const {path, headers, body} = asked
  const {tree, locks, settings} = site
  if (!settings.hasLocks) return {status: 405}
  const time = decodeLockTimeout(headers['timeout'] ?? '') ?? settings.lockTimeout
  const end = Date.now() + Math.min(time, settings.lockTimeout)
  if (body.length === 0) return refresh(site, asked, end)
  const wanted = readLockinfo(body)
  const {depth = 'infinity'} = headers
  if (wanted === undefined || (depth !== '0' && depth !== 'infinity')) return {status: 400}
  const isNew = tree.find(path) === undefined
  if (isNew && !isCollection(tree.find(parentOf(path)))) return {status: 409}
  const refused = findRefusal(site, asked, isNew ? [parentOf(path)] : [])
  if (refused !== undefined) return refused
  const made = {...wanted, root: path, depth: depth === '0' ? 0 : depth, end} as const
  const conflicts = locks.conflicts(made)
  if (conflicts.length > 0) return answerConflicts(site, path, conflicts)
  if (isNew) tree.set(path, tree.makeFile(new Uint8Array(), 'application/octet-stream'))
  const held = locks.add(made)
  const answer = answerLock(site, path, isNew ? 201 : 200)
  return {...answer, headers: {...answer.headers, 'lock-token': `<${held.token}>`}}
}

/** Gives a lock more time. RFC 4918, section 9.10.2. */
function refresh(site: Site, asked: Asked, end: number): Answer {
  const {path} = asked
  const tokens = tokensOf(asked)
  if (tokens.size === 0) return {status: 400}
  const held = site.locks.on(path).find(({token}) => tokens.has(token))
  if (held === undefined) return refusal(412, 'lock-token-matches-request-uri')
  site.locks.replace(held, {...held, end})
  return answerLock(site, path, 200)
}

/** Refuses a lock because of others: with 423, or with a 207 if they are on members only. RFC 4918, section 9.10.9. */
function answerConflicts(site: Site, path: string, conflicts: readonly HeldLock[]): Answer {
  const hrefs = conflicts.map(({root}) => hrefOf(site, root))
  const conditions = ['no-conflicting-lock']
  if (conflicts.some((one) => covers(one, path))) return refusal(423, 'no-conflicting-lock', hrefs)
  return multistatus([
    ...hrefs.map((href) => ({href, status: 423, conditions})),
    {href: hrefOf(site, path), status: 424},
  ])
}

function answerLock(site: Site, path: string, status: number): Answer {
  const children = site.locks.on(path).map((one) => activelock(one, hrefOf(site, one.root)))
  const root = {name: 'prop', children: [{name: 'lockdiscovery', children}]}
  return {status, headers: {'content-type': XML_TYPE}, body: formatDocument(root)}
}

/** Reads a lockinfo; `undefined` for another body, and for a kind of lock that is unknown. RFC 4918, section 14.11. */
function readLockinfo(body: Uint8Array): Pick<HeldLock, 'scope' | 'owner'> | undefined {
  const root = readBody(body, 'lockinfo')
  const parts = root === undefined ? [] : childElements(root)
  const kindOf = (name: string): string | undefined => {
    const part = parts.find((one) => one.name === name)
    return part && childElements(part)[0]?.name
  }
  const scope = kindOf('lockscope')
  if (kindOf('locktype') !== 'write' || (scope !== 'exclusive' && scope !== 'shared'))
    return undefined
  return {scope, owner: parts.find(({name}) => name === 'owner')}
}

/** Answers an UNLOCK. */
export function unlock({tree, locks, settings}: Site, {path, headers}: Asked): Answer {
  if (!settings.hasLocks) return {status: 405}
  if (tree.find(path) === undefined) return {status: 404}
  const token = headers['lock-token']
  if (token === undefined) return {status: 400}
  const held = locks.on(path).find((one) => one.token === bareToken(token))
  if (held === undefined) return refusal(409, 'lock-token-matches-request-uri')
  locks.replace(held)
  return {status: 204}
}
