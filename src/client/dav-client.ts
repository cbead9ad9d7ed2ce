/** The client: its settings, and one method for each verb. The verbs have files of their own. RFC 4918, section 9. */

import {defaultTransport} from '#default-transport'

import type {Limits} from '../multistatus/limits.ts'
import {resolveLimits} from '../multistatus/limits.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import type {AsyncDisposing} from '../protocol/dispose.ts'
import type {Rules} from '../protocol/options.ts'
import {
  ANY,
  callback,
  NUMBER,
  oneOf,
  readOptions,
  RECORD,
  SIGNAL,
  TEXT,
} from '../protocol/options.ts'
import {DECODERS, mergeDecoders} from '../properties/decode.ts'
import type {Decoders, PropertiesOf, PropertyNameList} from '../properties/vocabulary.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import type {Auth} from '../transport/auth.ts'
import type {Timeouts} from '../transport/deadlines.ts'
import {resolveTimeouts} from '../transport/deadlines.ts'
import {isHeaderValue, resolveHeaders} from '../transport/headers.ts'
import type {RawResponse, Transport} from '../transport/transport.ts'
import type {DeleteManyOptions, DeleteOptions, DeleteTarget, Targets} from '../verbs/delete.ts'
import {DELETE, deleteMany, deleteOne} from '../verbs/delete.ts'
import {DavError} from '../protocol/errors.ts'
import type {RequestOptions} from '../call/request.ts'
import {request} from '../call/request.ts'
import type {
  AskedNames,
  ListingStream,
  PropfindOptions,
  StatOptions,
  WalkOptions,
} from '../listing/propfind.ts'
import {propfind, propfindWalk} from '../listing/propfind.ts'
import type {RetryOptions} from '../engine/retry.ts'
import {retry} from '../engine/retry.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency} from '../call/session.ts'
import {HAS_CREDENTIALS, spelled} from '../call/target.ts'
import type {ExistsOptions} from '../listing/stat.ts'
import {exists, stat} from '../listing/stat.ts'
import type {Target} from '../call/target.ts'

/** The settings of a client. */
export interface DavClientOptions<D extends Decoders = Record<never, never>> {
  /**
   * The collection to work in, absolute; in a browser also relative to the page. References are resolved against it; a
   * missing slash at its end is added.
   */
  readonly url: string | URL
  /** Credentials: `basicAuth(…)`, `bearerAuth(…)` or a function of the request. Sent to the origin of `url` only. */
  readonly auth?: Auth | undefined
  /**
   * Function that sends the requests.
   *
   * @defaultValue undici under Node, the platform's `fetch` elsewhere
   */
  readonly transport?: Transport | undefined
  /**
   * The User-Agent of every request; `headers` win. Chromium lets no page set it.
   *
   * @defaultValue `multistatus/` and the version with undici, the platform's own with `fetch`
   */
  readonly userAgent?: string | undefined
  /** Headers for every request. The headers of a verb win. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Requests under way at once in a bulk call.
   *
   * @defaultValue 8
   */
  readonly concurrency?: number | undefined
  /** Policy by which each call repeats requests that failed for now. Default: no retries. */
  readonly retry?: RetryPolicy | undefined
  /** Bounds on the memory that an answer may take. */
  readonly limits?: Partial<Limits> | undefined
  /**
   * Handling of an answer that is not well-formed: `throw`, or `skip` the broken response and go on.
   *
   * @defaultValue `throw`
   */
  readonly malformed?: 'throw' | 'skip' | undefined
  /** Time limits in milliseconds: one number for all, or each by name. */
  readonly timeout?: number | Timeouts | undefined
  /** Decoders by property name. They replace built-in ones, and type the properties that they decode. */
  readonly decoders?: (D & Decoders) | undefined
  /** Ends every call of the client. */
  readonly signal?: AbortSignal | undefined
}

const CLIENT_OPTIONS: Rules<DavClientOptions> = {
  url: ANY,
  auth: callback('basicAuth(…), bearerAuth(…) or a function of the request'),
  transport: callback('a function of a request, such as fetchTransport()'),
  headers: RECORD,
  concurrency: NUMBER,
  retry: ANY,
  limits: RECORD,
  malformed: oneOf('throw', 'skip'),
  timeout: ANY,
  decoders: DECODERS,
  signal: SIGNAL,
  userAgent: TEXT,
}

