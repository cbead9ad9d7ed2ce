/**
 * Keeps the bodies of uploads beside their requests. A request is plain data that survives JSON, and a body seldom is. RFC 9110,
 * section 9.3.4.
 */

import type {RequestBody} from '../transport/transport.ts'
import type {TargetRequest} from './verb.ts'

const BODIES = new WeakMap<TargetRequest, RequestBody>()

/** Gives a request its body. */
export function withBody(request: TargetRequest, body: RequestBody): TargetRequest {
  BODIES.set(request, body)
  return request
}

/** Finds the body of a request; `undefined` without one, and for one that was lost in JSON. */
export function bodyOf(request: TargetRequest): RequestBody | undefined {
  return BODIES.get(request) ?? request.body
}

/** Copies a request with some members changed. The copy has the same body. */
export function changed(request: TargetRequest, changes: Partial<TargetRequest>): TargetRequest {
  const copy = {...request, ...changes}
  const body = BODIES.get(request)
  return body === undefined ? copy : withBody(copy, body)
}
