/** Asks for the kind of one resource, a collection or none. RFC 4918, section 15.9. */

import type {CallContext} from '../call/call.ts'
import {kindOf} from '../multistatus/selection.ts'
import {DavError} from '../protocol/errors.ts'
import {presenceBody, readSelf} from './presence.ts'
import {firstListing} from './propfind.ts'

type Kind = ReturnType<typeof kindOf>

/**
 * Reads the kind of a resource; `undefined` after a refusal, or without a known type.
 *
 * @throws The errors of `readSelf`.
 */
export async function readKind(url: string, context: CallContext): Promise<Kind> {
  const query = {url, root: url, depth: 0, body: presenceBody(), decoders: {}, attempts: 0} as const
  const self = await readSelf(firstListing(query, context.session), context)
  return self.ok ? kindOf(self.properties) : undefined
}

/** Reads the kind of a resource; `undefined` if nobody knows. */
export async function findKind(url: string, context: CallContext): Promise<Kind> {
  try {
    return await readKind(url, context)
  } catch (error) {
    if (error instanceof DavError) return undefined
    throw error
  }
}
