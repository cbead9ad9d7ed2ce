/** Reads a Digest challenge. RFC 7616, section 3.3. */

import type {FullChallenge} from '../protocol/challenge.ts'
import {hasExpired} from '../protocol/challenge.ts'
import {isHeaderValue} from '../transport/headers.ts'
import type {HashName} from './digest-hash.ts'
import {HASHES} from './digest-hash.ts'

/** A Digest challenge that can be answered. Its realm, nonce and opaque have a character for each byte. */
export interface DigestChallenge {
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  /** The algorithm as the server wrote it; `undefined` if it named none. */
  readonly algorithm: string | undefined
  readonly hash: HashName
  /** True for an algorithm with `-sess`. */
  readonly isSession: boolean
  /** True if the server has the quality of protection `auth`. Without it, RFC 2069 counts. */
  readonly hasQop: boolean
  /** True if only the nonce was refused. */
  readonly isStale: boolean
  /** True if the server takes names in UTF-8. RFC 7616, section 4. */
  readonly isUtf8: boolean
  /** True if the server takes the hash of a name. RFC 7616, section 3.4.4. */
  readonly hashesNames: boolean
  /** The URLs of the server below which the header may be sent unasked. */
  readonly domain: readonly string[]
}

/**
 * Reads a challenge to a request for `url`.
 *
 * @returns `undefined` for another scheme, and for a challenge that cannot be answered.
 */
export function readDigest(challenge: FullChallenge, url: string): DigestChallenge | undefined {
  const {scheme, parameters} = challenge
  const {realm, nonce, opaque, algorithm, qop, charset, userhash, domain = ''} = parameters
  const [, name = '', session] = /^(.*?)(-sess)?$/i.exec(algorithm ?? 'MD5') ?? []
  const hash = HASHES.find((known) => known.toLowerCase() === name.toLowerCase())
  if (scheme.toLowerCase() !== 'digest' || hash === undefined) return undefined
  if (realm === undefined || nonce === undefined) return undefined
  if (![realm, nonce, opaque ?? ''].every(isSendable)) return undefined
  const hasQop = qop !== undefined && isListed(qop, 'auth')
  const isSession = session !== undefined
  if (!hasQop && (qop !== undefined || isSession)) return undefined
  const places = (domain.trim() || '/')
    .split(/\s+/, MOST_PLACES)
    .map((place) => URL.parse(place, url))
  if (places.includes(null)) return undefined
  const {origin} = new URL(url)
  return {
    realm,
    nonce,
    opaque,
    algorithm,
    hash,
    isSession,
    hasQop,
    isStale: hasExpired(challenge),
    isUtf8: charset?.toLowerCase() === 'utf-8',
    hashesNames: isTrue(userhash),
    domain: places.flatMap((place) => (place?.origin === origin ? [place.href] : [])),
  }
}

// Elsewhere the header is not sent unasked.
const MOST_PLACES = 100

// Longer headers are refused by most servers.
const MOST_CHARACTERS = 4096

/** Tests if a text of a server can be sent back. Transports of callers may give any text. */
export function isSendable(text: string): boolean {
  return text.length <= MOST_CHARACTERS && isHeaderValue(text)
}

function isListed(list: string, item: string): boolean {
  return list.split(/[\s,]+/).some((one) => one.toLowerCase() === item)
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true'
}
