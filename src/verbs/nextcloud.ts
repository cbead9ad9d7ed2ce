/**
 * Chunked upload v2 of Nextcloud: a collection with numbered chunks, which a MOVE puts together. The collection is outside the
 * client's own, so no guard of a target lets it through: each URL here is made from the target's.
 */

import {sendWithRetries} from '../engine/attempts.ts'
import type {Verb, VerbContext} from '../engine/verb.ts'
import {doubt, failUnsent, isUnclear, succeed} from '../engine/verdict.ts'
import {list} from '../listing/listing.ts'
import {isPresent} from '../listing/presence.ts'
import {firstListing} from '../listing/propfind.ts'
import {failureOf} from '../listing/query.ts'
import type {Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import {isBelow} from '../multistatus/selection.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import type {Properties} from '../properties/vocabulary.ts'
import {
  ASSEMBLY_MILLISECONDS,
  LONGEST_ASSEMBLY_MILLISECONDS,
  MAX_ASSEMBLY_WAITS,
  MAX_CHUNKS,
} from '../protocol/bounds.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import {nameOf} from '../protocol/path.ts'
import {sleep} from '../protocol/not-sent.ts'
import type {Chunk} from '../transfer/chunks.ts'
import {besideOf, removeOwn} from './beside.ts'
import type {ChunkedUpload, ChunkProtocol, Gone} from './chunk-protocol.ts'
import {MKCOL} from './mkcol.ts'
import {MOVE} from './move.ts'
import {moveOver} from './safely.ts'
import {sendUpload} from './upload.ts'

const FILES = /^(.*?\/(?:remote|public)\.php\/dav\/)files(\/[^/]+\/).+$/

/** Finds the collection of uploads for a target; `undefined` for a URL that is none of Nextcloud's files. */
export function uploadsOf(url: string): string | undefined {
  return FILES.test(url) ? url.replace(FILES, '$1uploads$2') : undefined
}

/** Makes the rules for one upload. */
export function nextcloud(upload: ChunkedUpload, uploads: string): ChunkProtocol {
  const {request, context, emit, left, size, chunkSize, mtime, report} = upload
  const {session, connection} = context
  const headers = (): Record<string, string> => ({
    destination: request.url,
    ...(size !== undefined && {'oc-total-length': String(size)}),
  })

  const drop = (url: string, means: VerbContext): Promise<void> =>
    removeOwn(url, {...request, conditions: {}}, means, left)

  const send = async (url: string, chunk: Chunk): Promise<number | Failure | Gone> => {
    const {start, length} = chunk
    if (length === 0) return start
    const number = start / chunkSize + 1
    if (number > MAX_CHUNKS) {
      const description = `It has more than ${MAX_CHUNKS} chunks: give its length, or a larger chunkSize`
      return failUnsent(request, description)
    }
    const onProgress = ({bytes}: {readonly bytes: number}): void => report(start + bytes)
    const run: Verb['run'] = async (one, means, sink) => {
      const outcome = await sendUpload(one, means, sink, {content: chunk, left, onProgress})
      // The quota does not grow by itself.
      return outcome.verdict.status === 507 ? {...outcome, isDone: true} : outcome
    }
    const verb = {...context.verb, headers, run}
    const put = {method: 'PUT', url: url + nameOfChunk(number), attempts: 0}
    const {verdict} = await sendWithRetries(put, {...context, verb}, emit)
    if (verdict.ok) return start + length
    // SabreDAV answers 409 to a PUT into a missing collection.
    return isMissing(verdict) || verdict.status === 409 ? 'gone' : verdict
  }

  return {
    async create() {
      const mkcol = {method: 'MKCOL', url: `${besideOf(uploads)}/`, attempts: 0}
      const {verdict} = await sendWithRetries(mkcol, {...context, verb: {...MKCOL, headers}}, emit)
      if (verdict.ok) return {...verdict, url: mkcol.url}
      if (isUnclear(verdict)) await drop(mkcol.url, context)
      return verdict
    },
    owns: (url) =>
      url.startsWith(uploads) && /^multistatus-\w+\.tmp\/$/.test(url.slice(uploads.length)),
    async find(url) {
      const body = formatPropfind({properties: ['resourcetype', 'getcontentlength']})
      const asked = {method: 'PROPFIND', url, root: url, depth: 1} as const
      const query = {...asked, body, decoders: {}, attempts: 0}
      const lengths = new Map<string, number | undefined>()
      try {
        const answer = await list<Properties>(firstListing(query, session), context)
        await answer.read(async (batch) => {
          for (const result of batch)
            if (result.ok && isBelow(result))
              lengths.set(nameOf(result), result.properties.getcontentlength)
          return true
        })
      } catch (error) {
        if (!(error instanceof DavHttpError)) throw error
        const failure = failureOf(error, url, 'self')
        return isMissing(failure) ? 'gone' : failure
      }
      lengths.delete('.file')
      let bytes = 0
      const total = size ?? 0
      for (let number = 1; bytes < total; number++) {
        const length = Math.min(chunkSize, total - bytes)
        if (lengths.get(nameOfChunk(number)) !== length) break
        bytes += length
      }
      // A chunk behind a gap is replaced when its turn comes. A chunk that has no turn would become a part of the file.
      const last = nameOfChunk(Math.ceil(total / chunkSize))
      return [...lengths.keys()].every((name) => /^\d{5}$/.test(name) && name <= last)
        ? bytes
        : 'gone'
    },
    send,
    async finish(url, chunk, begin) {
      const sent = await send(url, chunk)
      if (typeof sent !== 'number') return sent
      const begun = await begin()
      if ('ok' in begun) return begun
      const verb: Verb = {
        ...MOVE,
        headers: (move) => ({
          ...MOVE.headers(move, session),
          'oc-total-length': String(chunk.start + chunk.length),
          ...(mtime !== undefined && {'x-oc-mtime': mtime}),
        }),
        conclude: (_, verdict, {etag}) => (verdict.ok && etag ? {...verdict, etag} : verdict),
        reconsider: async () => undefined,
      }
      const isThere = begun.former !== ''
      const source = `${url}.file`
      let mayBeDone = false
      for (let waits = 1, wait = ASSEMBLY_MILLISECONDS; ; waits++, wait *= 2) {
        const {verdict} = await moveOver(request, source, isThere, context, emit, verb)
        if (verdict.ok) {
          const {status, etag} = verdict
          return {...succeed(request, status), ...(etag !== undefined && {etag})}
        }
        const mayPass = isAssembling(verdict)
        if (!mayPass && !mayBeDone) return isMissing(verdict) ? 'gone' : verdict
        mayBeDone = true
        if (mayPass) await sleep(Math.min(wait, LONGEST_ASSEMBLY_MILLISECONDS), connection.ending)
        if (!(await isThereStill(url))) return 'ended'
        const isLost = verdict.reason === 'no-answer' && connection.repeats === undefined
        if (!mayPass || isLost || waits === MAX_ASSEMBLY_WAITS) return doubt(verdict)
      }
    },
    drop,
  }

  /** Tells if the chunks may be put together behind a failure. */
  function isAssembling(failure: Failure): boolean {
    const {status, conditions} = failure
    if (status === 423) return !conditions.includes('lock-token-submitted')
    const isRetryable = connection.repeats?.isRetryable(failure) === true && status !== 507
    return isUnclear(failure) || isRetryable
  }

  /** Tells if an upload is not put together yet. */
  async function isThereStill(url: string): Promise<boolean> {
    return isPresent(url, context).catch((error: unknown) => {
      if (error instanceof DavError) return true
      throw error
    })
  }
}

/** Formats the name of a chunk. Chunks are put together in the order of their names. */
function nameOfChunk(number: number): string {
  return String(number).padStart(5, '0')
}
