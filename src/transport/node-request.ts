/**
 * The head and the body of a request as the transports under Node send them. Header names are in Title-Case. Long bodies go in
 * pieces, so that their progress is seen. Node only. RFC 9110, section 8.6.
 */

import type {Chunks} from '../multistatus/source.ts'
import {SENT_PIECE_BYTES} from '../protocol/bounds.ts'
import {isStreamed, openPieces} from './request-body.ts'
import type {DavRequest, StreamedBody} from './transport.ts'
import {USER_AGENT} from './user-agent.ts'

// Servers are asked for errors as XML. Some gateways answer 403 to a request without an Accept.
const ACCEPT = 'application/xml, text/xml;q=0.9, */*;q=0.1'

/** A body that is ready to be sent: all its bytes, or a function that begins to read its pieces. */
export type Upload = string | Uint8Array | (() => Chunks<Uint8Array>) | null

/**
 * Converts a body to the form in which it is sent. A Blob is read in pieces, so that a large file is never in memory as a whole.
 * Long bytes are sent in pieces too.
 *
 * @param length - The promised length of a streamed body, for a platform that does not compare it.
 */
export function readUpload({body, onSent}: DavRequest, length?: number): Upload {
  if (body === undefined) return null
  if (isStreamed(body)) return () => countPieces(body, onSent, length)
  if (typeof body !== 'string' && 'stream' in body)
    return body.size === 0 ? null : () => countPieces(body.stream(), onSent, body.size)
  if (typeof body === 'string' && body.length <= SENT_PIECE_BYTES) return body
  const bytes =
    typeof body === 'string'
      ? Buffer.from(body)
      : ArrayBuffer.isView(body)
        ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
        : Buffer.from(body)
  return bytes.length <= SENT_PIECE_BYTES ? bytes : () => countPieces(streamOf(bytes), onSent)
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Opens the pieces of a body, and reports the number of bytes that were taken. */
function countPieces(
  source: StreamedBody,
  onSent: DavRequest['onSent'],
  length?: number,
): Chunks<Uint8Array> {
  const pieces = openPieces(source, length)
  let sent = 0
  return {
    async next() {
      const piece = await pieces.next()
      if (piece.done !== true) onSent?.((sent += piece.value.length))
      return piece
    },
    return: () => pieces.return(),
  }
}

/** Makes the headers of a body, as `fetch` does: the type of a Blob, and the length if the platform cannot see it. */
function headersOf({body, length}: DavRequest): Record<string, string> {
  if (typeof body === 'string')
    return body.length <= SENT_PIECE_BYTES ? {} : lengthHeader(Buffer.byteLength(body))
  if (body === undefined) return {}
  if (isStreamed(body)) return length === undefined ? {} : lengthHeader(length)
  if (!('size' in body)) return lengthHeader(body.byteLength)
  return {...lengthHeader(body.size), ...(body.type !== '' && {'content-type': body.type})}
}

function lengthHeader(length: number): Record<string, string> {
  return {'content-length': String(length)}
}

/**
 * Formats headers as names and values in turn. Names are in Title-Case: XRootD 5.5 compares them with case, and answers `depth: 1` as
 * Depth 0.
 *
 * @param more - Further headers, such as those for a proxy.
 */
export function formatHeaders(
  request: DavRequest,
  more?: Readonly<Record<string, string>>,
): string[] {
  const {method} = request
  const headers: Readonly<Record<string, string>> = {
    'user-agent': USER_AGENT,
    accept: method === 'GET' || method === 'HEAD' ? '*/*' : ACCEPT,
    'accept-encoding': 'gzip, br, zstd',
    ...headersOf(request),
    ...request.headers,
    ...more,
  }
  const titled: string[] = []
  for (const name of Object.keys(headers)) titled.push(titleCase(name), headers[name] ?? '')
  return titled
}

// The names of the client's own headers. To convert them for each request would take longer than the rest of it.
const TITLES: ReadonlyMap<string, string> = new Map(
  [
    'User-Agent',
    'Accept',
    'Accept-Encoding',
    'Connection',
    'Host',
    'Transfer-Encoding',
    'Authorization',
    'Content-Length',
    'Content-Type',
    'Depth',
    'Destination',
    'If-Match',
    'If-None-Match',
    'Overwrite',
  ].map((title) => [title.toLowerCase(), title]),
)

/** Converts a name in lower case to Title-Case. */
export function titleCase(name: string): string {
  return TITLES.get(name) ?? name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}
