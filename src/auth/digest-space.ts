/** One protection space of a server, with its nonce, and the headers made with it. RFC 7616, sections 3.4 and 3.5. */

import {decodeBytes, restoreBytes, toByteString} from '../protocol/byte-string.ts'
import {decodeParameters} from '../protocol/challenge.ts'
import {randomHex} from '../protocol/random.ts'
import type {DavRequest} from '../transport/transport.ts'
import {type DigestChallenge, isSendable} from './digest-challenge.ts'
import type {Hash} from './digest-hash.ts'

/** A user name and a password. */
export interface Account {
  readonly username: string
  readonly password: string
}

/**
 * The form of a user name in a header: its hash, `username*`, its bytes in UTF-8, or its bytes in Latin-1. A `latin-1` server hashes
 * names in UTF-8, as Tomcat does. A `bytes` server hashes the bytes in Latin-1, of the password too.
 */
export type Spelling = 'hash' | 'extended' | 'utf-8' | 'latin-1' | 'bytes'

/**
 * Lists the forms in which a server may take a user name, the likeliest first. Servers that name no charset differ: Apache takes
 * bytes in UTF-8, Tomcat in Latin-1.
 */
export function spellingsOf(username: string, challenge: DigestChallenge): readonly Spelling[] {
  if (challenge.hashesNames) return ['hash']
  const isLatin = /^[ -ÿ]*$/.test(username)
  if (isLatin && decodeBytes(challenge.realm) === undefined) return ['bytes', 'latin-1']
  if (/^[ -~]*$/.test(username) && !(challenge.isUtf8 && /["\\]/.test(username))) return ['utf-8']
  if (challenge.isUtf8) return ['extended', 'utf-8']
  return isLatin ? ['utf-8', 'latin-1'] : ['utf-8']
}

/** A header that was sent, with what its answer is checked against. */
export interface SentDigest {
  readonly space: Space
  readonly header: string
  readonly nonce: string
  /** The nonce count as 8 hexadecimal digits. */
  readonly count: string
  readonly uri: string
}

/** Counts the uses of nonces, so that no two requests share a count, not even by two challenges with one nonce. */
export class NonceCounts {
  readonly #counts = new Map<string, number>()

  /** Counts one use. */
  next(nonce: string): string {
    const count = (this.#counts.get(nonce) ?? 0) + 1
    // The oldest nonces go first.
    this.#counts.delete(nonce)
    this.#counts.set(nonce, count)
    const [oldest] = this.#counts.keys()
    if (this.#counts.size > 100 && oldest !== undefined) this.#counts.delete(oldest)
    return count.toString(16).padStart(8, '0')
  }
}

/** The parts of a protection space. */
export interface SpaceParts {
  readonly challenge: DigestChallenge
  readonly spelling: Spelling
  readonly account: Account
  readonly hash: Hash
  readonly counts: NonceCounts
  /** The client's own nonce. Default: random. */
  readonly cnonce?: string
}

/** A protection space: a challenge, the account, and the form of the name. */
export class Space {
  readonly challenge: DigestChallenge
  readonly spelling: Spelling
  readonly #hash: Hash
  readonly #counts: NonceCounts
  readonly #cnonce: string
  readonly #name: string
  readonly #secret: string
  #nonce: string
  /** The header that the server has last taken. */
  #taken: SentDigest | undefined

  constructor({challenge, spelling, account, hash, counts, cnonce = randomHex()}: SpaceParts) {
    const {username, password} = account
    const {realm, nonce, isSession} = challenge
    this.challenge = challenge
    this.spelling = spelling
    this.#hash = hash
    this.#counts = counts
    this.#cnonce = cnonce
    this.#nonce = nonce
    this.#name = formatName(username, spelling, realm, hash)
    const encode = spelling === 'bytes' ? restoreBytes : toByteString
    const secret = hash(encode(`${username}:${decodeBytes(realm) ?? realm}:${password}`))
    // Made once, even if the nonce changes. RFC 7616, section 3.4.2.
    this.#secret = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret
  }

  /** Tells if the header may be sent to a URL unasked. */
  covers(url: string): boolean {
    return this.challenge.domain.some((place) => url.startsWith(place))
  }

  /** Notes that the server has taken a header. Returns `true` if it had the nonce of an earlier answer. */
  take(sent: SentDigest): boolean {
    const before = this.#taken
    this.#taken = sent
    const isSecond = before?.nonce === sent.nonce && before.count !== sent.count
    return isSecond || sent.nonce !== this.challenge.nonce
  }

  /** Makes the header of a request. */
  sign({method, url}: DavRequest): SentDigest {
    const {realm, opaque, algorithm, hasQop, hashesNames} = this.challenge
    const nonce = this.#nonce
    const count = this.#counts.next(nonce)
    const uri = targetOf(url)
    const fields = [
      this.#name,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `uri=${quote(uri)}`,
      `response="${this.#respond(method, {nonce, count, uri})}"`,
      ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
      ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
      ...(hasQop ? [`qop=auth`, `nc=${count}`, `cnonce="${this.#cnonce}"`] : []),
      ...(hashesNames ? ['userhash=true'] : []),
    ]
    return {space: this, header: `Digest ${fields.join(', ')}`, nonce, count, uri}
  }

  /** Reads an Authentication-Info header, and takes the nonce for the next request. Returns `false` for a wrong proof. */
  accept(info: string, sent: SentDigest): boolean {
    const {rspauth, cnonce, nc, nextnonce, qop} = decodeParameters(info)
    const isProven = rspauth !== undefined || cnonce !== undefined || nc !== undefined
    if (isProven) {
      if (rspauth?.toLowerCase() !== this.#respond('', sent)) return false
      const isOurs = cnonce === this.#cnonce && nc?.toLowerCase() === sent.count
      const isAuth = qop === undefined || qop.toLowerCase() === 'auth'
      if (this.challenge.hasQop && !(isOurs && isAuth)) return false
    }
    if (nextnonce !== undefined && nextnonce !== '' && isSendable(nextnonce))
      this.#nonce = nextnonce
    return true
  }

  #respond(method: string, {nonce, count, uri}: Omit<SentDigest, 'space' | 'header'>): string {
    const asked = this.#hash(`${method}:${uri}`)
    const middle = this.challenge.hasQop ? `${nonce}:${count}:${this.#cnonce}:auth` : nonce
    return this.#hash(`${this.#secret}:${middle}:${asked}`)
  }
}

function formatName(username: string, spelling: Spelling, realm: string, hash: Hash): string {
  if (spelling === 'hash') return `username="${hash(`${toByteString(username)}:${realm}`)}"`
  if (spelling === 'extended')
    return `username*=UTF-8''${encodeURIComponent(username).replaceAll(/['()*]/g, escaped)}`
  return `username=${quote(spelling === 'utf-8' ? toByteString(username) : username)}`
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** Returns the request target as it is sent. RFC 9112, section 3.2.1. */
function targetOf(url: string): string {
  const target = url.replace(/^[^:]+:\/\/[^/?#]*/, '').replace(/#.*$/s, '')
  return target.startsWith('/') ? target : `/${target}`
}
