/**
 * The results of a body from its chunks, up to the end of the root. Behind that a broken or silent connection changes nothing: each
 * result is there. RFC 4918, section 13.
 */

import type {MultiStatusParser} from './parser.ts'
import type {DavResult} from './result.ts'
import type {Summary} from './summary.ts'

// The end of a body is read, because a connection is used again only then. It comes right behind the root, one round trip later
// at most. A server that holds the connection open longer, or lies about the length, must not delay the last result's summary.
const REST_MILLISECONDS = 1000

/**
 * Reads chunks to their end. Throws what they throw before the end of the root, and {@link MultiStatusError} for bytes that
 * did arrive.
 *
 * @param cancel - Cancels the source where it does not end in time behind the root.
 */
export async function* readResults<P>(
  chunks: AsyncGenerator<Uint8Array | string, undefined, undefined>,
  parser: MultiStatusParser<P>,
  cancel: () => void,
): AsyncGenerator<readonly DavResult<P>[], Summary, undefined> {
  let until: number | undefined
  let isCut = false
  try {
    for (;;) {
      if (parser.isEnded) until ??= Date.now() + REST_MILLISECONDS
      else until = undefined
      const next = await (until === undefined ? chunks.next() : nextUntil(chunks, until))
      if (next === undefined) {
        isCut = true
        return parser.endBehindRoot()
      }
      if (next.done === true) return parser.end()
      yield parser.write(next.value)
      // At once, not with the next chunk, for which a server may let us wait.
      if (parser.error !== undefined) throw parser.error
    }
  } finally {
    const returned = chunks.return(undefined)
    if (isCut) {
      cancel()
      // A source that is silent may never answer this.
      returned.catch(() => {})
    } else {
      await returned
    }
  }
}

/** The next chunk; `undefined` where the source breaks, or gives none in time. */
async function nextUntil<T>(
  chunks: AsyncIterator<T, undefined, undefined>,
  until: number,
): Promise<IteratorResult<T, undefined> | undefined> {
  const left = until - Date.now()
  // Looked at for each chunk too: one that never waits lets no timer run.
  if (left <= 0) return undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), left)
  })
  try {
    return await Promise.race([chunks.next(), late])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
