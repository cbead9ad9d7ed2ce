/** Bearer tokens, and their refresh. RFC 6750; RFC 6749, section 6. */

import {SECOND_TRY_MILLISECONDS, THROTTLE_MILLISECONDS} from '../protocol/bounds.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {callback, readOptions} from '../protocol/options.ts'
import {startTimer} from '../protocol/wait.ts'
import type {DavRequest} from '../transport/transport.ts'
import type {Auth, RefusedChallenge} from './auth.ts'
import {DavAuthError} from './auth-error.ts'
import {questionsBefore} from './questions.ts'

/** A token and the way to a new one. */
export interface RefreshedToken {
  /** The token, or a function that reads it from a store that other processes write too. It is called for each request. */
  readonly token: string | (() => string | Promise<string>)
  /**
   * Gets a new token for a refused one, and stores it and its refresh token before it returns. Nothing interrupts it, because a
   * refresh token can be used once. Throw an error whose `error` or `code` is `invalid_grant` if the refresh token is refused.
   */
  readonly refresh: (refused: string) => string | Promise<string>
}

const REFRESHED: Rules<RefreshedToken> = {
  token: {
    words: 'a token, or a function that reads it from a store',
    accepts: (value) => typeof value === 'string' || typeof value === 'function',
  },
  refresh: callback('the refused token'),
}

/**
 * Makes the credentials of a Bearer token.
 *
 * With `refresh`, a refused token is refreshed, and the request is sent again. All calls of all clients with these credentials
 * share one refresh. A newer token in the store is used first. A token that was accepted within ten seconds is sent once more
 * after a pause, because some servers answer 401 to too many requests. After `invalid_grant` the store is read again, and the
 * refresh is tried once more. Then the session has ended: a {@link DavAuthError}, until the store has another token.
 *
 * @throws TypeError for a token with characters that RFC 6750 does not allow, and for an unknown option.
 * @example
 * ```ts
 * new DavClient({url, auth: bearerAuth({token: () => store.read(), refresh: () => session.refresh()})})
 * ```
 */
export function bearerAuth(given: string | RefreshedToken): Auth {
  if (typeof given !== 'object') {
    const value = format(given)
    return () => value
  }
  const {token, refresh} = readOptions('bearerAuth', given, REFRESHED)
  if (token === undefined || refresh === undefined)
    throw new TypeError('bearerAuth takes a token, or an object with token and refresh')
  const session = new TokenSession(token, refresh)
  return Object.assign(async () => format(await session.read()), {
    onRefused: (request: DavRequest, refused: RefusedChallenge) => session.retry(request, refused),
    onAnswer: session.note,
    asksFirst: (request: DavRequest) => (session.isUnsure ? questionsBefore(request) : []),
  } satisfies Pick<Auth, 'onRefused' | 'onAnswer' | 'asksFirst'>)
}

function format(token: unknown): string {
  if (typeof token !== 'string' || !/^[\w\-.~+/]+=*$/.test(token))
    throw new TypeError('bearerAuth: the token has characters that a Bearer token cannot have')
  return `Bearer ${token}`
}

/** A token that changes. */
class TokenSession {
  readonly #token: RefreshedToken['token']
  readonly #refresh: RefreshedToken['refresh']
  /** The token of the last refresh. */
  #current: string | undefined
  /** Tokens that were refreshed. The store may still have one. */
  #replaced: readonly string[] = []
  #refreshing: Promise<string> | undefined
  #ended: {readonly token: string; readonly error: DavAuthError} | undefined
  /** The time of the last answer that accepted a token. */
  #accepted = Number.NEGATIVE_INFINITY
  readonly #paused = new WeakSet<DavRequest>()
  readonly #refreshed = new WeakSet<DavRequest>()

  constructor(token: RefreshedToken['token'], refresh: RefreshedToken['refresh']) {
    if (typeof token === 'string') format(token)
    this.#token = token
    this.#refresh = refresh
  }

  /** True if no answer has accepted a token for a while. */
  get isUnsure(): boolean {
    return performance.now() - this.#accepted > THROTTLE_MILLISECONDS
  }

  /** Reads the token. */
  async read(): Promise<string> {
    const isFixed = typeof this.#token === 'string'
    const stored = typeof this.#token === 'string' ? this.#token : await this.#token()
    const isOld = isFixed || this.#replaced.includes(stored)
    const token = (isOld ? this.#current : undefined) ?? stored
    if (token === this.#ended?.token) throw this.#ended.error
    return token
  }

  /** Notes that an answer has accepted the token. */
  readonly note = (): void => {
    this.#accepted = performance.now()
  }

  /** Finds the header for a refused request; `undefined` if a fresh token is refused too. */
  async retry(
    request: DavRequest,
    {sent = '', challenges, retryAfter = SECOND_TRY_MILLISECONDS}: RefusedChallenge,
  ): Promise<string | undefined> {
    const now = format(await this.read())
    if (now !== sent) return now
    const isInvalid = challenges.some(({parameters: {error}}) => error === 'invalid_token')
    if (!this.isUnsure && !isInvalid && !this.#paused.has(request)) {
      this.#paused.add(request)
      await pause(Math.min(retryAfter, THROTTLE_MILLISECONDS))
      return format(await this.read())
    }
    if (this.#refreshed.has(request)) return undefined
    this.#refreshed.add(request)
    this.#refreshing ??= this.#renew(sent.slice('Bearer '.length)).finally(() => {
      this.#refreshing = undefined
    })
    return format(await this.#refreshing)
  }

  async #renew(refused: string): Promise<string> {
    try {
      return await this.#ask(refused)
    } catch (error) {
      if (!isInvalidGrant(error)) throw failed(error)
    }
    // Another process may have used the refresh token, and store the result now.
    await pause(SECOND_TRY_MILLISECONDS)
    const stored = await this.read()
    if (stored !== refused) return stored
    try {
      return await this.#ask(refused)
    } catch (cause) {
      if (!isInvalidGrant(cause)) throw failed(cause)
      const sentence = 'The session has ended, because the refresh token was refused: sign in again'
      const error = new DavAuthError(sentence, 'ended', {cause})
      this.#ended = {token: refused, error}
      throw error
    }
  }

  async #ask(refused: string): Promise<string> {
    const token = await this.#refresh(refused)
    format(token)
    this.#replaced = [...this.#replaced, refused].slice(-REPLACED_TOKENS)
    this.#current = token
    return token
  }
}

// A store in several processes may be some refreshes late.
const REPLACED_TOKENS = 8

function failed(cause: unknown): DavAuthError {
  return new DavAuthError(
    'The token could not be refreshed, because refresh threw an error',
    'failed',
    {
      cause,
    },
  )
}

/** Recognizes the refusal of a refresh token, as libraries of OAuth tell it. RFC 6749, section 5.2. */
function isInvalidGrant(error: unknown): boolean {
  const cause = memberOf(error, 'cause')
  return [error, cause].some((one) =>
    [memberOf(one, 'error'), memberOf(one, 'code')].includes('invalid_grant'),
  )
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    startTimer(resolve, milliseconds)
  })
}
