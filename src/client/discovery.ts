/** The types of a discovery: its outcome, and the trace of its steps. No code. */

/** A service to find: calendars or address books. */
export type DavService = 'caldav' | 'carddav'

/** The outcome of a discovery. `ok` tells the two kinds apart. Plain data. */
export type Discovery = Discovered | NotDiscovered

/** The service was found. */
export interface Discovered {
  /** Always true. */
  readonly ok: true
  /** The absolute URL of the user's principal; absent if the home sets are not those of a principal. */
  readonly principal?: string
  /** The collections with the calendars or address books, those of the user first. Never empty. */
  readonly homeSets: readonly HomeSet[]
  /** The requests of the search, in their order. */
  readonly steps: readonly DiscoveryStep[]
}

/** A collection with calendars or address books. It may be one itself. */
export interface HomeSet {
  /** The absolute URL, on another origin only with a client for it. */
  readonly url: string
  /** The absolute URL of its principal: the user, or a group of the user; absent without one. */
  readonly principal?: string
}

/** The service was not found. */
export interface NotDiscovered {
  /** Always false. */
  readonly ok: false
  /** The kind of failure. */
  readonly reason: DiscoveryFailure
  /** A sentence for people. */
  readonly description: string
  /** The URL on another origin, with reason `elsewhere`. */
  readonly location?: string
  /** The requests of the search, in their order. */
  readonly steps: readonly DiscoveryStep[]
}

/**
 * The kind of a failed discovery.
 *
 * - `unauthenticated`: the server answered 401, or does not know the user.
 * - `elsewhere`: the server leads to another origin, for which there is no client.
 * - `no-answer`: nobody knows. A request got no answer, or one with 429 or 5xx, or was one too many to be sent.
 * - `not-found`: the server does not name the service.
 */
export type DiscoveryFailure = 'unauthenticated' | 'elsewhere' | 'no-answer' | 'not-found'

/** One request of a discovery. */
export interface DiscoveryStep {
  /** The method: PROPFIND, GET or OPTIONS. */
  readonly method: string
  /** The absolute URL. */
  readonly url: string
  /** The status of the answer; 0 without one, and for an answer that cannot be read. */
  readonly status: number
  /** The new facts. */
  readonly found: readonly DiscoveryFinding[]
  /** The reason of a failure, if there is more to say than its status. */
  readonly description?: string
}

/** A fact that a step has found. */
export interface DiscoveryFinding {
  /**
   * The kind.
   *
   * - `redirect`: another URL answered, or is to be asked.
   * - `principal`: the principal of the user; `unauthenticated`: the server does not know the user.
   * - `home-set`: a collection of calendars or address books; `group`: a group of the principal.
   * - `collection`: a calendar or an address book; `service`: a resource with the service in its DAV header.
   * - `elsewhere`: a URL on an origin without a client.
   */
  readonly kind:
    | 'redirect'
    | 'principal'
    | 'unauthenticated'
    | 'home-set'
    | 'group'
    | 'collection'
    | 'service'
    | 'elsewhere'
  /** The absolute URL. */
  readonly url: string
}
