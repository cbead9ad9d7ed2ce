/**
 * Finds the calendars or the address books of a user, from any URL of the server, and tells each step of the search. Asks no DNS,
 * and follows nothing to another origin without a client for it. RFC 6764, section 6; RFC 5397; RFC 4791, section 6.2.1; RFC
 * 6352, section 7.1.1.
 */

import type {RequestOptions} from '../call/request.ts'
import type {ResultTarget} from '../call/target.ts'
import type {StatOptions} from '../listing/propfind.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {hrefs, names} from '../properties/kinds.ts'
import type {CurrentPrincipal} from '../properties/principal.ts'
import {decodeCurrentPrincipal} from '../properties/principal.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {DISCOVERY_REQUESTS, GROUP_LEVELS} from '../protocol/bounds.ts'
import {
  DavError,
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  quoted,
} from '../protocol/errors.ts'
import {canonicalPathOf, HrefResolver} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, callback, readOptions, SIGNAL, TEXT} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import type {RawResponse} from '../transport/transport.ts'
import type {Capabilities, OptionsOptions} from '../verbs/options.ts'
import type {
  DavService,
  Discovered,
  Discovery,
  DiscoveryFinding,
  DiscoveryStep,
  HomeSet,
  NotDiscovered,
} from './discovery.ts'

/** The methods of a `DavClient` that a discovery needs. */
export interface DiscoveryClient {
  /** The URL at which the search begins. */
  readonly url: string
  /** Reads the properties of one resource. */
  stat(target: ResultTarget, options: StatOptions<readonly string[]>): Promise<DavResult<unknown>>
  /** Sends one request. */
  request(method: string, target: ResultTarget, options: RequestOptions): Promise<RawResponse>
  /** Asks for the capabilities of the server. */
  options(target: ResultTarget, options: OptionsOptions): Promise<Capabilities | Failure>
}

/** Options of `discover`. */
export interface DiscoverOptions {
  /** The URL of the user's principal, absolute or relative to the client's URL. Default: it is searched for. */
  readonly principal?: string | undefined
  /**
   * Gives the client for another origin, such as `https://p42.example`, to which the server leads. It decides on the credentials
   * there. Never asked for an `http:` origin if the server that leads there has `https:`.
   *
   * @defaultValue no other origin is asked
   */
  readonly clientFor?: ((origin: string) => DiscoveryClient | undefined) | undefined
  /** The policy by which a refused or broken request is sent again. Default: the client's. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the search, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

const DISCOVER_OPTIONS: Rules<DiscoverOptions> = {
  principal: TEXT,
  clientFor: /* @__PURE__ */ callback('an origin'),
  retry: ANY,
  signal: SIGNAL,
}

interface Service {
  readonly wellKnown: string
  /** The element of the DAV header. */
  readonly extension: string
  readonly type: string
  readonly homeSet: string
  /** The properties with groups of a principal. */
  readonly groups: readonly string[]
}

const SERVICES: Readonly<Record<DavService, Service>> = {
  caldav: {
    wellKnown: '/.well-known/caldav',
    extension: 'calendar-access',
    type: '{urn:ietf:params:xml:ns:caldav}calendar',
    homeSet: '{urn:ietf:params:xml:ns:caldav}calendar-home-set',
    groups: [
      'group-membership',
      '{http://calendarserver.org/ns/}calendar-proxy-read-for',
      '{http://calendarserver.org/ns/}calendar-proxy-write-for',
    ],
  },
  carddav: {
    wellKnown: '/.well-known/carddav',
    extension: 'addressbook',
    type: '{urn:ietf:params:xml:ns:carddav}addressbook',
    homeSet: '{urn:ietf:params:xml:ns:carddav}addressbook-home-set',
    groups: ['group-membership'],
  },
}

// A home set with such an answer is of no use to the user.
const REFUSALS: ReadonlySet<number> = /* @__PURE__ */ new Set([401, 403, 404, 410])

/** A URL that was asked. */
interface Asked {
  /** The URL that answered. */
  readonly url: string
  readonly status: number
  /** The facts about the resource; absent after a failure. */
  readonly resource?: Resource
}

/** The properties of an answer. */
type Answered = Readonly<Record<string, readonly string[] | undefined>> & {
  readonly 'current-user-principal'?: CurrentPrincipal
}

/** A step, with a description that may be absent. */
type StepFacts = Omit<DiscoveryStep, 'description'> & {readonly description?: string | undefined}

interface Resource {
  readonly types: readonly string[]
  /** The URL of the user's principal. */
  readonly principal: string | undefined
  /** False if the server tells nothing about the user. */
  readonly isUserTold: boolean
  readonly homeSets: readonly string[]
  readonly groups: readonly string[]
}

