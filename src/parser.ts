/**
 * The streaming parser of 207 Multi-Status alone: no client, no HTTP, no dependency. Give it a `Response`, a stream, bytes or
 * text, and read one result for each href.
 *
 * @packageDocumentation
 */

export {MultiStatusParser} from './multistatus/parser.ts'
export type {ParserOptions} from './multistatus/parser.ts'
export {MultiStatusStream, parseMultiStatus} from './multistatus/parse.ts'
export type {BodyHeaders, BodyHolder, BodySource, Chunk} from './multistatus/source.ts'
export {isFailure, isRetryable, isSuccess, partition} from './multistatus/result.ts'
export type {
  DavResult,
  FailedRequest,
  Failure,
  FailureCause,
  FailureReason,
  Partitioned,
  PropertyFailure,
  Success,
} from './multistatus/result.ts'
export {DavFailureError, unwrap} from './multistatus/failure-error.ts'
export {collections, isCollection, members} from './multistatus/selection.ts'
export type {Collected, ResultStream} from './multistatus/result-stream.ts'
export type {Incomplete, Summary} from './multistatus/summary.ts'
export {KnownMarkup} from './multistatus/known-markup.ts'
export type {Limits} from './multistatus/limits.ts'
export type {
  Decoded,
  DecodedValues,
  Decoder,
  Decoders,
  InheritedName,
  KeyOfName,
  LiveProperties,
  OtherProperties,
  Properties,
  PropertiesOf,
  PropertyValue,
  RawValue,
  SchemaResult,
  SchemaTypes,
  StandardSchema,
} from './properties/vocabulary.ts'
export {childrenOf, hrefsOf, textOf} from './properties/value-parts.ts'
export type {XmlElement} from './xml/element.ts'
export {keyOf, nameOf} from './protocol/path.ts'
export type {Depth, Walk} from './protocol/depth.ts'
export type {Relation} from './protocol/href.ts'
export {DavError, MultiStatusError, visible} from './protocol/errors.ts'
export type {DavErrorOptions, MultiStatusErrorReason} from './protocol/errors.ts'
