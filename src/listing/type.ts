/** Asks for the type of one resource. RFC 4918, section 15.9. */

import type {CallContext} from '../call/call.ts'
import type {DavResult} from '../multistatus/result.ts'
import {presenceQuery, readSelf} from './presence.ts'
import {firstListing} from './propfind.ts'

/**
 * Reads a resource with its `resourcetype`. A refusal is a Failure.
 *
 * @throws The errors of `readSelf`.
 */
export function readType(url: string, context: CallContext): Promise<DavResult> {
  return readSelf(firstListing(presenceQuery(url), context.session), context)
}
