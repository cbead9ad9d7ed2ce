/**
 * The errors of exchanges that failed as a whole. Each has a literal `name`, facts as fields, and one sentence
 * with the request and its outcome. No message ever holds a credential.
 */

import type {Challenge, SentScheme} from './challenge.ts'
import {explainChallenges, withoutParameters} from './challenge.ts'
import {memberOf, tagOf} from './members.ts'

/** The request of an error, as far as it is known. */
export interface DavErrorOptions extends ErrorOptions {
  /** The method of the request. */
  readonly method?: string | undefined
  /** The absolute URL of the request. */
  readonly url?: string | undefined
}

// The literal names of the classes. A bundler may shorten the names of the classes themselves.
const NAMES = [
  'DavAuthError',
  'DavError',
  'DavFailureError',
  'DavHttpError',
  'DavNetworkError',
  'DavTimeoutError',
  'MultiStatusError',
]

/** Recognizes an error of any copy of this package, and of any realm, by its literal name. */
function isNamed(value: unknown, names: readonly string[]): boolean {
  const isError = tagOf(value) === '[object Error]'
  return isError && names.some((name) => name === memberOf(value, 'name'))
}

/**
 * The base of all errors about a server or a network.
 *
 * Each class has a static `is`. Unlike `instanceof`, it also recognizes errors of a second copy of the package.
 *
 * @example
 * ```ts
 * if (DavHttpError.is(error) && error.status === 404) return undefined
 * ```
 */
export class DavError extends Error {
  /** The name of the class, the same in every copy of the package. */
  override readonly name: string = 'DavError'
  /** The method of the request; `undefined` if the error concerns no single request. */
  readonly method: string | undefined
  /** The absolute URL of the request, without credentials; `undefined` if the error concerns no single request. */
  readonly url: string | undefined

  /** Recognizes an error of this class or a subclass, from any copy of the package. */
  static is(this: void, value: unknown): value is DavError {
    return isDavError(value)
  }

  /** Makes an error. Characters of the message that could harm a terminal or a log become escapes. */
  constructor(message = '', options: DavErrorOptions = {}) {
    super(visible(message), 'cause' in options ? {cause: options.cause} : undefined)
    this.method = options.method
    this.url = options.url
  }
}

/** The facts of a {@link DavHttpError}. */
export interface DavHttpErrorFacts {
  /** The status of the answer. */
  readonly status: number
  /** The method of the request. */
  readonly method: string
  /** The absolute URL of the request. */
  readonly url: string
  /** Names of the conditions in the answer's `DAV:error`, if it has one. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** The Depth header of the request. */
  readonly depth?: string | undefined
  /** Milliseconds to wait, from Retry-After. */
  readonly retryAfter?: number | undefined
  /** The target of a redirect that was not followed, as the server wrote it. */
  readonly location?: string | undefined
  /** The server's words: the message in the answer's `DAV:error`, or the beginning of a text. */
  readonly description?: string | undefined
  /** The beginning of the answer's body. */
  readonly excerpt?: string | undefined
  /** The challenges of the answer. RFC 9110, section 11.6.1. */
  readonly challenges?: readonly Challenge[] | undefined
  /** The scheme of the sent credentials, or `none`. */
  readonly sent?: SentScheme | undefined
}

// Not inside of the class: build tools rename a class that its own body names, and its name is in printed errors.
function isDavError(value: unknown): value is DavError {
  return value instanceof DavError || isNamed(value, NAMES)
}

/** A refusal of the whole request: 401, 404, 503, a redirect that must not be followed, … */
export class DavHttpError extends DavError {
  override readonly name = 'DavHttpError'
  /** The status of the answer. */
  readonly status: number
  /** The method of the request. */
  declare readonly method: string
  /** The absolute URL of the request. */
  declare readonly url: string
  /** Names of the conditions in the answer's `DAV:error`, such as `propfind-finite-depth`. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** Milliseconds to wait, from Retry-After. */
  readonly retryAfter: number | undefined
  /** The target of a redirect that was not followed, as the server wrote it. */
  readonly location: string | undefined
  /** The server's words: the message in the answer's `DAV:error`, or the beginning of a text; `undefined` for a page. */
  readonly description: string | undefined
  /** The beginning of the answer's body, at most 1,000 characters; empty without a body. */
  readonly excerpt: string
  /**
   * The authentication schemes that the server offers, such as `{scheme: 'Digest', realm: 'Files'}`, in its order. Empty without
   * a WWW-Authenticate header. The realm is the server's text: print it through {@link visible}.
   */
  readonly challenges: readonly Challenge[]

