/** Decodes the properties `lockdiscovery` and `supportedlock`. RFC 4918, sections 14.1, 15.8 and 15.10. */

import {HrefResolver} from '../protocol/href.ts'
import {decodeLockTimeout} from '../protocol/lock-timeout.ts'
import {trimSpace} from '../xml/characters.ts'
import type {XmlElement} from '../xml/element.ts'
import {childrenOf, hrefsOf, textOf} from './value-parts.ts'
import type {RawValue} from './vocabulary.ts'

/** A lock of a resource, of anybody. Servers may leave out every part. RFC 4918, section 14.1. */
export interface ActiveLock {
  /** `exclusive` or `shared`; absent for any other scope. */
  readonly scope?: 'exclusive' | 'shared'
  /** The type of access, such as `write`. */
  readonly type?: string
  /** The reach of the lock. Any other text than `0` counts as `infinity`, because the lock may cover everything below. */
  readonly depth?: 0 | 'infinity'
  /** The owner: trimmed text, or the element if it has child elements. `textOf` reads both. */
  readonly owner?: RawValue
  /** The time that is left, in milliseconds; `Infinity` for a lock without an end. Absent for nonsense too. */
  readonly timeout?: number
  /** The token, byte for byte. Servers hide the tokens of other people. */
  readonly token?: string
  /** The locked resource: an href as the server wrote it, or an absolute URL if the decoder has a base. */
  readonly lockRoot?: string
}

/** A kind of lock that a resource can have. RFC 4918, section 14.10. */
export interface LockEntry {
  /** The scope, such as `exclusive` or `shared`. */
  readonly scope: string
  /** The type of access, such as `write`. */
  readonly type: string
}

/**
 * Decodes `lockdiscovery`: the locks of a resource, those of collections around it too. An empty list is no proof: Apache hides all
 * locks with `DavLockDiscovery Off`. RFC 4918, section 15.8.
 *
 * @param base - The URL of the resource. It makes each `lockRoot` an absolute URL on its origin.
 * @returns `undefined` for a text.
 * @example
 * ```ts
 * const {properties} = unwrap(await dav.stat('a.txt', {properties: ['lockdiscovery'], decoders: {lockdiscovery}}))
 * for (const {owner, timeout} of properties.lockdiscovery ?? []) console.log(textOf(owner), timeout)
 * ```
 */
export function lockdiscovery(
  value: RawValue,
  base?: string | URL,
): readonly ActiveLock[] | undefined {
  if (typeof value === 'string') return trimSpace(value) === '' ? [] : undefined
  return childrenOf(value, 'activelock').map((lock) => decodeActiveLock(lock, base))
}

function decodeActiveLock(lock: XmlElement, base: string | URL | undefined): ActiveLock {
  const part = (name: string): XmlElement | undefined => childrenOf(lock, name)[0]
  const text = (name: string): string | undefined => {
    const found = textOf(part(name))
    return found === undefined ? undefined : trimSpace(found)
  }
  const scope = childrenOf(part('lockscope'))[0]?.name
  const type = childrenOf(part('locktype'))[0]?.name
  const depth = text('depth')
  const element = part('owner')
  const owner = childrenOf(element).length > 0 ? element : text('owner')
  const timeout = decodeLockTimeout(text('timeout') ?? '')
  const [token] = hrefsOf(part('locktoken'))
  const [root] = hrefsOf(part('lockroot'))
  return {
    ...((scope === 'exclusive' || scope === 'shared') && {scope}),
    ...(type !== undefined && {type}),
    ...(depth !== undefined && {depth: depth === '0' ? 0 : 'infinity'}),
    ...(owner !== undefined && {owner}),
    ...(timeout !== undefined && {timeout}),
    ...(token !== undefined && token !== '' && {token}),
    ...(root !== undefined &&
      root !== '' && {
        lockRoot: base === undefined ? root : new HrefResolver(new URL(base)).resolve(root).url,
      }),
  }
}

/**
 * Decodes `supportedlock`: the kinds of locks that a resource can have. An entry without scope or type is left out. RFC 4918,
 * section 15.10.
 *
 * @returns `undefined` for a text.
 */
export function supportedlock(value: RawValue): readonly LockEntry[] | undefined {
  if (typeof value === 'string') return trimSpace(value) === '' ? [] : undefined
  return childrenOf(value, 'lockentry').flatMap((entry) => {
    const [scope] = childrenOf(childrenOf(entry, 'lockscope')[0])
    const [type] = childrenOf(childrenOf(entry, 'locktype')[0])
    return scope === undefined || type === undefined ? [] : [{scope: scope.name, type: type.name}]
  })
}

/**
 * The decoders of both properties, for the client or a call. A decoder gets no URL, so `lockRoot` is as the server wrote it.
 *
 * @example
 * ```ts
 * const dav = new DavClient({url, decoders: lockDecoders})
 * ```
 */
export const lockDecoders: {
  /** Decodes the locks of a resource. */
  readonly lockdiscovery: (value: RawValue) => readonly ActiveLock[] | undefined
  /** Decodes the kinds of locks that a resource can have. */
  readonly supportedlock: (value: RawValue) => readonly LockEntry[] | undefined
} = {lockdiscovery, supportedlock}
