/**
 * What is thrown where a whole exchange failed. Each error has a literal `name`, facts as fields, and one sentence
 * that says what was asked and what happened. No message ever holds a credential.
 */

/** The base of every error that this package throws about a server or a network. */
export class DavError extends Error {
  /** Tells the class, across realms and bundles too. */
  override readonly name: string = 'DavError'
}

/** What {@link DavHttpError} knows about the refused request. */
export interface DavHttpErrorFacts {
  /** The status of the answer. */
  readonly status: number
  /** The request's method. */
  readonly method: string
  /** The request's URL, absolute. */
  readonly url: string
  /** Names of the conditions in the answer's `DAV:error`, none where it had no such body. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** The Depth that was asked for, as header text. */
  readonly depth?: string | undefined
  /** Milliseconds to wait, from Retry-After. */
  readonly retryAfter?: number | undefined
  /** Where a redirect that was not followed pointed to, as the server wrote it. */
  readonly location?: string | undefined
  /** The server's words: the message in the answer's `DAV:error`, or the beginning of a text. */
  readonly description?: string | undefined
  /** The beginning of the answer's body. */
  readonly excerpt?: string | undefined
}

/** The server refused the exchange as a whole: 401, 404, 503, a redirect that may not be followed, … */
export class DavHttpError extends DavError {
  /** Tells the class, across realms and bundles too. */
  override readonly name = 'DavHttpError'
  /** The status of the answer. */
  readonly status: number
  /** The request's method. */
  readonly method: string
  /** The request's URL, absolute. */
  readonly url: string
  /** Names of the conditions in the answer's `DAV:error`, such as `propfind-finite-depth`. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** Milliseconds to wait, from Retry-After. */
  readonly retryAfter: number | undefined
  /** Where a redirect that was not followed pointed to, as the server wrote it. */
  readonly location: string | undefined
  /** The server's words: the message in the answer's `DAV:error`, or the beginning of a text; `undefined` for a page. */
  readonly description: string | undefined
  /** The beginning of the answer's body, at most 1,000 characters; empty where there was none. */
  readonly excerpt: string

  /** Makes the sentence from the facts. */
  constructor(facts: DavHttpErrorFacts) {
    const depth = facts.depth === undefined ? '' : ` (Depth: ${facts.depth})`
    const target =
      facts.location === undefined ? '' : ` (Location: ${visible(facts.location, 200)})`
    const reason =
      facts.conditions.length === 0 ? '' : `: ${visible(facts.conditions.join(', '), 300)}`
    super(`${facts.method} ${facts.url}${depth} answered ${facts.status}${target}${reason}`)
    this.status = facts.status
    this.method = facts.method
    this.url = facts.url
    this.conditions = facts.conditions
    this.retryAfter = facts.retryAfter
    this.location = facts.location
    this.description = facts.description === '' ? undefined : facts.description
    this.excerpt = facts.excerpt ?? ''
  }
}

/** No answer, or one that broke off: refused, reset, a name that does not resolve. `cause` has the platform's error. */
export class DavNetworkError extends DavError {
  /** Tells the class, across realms and bundles too. */
  override readonly name = 'DavNetworkError'
}

/** The time allowed for a part of the exchange ran out. */
export class DavTimeoutError extends DavError {
  /** Tells the class, across realms and bundles too. */
  override readonly name = 'DavTimeoutError'
  /** Which limit: until connected, until the headers of the answer, or between two chunks of its body. */
  readonly timeout: 'connect' | 'headers' | 'idle'

  /** Takes the sentence and the limit that ran out. */
  constructor(message: string, timeout: 'connect' | 'headers' | 'idle', options?: ErrorOptions) {
    super(message, options)
    this.timeout = timeout
  }
}

/** Why a body could not be read as a Multi-Status document, or not to its end. */
export type MultiStatusErrorReason =
  | 'not-well-formed'
  | 'not-multistatus'
  | 'truncated'
  | 'limit-exceeded'
  | 'encoding'

/** A body that is no Multi-Status document, ends early, is not well-formed or breaks a limit. */
export class MultiStatusError extends DavError {
  /** Tells the class, across realms and bundles too. */
  override readonly name = 'MultiStatusError'
  /**
   * The kind of fault. The limits `response` and `value` are looked at where a chunk ends too: where a response breaks one of
   * these and has another fault behind it, which of the two is told depends on how the body was cut.
   */
  readonly reason: MultiStatusErrorReason
  /** Where in the body, in bytes from its beginning. */
  readonly offset: number
  /** The name of the limit that was broken, with reason `limit-exceeded` only. */
  readonly limit: string | undefined
  /** Names of the conditions, where the body is a `DAV:error` instead. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** The beginning of a body that is something else, at most 1,000 characters; else empty. */
  readonly excerpt: string

  /** Takes the sentence, the kind of fault and its place; and what the body is, where it is something else. */
  constructor(
    message: string,
    reason: MultiStatusErrorReason,
    offset: number,
    limit?: string,
    body: {readonly conditions: readonly string[]; readonly excerpt: string} = {
      conditions: [],
      excerpt: '',
    },
  ) {
    super(message)
    this.reason = reason
    this.offset = offset
    this.limit = limit
    this.conditions = body.conditions
    this.excerpt = body.excerpt
  }
}

/** A piece of what a server sent, fit for a message: one line, shortened, control characters made visible. */
export function visible(text: string, length: number): string {
  const short = text.length > length ? `${text.slice(0, length)}…` : text
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return short.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/g, (control) =>
    control === '\n' || control === '\r' || control === '\t'
      ? ' '
      : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