/** `await using` closes the client, as {@link DavClient.close} does. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging, no-unused-vars -- the class has the declared method
export interface DavClient<D extends Decoders = Record<never, never>> extends AsyncDisposing {}

/**
 * A WebDAV client that says what happened to every href.
 *
 * @example
 * ```ts
 * const dav = new DavClient({url: 'https://dav.example/files/', auth: basicAuth('ana', secret)})
 * for await (const result of dav.propfind('photos/', {depth: 1})) console.log(result.status, result.href)
 * ```
 */
export class DavClient<const D extends Decoders = Record<never, never>> {
  readonly #session: Session
  readonly #closing = new AbortController()
  readonly #closeTransport: () => Promise<void>
  #closed: Promise<void> | undefined

  /**
   * Checks the settings. Nothing is sent.
   *
   * @throws TypeError for an unknown setting or one of another type, RangeError for a number out of range.
   */
  constructor(options: DavClientOptions<D>) {
    const {auth, decoders, limits, malformed, signal, url, transport, ...others} = readOptions(
      'DavClient',
      options,
      CLIENT_OPTIONS,
    )
    const {headers, concurrency = 8, retry: policy, timeout, userAgent} = others
    const own = transport === undefined ? defaultTransport() : undefined
    this.#closeTransport = async () => own?.close()
    this.#session = {
      base: resolveBase(url),
      transport: transport ?? own ?? defaultTransport(),
      auth,
      headers: {...userAgentHeader(userAgent), ...resolveHeaders(headers)},
      concurrency: resolveConcurrency(concurrency),
      retry: policy === undefined ? undefined : resolvePolicy(policy),
      limits: resolveLimits(limits),
      malformed,
      timeouts: resolveTimeouts(timeout),
      decoders: decoders && mergeDecoders(decoders),
      signals: signal === undefined ? [this.#closing.signal] : [signal, this.#closing.signal],
      sentBodies: new WeakMap(),
      server: {refusesInfinity: false, busyUntil: 0},
    }
  }

  /** The collection that the client works in. */
  get url(): string {
    return this.#session.base.href
  }

