/** A resource that is being read: the result of a GET, with its content. RFC 9110, section 9.3.1. */

import type {Success} from '../multistatus/result.ts'
import type {Content} from './content.ts'
import type {Part, PartRequest} from './part.ts'

/** Bytes in memory that nobody shares: `Uint8Array<ArrayBuffer>`, which compilers before TypeScript 5.7 do not know. */
type OwnBytes = ReturnType<typeof Uint8Array.of>

/** A range of bytes in a {@link Download}. */
export interface DownloadRange {
  /** The first byte. */
  readonly start: number
  /** The last byte, inclusive; absent if unknown. */
  readonly end?: number
  /** Bytes of the whole resource; absent if unknown. */
  readonly total?: number
}

/**
 * A resource that the server sends. Its content can be read once: as `body`, by `bytes` or by `text`. The connection is in use
 * until the content has ended, is cancelled, or its loop is left.
 */
export interface Download extends Success {
  /**
   * The content as it arrives, a web stream and an async iterable on every platform. Reading throws {@link DavNetworkError} for
   * content that is shorter or longer than announced and for a broken connection, {@link DavTimeoutError}, and the signal's
   * reason. With `resume` it throws {@link DavHttpError} if the rest is refused, and {@link DavError} if the resource has changed.
   * Over HTTP/2, content without a length ends with a DavNetworkError, because a proxy may have cut it.
   * A second reading is a TypeError.
   */
  readonly body: ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>
  /** Bytes of this content; absent if the server does not tell. */
  readonly length?: number
  /** The media type, as the server wrote it. */
  readonly type?: string
  /** The time of the last change, by the server's clock. */
  readonly lastModified?: Date
  /** The range of this content, if one was asked for. */
  readonly range?: DownloadRange
  /** Reads the content into memory. */
  bytes(): Promise<OwnBytes>
  /** Reads the content into memory, as UTF-8. */
  text(): Promise<string>
}

/** Makes the result of an answer whose content is not read yet. */
export function createDownload(
  success: Success,
  {total, type, lastModified}: Part,
  {range}: PartRequest,
  content: Content,
): Download {
  const {length} = content
  const bytes = async (): Promise<OwnBytes> => {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(chunk)
    return joined(chunks)
  }
  const download = Object.assign(new Unread(content), success)
  return Object.assign(Object.defineProperty(download, 'body', BODY), {
    ...(length !== undefined && {length}),
    ...(type !== undefined && {type}),
    ...(lastModified !== undefined && {lastModified}),
    ...(range !== undefined && {
      range: {
        start: range.start,
        ...(length !== undefined && {end: range.start + length - 1}),
        ...(total !== undefined && {total}),
      },
    }),
    bytes,
    text: async () => new TextDecoder().decode(await bytes()),
  })
}

/** Makes the body when it is asked for: a stream costs a platform more than the rest of a small resource. */
class Unread {
  declare readonly body: Download['body']
  readonly #content: Content
  #body: Download['body'] | undefined

  constructor(content: Content) {
    this.#content = content
  }

  static open(unread: Unread): Download['body'] {
    return (unread.#body ??= openBody(unread.#content))
  }
}

// One getter for all downloads. V8 would keep a getter for each, and the content with it, until it collects all garbage.
const BODY = {
  enumerable: true,
  get(this: Unread): Download['body'] {
    return Unread.open(this)
  },
}

/** Makes a stream that can be iterated over on every platform. Nothing is read ahead. */
function openBody(content: Content): Download['body'] {
  let own: Content | undefined
  const take = (): Content => (own ??= content[Symbol.asyncIterator]())
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await take().next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        if (!content.isOver) await take().return()
      },
    },
    {highWaterMark: 0},
  )
  // Past the queue of the stream, which would cost each chunk more than the rest of its way.
  return Object.assign(stream, {[Symbol.asyncIterator]: () => content[Symbol.asyncIterator]()})
}

function joined(chunks: readonly Uint8Array[]): OwnBytes {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
