/** The two asynchronous doors to the parser: results of any body, and a TransformStream. */

import type {Decoders, PropertiesOf} from '../properties/vocabulary.ts'
import {captureCaller} from '../protocol/caller.ts'
import {readOptions} from '../protocol/options.ts'
import type {ParserOptions} from './parser.ts'
import {MultiStatusParser, PARSER_OPTIONS, requestUrl} from './parser.ts'
import {forEach} from './pull.ts'
import type {DavResult} from './result.ts'
import {readResults} from './read-results.ts'
import type {ResultStream} from './result-stream.ts'
import {createResultStream} from './result-stream.ts'
import type {BodySource, Chunk, Chunks} from './source.ts'
import {charsetOf, openChunks} from './source.ts'
import type {Summary} from './summary.ts'

/**
 * Reads a Multi-Status document from a `Response`, a stream, an iterable of chunks, bytes or a string. Stopping early
 * cancels the source, and so does a source that does not end within a second behind the end of the root.
 *
 * @param source - The body. Of a `Response`, the charset of its Content-Type counts, and its `url` if the options have none.
 * @returns The results in the order of the document, each as soon as the chunk that completes it is there. Reading them
 *   throws {@link MultiStatusError} after the last finished result if the document is not whole, and the errors of the source.
 * @example
 * ```ts
 * const response = await fetch(url, {method: 'PROPFIND', headers: {depth: '1'}})
 * for await (const result of parseMultiStatus(response, {url})) console.log(result.status, result.href)
 * ```
 */
export function parseMultiStatus<const D extends Decoders = Record<never, never>>(
  source: BodySource,
  options: ParserOptions<D> = {},
): ResultStream<PropertiesOf<string, D>> {
  const given = readOptions('parseMultiStatus', options, PARSER_OPTIONS)
  const url = requestUrl(given.url ?? urlOf(source)).href
  const parser = new MultiStatusParser<PropertiesOf<string, D>>({
    encoding: encodingOf(source),
    ...given,
    url,
  })
  let chunks: Chunks | undefined
  return createResultStream({
    async read(emit) {
      await forEach(
        readResults(() => (chunks = openChunks(source)), parser),
        emit,
      )
      return parser.endBehindRoot()
    },
    explain: captureCaller(parseMultiStatus),
    // A source that does not wait is ended by the end of the loop.
    stop: (isWaiting) => {
      if (isWaiting) void chunks?.return().catch(() => {})
    },
    stopped: () => ({incomplete: [{href: url, reason: 'stopped'}], requests: 0}),
  })
}

/**
 * A TransformStream from the bytes of a Multi-Status document to its results. It errors with {@link MultiStatusError}
 * after the last finished result if the document is not whole.
 *
 * @example
 * ```ts
 * const results = response.body.pipeThrough(new MultiStatusStream({url}))
 * ```
 */
export class MultiStatusStream<
  const D extends Decoders = Record<never, never>,
> implements TransformStream<Chunk, DavResult<PropertiesOf<string, D>>> {
  /** Takes the chunks of the document. */
  readonly writable: WritableStream<Chunk>
  /** Gives the results. */
  readonly readable: ReadableStream<DavResult<PropertiesOf<string, D>>>
  /**
   * Settles at the end of the document, and rejects with the error of the stream. Awaiting it reads nothing: `readable` has
   * to be read.
   */
  readonly summary: Promise<Summary>

  /**
   * Nothing is read yet.
   *
   * @throws The errors of the constructor of {@link MultiStatusParser}.
   */
  constructor(options: ParserOptions<D> = {}) {
    const chunks = new TransformStream<Chunk, Chunk>()
    readOptions('MultiStatusStream', options, PARSER_OPTIONS)
    const results = parseMultiStatus(chunks.readable, options)
    const batches = results.batches()[Symbol.asyncIterator]()
    this.writable = chunks.writable
    this.summary = results.summary
    this.readable = new ReadableStream(
      {
        async pull(controller) {
          const next = await batches.next()
          if (next.done === true) return controller.close()
          for (const result of next.value) controller.enqueue(result)
          return undefined
        },
        async cancel() {
          await batches.return?.()
          // Before the first reading nobody holds the stream who would cancel it.
          if (!chunks.readable.locked) await chunks.readable.cancel()
        },
      },
      // Nothing is pulled before it is asked for: an error comes after the last result was taken, and drops none.
      {highWaterMark: 0},
    )
  }
}

function encodingOf(source: BodySource): string | undefined {
  if (typeof source !== 'object' || source === null || !('headers' in source)) return undefined
  return charsetOf(source.headers?.get('content-type'))
}

/** The URL of a `Response` that came from a server: the one that answered in the end. */
function urlOf(source: BodySource): string | undefined {
  if (typeof source !== 'object' || source === null || !('url' in source)) return undefined
  const {url} = source
  return typeof url === 'string' && /^https?:/i.test(url) && URL.canParse(url) ? url : undefined
}