  static override is(this: void, value: unknown): value is DavHttpError {
    return isNamed(value, ['DavHttpError'])
  }

  /** Makes the message from the facts. */
  constructor(facts: DavHttpErrorFacts) {
    const {method, url, depth, status, location, conditions, challenges = []} = facts
    const reasons = conditions.length === 0 ? [] : [visible(conditions.join(', '), 300)]
    const hint = explainStatus(facts)
    if (hint !== undefined) reasons.push(hint)
    const sentence = [
      `${method} ${url}`,
      depth === undefined ? '' : ` (Depth: ${depth})`,
      ` answered ${status}`,
      location === undefined ? '' : ` (Location: ${visible(withoutCredentials(location), 200)})`,
      reasons.length === 0 ? '' : `: ${reasons.join('; ')}`,
    ]
    super(sentence.join(''), {method, url})
    this.status = status
    this.conditions = conditions
    this.challenges = challenges.map(withoutParameters)
    this.retryAfter = facts.retryAfter
    this.location = location
    this.description = facts.description === '' ? undefined : facts.description
    this.excerpt = facts.excerpt ?? ''
  }
}

/** Words for an answer to PROPFIND that most often means a wrong address. */
export const NO_DAV_ADDRESS = 'this may be no WebDAV address'

/** Explains a 401 by its challenges, and a 405 or 501 to PROPFIND, which most often means a wrong address. */
function explainStatus({
  status,
  method,
  challenges = [],
  sent,
}: DavHttpErrorFacts): string | undefined {
  if (status === 401 && sent !== undefined) return visible(explainChallenges(challenges, sent), 300)
  const knowsNoPropfind = method === 'PROPFIND' && (status === 405 || status === 501)
  return knowsNoPropfind ? NO_DAV_ADDRESS : undefined
}

/** A missing or broken answer: a refused or reset connection, an unknown host name, … The platform's error is the `cause`. */
export class DavNetworkError extends DavError {
  override readonly name = 'DavNetworkError'

  static override is(this: void, value: unknown): value is DavNetworkError {
    return isNamed(value, ['DavNetworkError'])
  }
}

/** A time limit of the exchange that ran out. */
export class DavTimeoutError extends DavError {
  override readonly name = 'DavTimeoutError'
  /**
   * The limit, by its name in the option `timeout`. `total` is that of the call, and the error has no `method` and no `url` then.
   */
  readonly timeout: 'connect' | 'headers' | 'idle' | 'exchange' | 'total'

  static override is(this: void, value: unknown): value is DavTimeoutError {
    return isNamed(value, ['DavTimeoutError'])
  }

  /** Makes an error for the limit that ran out. */
  constructor(message: string, timeout: DavTimeoutError['timeout'], options?: DavErrorOptions) {
    super(message, options)
    this.timeout = timeout
  }
}

/** The kind of fault of a body that could not be read to its end as a Multi-Status document. */
export type MultiStatusErrorReason =
  | 'not-well-formed'
  | 'not-multistatus'
  | 'truncated'
  | 'limit-exceeded'
  | 'encoding'

/** A body that is no Multi-Status document, ends early, is not well-formed, or breaks a limit. */
export class MultiStatusError extends DavError {
  override readonly name = 'MultiStatusError'
  /**
   * The kind of fault. The limits `response` and `value` are also checked at the end of each chunk. A response
   * may break a limit and have a further fault behind that. The cuts between chunks then decide which fault is reported.
   */
  readonly reason: MultiStatusErrorReason
  /** The place of the fault, in bytes from the beginning of the body. */
  readonly offset: number
  /** The name of the broken limit, with reason `limit-exceeded` only. */
  readonly limit: string | undefined
  /**
   * Names of the conditions, if the body is a `DAV:error` instead. The parser alone has them only if all of the body is there with its
   * first tag. RFC 4918, section 16.
   */
  readonly conditions: readonly string[]
  /**
   * The beginning of a body that is no Multi-Status document, at most 1,000 characters; else empty. The parser alone has what came
   * with the first tag.
   */
  readonly excerpt: string

