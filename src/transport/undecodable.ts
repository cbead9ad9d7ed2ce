/**
 * Tells an undecodable body from a broken connection. The status of an answer with an undecodable body is known, so a DELETE has
 * its verdict.
 */

/** A body that is not in the coding of its Content-Encoding. It is the cause of a `DavNetworkError`. */
export class UndecodableError extends Error {
  override readonly name = 'UndecodableError'

  constructor(cause: Error) {
    super(`the compressed body is broken: ${cause.message}`, {cause})
  }

  /** Converts an error of a decoder. */
  static of(error: Error): Error {
    return error.name === 'UndecodableError' ? error : new UndecodableError(error)
  }
}

/** Recognizes an error about an undecodable body, as far as the platform tells. */
export function isUndecodable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'UndecodableError') return true
    if ('code' in cause && typeof cause.code === 'string' && CODES.test(cause.code)) return true
  }
  return false
}

// Codes of zlib, which Node's fetch reports, and codes of Bun's fetch. Deno's errors have no code.
const CODES = /^(?:Z_|ZSTD_|ERR_?_ERROR_|ERR_BROTLI|(?:Zlib|(?:Brotli|Zstd)Decompression)Error$)/
