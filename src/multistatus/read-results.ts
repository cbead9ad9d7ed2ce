/**
 * Reads the results of a body from its chunks, up to the end of the root. A connection that breaks or is silent behind the root
 * changes nothing, because every result has arrived. RFC 4918, section 13.
 */

import type {Decoders, PropertiesOf} from '../properties/vocabulary.ts'
import {REST_MILLISECONDS} from '../protocol/bounds.ts'
import {within} from '../protocol/wait.ts'
import type {MultiStatusParser} from './parser.ts'
import type {DavResult} from './result.ts'
import type {Chunk, Chunks} from './source.ts'
import type {Summary} from './summary.ts'

/**
 * Reads the chunks to their end: only then can the connection be used again.
 *
 * @param open - Opens the chunks, when the first result is read.
 * @param first - Results of chunks that the parser has read before.
 * @throws The errors of the chunks before the end of the root, and {@link MultiStatusError} for the bytes that arrived.
 */
export async function* readResults<D extends Decoders>(
  open: () => Chunks,
  parser: MultiStatusParser<D>,
  first: readonly DavResult<PropertiesOf<string, D>>[] = [],
): AsyncGenerator<readonly DavResult<PropertiesOf<string, D>>[], Summary, undefined> {
  const chunks = open()
  let until: number | undefined
  let isCut = false
  try {
    yield first
    for (;;) {
      // At once. The parser itself throws with the next chunk, which may take long.
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
    // Not awaited: a silent source may never answer.
    if (isCut) returned.catch(() => {})
    else await returned
  }
}

/** Reads the next chunk behind the root; `undefined` if the source breaks or is silent. */
async function nextUntil(
  chunks: Chunks,
  until: number,
): Promise<IteratorResult<Chunk, undefined> | undefined> {
  const left = until - Date.now()
  // Checked for each chunk too: a source that never waits lets no timer run.
  if (left <= 0) return undefined
  return within(
    chunks.next().catch(() => undefined),
    left,
  )
}