  /**
   * Ends every call of the client, and frees the connections of its own transport. A transport that was given stays open.
   *
   * A call that is under way rejects with a {@link DavError}, and so does every later one. `await using dav = new DavClient(…)`
   * calls it at the end of the block. A program that needs no connection any more need not call it.
   *
   * @returns A promise that resolves when the connections are closed.
   */
  close(): Promise<void> {
    this.#closing.abort(new DavError('The client was closed'))
    return (this.#closed ??= this.#closeTransport())
  }

  /** @internal The type is that of {@link AsyncDisposing}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Sends one request of any method, and gives the answer as it is. It takes the client's way: credentials, redirects, pace,
   * time limits and guards. No status is an error, and nothing is retried.
   *
   * The connection is in use until the body of the answer was read, or given up by `body.cancel()` or a `break`.
   *
   * @param method - The method, in any case.
   * @param target - A URL reference, a URL or a result.
   * @returns The answer, as soon as its headers are there. The body is an async iterable of bytes.
   * @throws TypeError or RangeError for an invalid argument. Methods that may remove or replace a resource are a TypeError for
   *   the client's own base, its parents and resources outside it. {@link DavNetworkError}, {@link DavTimeoutError} or the
   *   signal's reason, which reading the body throws too.
   * @example
   * ```ts
   * const {status, body} = await dav.request('GET', 'photos/1.jpg', {headers: {range: 'bytes=0-99'}})
   * for await (const bytes of body ?? []) process.stdout.write(bytes)
   * ```
   */
  request(method: string, target: Target, options?: RequestOptions): Promise<RawResponse> {
    return request(this.#session, method, target, options)
  }

  /**
   * Lists a resource and, by `depth`, its members: one result for each href. RFC 4918, section 9.1.
   *
   * A listing of everything below takes as many requests as the server makes necessary. If Depth infinity is refused, or
   * answered in part, one request for each missing collection follows.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns The results, those of one answer in the server's order. A problem with a collection below is a Failure.
   *   `summary.complete` is false if members may be missing. Reading throws {@link DavHttpError} for a refused listing,
   *   {@link MultiStatusError} for an answer that is not whole, {@link DavNetworkError}, {@link DavTimeoutError}.
   * @throws TypeError or RangeError for an invalid target or option, before anything is sent.
   * @example
   * ```ts
   * const stream = dav.propfind('photos/', {depth: 1, properties: ['getetag', 'getcontentlength']})
   * for await (const result of stream) if (result.ok) console.log(result.url, result.properties.getetag)
   * ```
   */
  propfind<
    const Names extends PropertyNameList = PropertyNameList,
    const E extends Decoders = Record<never, never>,
    All extends boolean = false,
  >(
    target: Target,
    options?: PropfindOptions<Names, E, All>,
  ): ListingStream<PropertiesOf<AskedNames<Names, All>, D & E>> {
    return propfind(this.#session, target, options)
  }

  /**
   * Lists everything below a collection, by one request with Depth 1 for each collection: {@link DavClient.propfind} with
   * depth `{walk: true}`. Its checkpoints can be gone on with.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns The results, as {@link DavClient.propfind} gives them.
   * @throws TypeError or RangeError for an invalid target or option, before anything is sent.
   * @example
   * ```ts
   * for await (const result of dav.walk('photos/', {levels: 3})) console.log(result.status, result.href)
   * ```
   */
  walk<
    const Names extends PropertyNameList = PropertyNameList,
    const E extends Decoders = Record<never, never>,
    All extends boolean = false,
  >(
    target: Target,
    options?: WalkOptions<Names, E, All>,
  ): ListingStream<PropertiesOf<AskedNames<Names, All>, D & E>> {
    return propfindWalk(this.#session, target, options)
  }

  /**
   * Reads the properties of one resource: PROPFIND with Depth 0. RFC 4918, section 9.1.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns The resource's own result, in any place of the answer. A missing resource is a Failure with status 404 or 410,
   *   however the server says it. Any other refusal of the resource is a Failure too.
   * @throws TypeError or RangeError for an invalid target or option; {@link DavHttpError} for a refusal by another resource;
   *   {@link DavError} for an answer without such a result, {@link MultiStatusError}, {@link DavNetworkError},
   *   {@link DavTimeoutError}.
   * @example
   * ```ts
   * const result = await dav.stat('photos/1.jpg')
   * ```
   */
  async stat<
    const Names extends PropertyNameList = PropertyNameList,
    const E extends Decoders = Record<never, never>,
    All extends boolean = false,
  >(
    target: Target,
    options: StatOptions<Names, E, All> = {},
  ): Promise<DavResult<PropertiesOf<AskedNames<Names, All>, D & E>>> {
    return stat(this.#session, target, options)
  }

  /**
   * Tells if a resource is there. RFC 4918, section 9.1.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns `false` after a 404 or a 410, in the answer or in its document.
   * @throws TypeError for an invalid target or option. {@link DavError} and its kinds if nobody knows: a refusal, an answer
   *   that does not name the resource or contradicts itself, a redirect to another resource, no answer.
   * @example
   * ```ts
   * if (!(await dav.exists('photos/1.jpg'))) console.log('not uploaded yet')
   * ```
   */
  exists(target: Target, options?: ExistsOptions): Promise<boolean> {
    return exists(this.#session, target, options)
  }

  /**
   * Deletes a resource and its members. RFC 4918, section 9.6.
   *
   * @param target - A URL reference, a URL, a result, or a {@link ConditionalTarget} with an ETag or a lock token. The client's
   *   own base, and a target around or outside it, are refused.
   * @returns The verdict on the target, whatever the server answered, with the `members` that the answer named. A 202 is a
   *   Success with that status: accepted, and perhaps not done yet. A Failure `refused` was not sent. Its target was `outside`
   *   or could not be listed, had a weak ETag, or a name that some servers read as another one. An answer by another resource is
   *   `refused` too.
   * @throws TypeError for the client's own base and a target around or outside it; TypeError or RangeError for an invalid target
   *   or option. Nothing is sent then. An exchange without a readable answer rejects with {@link DavNetworkError},
   *   {@link DavTimeoutError}, {@link MultiStatusError} or the signal's reason; `deleteMany` gives the members that came before.
   * @example
   * ```ts
   * const verdict = await dav.delete('photos/')
   * if (!verdict.ok) console.log(verdict.status, verdict.members)
   * ```
   */
  async delete(target: DeleteTarget, options?: DeleteOptions): Promise<DavResult> {
    return deleteOne(this.#session, target, options)
  }

  /**
   * Deletes many resources, several at once. Targets are taken no faster than results are read. RFC 4918, section 9.6.
   *
   * A target that was named before is the same target, and has one verdict. A target inside an earlier one waits for the verdict
   * on that. If that one was deleted with all members, this one is gone too and is not sent. At least the last 10,000 verdicts
   * are remembered. A target that holds others under way waits for them, so that leaves go before their collections.
   *
   * A 429, a 503 and a broken connection halve the number of requests at once, once for all requests under way. Then as many good
   * answers as that number raise it by one, up to `concurrency`.
   *
   * @param targets - URL references, URLs, results or {@link ConditionalTarget}s from any iterable or stream, also from
   *   another ResultStream. The targets of an array are all checked before the first request.
   * @returns For each target the results of its members, then one with relation `self`. A refused or broken exchange is its
   *   target's Failure, and the others go on. An invalid or guarded target in a stream is a Failure `refused`. Results of
   *   different targets may be mixed. After an abort, sent requests have 1,000 ms to be answered. Each target without an answer,
   *   and the rest of an array, is a Failure `no-answer`; then reading rejects with the signal's reason. If `targets` throws,
   *   reading throws the same after the requests under way.
   * @throws TypeError or RangeError for an invalid target or option, before anything is sent.
   * @example
   * ```ts
   * for await (const result of dav.deleteMany(['a.txt', 'b/'])) if (!result.ok) console.log(result.status, result.url)
   * ```
   */
  deleteMany(targets: Targets, options?: DeleteManyOptions): ResultStream {
    return deleteMany(this.#session, targets, options)
  }

  /**
   * Repeats failed requests, and no others, as long as the policy allows. Leaves come before their collections, a 424 after its
   * causes, and a target last. A target that was sent before and is gone by then (404, 410) counts as deleted. Attempts are
   * counted from one again.
   *
   * @param failures - Failures of this or another client, as they are or after JSON. All of them are held. Of several for one
   *   resource the last one of the target itself counts, else the last one.
   * @returns First the failures that the policy does not retry, unchanged and unsent. Then for each other one the results of
   *   members that were not retried themselves, and its verdict with relation `self` and its attempts. After an abort, each
   *   failure that was not sent again comes out unchanged; then reading rejects with the signal's reason.
   * @param policy - The policy, or the number of attempts. Its defaults are the client's own policy.
   * @throws TypeError or RangeError for an invalid option. Reading throws TypeError for a failure whose request the guards
   *   refuse, before anything is sent.
   * @example
   * ```ts
   * const {failures} = await dav.deleteMany(targets).collect()
   * const {summary} = await dav.retry(failures, {attempts: 5}).collect()
   * ```
   */
  retry(
    failures: Iterable<Failure> | AsyncIterable<Failure>,
    policy?: RetryOptions | number,
  ): ResultStream {
    return retry(this.#session, failures, policy, [DELETE])
  }
}

function userAgentHeader(userAgent: string | undefined): Readonly<Record<string, string>> {
  if (userAgent === undefined) return {}
  if (typeof userAgent !== 'string' || userAgent.trim() === '' || !isHeaderValue(userAgent))
    throw new TypeError('userAgent is a text such as my-app/1.0')
  return {'user-agent': userAgent}
}

/** The URL of the page in a browser, `undefined` on other platforms. */
function pageUrl(): string | undefined {
  const page: {
    readonly document?: {readonly baseURI?: string}
    readonly location?: {readonly href?: string}
  } = globalThis
  return page.document?.baseURI ?? page.location?.href
}

function resolveBase(given: string | URL): URL {
  const url = URL.parse(given, pageUrl())
  if (url === null) throw new TypeError('url is absolute, such as https://dav.example/files/')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new TypeError('url begins with https:// or http://')
  if (url.username !== '' || url.password !== '') throw new TypeError(`url ${HAS_CREDENTIALS}`)
  if (url.search !== '' || url.hash !== '')
    throw new TypeError('url has neither a query nor a fragment')
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return new URL(spelled(url.href))
}
