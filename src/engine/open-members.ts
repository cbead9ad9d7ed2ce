/**
 * The failed members of COPY and MOVE in a retry. A target that failed because of them waits for them: a repeated request would meet
 * its own destination. RFC 4918, sections 9.8.5 and 9.9.4.
 */

import type {DavResult, FailedRequest, Failure} from '../multistatus/result.ts'
import {resourceKey} from '../protocol/href.ts'
import {isIn} from './claims.ts'

/** Tells if a failure is of a COPY or MOVE, because of its members. */
function isOfMembers({reason, request}: Failure): boolean {
  return reason === 'member' && typeof request?.destination === 'string'
}

/** Lists the failed members that a COPY or MOVE of one target has with it, as far as they can be sent. */
export function membersOf(failure: Failure): readonly Failure[] {
  return isOfMembers(failure) ? failedOf(failure).filter(({request}) => request !== undefined) : []
}

function failedOf({members}: Failure): readonly Failure[] {
  const all: readonly DavResult[] = Array.isArray(members) ? members : []
  return all.filter((one) => !one.ok)
}

/** The failures of a retry, until they are sent with success. */
export class OpenMembers {
  readonly #open: Set<Failure>

  constructor(all: readonly Failure[]) {
    this.#open = new Set(all)
  }

  /** Notes a success. */
  close(failure: Failure): void {
    this.#open.delete(failure)
  }

  /** Tells if the members of a target are all done; `undefined` if nobody knows all of them, because a stream has them apart. */
  areDone(target: Failure): boolean | undefined {
    const {request, members} = target
    if (request === undefined || !isOfMembers(target)) return undefined
    const isLost = failedOf(target).some((one) => one.request === undefined)
    if (isLost || Array.from(this.#open).some((one) => isMemberOf(one, request))) return false
    return members === undefined ? undefined : true
  }
}

/** Tells if a failure is of a member of a target. One without a request may be. */
function isMemberOf({request, relation}: Failure, target: FailedRequest): boolean {
  if (request === undefined) return relation !== 'self'
  return (
    request.method === target.method &&
    isIn(resourceKey(request.url), resourceKey(target.url)) &&
    isIn(resourceKey(request.destination ?? ''), resourceKey(target.destination ?? ''))
  )
}
