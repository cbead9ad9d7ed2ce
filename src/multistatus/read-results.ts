/**
 * Reads the results of a body from its chunks, up to the end of the root. A broken or silent connection behind the root
 * changes nothing: each result is there. RFC 4918, section 13.
 */

import {REST_MILLISECONDS} from '../protocol/bounds.ts'
import {within} from '../protocol/wait.ts'
import type {MultiStatusParser} from './parser.ts'
import type {DavResult} from './result.ts'
import type {Chunk, Chunks} from './source.ts'
import type {Summary} from './summary.ts'

/**
 * Reads chunks to their end, because a connection is used again only then. Throws their errors before the end of the root,
 * and {@link MultiStatusError} for bytes that did arrive.
 *
 * @param open - Opens the chunks. It is called as soon as the results are read.
 * @param first - Results of chunks that the parser has already.
 */
export async function* readResults<P>(
  open: () => Chunks,
  parser: MultiStatusParser<P>,
  first: readonly DavResult<P>[] = [],
): AsyncGenerator<readonly DavResult<P>[], Summary, undefined> {
  const chunks = open()
  let until: number | undefined
  let isCut = false
  try {
    yield first
    for (;;) {
      // At once, not with the next chunk, for which a server may let us wait.
      if (parser.error !== undefined) throw parser.error
      if (parser.isEnded) until ??= Date.now() + REST_MILLISECONDS
      else until = undefined
      const next = await (until === undefined ? chunks.next() : nextUntil(chunks, until))
      if (next === undefined) {
        isCut = true
        return parser.endBehindRoot()
      }
      if (next.done === true) return parser.end()
      yield parser.write(next.value)
    }
  } finally {
    const returned = chunks.return()
    // A source that is silent may never answer this.
    if (isCut) returned.catch(() => {})
    else await returned
  }
}

/** The next chunk behind the root; `undefined` for a source that breaks, or gives none in time. */
async function nextUntil(
  chunks: Chunks,
  until: number,
): Promise<IteratorResult<Chunk, undefined> | undefined> {
  const left = until - Date.now()
  // Also checked for each chunk: a source that never waits lets no timer run.
  if (left <= 0) return undefined
  return within(
    chunks.next().catch(() => undefined),
    left,
  )
}
