/**
 * Local files: read as Blobs, and written beside their path until they are whole. Node, Bun and Deno only; package.json picks
 * this file by the condition `node`.
 */

import {randomUUID} from 'node:crypto'
import type {Stats} from 'node:fs'
import {openAsBlob} from 'node:fs'
import type {FileHandle} from 'node:fs/promises'
import {open, readFile, readlink, realpath, rename, rm, stat} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, dirname, join, resolve} from 'node:path'
import {ReadableStream} from 'node:stream/web'

import {
  DRAFT_NAME_CHARACTERS,
  FILE_PIECE_BYTES,
  SENT_PIECE_BYTES,
  SPOOLED_FILE_BYTES,
} from '../protocol/bounds.ts'
import {quoted} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import {lend} from '../transport/lent.ts'
import type {Draft, Spooled} from './files.ts'

/**
 * Opens a file with its `lastModified`: a short one as its bytes, a long one as a Blob, which is read in pieces. Reading fails if
 * the file has changed since. Deno 2.9 reads the whole file at once.
 *
 * @throws TypeError for a directory or a device. The platform's error, with a `code` such as `ENOENT`, for any other failure.
 */
export async function openFile(path: string): Promise<Blob | Uint8Array> {
  const entry = await stat(path)
  // Without this test Node tells no code, and Bun fails only when the Blob is read.
  assertFile(path, entry)
  const isShort = entry.size <= SENT_PIECE_BYTES
  const body = isShort ? await readFile(path) : await openBlob(path, entry)
  // A Blob of Bun has it, and nobody may write it.
  return 'lastModified' in body ? body : Object.assign(body, {lastModified: entry.mtimeMs})
}

/** Makes a Blob of a file. Node's own stream of such a Blob takes twice the time. */
async function openBlob(path: string, entry: Stats): Promise<Blob> {
  const blob = await openAsBlob(path)
  return Object.assign(blob, {stream: () => ReadableStream.from(readPieces(path, entry))})
}

/**
 * Reads a file from its start to its end.
 *
 * @throws Error before the last piece if the file has changed. The platform's error.
 */
async function* readPieces(path: string, {size, mtimeMs}: Stats): AsyncGenerator<Uint8Array> {
  const handle = await open(path)
  const free: Buffer[] = []
  try {
    for (let left = size; left > 0;) {
      const buffer = free.pop() ?? Buffer.allocUnsafeSlow(FILE_PIECE_BYTES)
      const {bytesRead} = await handle.read(buffer, 0, Math.min(FILE_PIECE_BYTES, left))
      left -= bytesRead
      if (bytesRead === 0 || left === 0) {
        const now = await handle.stat()
        if (left > 0 || now.size !== size || now.mtimeMs !== mtimeMs)
          throw new Error(`${quoted(path)} has changed while it was sent`)
      }
      const piece = buffer.subarray(0, bytesRead)
      lend(piece, () => free.push(buffer))
      yield piece
    }
  } finally {
    await handle.close()
  }
}

/**
 * Creates a new file beside a path. It gets the mode of the file that it will replace. A symbolic link stays, and the file behind
 * it is replaced.
 *
 * @throws TypeError for a directory or a device. The platform's error, with a `code` such as `ENOENT`, for any other failure.
 */
export async function createDraft(path: string): Promise<Draft> {
  const place = await placeOf(path)
  const old = await stat(place).catch(() => undefined)
  if (old !== undefined) assertFile(path, old)
  const stem = basename(place).slice(0, DRAFT_NAME_CHARACTERS)
  const draft = join(dirname(place), `${stem}.${randomUUID().slice(0, 8)}.part`)
  // Exclusive: never the file of somebody else.
  const handle = await open(draft, 'wx', old?.mode)
  const discard = async (): Promise<void> => {
    await handle.close().catch(() => {})
    await rm(draft, {force: true})
  }
  return {
    write: (bytes) => writeAll(handle, bytes),
    async publish() {
      // The umask of the process has narrowed the mode.
      if (old !== undefined) await handle.chmod(old.mode)
      await handle.sync()
      await handle.close()
      await rename(draft, place)
    },
    discard,
  }
}

/** Follows symbolic links to the path of a file that may be missing. A circle of links is an error. */
async function placeOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (memberOf(error, 'code') !== 'ENOENT') throw error
    const link = await readlink(path).catch(() => undefined)
    return link === undefined ? path : placeOf(resolve(dirname(path), link))
  }
}

/**
 * Collects the bytes of a stream in a temporary file that nobody else may read.
 *
 * @throws RangeError for a stream that is too long. The error of the stream or of the disk.
 */
export async function spool(pieces: AsyncIterable<Uint8Array>): Promise<Spooled> {
  const path = join(tmpdir(), `multistatus-${randomUUID()}.tmp`)
  const remove = (): Promise<void> => rm(path, {force: true})
  const handle = await open(path, 'wx', 0o600)
  let bytes = 0
  try {
    try {
      for await (const piece of pieces) {
        bytes += piece.length
        if (bytes > SPOOLED_FILE_BYTES)
          throw new RangeError(`the stream has more than ${SPOOLED_FILE_BYTES} bytes`)
        await writeAll(handle, piece)
      }
    } finally {
      await handle.close()
    }
    return {blob: await openBlob(path, await stat(path)), remove}
  } catch (error) {
    await remove()
    throw error
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten
}

/** Refuses a directory, and a device such as `/dev/null`, which a new file would replace. */
function assertFile(path: string, entry: {isFile(): boolean}): void {
  if (!entry.isFile()) throw new TypeError(`${quoted(path)} is no file`)
}
