/** The client: its settings, and the verbs by name. Each verb is a file of its own. RFC 4918, section 9. */

import {defaultTransport} from '#default-transport'

import type {Limits} from '../multistatus/limits.ts'
import {resolveLimits} from '../multistatus/limits.ts'
import type {DecodedProperties} from '../multistatus/parser.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
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
import type {Decoders, PropertiesOf} from '../properties/vocabulary.ts'
import type {DEFAULT_PROPERTIES} from '../properties/propfind-body.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import type {Auth} from '../transport/auth.ts'
import type {Timeouts} from '../transport/deadlines.ts'
import {resolveTimeouts} from '../transport/deadlines.ts'
import {isHeaderValue, resolveHeaders} from '../transport/headers.ts'
import type {Transport} from '../transport/transport.ts'
import type {DeleteManyOptions, DeleteOptions, DeleteTarget, Targets} from '../verbs/delete.ts'
import {DELETE, deleteMany, deleteOne} from '../verbs/delete.ts'
import type {ListingStream, PropfindOptions} from '../listing/propfind.ts'
import {propfind, STAT_OPTIONS} from '../listing/propfind.ts'
import type {RetryOptions} from '../engine/retry.ts'
import {retry} from '../engine/retry.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency} from '../call/session.ts'
import {spelled} from '../call/target.ts'
import {stat} from '../listing/stat.ts'
import type {Target} from '../call/target.ts'

/** The settings of a client. */
export interface DavClientOptions<D extends Decoders = Record<never, never>> {
  /** The collection to work in, absolute. References are resolved against it; a missing slash at its end is added. */
  readonly url: string | URL
  /** Credentials: `basicAuth(…)`, `bearerAuth(…)` or a function of the request. Sent to the origin of `url` only. */
  readonly auth?: Auth | undefined
  /**
   * What sends the requests.
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
  /** Headers for every request. Those that a verb sets itself win. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Requests under way at once in a bulk call.
   *
   * @defaultValue 8
   */
  readonly concurrency?: number | undefined
  /** Sends again what failed for now, in every call. Without it nothing is sent twice. */
  readonly retry?: RetryPolicy | undefined
  /** Bounds on what an answer may make us hold. */
  readonly limits?: Partial<Limits> | undefined
  /**
   * What becomes of an answer that is not well-formed: `throw`, or `skip` the broken response and go on.
   *
   * @defaultValue `throw`
   */
  readonly malformed?: 'throw' | 'skip' | undefined
  /** Time limits in milliseconds: one number for all, or each by name. */
  readonly timeout?: number | Timeouts | undefined
  /** Decoders by property name; they go before the built-in ones and type the properties they decode. */
  readonly decoders?: (D & Decoders) | undefined
  /** Ends every call of the client. */
  readonly signal?: AbortSignal | undefined
}

