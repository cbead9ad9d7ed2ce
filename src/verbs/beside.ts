/** Names resources of the client's own beside those of a caller, and removes them. RFC 4918, section 9.6. */

import {attempt} from '../engine/attempts.ts'
import type {TargetRequest, VerbContext} from '../engine/verb.ts'
import {randomHex} from '../protocol/random.ts'
import {isMissingStatus} from '../protocol/status.ts'
import {DELETE} from './delete.ts'

/** Makes the URL of a free name in the same collection. Nextcloud refuses `.part`, and some servers refuse a leading dot. */
export function besideOf(url: string): string {
  return new URL(`multistatus-${randomHex()}.tmp`, url).href
}

/** Picks the lock tokens among the conditions of a request, for another request in the same collection. */
export function tokensOf({conditions}: TargetRequest): Pick<TargetRequest, 'conditions'> {
  const token = conditions?.['if']
  return token === undefined ? {} : {conditions: {if: token}}
}

/** Removes a resource of the client's own. `left` has its URL until it is known to be removed. */
export async function removeOwn(
  url: string,
  beside: TargetRequest,
  context: VerbContext,
  left: Set<string>,
): Promise<void> {
  left.add(url)
  const request = {method: 'DELETE', url, ...tokensOf(beside), attempts: 0}
  const {verdict} = await attempt(request, {...context, verb: DELETE}, async () => true)
  if (verdict.ok || isMissingStatus(verdict.status)) left.delete(url)
}