/**
 * Finds the calendars (`caldav`) or the address books (`carddav`) of a user.
 *
 * The search asks the client's URL, then `/.well-known/caldav` or `/.well-known/carddav`, then the parents of a URL that was
 * refused. The first of them that names the user's principal or a home set ends it. Home sets of the user's groups are found too. A
 * server without principals, such as Synology's, is asked by OPTIONS if the client's URL itself has the service. DNS records are
 * not asked: begin at the host that they name. RFC 6764, section 6.
 *
 * An href or redirect to another origin counts as a path on the same origin, because servers behind a proxy write their inner host.
 * `clientFor` allows other origins, which iCloud needs.
 *
 * @param dav - A `DavClient` with the URL of the server, or any URL on it, and with the user's credentials.
 * @returns The home sets, or the reason without any, with the trace of the search.
 * @throws TypeError for an invalid argument. The signal's reason.
 * @example
 * ```ts
 * const dav = new DavClient({url: 'https://cloud.example/', auth: basicAuth('ana', secret)})
 * const calendars = await discover(dav, 'caldav')
 * if (!calendars.ok) console.log(calendars.description, calendars.steps)
 * else for (const {url} of calendars.homeSets) console.log(url)
 * ```
 */
export async function discover(
  dav: DiscoveryClient,
  service: DavService,
  options: DiscoverOptions = {},
): Promise<Discovery> {
  const settings = readOptions('discover', options, DISCOVER_OPTIONS)
  if (!Object.hasOwn(SERVICES, service))
    throw new TypeError(`discover: the service is 'caldav' or 'carddav', not ${quoted(service)}`)
  return new Search(dav, SERVICES[service], settings).run()
}

/** One discovery: its trace, and the facts so far. */
class Search {
  readonly #service: Service
  readonly #given: DiscoverOptions
  readonly #base: string
  readonly #clients: Map<string, DiscoveryClient | undefined>
  readonly #steps: DiscoveryStep[] = []
  readonly #asked = new Map<string, Asked>()
  // The first request without an answer that tells something.
  #unknown: DiscoveryStep | undefined
  #isUnauthenticated = false
  #elsewhere: string | undefined

  constructor(dav: DiscoveryClient, service: Service, given: DiscoverOptions) {
    this.#service = service
    this.#given = given
    this.#base = dav.url
    this.#clients = new Map([[new URL(dav.url).origin, dav]])
  }

