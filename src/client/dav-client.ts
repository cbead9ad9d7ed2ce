/**
 * The client: it checks its settings and has one method for each verb. The methods do nothing themselves; each verb has files
 * of its own. RFC 4918, section 9.
 */

import {defaultTransport} from '#default-transport'

import type {Limits} from '../multistatus/limits.ts'
import {resolveLimits} from '../multistatus/limits.ts'
import {KnownMarkup} from '../multistatus/known-markup.ts'
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
import type {Download} from '../transfer/download.ts'
import type {Auth} from '../auth/auth.ts'
import {isHeaderValue, resolveHeaders} from '../transport/headers.ts'
import type {DavExchange} from '../transport/dav-exchange.ts'
import type {ClientTimeouts} from '../transport/timeouts.ts'
import {resolveClientTimeouts, TIMEOUT} from '../transport/timeouts.ts'
import type {RawResponse, Transport} from '../transport/transport.ts'
import {isWorkerd} from '../transport/workerd.ts'
import type {DeleteManyOptions, DeleteOptions, DeleteTarget, Targets} from '../verbs/delete.ts'
import type {CopyManyOptions, CopyOptions} from '../verbs/copy.ts'
import {COPY, copyMany, copyOne} from '../verbs/copy.ts'
import {DELETE, deleteMany, deleteOne} from '../verbs/delete.ts'
import type {MoveManyOptions, MoveOptions} from '../verbs/move.ts'
import {MOVE, moveMany, moveOne} from '../verbs/move.ts'
import type {FromTo} from '../verbs/two-ends.ts'
import type {AnyIterable} from '../engine/many.ts'
import type {MkcolOptions} from '../verbs/mkcol.ts'
import {MKCOL, mkcol} from '../verbs/mkcol.ts'
import type {ProppatchOptions} from '../verbs/proppatch.ts'
import {PROPPATCH, proppatch} from '../verbs/proppatch.ts'
import type {PutManyOptions, PutOptions, Upload} from '../verbs/put.ts'
import {PUT, putMany, putOne} from '../verbs/put.ts'
import type {UploadBody} from '../transfer/upload.ts'
import type {Capabilities, OptionsOptions} from '../verbs/options.ts'
import {options as askOptions} from '../verbs/options.ts'
import {download} from '../verbs/download.ts'
import type {GetOptions, ReadOptions} from '../verbs/get.ts'
import {get} from '../verbs/get.ts'
import type {LockOptions} from '../verbs/lock.ts'
import {LOCK, lock} from '../verbs/lock.ts'
import type {Lock} from '../verbs/own-lock.ts'
import {OwnLock, restoreLock} from '../verbs/own-lock.ts'
import type {UnlockOptions} from '../verbs/unlock.ts'
import {UNLOCK, unlock} from '../verbs/unlock.ts'
import {DavError} from '../protocol/errors.ts'
import {Calls} from '../call/calls.ts'
import type {StoredLock} from '../call/lock-store.ts'
import {LockStore} from '../call/lock-store.ts'
import {LockTurns} from '../call/lock-turns.ts'
import {KnownCapabilities} from '../call/capabilities.ts'
import type {ConditionalTarget} from '../call/conditions.ts'
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
import type {MultigetOptions} from '../engine/multiget.ts'
import {multiget} from '../engine/multiget.ts'
import type {RetryOptions} from '../engine/retry.ts'
import {retry} from '../engine/retry.ts'
import {openSession} from '../call/send.ts'
import type {ReportOptions} from '../listing/report.ts'
import {report} from '../listing/report.ts'
import type {SearchOptions} from '../listing/search.ts'
import {search} from '../listing/search.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency} from '../call/session.ts'
import {HAS_CREDENTIALS, spelled} from '../call/target.ts'
import type {ExistsOptions} from '../listing/stat.ts'
import {exists, stat} from '../listing/stat.ts'
import type {SyncOptions} from '../sync/sync.ts'
import {sync} from '../sync/sync.ts'
import type {Target} from '../call/target.ts'

