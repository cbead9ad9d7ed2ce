/**
 * Digest credentials. The password itself is never sent, and a server can prove that it knows it. RFC 7616, and RFC 2617, which
 * older servers obey.
 */

import {DavError} from '../protocol/errors.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, readOptions} from '../protocol/options.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {DavRequest} from '../transport/transport.ts'
import type {Auth, RefusedChallenge} from './auth.ts'
import {addNonces, isPassed} from './turn.ts'
import {withTurns} from './turns.ts'
import {checkAccount, formatBasic} from './basic.ts'
import type {DigestChallenge} from './digest-challenge.ts'
import {readDigest} from './digest-challenge.ts'
import {HASHES, loadHash} from './digest-hash.ts'
import type {Account, SentDigest, Spelling} from './digest-space.ts'
import {questionsBefore} from './questions.ts'
import {NonceCounts, Space, spellingsOf} from './digest-space.ts'

/** Options of `digestAuth`. */
export interface DigestOptions {
  /**
   * Also answers a server that offers Basic, after the Digest challenges. That sends the password itself, so use it over https. Once
   * accepted, it is sent unasked to the same directory and below, until the server offers no Basic there. RFC 7617, section 2.2.
   *
   * @defaultValue `false`
   */
  readonly basic?: boolean | undefined
  /**
   * Also answers a challenge without `qop`, as of RFC 2069. Whoever reads such a header can send it again.
   *
   * @defaultValue `false`
   */
  readonly withoutQop?: boolean | undefined
}

const DIGEST_OPTIONS: Rules<DigestOptions> = {basic: BOOLEAN, withoutQop: BOOLEAN}

/**
 * Makes Digest credentials with MD5, SHA-256 or SHA-512-256, each also with `-sess`. The strongest offer is tried first. RFC 7616.
 *
 * The first request is refused with a challenge, and is sent again with the header. Later ones carry the header unasked. Before a
 * body that can be read once only, a request without one asks for the challenge. An answer whose `rspauth` is wrong is a {@link DavError}: its
 * server does not know the password. The hash functions are loaded at the first challenge.
 *
 * @throws TypeError for a name or a password with a control character, and for an unknown option.
 * @example
 * ```ts
 * new DavClient({url, auth: digestAuth('ana', secret)})
 * ```
 */
export function digestAuth(username: string, password: string, options: DigestOptions = {}): Auth {
  checkAccount('digestAuth', username, password)
  const given = readOptions('digestAuth', options, DIGEST_OPTIONS)
  const digest = new Digest({username, password}, given)
  const auth = Object.assign((request: DavRequest) => digest.sign(request), {
    onRefused: (request: DavRequest, refused: RefusedChallenge) => digest.retry(request, refused),
    onAnswer: digest.check,
    asksFirst: (request: DavRequest) => (digest.isUnsure(request) ? questionsBefore(request) : []),
  } satisfies Pick<Auth, 'onRefused' | 'onAnswer' | 'asksFirst'>)
  const isReusable = (request: DavRequest): boolean | undefined => digest.isReusable(request)
  return addNonces(auth, {isReusable, takeTurns: withTurns})
}

/** One request, until it is answered. */
interface Attempts {
  /** The spaces whose credentials the server has refused, by their keys. */
  readonly refused: Set<string>
  /** The number of challenges of the last refusal. */
  offered: number
  /** The header of the last attempt. */
  last?: (SentDigest & {readonly isUnasked: boolean}) | undefined
  /** True after the password was sent by Basic. */
  isBasic?: boolean
}

/** The credentials, and the protection spaces in which they were used. */
class Digest {
  readonly #account: Account
  readonly #options: DigestOptions
  readonly #counts = new NonceCounts()
  /** By origin and key, the oldest first. */
  #spaces: readonly {readonly origin: string; readonly key: string; readonly space: Space}[] = []
  readonly #attempts = new WeakMap<DavRequest, Attempts>()
  /** The methods that were refused. The server does not answer them to everybody. */
  readonly #refusedMethods = new Set<string>()
  /** The origins that were seen to take a nonce a second time, or to refuse that without a reason. */
  readonly #reuse = new Map<string, 'taken' | 'refused'>()
  /** The directories of the requests that were accepted with Basic. RFC 7617, section 2.2. */
  #basicPlaces: readonly string[] = []

  constructor(account: Account, options: DigestOptions) {
    this.#account = account
    this.#options = options
  }

  /** Makes the header of a request for a known space. */
  sign(request: DavRequest): string | undefined {
    const space = this.#find(request)
    if (space !== undefined) return this.#use(space, request, true)
    return this.#takesBasic(request) ? this.#useBasic(request) : undefined
  }

