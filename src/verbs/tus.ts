/**
 * Uploads by TUS 1.0, as ownCloud Infinite Scale and OpenCloud take them: POST to the collection makes the upload, PATCH appends
 * bytes, HEAD tells their number. See https://tus.io/protocols/resumable-upload.
 */

import {readAnswer, readHead} from '../call/answer.ts'
import {submit} from '../call/submission.ts'
import {sendWithRetries} from '../engine/attempts.ts'
import type {Outcome} from '../engine/verb.ts'
import {doubt, failUnsent, plainVerdict, succeed, unclear} from '../engine/verdict.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {formatBase64} from '../protocol/byte-string.ts'
import {nameOf} from '../protocol/path.ts'
import type {DavHeaders, DavRequest} from '../transport/transport.ts'
import type {ChunkedUpload, ChunkProtocol} from './chunk-protocol.ts'

/** One request of the protocol. */
interface Ask {
  readonly method: 'POST' | 'HEAD' | 'PATCH'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly content?: Pick<DavRequest, 'body' | 'onSent'>
  /** Tells before a repetition that the request was done. */
  readonly isDone?: () => Promise<boolean>
}

// Refusals of a HEAD that tell nothing about the upload.
const MAY_PASS: ReadonlySet<number> = new Set([401, 407, 408, 423, 425, 429])

/** Makes the rules for one upload. Its size is known. */
export function tus(upload: ChunkedUpload): ChunkProtocol {
  const {request, context, emit, size = 0, mtime, read, report} = upload
  const {session, connection, verb} = context

  /** Sends a request as often as the policy allows. The headers are those of the last answer. */
  const ask = async ({method, url, headers, content, isDone}: Ask) => {
    let answered: DavHeaders | undefined
    const run = async (one: typeof request): Promise<Outcome> => {
      answered = undefined
      if (one.attempts > 0 && (await isDone?.()) === true)
        return {verdict: succeed(one, 204), extent: 'all', isDone: true}
      // The upload writes the target, so it has its locks.
      const {header} = submit(request, connection.locks)
      const own = {...(header !== undefined && {if: header}), 'tus-resumable': '1.0.0', ...headers}
      const response = await connection.send({method, url, headers: own, ...content})
      answered = response.headers
      const head = readHead(response, url, connection.repeats)
      const answer = await readAnswer(session, response, {method, url})
      let verdict: DavResult
      if (answer.kind === 'multistatus') {
        await answer.discard()
        verdict = unclear(one, 'unreadable', `The ${method} was answered with a Multi-Status`)
      } else verdict = plainVerdict(verb, one, head, answer, connection.sent)
      // The quota does not grow by itself.
      return {verdict, extent: 'part', isDone: verdict.ok || verdict.status === 507}
    }
    const asked = {method, url, attempts: 0}
    const {verdict} = await sendWithRetries(asked, {...context, verb: {...verb, run}}, emit)
    return {verdict, headers: answered}
  }

  const find: ChunkProtocol['find'] = async (url) => {
    const {verdict, headers} = await ask({method: 'HEAD', url})
    if (verdict.ok) return offsetOf(verdict, headers)
    const {status} = verdict
    return status >= 400 && status < 500 && !MAY_PASS.has(status) ? 'gone' : verdict
  }

  /** Reads the number of bytes that the server has. */
  const offsetOf = (verdict: DavResult, headers: DavHeaders | undefined): number | Failure => {
    const text = headers?.get('upload-offset') ?? ''
    const offset = /^\d+$/.test(text) ? Number(text) : size + 1
    const sentence = `The upload was answered ${verdict.status} with the Upload-Offset ${text}`
    return offset <= size ? offset : unclear(request, 'unreadable', sentence)
  }

  let last: {readonly status: number; readonly etag: string | null} | undefined

  const send: ChunkProtocol['send'] = async (url, {start, length, body}) => {
    let found: Awaited<ReturnType<typeof find>> = start
    last = undefined
    const {verdict, headers} = await ask({
      method: 'PATCH',
      url,
      headers: {
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(start),
      },
      content: {body, onSent: (bytes) => report(start + bytes)},
      isDone: async () => {
        found = await find(url)
        return found !== start
      },
    })
    if (!verdict.ok) {
      // A part of the chunk may have arrived.
      found = await find(url)
      if (found === start || typeof found === 'object') return verdict
    } else if (headers !== undefined) {
      found = offsetOf(verdict, headers)
      last = {status: verdict.status, etag: headers.get('etag') ?? headers.get('oc-etag')}
    }
    // The HEAD of a repetition was refused, which tells nothing about the PATCH before.
    if (typeof found === 'object') return doubt(found)
    if (found === 'gone') return found
    const sentence = `The upload is at byte ${found} after a PATCH at ${start}`
    // A server that tells of bytes that were never sent does not have the body.
    if (found <= start || found > start + length) return unclear(request, 'unreadable', sentence)
    report(found)
    return found
  }

  return {
    async create() {
      const folder = new URL('.', request.url).href
      const metadata = [`filename ${formatBase64(nameOf(request))}`]
      if (mtime !== undefined) metadata.push(`mtime ${formatBase64(mtime)}`)
      const {verdict, headers} = await ask({
        method: 'POST',
        url: folder,
        headers: {'upload-length': String(size), 'upload-metadata': metadata.join(',')},
      })
      if (!verdict.ok) return verdict
      const location = headers?.get('location')
      const url = location ? URL.parse(location, folder) : null
      if (url?.origin === session.base.origin)
        return {...verdict, url: url.origin + url.pathname + url.search}
      const fault = location
        ? `a Location not on ${session.base.origin}`
        : 'no Location, as TUS has'
      const description = `The POST that begins the upload was answered ${verdict.status} with ${fault}`
      return failUnsent(request, description)
    },
    owns: (url) => URL.parse(url)?.origin === session.base.origin,
    find,
    send,
    async finish(url, chunk, begin) {
      const begun = await begin()
      if ('ok' in begun) return begun
      for (let next = chunk; next.length > 0;) {
        const sent = await send(url, next)
        // The server forgets an upload that is complete.
        if (typeof sent !== 'number') return sent === 'gone' ? 'ended' : sent
        const following = await read(sent)
        if ('ok' in following) return following
        next = following
      }
      const {status = 204, etag} = last ?? {}
      return {...succeed(request, status), ...(etag && {etag})}
    },
  }
}
