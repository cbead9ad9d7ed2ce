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
  let count = 0
  let first: DavResult<P> | undefined
  let self: DavResult<P> | undefined
  for await (const result of propfind<P>(session, target, {...options, depth: 0})) {
    count++
    first ??= result
    if (result.relation === 'self') self ??= result
  }
  // Some servers behind a proxy write another path into the only href there is.
  const result = self ?? (count === 1 ? first : undefined)
  if (result !== undefined) return result
  const {href} = resolveTarget(target, session.base)
  throw new DavError(
    `PROPFIND ${href} (Depth: 0) was answered with ${count} results, none of them for the resource itself`,
  )
}