  static override is(this: void, value: unknown): value is MultiStatusError {
    return isNamed(value, ['MultiStatusError'])
  }

  /** Makes an error for a fault. `options` describe a body that is no Multi-Status document. */
  constructor(
    message: string,
    reason: MultiStatusErrorReason,
    offset: number,
    limit?: string,
    options: DavErrorOptions & {
      readonly conditions?: readonly string[]
      readonly excerpt?: string
    } = {},
  ) {
    super(message, options)
    this.reason = reason
    this.offset = offset
    this.limit = limit
    this.conditions = options.conditions ?? []
    this.excerpt = options.excerpt ?? ''
  }
}

// Control characters, separators of lines, halves of surrogate pairs, and characters without a glyph. Variation selectors stay.
const HARMFUL =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\uFFF9-\uFFFB]|(?![\uFE00-\uFE0F])\p{Default_Ignorable_Code_Point}/gu

/**
 * Makes text of a server safe for a terminal, a log or a message: one line, in its reading order.
 *
 * Line breaks and tabs become a space. Other control characters, invisible characters, halves of surrogate pairs and characters
 * that change the direction of writing become an escape such as `\u001b`. Joiners stay between characters beyond U+02FF, because
 * emoji, Persian and the scripts of India need them.
 *
 * @param text - An `href`, a `description`, a condition, a property or any other text of a server.
 * @param length - The most UTF-16 code units. A longer text is cut and ends with `…`.
 * @defaultValue no limit
 * @example
 * ```ts
 * if (!result.ok) console.log(result.status, visible(result.href), visible(result.description ?? '', 200))
 * ```
 */
export function visible(text: string, length: number = Number.POSITIVE_INFINITY): string {
  const short = text.length > length ? `${beginning(text, length)}…` : text
  return short.replaceAll(HARMFUL, (character, at: number) => {
    if (character === '\n' || character === '\r' || character === '\t') return ' '
    const isJoiner = character === '\u200C' || character === '\u200D'
    if (isJoiner && isBeyondLatin(short, at - 1) && isBeyondLatin(short, at + 1)) return character
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })
}

/** Returns the message of a thrown value. Some values have no text. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message
  try {
    return String(thrown)
  } catch {
    return 'a value without a text'
  }
}

/** Hides credentials in a text of a server or a transport. A page for debugging, or the error of a transport, may repeat the request. */
export function hideCredentials(text: string): string {
  return text.replaceAll(/(authorization\W{1,6}(?:basic|bearer)\s+)[\w+/=.~-]+/gi, '$1…')
}

/** Quotes text of a caller or a server in a message: visible, short, and without the credentials of a URL. */
export function quoted(text: string): string {
  return visible(JSON.stringify(withoutCredentials(text)), 1000)
}

/** Removes the credentials of a URL. A text that no URL parser accepts may hold them behind a slash too. */
function withoutCredentials(text: string): string {
  const isUrl = /^\s*(?:[a-z][a-z\d+.-]*:|[/\\]{2})/i.test(text)
  const isBroken = isUrl && URL.parse(text, 'http://localhost/') === null
  return isBroken
    ? text.replace(/^.*@/s, '')
    : text.replace(URL_CREDENTIALS, '$1').replace(/\/\/[^/@]*@/, '//')
}

// Up to the last `@` of the authority. The slashes may be missing, too many, or the other ones.
const URL_CREDENTIALS = /^(\s*(?:[a-z][a-z\d+.-]*:[/\\]*|[/\\]{2,}))[^/?#\\]*@/i

function isBeyondLatin(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  const isPunctuation = code >= 0x2000 && code <= 0x206f
  return code > 0x2ff && !isPunctuation && code !== 0xfeff
}

/** Cuts a text, but never a surrogate pair in two. */
function beginning(text: string, length: number): string {
  const isInPair = text.slice(length - 1, length + 1).isWellFormed()
  const cut = text.slice(0, length)
  return isInPair && !cut.isWellFormed() && /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut
}