  async run(): Promise<Discovery> {
    const {principal} = this.#given
    if (principal !== undefined && !URL.canParse(principal, this.#base))
      throw new TypeError(`discover: the principal ${quoted(principal)} is no URL`)
    if (principal !== undefined)
      return (await this.#searchPrincipal(this.#place(principal, this.#base, []))) ?? this.#fail()
    const roots: Asked[] = []
    for (const root of [this.#base, new URL(this.#service.wellKnown, this.#base).href]) {
      const asked = root === this.#base ? await this.#ask(root) : await this.#askWellKnown(root)
      const found = await this.#searchRoot(asked)
      if (found !== undefined) return found
      roots.push(asked)
    }
    for (const {url, resource} of roots.toReversed()) {
      for (const parent of resource === undefined ? parentsOf(url) : []) {
        const found = await this.#searchRoot(await this.#ask(parent))
        if (found !== undefined) return found
      }
    }
    for (const {url, resource} of roots) {
      const mayBeHome = resource?.isUserTold === false && resource.types.includes('collection')
      if (mayBeHome && (await this.#hasService(url))) return this.#succeed([{url}])
    }
    return this.#fail()
  }

  /** Searches from a URL: by the principal of the user, by home sets of its own, or as a calendar or address book itself. */
  async #searchRoot(root: Asked): Promise<Discovered | undefined> {
    const {url, resource} = root
    if (resource === undefined) return undefined
    const {types, principal} = resource
    const isPrincipal = types.includes('principal')
    return (
      (isPrincipal ? await this.#searchPrincipal(url) : undefined) ??
      (principal === undefined ? undefined : await this.#searchPrincipal(principal)) ??
      (isPrincipal ? undefined : await this.#searchHomeSets([root])) ??
      (types.includes(this.#service.type) ? this.#succeed([{url}]) : undefined)
    )
  }

  async #searchPrincipal(url: string): Promise<Discovered | undefined> {
    const seen = new Set<string>()
    const principals: Asked[] = []
    let level = [url]
    for (let depth = 0; depth <= GROUP_LEVELS; depth++) {
      const next: string[] = []
      for (const one of level) {
        const asked = await this.#ask(one)
        if (asked.resource === undefined || seen.has(asked.url)) continue
        seen.add(asked.url)
        principals.push(asked)
        next.push(...asked.resource.groups)
      }
      level = next
    }
    return this.#searchHomeSets(principals, principals[0]?.url)
  }

  /** Asks each home set of some resources, and drops those that the user cannot read. */
  async #searchHomeSets(owners: readonly Asked[], user?: string): Promise<Discovered | undefined> {
    const homeSets = new Map<string, HomeSet>()
    for (const owner of owners) {
      for (const homeSet of owner.resource?.homeSets ?? []) {
        const {url, status} = await this.#ask(homeSet)
        if (REFUSALS.has(status) || homeSets.has(url)) continue
        homeSets.set(url, {url, ...(user !== undefined && {principal: owner.url})})
      }
    }
    return homeSets.size === 0 ? undefined : this.#succeed([...homeSets.values()], user)
  }

  /** Asks a well-known URL; by GET if PROPFIND tells nothing. RFC 6764, section 5. */
  async #askWellKnown(url: string): Promise<Asked> {
    const asked = await this.#ask(url)
    const client = this.#clientOf(url)
    const isTold = asked.resource !== undefined || asked.url !== url || asked.status === 401
    if (isTold || client === undefined || this.#isFull('GET', url)) return asked
    try {
      const {signal} = this.#given
      const answer = await client.request('GET', {url}, {signal})
      await answer.body?.cancel()
      const found: DiscoveryFinding[] = []
      const {status, headers, url: answerer = url} = answer
      const next = this.#placeRedirect(status, headers.get('location'), url, found) ?? answerer
      if (next === answerer && next !== url) found.push({kind: 'redirect', url: next})
      this.#record({method: 'GET', url, status, found})
      return next === url ? asked : await this.#ask(next)
    } catch (error) {
      return this.#recordError('GET', url, error)
    }
  }

  /** Reads the properties of a resource, once for each URL. */
  async #ask(url: string): Promise<Asked> {
    const known = this.#asked.get(url)
    if (known !== undefined) return known
    const nothing = {url, status: 0}
    // Two origins may lead to each other.
    this.#asked.set(url, nothing)
    const client = this.#clientOf(url)
    if (client === undefined || this.#isFull('PROPFIND', url)) return nothing
    const asked = await this.#askClient(client, url)
    this.#asked.set(url, asked)
    this.#asked.set(asked.url, asked)
    return asked
  }

  async #askClient(client: DiscoveryClient, url: string): Promise<Asked> {
    const {homeSet, groups} = this.#service
    const {retry, signal} = this.#given
    const decoders: Decoders = {
      resourcetype: names,
      'current-user-principal': decodeCurrentPrincipal,
      ...Object.fromEntries([homeSet, ...groups].map((name) => [name, hrefs])),
    }
    try {
      const properties = Object.keys(decoders)
      const result = await client.stat({url}, {properties, decoders, retry, signal})
      return result.ok ? this.#read(result, url) : await this.#readFailure(result, url)
    } catch (error) {
      return this.#recordError('PROPFIND', url, error)
    }
  }

  /** Reads the facts about a resource, and records them. */
  #read({url, status, properties}: Success<unknown>, asked: string): Asked {
    const {homeSet, groups, type} = this.#service
    const values = properties as Answered
    const {resourcetype: types = [], 'current-user-principal': user} = values
    const found: DiscoveryFinding[] = []
    if (canonicalPathOf(url) !== canonicalPathOf(asked)) found.push({kind: 'redirect', url})
    if (types.includes(type)) found.push({kind: 'collection', url})
    const add = (kind: DiscoveryFinding['kind'], href: string): string => {
      const placed = this.#place(href, url, found)
      found.push({kind, url: placed})
      return placed
    }
    if (user?.type === 'unauthenticated') found.push({kind: 'unauthenticated', url})
    const resource = {
      types,
      principal: user?.type === 'href' ? add('principal', user.href) : undefined,
      isUserTold: user !== undefined,
      homeSets: (values[homeSet] ?? []).map((href) => add('home-set', href)),
      groups: groups.flatMap((name) => values[name] ?? []).map((href) => add('group', href)),
    }
    this.#record({method: 'PROPFIND', url: asked, status, found})
    return {url, status, resource}
  }

  /** Records a refusal, and goes on to another origin that has a client. */
  async #readFailure(
    {status, reason, location, description}: Failure,
    url: string,
  ): Promise<Asked> {
    const found: DiscoveryFinding[] = []
    // Another resource of the origin has refused, to which the client followed a redirect.
    if (reason === 'refused' && location !== undefined) {
      found.push({kind: 'redirect', url: location})
      this.#record({method: 'PROPFIND', url, status, found, description})
      return {url: location, status}
    }
    const next = this.#placeRedirect(status, location, url, found)
    this.#record({method: 'PROPFIND', url, status, found, description})
    return next === undefined ? {url, status} : this.#ask(next)
  }

  /** Asks if a server has the service in the DAV header of a resource. RFC 4791, section 5.1; RFC 6352, section 6.1. */
  async #hasService(url: string): Promise<boolean> {
    const client = this.#clientOf(url)
    if (client === undefined || this.#isFull('OPTIONS', url)) return false
    const {retry, signal} = this.#given
    try {
      const result = await client.options({url}, {retry, signal})
      const hasService = result.ok && result.extensions.includes(this.#service.extension)
      const {status, description} = result
      const found = hasService ? [{kind: 'service', url} as const] : []
      this.#record({method: 'OPTIONS', url, status, found, description})
      return hasService
    } catch (error) {
      this.#recordError('OPTIONS', url, error)
      return false
    }
  }

  /** Finds the URL of a redirect that the client did not follow; `undefined` for another answer. */
  #placeRedirect(
    status: number,
    location: string | null | undefined,
    url: string,
    found: DiscoveryFinding[],
  ): string | undefined {
    if (status < 300 || status > 399 || location === null || location === undefined)
      return undefined
    const next = this.#place(location, url, found)
    if (next === url) return undefined
    found.push({kind: 'redirect', url: next})
    return next
  }

  /** Finds the URL for an href: on another origin only with a client for it, else on the same origin. */
  #place(href: string, base: string, found: DiscoveryFinding[]): string {
    const from = new URL(base)
    const to = URL.parse(href, base)
    if (to !== null && /^https?:$/.test(to.protocol) && to.origin !== from.origin) {
      const url = to.origin + to.pathname
      const isDowngrade = from.protocol === 'https:' && to.protocol === 'http:'
      if (!isDowngrade && this.#clientOf(url) !== undefined) return url
      this.#elsewhere ??= url
      found.push({kind: 'elsewhere', url})
    }
    return new HrefResolver(from).resolve(href).url
  }

  /** Returns the client for the origin of a URL. The caller is asked once for each. */
  #clientOf(url: string): DiscoveryClient | undefined {
    const {origin} = new URL(url)
    if (!this.#clients.has(origin)) this.#clients.set(origin, this.#given.clientFor?.(origin))
    return this.#clients.get(origin)
  }

  /** Tells if the search has had all its requests, and records the one that is not sent. */
  #isFull(method: string, url: string): boolean {
    const {length} = this.#steps
    const description = 'Not sent: too many requests'
    if (length === DISCOVERY_REQUESTS)
      this.#unknown ??= this.#record({method, url, status: 0, found: [], description})
    return length >= DISCOVERY_REQUESTS
  }

  #record({description, ...facts}: StepFacts): DiscoveryStep {
    const {status, found} = facts
    const step = {...facts, ...(description !== undefined && {description})}
    if (status === 429 || (status >= 500 && status !== 501)) this.#unknown ??= step
    this.#isUnauthenticated ||= status === 401 || found.some(({kind}) => kind === 'unauthenticated')
    this.#steps.push(step)
    return step
  }

  /** Records an error of an exchange. Others are thrown, and the end of the call or of the client. */
  #recordError(method: string, url: string, error: unknown): Asked {
    const {signal} = this.#given
    if (!DavError.is(error) || error.method === undefined || signal?.aborted === true) throw error
    const {message: description} = error
    const asked = DavHttpError.is(error) ? error : {url, status: 0}
    const found = asked.url === url ? [] : [{kind: 'redirect', url: asked.url} as const]
    const step = this.#record({method, url, status: asked.status, found, description})
    if (DavNetworkError.is(error) || DavTimeoutError.is(error)) this.#unknown ??= step
    return {url: asked.url, status: asked.status}
  }

  #succeed(homeSets: readonly HomeSet[], principal?: string): Discovered {
    return {ok: true, ...(principal !== undefined && {principal}), homeSets, steps: this.#steps}
  }

  #fail(): NotDiscovered {
    const location = this.#elsewhere
    const fail = (reason: NotDiscovered['reason'], description: string): NotDiscovered => ({
      ok: false,
      reason,
      description,
      ...(reason === 'elsewhere' && location !== undefined && {location}),
      steps: this.#steps,
    })
    if (this.#isUnauthenticated) return fail('unauthenticated', 'The server does not know the user')
    if (location !== undefined)
      return fail('elsewhere', `The server leads to ${location}, for which there is no client`)
    if (this.#unknown !== undefined) {
      const {method, url, status} = this.#unknown
      return fail(
        'no-answer',
        `${method} ${url} ${status === 0 ? 'got no answer' : `answered ${status}`}`,
      )
    }
    return fail('not-found', `No URL of the server names a ${this.#service.homeSet}`)
  }
}

/** Lists the collections around a URL, up to the root of its origin. */
function parentsOf(url: string): readonly string[] {
  const parents: string[] = []
  for (let at = new URL(url); at.pathname !== '/';) {
    at = new URL(at.pathname.endsWith('/') ? '..' : '.', at)
    if (at.pathname !== '/.well-known/') parents.push(at.href)
  }
  return parents
}
