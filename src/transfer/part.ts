/**
 * One answer to a GET: the whole resource or a range of it, with the facts that its bytes are checked against. A contradictory
 * answer is an error. RFC 9110, sections 8.6, 14.4 and 15.3.7.
 */

import type {AnswerHead} from '../call/answer.ts'
import {readAnswer, readHead} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {ByteRange} from '../protocol/byte-range.ts'
import {decodeContentRange, formatRange} from '../protocol/byte-range.ts'
import {decodeDate} from '../protocol/date.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import type {OpenResponse} from '../transport/deadlines.ts'
import {discard} from '../transport/transport.ts'

/** An answer with bytes of a resource. */
export interface Part {
  readonly status: number
  /** The URL that answered. */
  readonly url: string
  readonly body: OpenResponse['body']
  /** The place of its first byte in the resource. */
  readonly start: number
  /** Bytes of its body, if they can be counted. */
  readonly length: number | undefined
  /** Bytes of the whole resource, if known. */
  readonly total: number | undefined
  readonly etag: string | undefined
  /** The ETag, if equal ETags mean equal bytes. RFC 9110, section 8.8.1. */
  readonly strong: string | undefined
  readonly type: string | undefined
  readonly lastModified: Date | undefined
}

/** An answer that contradicts itself or the request. */
export class PartError extends DavError {
  static override readonly name = 'DavError'
  readonly status: number

  constructor(url: string, status: number, problem: string) {
    super(`GET ${url} was answered ${status} ${problem}`, {method: 'GET', url})
    this.status = status
  }
}

/** The request for a part. */
export interface PartRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly range: ByteRange | undefined
}

/**
 * Sends a GET.
 *
 * @throws DavHttpError for a refusal, PartError for a contradictory answer, and the errors of a broken exchange.
 */
export async function sendGet(
  {url, headers, range}: PartRequest,
  {session, connection}: CallContext,
): Promise<Part> {
  const response = await connection.send({
    method: 'GET',
    url,
    headers: {
      ...headers,
      // A compressed answer has another ETag than the resource, such as Apache's "abc-gzip", and another length.
      'accept-encoding': 'identity',
      ...(range !== undefined && {range: formatRange(range)}),
    },
  })
  const head = readHead(response, url, connection.repeats)
  if (!isSuccessStatus(head.status)) {
    const answer = await readAnswer(session, response, {method: 'GET', url: head.url})
    const words = answer.kind === 'plain' ? answer : {conditions: []}
    if (answer.kind === 'multistatus') await answer.discard()
    throw new DavHttpError({...head, ...words, method: 'GET', sent: connection.sent})
  }
  const part = readPart(response, head)
  const problem = findProblem(response, part, range)
  if (problem === undefined) return part
  await discard(response)
  throw new PartError(url, head.status, problem)
}

function readPart({status, headers, body}: OpenResponse, {url}: AnswerHead): Part {
  const named = decodeContentRange(headers.get('content-range'))
  const range = status === 206 ? named : undefined
  // The platform's fetch removes a coding, so neither the bytes nor a place among them can be counted.
  const isCoded = !/^\s*(?:identity\s*)?$/i.test(headers.get('content-encoding') ?? '')
  const announced = isCoded
    ? undefined
    : (decodeLength(headers.get('content-length')) ?? named?.total)
  const etag = headers.get('etag')?.trim() || undefined
  return {
    status,
    url,
    body,
    start: range?.start ?? 0,
    length: range === undefined ? announced : range.end - range.start + 1,
    total: range === undefined ? announced : range.total,
    etag,
    strong: isCoded || etag === undefined || /^W\//i.test(etag) ? undefined : etag,
    type: headers.get('content-type') ?? undefined,
    lastModified: decodeDate(headers.get('last-modified')?.trim() ?? ''),
  }
}

function decodeLength(text: string | null): number | undefined {
  return text !== null && /^\s*\d+\s*$/.test(text) ? Number(text) : undefined
}

/** Finds a contradiction in an answer. */
function findProblem(
  {status, headers}: OpenResponse,
  {start, length = 0, total}: Part,
  asked: ByteRange | undefined,
): string | undefined {
  const written = headers.get('content-range')
  const range = decodeContentRange(written)
  if (status === 206) {
    if (asked === undefined) return 'although no range was asked for'
    if (range === undefined) return 'without a valid Content-Range'
    const announced = decodeLength(headers.get('content-length'))
    if (announced !== undefined && announced !== length)
      return `with ${announced} bytes for a Content-Range of ${length}`
    // SabreDAV 1.8 answers `bytes=0-0` with all bytes. The reader cuts them, because Content-Range says which they are.
    return start === asked.start ? undefined : `with bytes ${start}-${range.end}`
  }
  // HTTP_WebDAV_Server 1.0 answers a range with 200, a Content-Range, and other bytes than that.
  // Else the range is of the whole content, and its length is that of the body.
  const isWhole = range?.start === 0 && range.end + 1 === range.total
  const isOther = total !== undefined && total !== range?.total
  if (written !== null && (!isWhole || isOther)) return 'with another Content-Range'
  return status === 200 || status === 203 || status === 204 ? undefined : 'which is no content'
}