/** The options that a client knows. */
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

  /**
   * Nothing is sent.
   *
   * @throws TypeError for a setting that is unknown or of another type, RangeError for a number that makes no sense.
   */
  constructor(options: DavClientOptions<D>) {
    const {auth, decoders, limits, malformed, signal, url, transport, ...others} = readOptions(
      'DavClient',
      options,
      CLIENT_OPTIONS,
    )
    const {headers, concurrency = 8, retry: policy, timeout, userAgent} = others
    this.#session = {
      base: resolveBase(url),
      transport: transport ?? defaultTransport(),
      auth,
      headers: {...userAgentHeader(userAgent), ...resolveHeaders(headers)},
      concurrency: resolveConcurrency(concurrency),
      retry: policy === undefined ? undefined : resolvePolicy(policy),
      limits: resolveLimits(limits),
      malformed,
      timeouts: resolveTimeouts(timeout),
      decoders: decoders && mergeDecoders(decoders),
      signal,
      server: {refusesInfinity: false, busyUntil: 0},
    }
  }

  /** The collection that the client works in. */
  get url(): string {
    return this.#session.base.href
  }

  /**
   * Lists a resource and, by `depth`, what is in it: one result for each href. RFC 4918, section 9.1.
   *
   * A listing of everything below takes as many requests as the server makes necessary: Depth infinity that is refused, or
   * answered with a part, is followed by one request for each collection that is missing.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns The results, those of one answer in the server's order. Reading them throws {@link DavHttpError} where the request
   *   for the resource itself was refused, {@link MultiStatusError} where its answer is not whole,
   *   {@link DavNetworkError}, {@link DavTimeoutError}. What goes wrong with a collection below is a Failure.
   *   `summary.complete` is false where members may be missing.
   * @throws TypeError or RangeError for a target or an option that makes no sense, before anything is sent.
   * @example
   * ```ts
   * const stream = dav.propfind('photos/', {depth: 1, properties: ['getetag', 'getcontentlength']})
   * for await (const result of stream) if (result.ok) console.log(result.url, result.properties.getetag)
   * ```
   */
  propfind<
    const Names extends readonly string[] = typeof DEFAULT_PROPERTIES,
    const E extends Decoders = Record<never, never>,
  >(
    target: Target,
    options?: PropfindOptions<Names, E> & {
      readonly allprop?: false | undefined
      readonly propname?: false | undefined
    },
  ): ListingStream<PropertiesOf<Names[number], D & E>>
  propfind<const E extends Decoders = Record<never, never>>(
    target: Target,
    options: PropfindOptions<readonly string[], E>,
  ): ListingStream<DecodedProperties<D & E>>
  propfind(target: Target, options?: PropfindOptions): ListingStream<unknown> {
    return propfind(this.#session, target, options)
  }

  /**
   * The properties of one resource: PROPFIND with Depth 0. RFC 4918, section 9.1.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns Its own result, wherever it stands in the answer.
   * @throws TypeError or RangeError for a target or an option that makes no sense; and what reading {@link DavClient.propfind} throws: {@link DavHttpError} with status 404 for a resource that is
   *   not there.
   * @example
   * ```ts
   * const result = await dav.stat('photos/1.jpg')
   * ```
   */
  async stat<
    const Names extends readonly string[] = typeof DEFAULT_PROPERTIES,
    const E extends Decoders = Record<never, never>,
  >(
    target: Target,
    options: Omit<PropfindOptions<Names, E>, 'depth' | 'resume' | 'concurrency'> = {},
  ): Promise<DavResult<PropertiesOf<Names[number], D & E>>> {
    return stat(this.#session, target, readOptions('stat', options, STAT_OPTIONS))
  }

  /**
   * Deletes a resource and all that is in it. RFC 4918, section 9.6.
   *
   * @param target - A URL reference, a URL, a result, or a {@link ConditionalTarget} with an ETag or a lock token. The client's
   *   own base, and a target around or outside it, are refused.
   * @returns The verdict on the target, whatever the server answered, with the results of the `members` that the answer named.
   *   A 202 is a Success with that status: accepted, and perhaps not done yet. A Failure `refused` is a result that is `outside`
   *   or could not be listed, a name that some servers read as another one, a weak ETag, and an answer by another resource.
   *   The promise rejects if there is no answer to read: {@link DavNetworkError}, {@link DavTimeoutError},
   *   {@link MultiStatusError}, the signal's reason.
   * @throws TypeError for the client's own base and a target around or outside it; TypeError or RangeError for an invalid target
   *   or option. Nothing is sent then.
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
   * A target that was named before is the same target, and has one verdict. One that is in a target taken before waits for
   * the verdict on that: where it was deleted with all members, this one is gone with it and is not sent. The last 10,000 with
   * a verdict are remembered. A target that holds others under way waits for them, so that leaves go before their collections.
   *
   * A 429, a 503 and a broken connection halve the number of requests at once, once for all that were under way; as many good
   * answers as that number is raise it by one again, up to `concurrency`.
   *
   * @param targets - URL references, URLs, results or {@link ConditionalTarget}s from any iterable or stream, also from
   *   another ResultStream. Of an array all are checked before the first request.
   * @returns For each target the results of its members, then one with relation `self`. A refused or broken exchange is
   *   its target's Failure, and the others go on. An invalid or guarded target in a stream is a Failure `refused`. Results of different targets may be
   *   mixed. After an abort, what was sent has 1,000 ms to be answered; every target without an answer, and the rest of an
   *   array, is a Failure `no-answer`, and then reading rejects with the signal's reason. Reading throws what `targets`
   *   throws, after what was under way.
   * @throws TypeError or RangeError for a target or an option that makes no sense, before anything is sent.
   * @example
   * ```ts
   * for await (const result of dav.deleteMany(['a.txt', 'b/'])) if (!result.ok) console.log(result.status, result.url)
   * ```
   */
  deleteMany(targets: Targets, options?: DeleteManyOptions): ResultStream {
    return deleteMany(this.#session, targets, options)
  }

  /**
   * Sends again what failed, and nothing else, as long as the policy allows: leaves before their collections, what failed
   * because of others (424) after those, a target last. A target that was sent before and is gone by
   * then (404, 410) counts as deleted. Attempts are counted anew.
   *
   * @param failures - Failures of this or another client, as they are or after JSON. All of them are held. Of several for
   *   one resource that of the target itself counts, and of those the last one.
   * @returns First the failures that the policy does not retry, unchanged and unsent; then for each of the others the
   *   results of members that were not retried themselves, and one with relation `self`, the verdict, with its attempts.
   *   After an abort, what was not sent again comes out unchanged, and then reading rejects with the signal's reason.
   * @param policy - The policy, or the number of attempts. A member that is not given is that of the client's own policy.
   * @throws TypeError or RangeError for an option that makes no sense. Reading throws TypeError for a failure whose request the guards
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

function resolveBase(given: string | URL): URL {
  const url = URL.parse(given)
  if (url === null) throw new TypeError('url is absolute, such as https://dav.example/files/')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new TypeError('url begins with https:// or http://')
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      'url has credentials in it: give them as auth, such as basicAuth(username, password)',
    )
  }
  if (url.search !== '' || url.hash !== '')
    throw new TypeError('url has neither a query nor a fragment')
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return new URL(spelled(url.href))
}
