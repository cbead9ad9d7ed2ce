/**
 * A WebDAV client that reports the outcome for every href. Begin with {@link DavClient}. A verb with one target gives a promise
 * of its result; a verb with many resources gives a {@link ResultStream}.
 *
 * @packageDocumentation
 */

export {DavClient} from './client/dav-client.ts'
export type {DavClientOptions} from './client/dav-client.ts'
export {discover} from './client/discover.ts'
export type {DiscoverOptions, DiscoveryClient} from './client/discover.ts'
export type {
  DavService,
  Discovered,
  Discovery,
  DiscoveryFailure,
  DiscoveryFinding,
  DiscoveryStep,
  HomeSet,
  NotDiscovered,
} from './client/discovery.ts'
export type {CopyManyOptions, CopyOptions} from './verbs/copy.ts'
export type {MoveManyOptions, MoveOptions} from './verbs/move.ts'
export type {FromTo} from './verbs/two-ends.ts'
export type {DeleteManyOptions, DeleteOptions, DeleteTarget, Targets} from './verbs/delete.ts'
export type {MkcolOptions} from './verbs/mkcol.ts'
export type {LockOptions} from './verbs/lock.ts'
export type {Lock, RefreshOptions} from './verbs/own-lock.ts'
export type {UnlockOptions} from './verbs/unlock.ts'
export type {StoredLock} from './call/lock-store.ts'
export {formatIf, parseIf} from './protocol/if-header.ts'
export type {IfCondition, IfList} from './protocol/if-header.ts'
export {lockDecoders, lockdiscovery, supportedlock} from './properties/locks.ts'
export type {ActiveLock, LockEntry} from './properties/locks.ts'
export type {ProppatchOptions} from './verbs/proppatch.ts'
export type {Capabilities, OptionsOptions} from './verbs/options.ts'
export type {CapabilityFact} from './call/capabilities.ts'
export type {GetOptions, ReadOptions} from './verbs/get.ts'
export type {Download, DownloadRange} from './transfer/download.ts'
export type {ByteRange} from './protocol/byte-range.ts'
export type {AnyIterable, BulkOptions} from './engine/many.ts'
export type {VerbOptions} from './engine/one.ts'
export type {ConditionalTarget, Conditions} from './call/conditions.ts'
export type {Progress} from './engine/progress.ts'
export type {PutManyOptions, PutOptions, Upload} from './verbs/put.ts'
export type {TransferProgress} from './transfer/progress.ts'
export type {LocalFile, UploadBody, UploadState} from './transfer/upload.ts'
export type {Checkpoint, CheckpointListing} from './listing/checkpoint.ts'
export type {Pages} from './listing/pages.ts'
export type {
  AskedNames,
  ListingStream,
  PropfindOptions,
  StatOptions,
  WalkOptions,
} from './listing/propfind.ts'
export type {ExistsOptions} from './listing/stat.ts'
export type {MultigetOptions} from './engine/multiget.ts'
export type {QuestionOptions, ReportOptions} from './listing/report.ts'
export type {SearchOptions, SearchOrder} from './listing/search.ts'
export {SyncState} from './sync/state.ts'
export type {SyncLevel} from './sync/state.ts'
export type {SyncOptions} from './sync/sync.ts'
export type {SavePage} from './sync/changes.ts'
export type {RetryOptions} from './engine/retry.ts'
export type {RequestOptions} from './call/request.ts'
export type {ResultTarget, Target} from './call/target.ts'
export type {RetryEvent, RetryPolicy, RetrySettings} from './retry/policy.ts'
export type {Auth, RefusedChallenge} from './auth/auth.ts'
export {DavAuthError} from './auth/auth-error.ts'
export {basicAuth} from './auth/basic.ts'
export {bearerAuth} from './auth/bearer.ts'
export type {RefreshedToken} from './auth/bearer.ts'
export {digestAuth} from './auth/digest.ts'
export type {DigestOptions} from './auth/digest.ts'
export {withCookies} from './transport/cookies.ts'
export type {CookieJar} from './transport/cookies.ts'
export type {DavExchange} from './transport/dav-exchange.ts'
export {formatExchange} from './transport/format-exchange.ts'
export type {ClientTimeouts, Timeouts} from './transport/timeouts.ts'
export {isReplayable} from './transport/request-body.ts'
export type {
  DavBody,
  DavHeaders,
  DavRequest,
  DavResponse,
  IterableBody,
  RawResponse,
  RequestBody,
  StreamedBody,
  Transport,
} from './transport/transport.ts'
export {isFailure, isRetryable, isSuccess, partition} from './multistatus/result.ts'
export type {
  DavResult,
  FailedRequest,
  Failure,
  FailureCause,
  FailureReason,
  Partitioned,
  PropertyFailure,
  ReportContent,
  Success,
} from './multistatus/result.ts'
export {DavFailureError, unwrap} from './multistatus/failure-error.ts'
export {collections, isCollection, members} from './multistatus/selection.ts'
export type {Collected, ResultStream} from './multistatus/result-stream.ts'
export type {Incomplete, Summary} from './multistatus/summary.ts'
export type {Limits} from './multistatus/limits.ts'
export {DEFAULT_PROPERTIES} from './properties/propfind-body.ts'
export {expandProperty} from './properties/expand-property.ts'
export type {PropertyTree} from './properties/expand-property.ts'
export type {PropertySelection} from './properties/propfind-body.ts'
export type {PropertiesToSet, PropertyToSet, PropertyUpdate} from './properties/proppatch-body.ts'
export type {
  Decoded,
  DecodedValues,
  Decoder,
  Decoders,
  InheritedName,
  KeyOfName,
  LiveProperties,
  KnownName,
  OtherProperties,
  Properties,
  PropertiesOf,
  PropertyName,
  PropertyNameList,
  PropertyValue,
  RawValue,
  SchemaResult,
  SchemaTypes,
  StandardSchema,
} from './properties/vocabulary.ts'
export {aclDecoders} from './properties/acl.ts'
export type {Ace, AclProperties, NoOwner, Owner, SupportedPrivilege} from './properties/acl.ts'
export {addressbookDecoders} from './properties/addressbook.ts'
export type {AddressbookProperties} from './properties/addressbook.ts'
export {calendarDecoders} from './properties/calendar.ts'
export type {CalendarProperties} from './properties/calendar.ts'
export type {DecodersOf, MediaType} from './properties/kinds.ts'
export {principalDecoders} from './properties/principal.ts'
export type {
  AnyPrincipal,
  CurrentPrincipal,
  NamedPrincipal,
  Principal,
  PrincipalProperties,
  PropertyPrincipal,
  UnauthenticatedPrincipal,
} from './properties/principal.ts'
export {versioningDecoders} from './properties/versioning.ts'
export type {VersioningProperties} from './properties/versioning.ts'
export {fromLocalPath, toLocalPath} from './protocol/local-path.ts'
export type {LocalPathOptions} from './protocol/local-path.ts'
export {decodePath, encodePath, keyOf, nameOf} from './protocol/path.ts'
export type {Depth, Walk} from './protocol/depth.ts'
export type {Relation} from './protocol/href.ts'
export {
  DavError,
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  MultiStatusError,
  visible,
} from './protocol/errors.ts'
export type {DavErrorOptions, DavHttpErrorFacts, MultiStatusErrorReason} from './protocol/errors.ts'
export type {Challenge, FullChallenge, SentScheme} from './protocol/challenge.ts'
export {childrenOf, hrefsOf, textOf} from './properties/value-parts.ts'
export type {XmlElement} from './xml/element.ts'
export type {ElementToWrite} from './xml/writer.ts'
