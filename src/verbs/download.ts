/** GET into a file: the content is written beside it, and replaces it when it is whole. RFC 9110, section 9.3.1. */

import {createDraft} from '#files'

import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import type {DavResult} from '../multistatus/result.ts'
import {captureCaller} from '../protocol/caller.ts'
import {readOptions} from '../protocol/options.ts'
import type {ReadOptions} from './get.ts'
import {open, READ_OPTIONS} from './get.ts'

/** Resolves with the verdict after the file is replaced. After a Failure or an error, the file is as it was. */
export async function download(
  session: Session,
  target: Target,
  path: string,
  given: ReadOptions = {},
): Promise<DavResult> {
  const showCaller = captureCaller(download)
  const options = readOptions('download', given, READ_OPTIONS)
  if (typeof path !== 'string' || path === '') throw new TypeError('download: path names a file')
  const draft = await createDraft(path)
  try {
    const opened = await open(session, target, {...options, resume: true}, showCaller)
    if ('ok' in opened) {
      await draft.discard()
      return opened
    }
    const {success, content} = opened
    for await (const bytes of content) {
      await draft.write(bytes)
      if (session.transport.givesChunksAway === true) free(bytes)
    }
    await draft.publish()
    return success
  } catch (error) {
    await draft.discard()
    throw error
  }
}

/** Frees the memory of a chunk that has a buffer of its own. V8 would collect it only after 64 MB, with the whole heap. */
function free({buffer, length}: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0)
}
