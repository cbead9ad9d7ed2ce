/** The rules that a protocol for uploads in chunks keeps. The flow of an upload itself knows no protocol. */

import type {TargetRequest, VerbContext} from '../engine/verb.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import type {Chunk} from '../transfer/chunks.ts'

/** One upload in chunks. */
export interface ChunkedUpload {
  /** The PUT of the caller. */
  readonly request: TargetRequest
  readonly context: VerbContext
  readonly emit: Sink<DavResult>
  /** URLs of resources of the client's own that may be left at the server. */
  readonly left: Set<string>
  /** Bytes of the whole body, if known. */
  readonly size: number | undefined
  readonly chunkSize: number
  /** The time of the last change of a file, in whole seconds. */
  readonly mtime: string | undefined
  /** Reads the chunk that begins at a byte. A broken body is a Failure. */
  readonly read: (start: number) => Promise<Chunk | Failure>
  /** Reports the bytes of the body that are on their way. */
  readonly report: (bytes: number) => void
}

/** The answer of a server that does not have the upload, or not as it should be. */
export type Gone = 'gone'

/** The answer of a server that does not have the upload any more, after a step that may have written the target. */
type Ended = 'ended'

/**
 * Looks at the target just before it is written.
 *
 * @returns The reason why the target must not be written; else its ETag: empty for a missing target, `undefined` for an unknown ETag.
 */
type Begin = () => Promise<Failure | {readonly former: string | undefined}>

/** A protocol. Each function retries by the policy of the call, and throws only at its end. */
export interface ChunkProtocol {
  /** Makes the upload. The `url` of the Success is that of the upload. */
  create(): Promise<DavResult>
  /** Tells if a URL may be one of an upload of this protocol. */
  owns(url: string): boolean
  /** Finds the number of bytes that the server has. */
  find(url: string): Promise<number | Failure | Gone>
  /** Sends a chunk. Returns the start of the next one. */
  send(url: string, chunk: Chunk): Promise<number | Failure | Gone>
  /** Sends the last chunk, and writes the target. Calls `begin` before the request that writes it. */
  finish(url: string, chunk: Chunk, begin: Begin): Promise<DavResult | Gone | Ended>
  /** Removes an upload. Without it, the server does so after some time. */
  readonly drop?: (url: string, context: VerbContext) => Promise<void>
}