  /** Tells if the server was seen to take a nonce twice, or takes the password by Basic; `undefined` if nothing is known. */
  isReusable(request: DavRequest): boolean | undefined {
    if (this.#find(request) === undefined) return this.#takesBasic(request) || undefined
    return this.#reuse.get(originOf(request)) === 'taken'
  }

  /** Tells if a request may be refused. A body that can be read once may also meet an expired nonce. */
  isUnsure(request: DavRequest): boolean {
    if (isStreamed(request.body) || this.isReusable(request) === undefined) return true
    return this.#reuse.get(originOf(request)) === 'refused'
  }

  /** Makes the header for a challenge. Each algorithm and each form of the name is refused once. */
  async retry(
    request: DavRequest,
    {challenges, sent}: RefusedChallenge,
  ): Promise<string | undefined> {
    const offers = challenges
      .map((challenge) => readDigest(challenge, request.url))
      .filter((offer) => offer !== undefined)
      .filter(({hasQop}) => hasQop || this.#options.withoutQop === true)
      .toSorted((one, other) => HASHES.indexOf(one.hash) - HASHES.indexOf(other.hash))
    this.#refusedMethods.add(request.method)
    const origin = originOf(request)
    const offersBasic = challenges.some(({scheme}) => scheme.toLowerCase() === 'basic')
    if (!offersBasic || sent?.startsWith('Basic ') === true)
      this.#basicPlaces = this.#basicPlaces.filter((place) => !place.startsWith(`${origin}/`))
    const attempts = this.#attemptsOf(request)
    const {refused} = attempts
    // A request may be sent again by a retry, and then without the header.
    const last = attempts.last?.header === sent ? attempts.last : undefined
    const hasBegun = challenges.length < attempts.offered
    attempts.offered = challenges.length
    if (last !== undefined && !offers.some((offer) => isRenewal(offer, last, hasBegun))) {
      refused.add(keyOf(last.space.challenge, last.space.spelling))
      this.#spaces = this.#spaces.filter(({space}) => space !== last.space)
    }
    for (const offer of offers) {
      // A nonce cannot be stale before it was used.
      if (offer.isStale && sent === undefined) continue
      const spelling = spellingsOf(this.#account.username, offer).find(
        (one) => !refused.has(keyOf(offer, one)),
      )
      if (spelling === undefined) continue
      const space = await this.#open(offer, spelling, request)
      // Without `last`, the header was that of a question.
      const wasUnasked = last?.isUnasked ?? sent?.startsWith('Digest ') === true
      if (wasUnasked && !offer.isStale && !this.#reuse.has(origin))
        this.#reuse.set(origin, 'refused')
      return this.#use(space, request, false)
    }
    return offersBasic ? this.#basic(request) : undefined
  }

  /** Checks an answer, if the server proves that it knows the password. */
  readonly check: NonNullable<Auth['onAnswer']> = (request, {status, headers}) => {
    const {last: sent, isBasic = false} = this.#attempts.get(request) ?? {}
    const isChecked = this.#refusedMethods.has(request.method) && isPassed(status)
    if (sent === undefined) {
      if (isBasic && isChecked && !this.#takesBasic(request)) this.#addBasic(request)
      return
    }
    const info = headers.get('authentication-info')
    if (info === null || sent.space.accept(info, sent)) {
      const isTaken = info !== null || isChecked
      if (isTaken && sent.space.take(sent)) this.#reuse.set(originOf(request), 'taken')
      return
    }
    const {method, url} = request
    throw new DavError(
      `${method} ${url} was answered by a server that does not know the password: its rspauth is wrong`,
      {method, url},
    )
  }

  #find({url}: DavRequest): Space | undefined {
    return this.#spaces.findLast(({space}) => space.covers(url))?.space
  }

  #attemptsOf(request: DavRequest): Attempts {
    const attempts = this.#attempts.get(request) ?? {refused: new Set(), offered: 0}
    this.#attempts.set(request, attempts)
    return attempts
  }

  #use(space: Space, request: DavRequest, isUnasked: boolean): string {
    const signed = space.sign(request)
    this.#attemptsOf(request).last = {...signed, isUnasked}
    return signed.header
  }

  /** Finds or makes the space of a challenge. A nonce that is known goes on with its count. */
  async #open(offer: DigestChallenge, spelling: Spelling, {url}: DavRequest): Promise<Space> {
    const hash = await loadHash(offer.hash)
    const {origin} = new URL(url)
    const key = keyOf(offer, spelling)
    const others = this.#spaces.filter((one) => one.origin !== origin || one.key !== key)
    const known = this.#spaces.find((one) => one.origin === origin && one.key === key)?.space
    const isKnown = known?.challenge.nonce === offer.nonce
    const space = isKnown
      ? known
      : new Space({challenge: offer, spelling, account: this.#account, hash, counts: this.#counts})
    this.#spaces = [...others, {origin, key, space}].slice(-MOST_SPACES)
    return space
  }

  #basic(request: DavRequest): string | undefined {
    if (this.#options.basic !== true || this.#account.username.includes(':')) return undefined
    // The answer to Basic has no proof. If it is refused, nothing is left.
    return this.#attemptsOf(request).isBasic === true ? undefined : this.#useBasic(request)
  }

  #useBasic(request: DavRequest): string {
    const attempts = this.#attemptsOf(request)
    attempts.last = undefined
    attempts.isBasic = true
    return formatBasic(this.#account.username, this.#account.password)
  }

  #takesBasic({url}: DavRequest): boolean {
    return this.#basicPlaces.some((place) => url.startsWith(place))
  }

  #addBasic({url}: DavRequest): void {
    const place = url.replace(/[?#].*$/s, '').replace(/[^/]*$/, '')
    this.#basicPlaces = [...this.#basicPlaces, place].slice(-MOST_SPACES)
  }
}

function originOf({url}: DavRequest): string {
  return new URL(url).origin
}

// Spaces of one origin are few. The bound is for servers that name another realm each time.
const MOST_SPACES = 16

/** Tells if a challenge asks for the same credentials with another nonce. */
function isRenewal(
  offer: DigestChallenge,
  {space, nonce, isUnasked}: NonNullable<Attempts['last']>,
  hasBegun: boolean,
): boolean {
  const {realm, algorithm} = space.challenge
  if (offer.realm !== realm || offer.algorithm !== algorithm) return false
  // Some servers do not say that a nonce has expired, or forget it. Cyrus forgets it when it offers Basic too. After that it
  // offers Digest alone, and goes on with that.
  return offer.isStale || ((isUnasked || hasBegun) && offer.nonce !== nonce)
}

function keyOf({realm, algorithm = ''}: DigestChallenge, spelling: Spelling): string {
  return `${algorithm.toLowerCase()} ${spelling} ${realm}`
}
