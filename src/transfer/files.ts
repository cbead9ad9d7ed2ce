/**
 * Local files on platforms without any: browsers and workers. Its functions reject with a TypeError, and streams are
 * spooled to memory. package.json picks files.node.ts instead under Node, Bun and Deno.
 */

import {SPOOLED_BLOB_BYTES} from '../protocol/bounds.ts'

/** A new file beside a path. It replaces the file at the path only when it is whole. */
export interface Draft {
  /** Adds bytes at the end. */
  write(bytes: Uint8Array): Promise<void>
  /** Waits until the bytes are on the disk, and replaces the file at the path. */
  publish(): Promise<void>
  /** Removes the new file. The file at the path stays as it was. */
  discard(): Promise<void>
}

/** The bytes of a stream, held until they are sent. */
export interface Spooled {
  readonly blob: Blob
  /** Frees the bytes. */
  remove(): Promise<void>
}

/** Opens a file: a short one as its bytes, a long one as a Blob, which is read in pieces. */
export async function openFile(_path: string): Promise<Blob | Uint8Array> {
  throw noFiles()
}

/** Creates a new file beside a path. */
export async function createDraft(_path: string): Promise<Draft> {
  throw noFiles()
}

/**
 * Collects the bytes of a stream in a Blob.
 *
 * @throws RangeError for a stream that is too long. The error of the stream.
 */
export async function spool(pieces: AsyncIterable<Uint8Array>): Promise<Spooled> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > SPOOLED_BLOB_BYTES)
      throw new RangeError(`the stream has more than ${SPOOLED_BLOB_BYTES} bytes`)
    // A copy, because the source may use its buffer again.
    parts.push(new Uint8Array(piece))
  }
  return {blob: new Blob(parts), remove: async () => {}}
}

function noFiles(): TypeError {
  return new TypeError('A file by its path needs Node, Bun or Deno')
}
