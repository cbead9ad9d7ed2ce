/**
 * Buffers that are filled again as soon as a socket has written their bytes. A new buffer for each piece of a large file would
 * cost as much time as its sending, and 60 MB.
 */

/** Bytes that are on their way. */
interface Lent {
  /** The number of bytes that no socket has written yet. */
  unwritten: number
  readonly onWritten: () => void
}

const LENT = new WeakMap<ArrayBufferLike, Lent>()

/**
 * Lends the bytes of a buffer to a transport. They must not change until `onWritten` is called. A transport that does not tell
 * never calls it.
 */
export function lend({buffer, length}: Uint8Array, onWritten: () => void): void {
  LENT.set(buffer, {unwritten: length, onWritten})
}

/** Notes that a socket has written a piece, which may be part of lent bytes. */
export function noteWritten({buffer, length}: Uint8Array): void {
  const lent = LENT.get(buffer)
  if (lent !== undefined && (lent.unwritten -= length) === 0) lent.onWritten()
}
