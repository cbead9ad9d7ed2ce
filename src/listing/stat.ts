/** PROPFIND with Depth 0, for one resource. RFC 4918, section 9.1. */

import type {DavResult} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import {isMissingStatus, keepSelf, selfOf} from './presence.ts'
import type {PropfindOptions} from './propfind.ts'
import {propfind} from './propfind.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'

/** The resource's own result, wherever it stands in the answer. */
export async function stat<P>(
  session: Session,
  target: Target,
  options: PropfindOptions,
): Promise<DavResult<P>> {
  const {href} = resolveTarget(target, session.base)
  let count = 0
  let other: DavResult<P> | undefined
  const selves: DavResult<P>[] = []
  const stream = propfind<P>(session, target, {...options, depth: 0})
  for await (const result of stream) {
    count++
    if (result.relation === 'self') keepSelf(selves, result)
    // What is below it is another resource for sure.
    if (result.relation === 'outside') other ??= result
  }
  // A refusal that is a Multi-Status document is told by the summary.
  const {incomplete} = await stream.summary
  const refused = incomplete.find(
    ({reason, status = 0}) => reason === 'failed' && isMissingStatus(status),
  )
  const self = selfOf(selves, href, refused?.status)
  // Some servers behind a proxy write another path into the only href there is.
  const result = self ?? (count === 1 ? other : undefined)
  if (result !== undefined) return result
  throw new DavError(
    `PROPFIND ${href} (Depth: 0) was answered with ${count} results, none of them for the resource itself`,
    {method: 'PROPFIND', url: href},
  )
}
