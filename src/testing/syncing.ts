/** The report sync-collection of a fake server. RFC 6578, section 3. */

import {textOf} from '../properties/value-parts.ts'
import {childElements} from '../xml/element.ts'
import type {XmlElement} from '../xml/element.ts'
import {describeNamed, formatSyncToken, readBody} from './properties.ts'
import type {Answer, Asked, Site} from './site.ts'
import {hrefOf, multistatus, refusal} from './site.ts'
import {isAtOrBelow, isCollection, parentOf} from './tree.ts'

/** Answers a REPORT. */
export function report(site: Site, asked: Asked): Answer {
  const {path, headers, body} = asked
  const {tree, settings} = site
  const collection = tree.find(path)
  if (collection === undefined) return {status: 404}
  const root = readBody(body, 'sync-collection')
  if (root === undefined || !settings.hasSync || !isCollection(collection))
    return refusal(403, 'supported-report')
  const level = textIn(root, 'sync-level')
  if ((headers['depth'] ?? '0') !== '0' || (level !== '1' && level !== 'infinite'))
    return {status: 400}
  const token = textIn(root, 'sync-token') ?? ''
  const since = token === '' ? 0 : readVersion(site, token)
  if (since === undefined) return refusal(403, 'valid-sync-token')
  const prop = childElements(root).find(({name}) => name === 'prop')
  const names = childElements(prop).map(({name}) => name)
  const changes = tree.changesSince(since).filter(([one]) => {
    const isMember = level === '1' ? parentOf(one) === path : isAtOrBelow(one, path)
    // A first sync has nothing to forget.
    return isMember && one !== path && (token !== '' || tree.find(one) !== undefined)
  })
  const limit = childElements(root).find(({name}) => name === 'limit')
  const most = Math.min(settings.pageSize, Number((limit && textIn(limit, 'nresults')) ?? Infinity))
  const page = changes.slice(0, most)
  const isCut = page.length < changes.length
  const responses = page.map(([one]) => describeNamed(site, one, names))
  const cut = {
    href: hrefOf(site, path),
    status: 507,
    conditions: ['number-of-matches-within-limits'],
  }
  const version = isCut ? (page.at(-1)?.[1] ?? since) : tree.version
  return multistatus(isCut ? [...responses, cut] : responses, {
    syncToken: formatSyncToken(site, version),
  })
}

/** Reads the version of a token; `undefined` for a token that is lost or that the server never gave. */
function readVersion({base, tree, horizon}: Site, token: string): number | undefined {
  const prefix = `${base.origin}/sync/`
  const version = token.startsWith(prefix) ? Number(token.slice(prefix.length)) : Number.NaN
  return version >= horizon && version <= tree.version ? version : undefined
}

function textIn(element: XmlElement, name: string): string | undefined {
  const child = childElements(element).find((one) => one.name === name)
  return child && textOf(child)?.trim()
}
