/**
 * The two asynchronous doors to the parser: a stream of results from any body, and a TransformStream. Both only carry chunks; the
 * parser does the work. RFC 4918, section 13.
 */

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
 * Reads a Multi-Status document from a `Response`, a stream, an iterable of chunks, bytes or a string. The source is cancelled if
 * you stop early, and if it has not ended a second after the end of the root.
 *
 * @param source - The body. A `Response` also brings the charset of its Content-Type and, if the options have none, its `url`.
 * @returns The results in the order of the document, each as soon as its last chunk has arrived. Reading them throws
 *   {@link MultiStatusError} after the last finished result if the document is not whole. It throws the errors of the source.
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
  const given = readOptions<ParserOptions<D>>('parseMultiStatus', options, PARSER_OPTIONS)
  const url = requestUrl(given.url ?? urlOf(source)).href
  const parser = new MultiStatusParser<D>({
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
    // A loop that does not wait for the source ends it by itself.
    stop: (isWaiting) => {
      if (isWaiting) void chunks?.return().catch(() => {})
    },
    stopped: () => ({incomplete: [{href: url, reason: 'stopped'}], requests: 0}),
  })
}

/**
 * Transforms the bytes of a Multi-Status document into its results. The stream errors with {@link MultiStatusError} after the
 * last finished result if the document is not whole.
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
   * The summary. Settles at the end of the document, and rejects with the error of the stream. Awaiting it reads nothing: read
   * `readable`.
   */
  readonly summary: Promise<Summary>

  /**
   * Makes a stream from chunks to results.
   *
   * @throws TypeError or RangeError for wrong options, as {@link MultiStatusParser} does.
   */
  constructor(options: ParserOptions<D> = {}) {
    const chunks = new TransformStream<Chunk, Chunk>()
    readOptions('MultiStatusStream', options, PARSER_OPTIONS)
    const reader = chunks.readable.getReader()
    const source = {
      next: () => reader.read(),
      // The reader is cancelled below, with the reason that the writer is to get.
      return: async () => ({value: undefined, done: true as const}),
    }
    const results = parseMultiStatus({[Symbol.asyncIterator]: () => source}, options)
    const batches = results.batches()[Symbol.asyncIterator]()
    this.writable = chunks.writable
    this.summary = results.summary
    this.readable = new ReadableStream(
      {
        async pull(controller) {
          try {
            const next = await batches.next()
            if (next.done !== true) for (const result of next.value) controller.enqueue(result)
            else {
              reader.cancel().catch(ignore)
              controller.close()
            }
          } catch (error) {
            reader.cancel(error).catch(ignore)
            throw error
          }
        },
        async cancel(reason) {
          await Promise.all([reader.cancel(reason), batches.return?.()])
        },
      },
      // No results are pulled ahead. An error clears the queue of a stream, and would drop results in it.
      {highWaterMark: 0},
    )
  }
}

/** Takes the error of a source that has broken by itself: the reader has it, or does not need it any more. */
function ignore(): void {}

/** Reads the charset of a `Response`. */
function encodingOf(source: BodySource): string | undefined {
  if (typeof source !== 'object' || source === null || !('headers' in source)) return undefined
  return charsetOf(source.headers?.get('content-type'))
}

/** Reads the URL of a `Response`: that of the last redirect. A response made by a program has none. */
function urlOf(source: BodySource): string | undefined {
  if (typeof source !== 'object' || source === null || !('url' in source)) return undefined
  const {url} = source
  return typeof url === 'string' && /^https?:/i.test(url) && URL.canParse(url) ? url : undefined
}
