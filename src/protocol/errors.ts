/**
 * The errors of exchanges that failed as a whole. Each has a literal `name`, facts as fields, and one sentence
 * with the request and its outcome. No message ever holds a credential.
 */

import type {Challenge, SentScheme} from './challenge.ts'
import {explainChallenges} from './challenge.ts'
import {memberOf} from './members.ts'

/** The request that an error is about, as far as it is known. */
export interface DavErrorOptions extends ErrorOptions {
  /** The request's method. */
  readonly method?: string | undefined
  /** The request's URL, absolute. */
  readonly url?: string | undefined
}

// Every class of this package by its literal name. The name of a class itself changes when a bundler shortens it.
const NAMES = [
  'DavError',
  'DavFailureError',
  'DavHttpError',
  'DavNetworkError',
  'DavTimeoutError',
  'MultiStatusError',
]

/** Recognizes an error of any copy of this package, and of any realm, by its literal name. */
function isNamed(value: unknown, names: readonly string[]): boolean {
  const isError = Object.prototype.toString.call(value) === '[object Error]'
  return isError && names.some((name) => name === memberOf(value, 'name'))
}

/**
 * The base of every error that this package throws about a server or a network.
 *
 * Each class has a static `is`. It also recognizes the errors of a second copy of the package, which `instanceof` does not.
 *
 * @example
 * ```ts
 * if (DavHttpError.is(error) && error.status === 404) return undefined
 * ```
 */
export class DavError extends Error {
  /** The name of the class, the same in every copy of the package. */
  override readonly name: string = 'DavError'
  /** The method of the request; `undefined` for an error of no single request. */
  readonly method: string | undefined
  /** The URL of the request, absolute and without credentials; `undefined` as `method` is. */
  readonly url: string | undefined

  /** Reports if a value is an error of this class or of one below it, from any copy of the package. */
  static is(this: void, value: unknown): value is DavError {
    return value instanceof DavError || isNamed(value, NAMES)
  }

  /** Takes the sentence. Characters that could harm a terminal or a log become escapes. */
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
  /** The request's method. */
  readonly method: string
  /** The request's URL, absolute. */
  readonly url: string
  /** Names of the conditions in the answer's `DAV:error`, if it has one. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** The Depth that was asked for, as header text. */
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
  /** The scheme of the credentials that the client sent, or `none`. */
  readonly sent?: SentScheme | undefined
}

/** The server refused the exchange as a whole: 401, 404, 503, a redirect that may not be followed, … */
export class DavHttpError extends DavError {
  override readonly name = 'DavHttpError'
  /** The status of the answer. */
  readonly status: number
  /** The request's method. */
  override readonly method: string
  /** The request's URL, absolute. */
  override readonly url: string
  /** Names of the conditions in the answer's `DAV:error`, such as `propfind-finite-depth`. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** Milliseconds to wait, from Retry-After. */
  readonly retryAfter: number | undefined
  /** The target of a redirect that was not followed, as the server wrote it. */
  readonly location: string | undefined
  /** The server's words: the message in the answer's `DAV:error`, or the beginning of a text; `undefined` for a page. */
  readonly description: string | undefined
  /** The beginning of the answer's body, at most 1,000 characters; empty if there was none. */
  readonly excerpt: string
  /**
   * The ways to authenticate that the server offers, such as `{scheme: 'Digest', realm: 'Files'}`, in its order. Empty for
   * an answer without WWW-Authenticate. The realm is the server's text: print it through {@link visible}.
   */
  readonly challenges: readonly Challenge[]

  static override is(this: void, value: unknown): value is DavHttpError {
    return isNamed(value, ['DavHttpError'])
  }

  /** Makes the sentence from the facts. */
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
    this.method = method
    this.url = url
    this.conditions = conditions
    this.challenges = challenges
    this.retryAfter = facts.retryAfter
    this.location = location
    this.description = facts.description === '' ? undefined : facts.description
    this.excerpt = facts.excerpt ?? ''
  }
}

/** Explains a status that many take for another problem. */
function explainStatus({
  status,
  method,
  challenges = [],
  sent,
}: DavHttpErrorFacts): string | undefined {
  if (status === 401 && sent !== undefined) return visible(explainChallenges(challenges, sent), 300)
  const knowsNoPropfind = method === 'PROPFIND' && (status === 405 || status === 501)
  return knowsNoPropfind ? 'this may be no WebDAV address' : undefined
}

/** No answer, or one that broke off: refused, reset, a name that does not resolve. `cause` has the platform's error. */
export class DavNetworkError extends DavError {
  override readonly name = 'DavNetworkError'

  static override is(this: void, value: unknown): value is DavNetworkError {
    return isNamed(value, ['DavNetworkError'])
  }
}

/** The time allowed for a part of the exchange ran out. */
export class DavTimeoutError extends DavError {
  override readonly name = 'DavTimeoutError'
  /** The limit: until connected, until the headers of the answer, or between two chunks of its body. */
  readonly timeout: 'connect' | 'headers' | 'idle'

  static override is(this: void, value: unknown): value is DavTimeoutError {
    return isNamed(value, ['DavTimeoutError'])
  }

  /** Takes the sentence and the limit that ran out. */
  constructor(message: string, timeout: 'connect' | 'headers' | 'idle', options?: DavErrorOptions) {
    super(message, options)
    this.timeout = timeout
  }
}

/** The reason that a body could not be read as a Multi-Status document, or not to its end. */
export type MultiStatusErrorReason =
  | 'not-well-formed'
  | 'not-multistatus'
  | 'truncated'
  | 'limit-exceeded'
  | 'encoding'

/** A body that is no Multi-Status document, ends early, is not well-formed or breaks a limit. */
export class MultiStatusError extends DavError {
  override readonly name = 'MultiStatusError'
  /**
   * The kind of fault. The limits `response` and `value` are also checked at the end of a chunk. A response may break one of
   * them and have another fault behind it. The error then depends on the cuts between chunks.
   */
  readonly reason: MultiStatusErrorReason
  /** The place in the body, in bytes from its beginning. */
  readonly offset: number
  /** The name of the limit that was broken, with reason `limit-exceeded` only. */
  readonly limit: string | undefined
  /** Names of the conditions of a body that is a `DAV:error` instead. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** The beginning of a body that is something else, at most 1,000 characters; else empty. */
  readonly excerpt: string

  static override is(this: void, value: unknown): value is MultiStatusError {
    return isNamed(value, ['MultiStatusError'])
  }

  /** Takes the sentence, the kind of fault and its place. `options` describe a body of another kind. */
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
 * Text of a server, fit for a terminal, a log or a message: one line, in the order in which it is read.
 *
 * Line breaks and tabs become a space. Other control characters, those that turn the direction of writing, invisible ones
 * and halves of surrogate pairs become an escape such as `\u001b`. Joiners stay between characters beyond U+02FF, because
 * emoji, Persian and the scripts of India need them.
 *
 * @param text - An `href`, a `description`, a condition, a property or any other text of a server.
 * @param length - Cuts a longer text after so many UTF-16 code units and ends it with `…`.
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

/** Text of a caller or a server in a message: visible, in quotation marks, without the credentials of a URL. */
export function quoted(text: string): string {
  return visible(JSON.stringify(withoutCredentials(text)), 1000)
}

/** Removes the credentials of a URL. A text that no URL parser accepts may have them behind a slash too. */
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

/** The beginning of a text. No surrogate pair is cut in two. */
function beginning(text: string, length: number): string {
  const isInPair = text.slice(length - 1, length + 1).isWellFormed()
  const cut = text.slice(0, length)
  return isInPair && !cut.isWellFormed() && /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut
}