/** The settings of a client. */
export interface DavClientOptions<D extends Decoders = Record<never, never>> {
  /**
   * The URL of the collection to work in, absolute; in a browser also relative to the page. Targets are resolved against it. A
   * missing slash at its end is added.
   */
  readonly url: string | URL
  /** Credentials: `basicAuth(…)`, `digestAuth(…)`, `bearerAuth(…)` or a function of the request and of the refused challenge. Sent to
   * the origin of `url` only. */
  readonly auth?: Auth | undefined
  /**
   * The function that sends the requests.
   *
   * @defaultValue undici under Node, the platform's `fetch` elsewhere
   */
  readonly transport?: Transport | undefined
  /**
   * The User-Agent of every request. A `user-agent` in `headers` wins. Chromium lets no page set it.
   *
   * @defaultValue `multistatus/` and the version with undici, the platform's own with `fetch`
   */
  readonly userAgent?: string | undefined
  /** Headers for every request. The headers of a verb win over them. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * The most requests at once in one call.
   *
   * @defaultValue 8
   */
  readonly concurrency?: number | undefined
  /** The policy by which each call retries failed requests. Default: no retries. */
  readonly retry?: RetryPolicy | undefined
  /** Bounds on the memory that an answer may take. Default: those of {@link Limits}. */
  readonly limits?: Partial<Limits> | undefined
  /**
   * The treatment of an answer that is not well-formed: `throw`, or `skip` the broken response and go on.
   *
   * @defaultValue `throw`
   */
  readonly malformed?: 'throw' | 'skip' | undefined
  /**
   * Time limits in milliseconds: each by name, or one number for `headers` and `idle`. A call may have others. Defaults: 10,000 to
   * connect, 60,000 until the headers of an answer and between two chunks of its body.
   */
  readonly timeout?: number | ClientTimeouts | undefined
  /**
   * Called once for each exchange at its end, with plain data without credentials: see {@link formatExchange}. It cannot change
   * the call: an error that it throws is reported by the platform as an uncaught one.
   */
  readonly onExchange?: ((exchange: DavExchange) => void) | undefined
  /** Decoders by property name. They win over the built-in ones, and type their properties. */
  readonly decoders?: (D & Decoders) | undefined
  /**
   * Locks of an earlier process, as `JSON.stringify(dav.locks)` gave them. Nothing is sent for them. They are not renewed until
   * `refresh` is called.
   */
  readonly locks?: readonly StoredLock[] | undefined
  /** Ends every call of the client. */
  readonly signal?: AbortSignal | undefined
}

const CLIENT_OPTIONS: Rules<DavClientOptions> = {
  url: ANY,
  auth: callback('basicAuth(…), digestAuth(…), bearerAuth(…) or a function of the request'),
  transport: callback('a request, such as fetchTransport()'),
  headers: RECORD,
  concurrency: NUMBER,
  retry: ANY,
  limits: RECORD,
  malformed: oneOf('throw', 'skip'),
  timeout: TIMEOUT,
  onExchange: callback('an exchange'),
  decoders: DECODERS,
  locks: {words: 'an array of locks', accepts: Array.isArray},
  signal: SIGNAL,
  userAgent: TEXT,
}

/** `await using` closes the client, as {@link DavClient.close} does. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging, no-unused-vars -- the class has the declared method
export interface DavClient<D extends Decoders = Record<never, never>> extends AsyncDisposing {}

/**
 * A WebDAV client that reports the outcome for every href. A method with one target returns a promise and acts at once. A method
 * with many resources returns a {@link ResultStream}, and sends nothing before that is read.
 *
 * @example
 * ```ts
 * const dav = new DavClient({url: 'https://dav.example/files/', auth: basicAuth('ana', secret)})
 * for await (const result of dav.propfind('photos/', {depth: 1})) console.log(result.status, result.href)
 * ```
 */
export class DavClient<const D extends Decoders = Record<never, never>> {
  readonly #session: Session
  readonly #closeTransport: () => Promise<void>
  #closed: Promise<void> | undefined

