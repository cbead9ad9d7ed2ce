/** Asks for the type of one resource. RFC 4918, section 15.9. */

import type {CallContext} from '../call/call.ts'
import type {DavResult} from '../multistatus/result.ts'
import {presenceBody, readSelf} from './presence.ts'
import {firstListing} from './propfind.ts'

/**
 * Reads a resource with its `resourcetype`. A refusal is a Failure.
 *
 * @throws The errors of `readSelf`.
 */
export function readType(url: string, context: CallContext): Promise<DavResult> {
  const query = {url, root: url, depth: 0, body: presenceBody(), decoders: {}, attempts: 0} as const
  return readSelf(firstListing(query, context.session), context)
}
