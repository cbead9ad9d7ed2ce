/** PROPFIND with Depth 0, for one resource. RFC 4918, section 9.1. */

import type {DavResult} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import type {PropfindOptions} from './propfind.ts'
import {propfind} from './propfind.ts'
import type {Session} from './session.ts'
import type {Target} from './target.ts'
import {resolveTarget} from './target.ts'

/** The resource's own result, wherever it stands in the answer. */
export async function stat<P>(
  session: Session,
  target: Target,
  options: PropfindOptions,
): Promise<DavResult<P>> {
  const {successes, failures} = await propfind<P>(session, target, {...options, depth: 0}).collect()
  const results: DavResult<P>[] = [...successes, ...failures]
  const self = results.find(({relation}) => relation === 'self')
  // Some servers behind a proxy write another path into the only href there is.
  const result = self ?? (results.length === 1 ? results[0] : undefined)
  if (result !== undefined) return result
  const {href} = resolveTarget(target, session.base)
  throw new DavError(
    `PROPFIND ${href} (Depth: 0) was answered with ${results.length} results, none of them for the resource itself`,
  )
}