  /**
   * Makes a client. Nothing is sent.
   *
   * @throws TypeError for an unknown setting or one of the wrong type, RangeError for a number out of range.
   */
  constructor(options: DavClientOptions<D>) {
    const {auth, decoders, limits, malformed, signal, url, transport, ...others} = readOptions(
      'DavClient',
      options,
      CLIENT_OPTIONS,
    )
    const {
      headers,
      concurrency = 8,
      locks = [],
      retry: policy,
      timeout,
      userAgent,
      onExchange,
    } = others
    const {timeouts, connect} = resolveClientTimeouts(timeout)
    if (connect !== undefined && transport !== undefined)
      throw new TypeError(
        'timeout: connect is for the own transport: give connectTimeout to undiciTransport',
      )
    const own = transport === undefined ? defaultTransport(connect) : undefined
    this.#closeTransport = async () => own?.close()
    this.#session = openSession({
      base: resolveBase(url),
      transport: transport ?? own ?? defaultTransport(connect),
      auth,
      headers: {...userAgentHeader(userAgent), ...resolveHeaders(headers)},
      concurrency: resolveConcurrency(concurrency),
      retry: policy === undefined ? undefined : resolvePolicy(policy),
      limits: resolveLimits(limits),
      malformed,
      timeouts,
      onExchange,
      decoders: decoders && mergeDecoders(decoders),
      calls: new Calls(signal === undefined ? [] : [signal]),
      locks: new LockStore(),
      lockTurns: new LockTurns(),
      // workerd has it since the compatibility date 2025-05-05, but lets no callback end an exchange.
      dropped: isWorkerd() ? undefined : new FinalizationRegistry(({end}) => end?.()),
      server: {refusesInfinity: false, busyUntil: 0, capabilities: new KnownCapabilities()},
      markup: new KnownMarkup(),
    })
    for (const stored of locks) restoreLock(this.#session, LOCK, stored)
  }

  /** The URL of the collection that the client works in, with its slash. */
  get url(): string {
    return this.#session.base.href
  }

  /**
   * The locks that the client holds, in the order in which it got them. `JSON.stringify(dav.locks)` is the `locks` option of a
   * client in another process.
   */
  get locks(): readonly Lock[] {
    return [...this.#session.locks].filter((held) => held instanceof OwnLock)
  }

  /**
   * Ends every call of the client, and frees the connections of its own transport. A transport of yours stays open. Locks stay at
   * the server, and are not renewed any more.
   *
   * Calls under way and later ones reject with a {@link DavError}. `await using dav = new DavClient(…)` closes the client at the
   * end of the block. Closing is optional: idle connections do not keep a process alive.
   *
   * @returns A promise that resolves when the connections are closed.
   */
  close(): Promise<void> {
    this.#session.calls.close(new DavError('The client was closed'))
    this.#session.locks.endRenewals()
    return (this.#closed ??= this.#closeTransport())
  }

  /** @internal The type is that of {@link AsyncDisposing}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Asks for the capabilities of the server at a resource. RFC 9110, section 9.3.7; RFC 4918, section 18.
   *
   * The client remembers the answer, and later does not send a request that the server cannot do: the result is a Failure
   * `refused`. Classes and extensions count for the whole server, methods for this resource until the next change by the client.
   * Servers err, so `ignoreCapabilities: true` of the other methods sends it nevertheless.
   *
   * @param target - A URL reference, a URL or a result. An empty string is the client's own collection.
   * @returns The capabilities. A refusal is a Failure with its status, and later requests are sent as before it.
   * @throws TypeError or RangeError for an invalid target or option. {@link DavNetworkError}, {@link DavTimeoutError} or the
   *   signal's reason without an answer.
   * @example
   * ```ts
   * const server = await dav.options('')
   * if (server.ok && !server.classes.includes('2')) console.log('no locks')
   * ```
   */
  options(target: Target, options?: OptionsOptions): Promise<Capabilities | Failure> {
    return askOptions(this.#session, target, options)
  }

  /**
   * Sends one request of any method, and returns the answer as it is. The client adds its credentials, redirects, pace, time
   * limits and guards. No status is an error, and nothing is retried.
   *
   * The connection is in use until the body of the answer has ended. Read it, call `body.cancel()`, or leave its loop by `break`.
   *
   * @param method - The method, in any case.
   * @param target - A URL reference, a URL or a result.
   * @returns The answer, as soon as its headers are there. The body is an async iterable of bytes.
   * @throws TypeError or RangeError for an invalid argument. A method that may remove or replace a resource is a TypeError
   *   for the client's own base, its parents and resources outside it. {@link DavNetworkError}, {@link DavTimeoutError}
   *   and the signal's reason, before the headers and while the body is read.
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
   * If the server refuses Depth infinity or answers it in part, one request for each missing collection follows.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns The results, those of one answer in the server's order. A collection below that cannot be listed is a Failure.
   *   `summary.complete` is false if members may be missing. Reading throws {@link DavHttpError} for a refused listing and
   *   {@link MultiStatusError} for a broken answer. It also throws {@link DavNetworkError} and {@link DavTimeoutError}.
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
   * Lists everything below a collection by one request with Depth 1 for each collection. The same as {@link DavClient.propfind}
   * with depth `{walk: true}`. Another process can continue from its checkpoints.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns The results, like those of {@link DavClient.propfind}.
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
   * @returns The resource's own result. Any refusal is a Failure with its status. A missing resource is a Failure 404 or 410, in
   *   whichever part of the answer the server says so. An answer that does not tell of the resource is a Failure `no-answer`. A
   *   lone result at a path outside the resource counts as its own, with relation `outside`: servers behind a proxy write such paths.
   *   A refusal by another resource, to which a redirect led, is a Failure `refused` with its `location`.
   * @throws TypeError or RangeError for an invalid target or option. {@link MultiStatusError}, {@link DavNetworkError},
   *   {@link DavTimeoutError}.
   * @example
   * ```ts
   * const result = await dav.stat('photos/1.jpg')
   * ```
   */
  stat<
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
   * Tests if a resource is there, by PROPFIND with Depth 0. RFC 4918, section 9.1.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns `false` after a 404 or a 410, of the answer or in its document.
   * @throws TypeError for an invalid target or option. {@link DavError} and its kinds if the answer does not tell. It was a
   *   refusal, did not name the resource, contradicted itself, came from another resource, or never came.
   * @example
   * ```ts
   * if (!(await dav.exists('photos/1.jpg'))) console.log('not uploaded yet')
   * ```
   */
  exists(target: Target, options?: ExistsOptions): Promise<boolean> {
    return exists(this.#session, target, options)
  }

  /**
   * Sends a report of any kind: a question that the root of its body names. RFC 3253, section 3.6.
   *
   * It is sent to every server, whether its `supported-report-set` names the report or not, because servers err in that list. An
   * unknown report has many answers: 403 with `supported-report`, 400, 405, 415 or 501. xandikos 0.2 answers 207 with a Failure
   * 403. Radicale 3.1 names each member with no word about it, which gives Failures `malformed`.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns The results of a Multi-Status document, in the server's order. Any other document or text is one Success for the
   *   target, with it as `content`. `summary.complete` is false after a 507, and after a response that cannot be understood.
   *   Reading throws as for {@link DavClient.propfind}. A failure of one resource is retried by the whole report.
   * @throws TypeError or RangeError for an invalid target or option, before anything is sent.
   * @example
   * ```ts
   * const body = {name: 'principal-search-property-set'}
   * for await (const result of dav.report('principals/', {body})) if (result.ok) console.log(result.content?.root)
   * ```
   */
  report<const E extends Decoders = Record<never, never>>(
    target: Target,
    options: ReportOptions<E>,
  ): ListingStream<PropertiesOf<string, D & E>> {
    return report(this.#session, target, options)
  }

  /**
   * Reads many resources of a collection by multiget reports, each for a batch of them, several at once. RFC 4791, section 7.9;
   * RFC 6352, section 8.7.
   *
   * @param target - The collection: a URL reference, a URL or a result.
   * @param targets - URL references, URLs or results, from any iterable or stream, each resolved against the client's URL. All
   *   targets of an array are checked before the first request.
   * @returns A result for each target, in the server's order. Of the last 10,000 targets, a repeated one is read once. A target
   *   that the answer does not name is a Failure 404. After an answer with a gap, which is a 507 or an unreadable response, it is a
   *   Failure `no-answer`. So it is if the answer names another resource, which comes out too: it may be the target by another name.
   *   A refused or broken report is a Failure of each of its targets, and the rest go on. An invalid target in a stream is a Failure
   *   `refused`.
   * @throws TypeError or RangeError for an invalid argument, before anything is sent.
   * @example
   * ```ts
   * const data = '{urn:ietf:params:xml:ns:caldav}calendar-data'
   * const report = '{urn:ietf:params:xml:ns:caldav}calendar-multiget'
   * const events = ['calendars/work/1.ics', 'calendars/work/2.ics']
   * for await (const result of dav.multiget('calendars/work/', events, {report, properties: ['getetag', data]}))
   *   console.log(result.ok ? result.properties[data] : result.status)
   * ```
   */
  multiget<const Names extends PropertyNameList, const E extends Decoders = Record<never, never>>(
    target: Target,
    targets: AnyIterable<Target>,
    options: MultigetOptions<Names, E>,
  ): ResultStream<PropertiesOf<AskedNames<Names, false>, D & E>> {
    return multiget(this.#session, target, targets, options)
  }

  /**
   * Searches for resources by their properties or content. RFC 5323.
   *
   * @param target - The resource that searches: a URL reference, a URL or a result. Nextcloud searches at `/remote.php/dav/` only.
   * @param options - A whole `body`, or the parts of a basic search.
   * @returns The resources that match, in the server's order, with relations to the target. `summary.complete` is false after a 507,
   *   by which a server says that there are more. Reading throws as for {@link DavClient.propfind}.
   * @throws TypeError or RangeError for an invalid target or option, before anything is sent.
   * @example
   * ```ts
   * const prop = {name: 'prop', children: [{name: 'displayname'}]}
   * const where = {name: 'like', children: [prop, {name: 'literal', children: ['%.jpg']}]}
   * for await (const result of dav.search('/remote.php/dav/', {where, scope: 'photos/', limit: 20})) console.log(result.url)
   * ```
   */
  search<
    const Names extends PropertyNameList = PropertyNameList,
    const E extends Decoders = Record<never, never>,
  >(
    target: Target,
    options: SearchOptions<Names, E>,
  ): ListingStream<PropertiesOf<Names extends readonly string[] ? Names[number] : string, D & E>> {
    return search(this.#session, target, options)
  }

  /**
   * Finds the changes of a collection since the last sync. A new or changed resource is a Success, and one that is gone is a Failure
   * 404. RFC 6578.
   *
   * A server without the report sync-collection is listed instead, and the ETags are compared with the `state`. The pages of an
   * answer are read as one. After a lost token, all resources are read and compared. A resource without an ETag counts as changed.
   *
   * A server may ignore the level `'infinity'`, and report the members alone. It is listed instead if it names collections and
   * nothing in them. If its first answer went deeper than later ones, nobody can tell, and deeper changes are missed. Without a
   * `state` only the first answer is checked.
   *
   * @param target - The collection: a URL reference, a URL or a result.
   * @returns The changes, page by page. `summary.complete` is true if none is missing, and only then there is a
   *   `summary.syncToken`. A resource that the server refuses to show is a Failure, and stays in the state. Reading throws
   *   {@link DavHttpError}, {@link MultiStatusError}, {@link DavNetworkError} and {@link DavTimeoutError}; the next sync with the
   *   state goes on from there.
   * @throws TypeError or RangeError for an invalid target or option, before anything is sent.
   * @example
   * ```ts
   * const changes = dav.sync('calendar/', {state, onPage: (lines) => appendFileSync('state.jsonl', lines)})
   * for await (const change of changes) console.log(change.ok ? 'changed' : 'gone', change.url)
   * ```
   */
  sync<
    const Names extends PropertyNameList = PropertyNameList,
    const E extends Decoders = Record<never, never>,
  >(
    target: Target,
    options?: SyncOptions<Names, E>,
  ): ListingStream<PropertiesOf<AskedNames<Names, false> | 'getetag' | 'resourcetype', D & E>> {
    return sync(this.#session, target, options)
  }

  /**
   * Reads the content of a resource, or a range of it. RFC 9110, section 9.3.1.
   *
   * The request asks for no content coding, so the ETag and the bytes are those of the resource itself. The bytes are counted
   * against Content-Length: content that is shorter or longer throws, and never passes for whole.
   *
   * @param target - A URL reference, a URL or a result.
   * @returns The resource as soon as its headers are there, with its content unread: read it, call `body.cancel()`, or leave its
   *   loop by `break`. Any refusal is a Failure with its status, 304, 412 and 416 among them. A collection is a Failure
   *   `refused`. A page without ETag and date is a Failure `no-answer`, if PROPFIND breaks that is to tell if it is a collection.
   *   An answer that contradicts itself or the range is a Failure `malformed`. A redirect within the origin is followed, and
   *   `url` is the URL that answered.
   * @throws TypeError or RangeError for an invalid target or option. {@link DavNetworkError}, {@link DavTimeoutError} and the
   *   signal's reason without an answer.
   * @example
   * ```ts
   * const photo = await dav.get('photos/1.jpg', {resume: true})
   * if (photo.ok) for await (const bytes of photo.body) process.stdout.write(bytes)
   * ```
   */
  get(target: Target, options?: GetOptions): Promise<Download | Failure> {
    return get(this.#session, target, options)
  }

  /**
   * Reads a resource into a file. Node, Bun and Deno only.
   *
   * The content goes to a new file beside `path`, which replaces the file there when it is whole and on the disk. After a Failure
   * or an error, the file at `path` is as it was. A break in the content is resumed, as by {@link DavClient.get} with `resume`.
   *
   * @param target - A URL reference, a URL or a result.
   * @param path - The path of the file, in a directory that exists.
   * @returns The verdict. Any refusal is a Failure, as of {@link DavClient.get}.
   * @throws TypeError for an invalid target or option, for a directory or a device as path, and on other platforms. The
   *   platform's error of the file, such as `ENOSPC`. {@link DavNetworkError}, {@link DavTimeoutError}, a {@link DavError} for a
   *   resource that has changed after a break, and the signal's reason.
   * @example
   * ```ts
   * const verdict = await dav.download('photos/1.jpg', 'photo.jpg', {onProgress: console.log})
   * ```
   */
  download(target: Target, path: string, options?: ReadOptions): Promise<DavResult> {
    return download(this.#session, target, path, options)
  }

  /**
   * Uploads a body, and replaces the resource that is there. RFC 4918, section 9.7; RFC 9110, section 9.3.4.
   *
   * A string, bytes, a Blob and a local file can be sent again, by the policy and after missing parents were made. A stream is read
   * once, and ended even if the upload is refused. A 307 or 308 to another resource of the client is followed, unless that is a
   * collection, and `url` is the URL that answered.
   *
   * A body that is longer than `chunkSize` goes in chunks to Nextcloud and to a server with TUS. The server must have told it in its
   * answer to `options`; see `strategy`. Another process can go on with such an upload.
   *
   * @param target - A URL reference, a URL or a result. A collection is refused, and so are the client's own base, its parents and
   *   everything outside it.
   * @param body - Text, sent as UTF-8; bytes; a Blob; `{path}` of a local file; a web stream, a stream of Node or an async iterable
   *   of bytes.
   * @returns The verdict, with the `etag` of the answer if it has one. Without an `etag`, the server may have changed the content.
   *   A 2xx is no proof of the whole content; see `verify`. A Failure may have destroyed the old content; see `safely`. The 412 of a
   *   repeated request is a Failure `no-answer`, because an earlier attempt may have written the resource. A Failure
   *   `refused` was not sent: its body could not be read, or its ETag is weak, or as for `delete`.
   * @throws TypeError for a collection, for the client's own base, its parents and resources outside it. TypeError or RangeError for
   *   an invalid argument. Nothing is sent then. {@link DavNetworkError}, {@link DavTimeoutError}, {@link MultiStatusError} or the
   *   signal's reason without a readable answer: the resource may be new, old or broken.
   * @example
   * ```ts
   * const {status, etag} = unwrap(await dav.put('notes.txt', 'All is well.', {type: 'text/plain'}))
   * const verdict = await dav.put('photos/1.jpg', {path: '/tmp/1.jpg'}, {create: true, parents: true})
   * ```
   */
  put(target: Target, body: UploadBody, options?: PutOptions): Promise<DavResult> {
    return putOne(this.#session, target, body, options)
  }

  /**
   * Uploads many bodies, several at once. Each is sent, those for one target in their order. RFC 4918, section 9.7.
   *
   * @param uploads - Each with `href` and `body`, from any iterable or stream. All uploads of an array are checked before the first
   *   request. A local file is opened only when its turn comes.
   * @returns For each upload its verdict with relation `self`, as for {@link DavClient.deleteMany}. An invalid or guarded target in a
   *   stream is a Failure `refused`. So is a file that cannot be read, and the rest go on.
   * @throws TypeError or RangeError for an invalid argument, before anything is sent.
   * @example
   * ```ts
   * const uploads = [{href: 'a.txt', body: 'A'}, {href: 'b.jpg', body: {path: '/tmp/b.jpg'}, create: true}]
   * for await (const result of dav.putMany(uploads)) if (!result.ok) console.log(result.status, result.url)
   * ```
   */
  putMany(uploads: AnyIterable<Upload>, options?: PutManyOptions): ResultStream {
    return putMany(this.#session, uploads, options)
  }

  /**
   * Makes a collection. RFC 4918, section 9.3; RFC 5689 for its properties.
   *
   * @param target - A URL reference, a URL or a result. A missing slash at its end is added.
   * @returns The verdict. Without `parents`, a collection that is there already is a Failure 405, and a missing parent a Failure 409.
   *   After a lost answer, also of an earlier attempt, a collection that is there now is a Success with the last status; 0 for none.
   *   Only a 201 says that this call made it.
   *   A refused property is a Failure `propstat` with its name in `missing`. Its description tells if the collection was made.
   * @throws TypeError or RangeError for an invalid target or option. {@link DavNetworkError}, {@link DavTimeoutError},
   *   {@link MultiStatusError} or the signal's reason without a readable answer.
   * @example
   * ```ts
   * const verdict = await dav.mkcol('photos/2026/november/', {parents: true})
   * ```
   */
  mkcol(target: Target, options?: MkcolOptions): Promise<DavResult> {
    return mkcol(this.#session, target, options)
  }

  /**
   * Sets and removes properties of a resource, all or none. RFC 4918, section 9.2.
   *
   * @param target - A URL reference, a URL, a result, or a {@link ConditionalTarget} with an ETag or a lock token.
   * @param options - The properties: `set` with values by name, `remove` with names. The member that comes first is done first.
   * @returns A Success, without values, if the server named each property as done, or answered 2xx without a body. A Failure
   *   `propstat` lists the other properties in `missing`. A status 424 there means not done because of another one, and 0 not
   *   named by the answer. Any other refusal is a Failure with its status.
   * @throws TypeError for no property at all, and for an invalid name, value, target or option. {@link DavNetworkError},
   *   {@link DavTimeoutError}, {@link MultiStatusError} or the signal's reason without a readable answer.
   * @example
   * ```ts
   * const set = {'{urn:example}author': 'Ana'}
   * const verdict = await dav.proppatch('photos/1.jpg', {set, remove: ['{urn:example}draft'], verify: true})
   * if (!verdict.ok) for (const {name, status} of verdict.missing) console.log(status, name)
   * ```
   */
  proppatch(target: Target | ConditionalTarget, options: ProppatchOptions): Promise<DavResult> {
    return proppatch(this.#session, target, options)
  }

  /**
   * Copies a resource and, by `depth`, everything in it. RFC 4918, section 9.8.
   *
   * The destination must not be the source, in it or around it, because servers lose the resource then. Nor may it be the client's
   * own base, or outside it. The source may be outside.
   *
   * @param from - The resource: a URL reference, a URL or a result. `ifMatch` is about this resource.
   * @param to - The new URL of the resource itself. A slash at the end of one is added to the
   *   other. If `overwrite` is true, a slash of `to` alone is refused, and so are ends that differ only in case or normal form.
   * @returns The verdict on the source, with the other results of a 207 as `members`; they are at either end. The `destination` of
   *   a Success is the URL of the copy. A resource at the destination is a Failure 412 without `overwrite`; a missing parent of it
   *   is a 409 without `parents`. A refusal after a lost answer is a Failure `no-answer` if a resource is at
   *   the destination: it may be the copy. A Failure `refused` was not sent, as for `delete`.
   * @throws TypeError for a refused pair. TypeError or RangeError for an invalid argument. Nothing is sent then.
   *   {@link DavNetworkError}, {@link DavTimeoutError}, {@link MultiStatusError} or the signal's reason without a readable answer:
   *   the copy may be there, whole or in part.
   * @example
   * ```ts
   * const copied = await dav.copy('photos/', 'backup/photos/', {parents: true})
   * if (!copied.ok) console.log(copied.status, copied.members)
   * ```
   */
  copy(from: Target, to: Target, options?: CopyOptions): Promise<DavResult> {
    return copyOne(this.#session, from, to, options)
  }

  /**
   * Copies many resources, several at once. A pair waits for earlier pairs that change either of its ends, a member in it or a
   * collection around it. RFC 4918, section 9.8.
   *
   * @param pairs - Each with `from` and `to`, from any iterable or stream. All pairs of an array are checked before the first
   *   request.
   * @returns For each pair the results of its members, then its verdict with relation `self`, as for
   *   {@link DavClient.deleteMany}. An equal pair is sent again. An invalid or refused pair in a stream is a Failure `refused`.
   * @throws TypeError or RangeError for an invalid argument, before anything is sent.
   * @example
   * ```ts
   * const {failures} = await dav.copyMany([{from: 'a.txt', to: 'old/a.txt'}]).collect()
   * ```
   */
  copyMany(pairs: AnyIterable<FromTo>, options?: CopyManyOptions): ResultStream {
    return copyMany(this.#session, pairs, options)
  }

  /**
   * Moves or renames a resource with everything in it. RFC 4918, section 9.9.
   *
   * Both ends have the guards of a DELETE, and the destination those of {@link DavClient.copy}. After a lost answer and after a 502
   * or 504, the client looks at both ends. If the source is gone and the destination there, it is a Success with status 404, which
   * is the source's. A repeated MOVE of a collection never overwrites: an earlier attempt may have moved a part of it, and the
   * server would delete that part.
   *
   * @param from - The resource: a URL reference, a URL or a result. `ifMatch` is about this resource.
   * @param to - The new URL of the resource itself. A slash at the end of one is added to the
   *   other. If `overwrite` is true, a slash of `to` alone is refused, and so are ends that differ only in case or normal form.
   * @returns The verdict on the source, as for {@link DavClient.copy}. After a Failure `member`, some members are at the
   *   destination, some at the source; Tomcat 10.1 leaves a locked one at both.
   * @throws TypeError for a refused pair. TypeError or RangeError for an invalid argument. Nothing is sent then.
   *   {@link DavNetworkError}, {@link DavTimeoutError}, {@link MultiStatusError} or the signal's reason without a readable answer.
   * @example
   * ```ts
   * const moved = await dav.move('draft.txt', 'final.txt')
   * if (!moved.ok && moved.status === 412) console.log('There is a final.txt already')
   * ```
   */
  move(from: Target, to: Target, options?: MoveOptions): Promise<DavResult> {
    return moveOne(this.#session, from, to, options)
  }

  /**
   * Moves many resources, several at once. A pair waits for earlier pairs that change either of its ends, a member in it or a
   * collection around it. RFC 4918, section 9.9.
   *
   * @param pairs - Each with `from` and `to`, from any iterable or stream. All pairs of an array are checked before the first
   *   request.
   * @returns For each pair the results of its members, then its verdict with relation `self`, as for
   *   {@link DavClient.deleteMany}. An equal pair is sent again. An invalid or refused pair in a stream is a Failure `refused`.
   * @throws TypeError or RangeError for an invalid argument, before anything is sent.
   * @example
   * ```ts
   * const pairs = [{from: 'b.txt', to: 'c.txt'}, {from: 'a.txt', to: 'b.txt'}]
   * const {summary} = await dav.moveMany(pairs).collect()
   * ```
   */
  moveMany(pairs: AnyIterable<FromTo>, options?: MoveManyOptions): ResultStream {
    return moveMany(this.#session, pairs, options)
  }

  /**
   * Deletes a resource and its members. RFC 4918, section 9.6.
   *
   * @param target - A URL reference, a URL, a result, or a {@link ConditionalTarget} with an ETag or a lock token. The client's
   *   own base, its parents and everything outside it are refused.
   * @returns The verdict on the target, whatever the server answered, with the other results as `members`. A 202 is a Success
   *   with that status: accepted, and perhaps not done yet. A Failure `refused` was not sent. Its target is a result that is
   *   `outside` or could not be listed. Or it has a weak ETag, or a name that some servers read as another one. An answer by
   *   another resource is a Failure `refused` too.
   * @throws TypeError for the client's own base, its parents and resources outside it. TypeError or RangeError for an invalid
   *   target or option. Nothing is sent then. {@link DavNetworkError}, {@link DavTimeoutError}, {@link MultiStatusError} or
   *   the signal's reason without a readable answer. Use `deleteMany` to get the members that came before the error.
   * @example
   * ```ts
   * const verdict = await dav.delete('photos/')
   * if (!verdict.ok) console.log(verdict.status, verdict.members)
   * ```
   */
  delete(target: DeleteTarget, options?: DeleteOptions): Promise<DavResult> {
    return deleteOne(this.#session, target, options)
  }

  /**
   * Deletes many resources, several at once. Targets are taken no faster than results are read. RFC 4918, section 9.6.
   *
   * A repeated target has one verdict. A target inside an earlier one waits for that verdict. If the outer target was deleted
   * with all members, the inner one is a Success without a request. A collection waits for targets inside it that are under way.
   * At least the last 10,000 verdicts are remembered.
   *
   * A 429, a 503 and a broken connection halve the number of requests at once, once for all requests under way. Then as many good
   * answers as that number raise it by one, up to `concurrency`.
   *
   * @param targets - URL references, URLs, results or {@link ConditionalTarget}s, from any iterable or stream, such as another
   *   ResultStream. All targets of an array are checked before the first request.
   * @returns For each target the results of its members, then its verdict with relation `self`. Results of different targets may
   *   be mixed. A refused or broken exchange is a Failure of its target, and the rest go on. An invalid or guarded target in a
   *   stream is a Failure `refused`. After an abort, sent requests have 1,000 ms to be answered. Each target without an answer,
   *   and the rest of an array, is a Failure `no-answer`. Then reading rejects with the signal's reason. If `targets` throws,
   *   reading throws that error after the requests under way.
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
   * Locks a resource or a collection against changes by others. RFC 4918, section 9.10.
   *
   * A lost answer is looked up by PROPFIND: a lock with the owner of this call is taken up. By the policy of retries, a LOCK is sent
   * again only if the server shows that no such lock is there.
   *
   * @param target - A URL reference, a URL or a result. Where nothing is, most servers make an empty resource, with status 201.
   * @returns The lock, with the facts that the server granted. It is in {@link DavClient.locks} until it is unlocked or lost. A lock
   *   of somebody else is a Failure 423, and so is one in a collection, or a Failure `member`. A success without a token is a Failure
   *   `malformed`. A server known to have no locks is a Failure `refused`.
   * @throws TypeError or RangeError for an invalid target or option. {@link DavNetworkError}, {@link DavTimeoutError},
   *   {@link MultiStatusError} or the signal's reason without a readable answer: a lock may be there until its time ends.
   * @example
   * ```ts
   * await using lock = unwrap(await dav.lock('notes.txt', {depth: 0, renew: true}))
   * await dav.put('notes.txt', 'All is well.', {lockToken: lock.token, signal: lock.signal})
   * ```
   */
  async lock(target: Target, options?: LockOptions): Promise<Lock | Failure> {
    return lock(this.#session, target, options)
  }

  /**
   * Removes a lock. RFC 4918, section 9.11.
   *
   * @param target - The root of the lock, or the lock itself, also as plain data.
   * @returns The verdict. After a 400, 404, 409, 410 or 412 the client looks for the lock. If it is not there any more, the verdict
   *   is a Success with that status. Others may have changed the resource since. A lock that cannot be removed stays in
   *   {@link DavClient.locks}. Without a token, a target that is not the root of exactly one of these is a Failure `refused`. So is
   *   the token of one of these with another target.
   * @throws TypeError for an invalid target, option or token. {@link DavNetworkError}, {@link DavTimeoutError},
   *   {@link MultiStatusError} or the signal's reason without a readable answer.
   * @example
   * ```ts
   * for (const lock of dav.locks) console.log((await dav.unlock(lock)).status)
   * ```
   */
  async unlock(target: Target | StoredLock, options?: UnlockOptions): Promise<DavResult> {
    return unlock(this.#session, target, options)
  }

  /**
   * Sends the requests of failures again, and no others, as often as the policy allows. A 424 goes after its causes. A target of
   * COPY or MOVE goes after its failed members, those in its `members` too. To delete, leaves go before their collections. The
   * policy counts attempts from one again. A target that was sent before and is now missing (404, 410) counts as deleted. The body
   * of an upload is known to the process that sent it; see `bodyOf` for another one. A report or a search is sent again as a whole, and
   * a multiget for its failed targets only.
   *
   * @param failures - Failures of this or another client, as they are or after JSON. All of them are held. Of several failures
   *   of one request, the last one with relation `self` counts, else the last one. Other properties make another request.
   * @param policy - The policy, or the number of attempts. Its defaults are the client's own policy.
   * @returns First the failures that the policy does not retry, unchanged and unsent. Then, for each other failure, the results
   *   of its members and its verdict with relation `self` and its attempts. Members that are retried themselves have their own.
   *   After an abort, each unsent failure comes out unchanged. Then reading rejects with the signal's reason.
   * @throws TypeError or RangeError for an invalid option. Reading throws TypeError for a request that the guards refuse, before
   *   anything is sent.
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
    return retry(this.#session, failures, policy, [
      LOCK,
      MKCOL,
      PUT,
      PROPPATCH,
      COPY,
      MOVE,
      DELETE,
      UNLOCK,
    ])
  }
}

function userAgentHeader(userAgent: string | undefined): Readonly<Record<string, string>> {
  if (userAgent === undefined) return {}
  if (typeof userAgent !== 'string' || userAgent.trim() === '' || !isHeaderValue(userAgent))
    throw new TypeError('userAgent is a text such as my-app/1.0')
  return {'user-agent': userAgent}
}

/** Returns the URL of the page or worker in a browser; `undefined` on other platforms. */
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
