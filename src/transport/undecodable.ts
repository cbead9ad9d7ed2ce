/** Tells a body that cannot be decoded from a connection that broke. The status of such an answer is known. */

/** A body that is not in the coding that its Content-Encoding names. It is the cause of a `DavNetworkError`. */
export class UndecodableError extends Error {
  override readonly name = 'UndecodableError'

  constructor(cause: Error) {
    super(`the compressed body is broken: ${cause.message}`, {cause})
  }

  /** The error itself, or one with its words. */
  static of(error: Error): Error {
    return error.name === 'UndecodableError' ? error : new UndecodableError(error)
  }
}

/** Reports if an exchange broke because the body could not be decoded, as far as the platform tells. */
export function isUndecodable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'UndecodableError') return true
    if ('code' in cause && typeof cause.code === 'string' && CODES.test(cause.code)) return true
  }
  return false
}

// The codes of Node's fetch, which are those of zlib, and of Bun's. Deno's errors have none.
const CODES = /^(?:Z_|ZSTD_|ERR_?_ERROR_|ERR_BROTLI|(?:Zlib|(?:Brotli|Zstd)Decompression)Error$)/
