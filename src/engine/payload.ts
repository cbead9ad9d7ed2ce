/**
 * Keeps the bodies of uploads beside their requests. A request is plain data that survives JSON, and a body seldom is. RFC 9110,
 * section 9.3.4.
 */

import type {Payload} from '../transfer/upload.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {TargetRequest} from './verb.ts'

const PAYLOADS = new WeakMap<TargetRequest, Payload>()

/** Gives a request its body. */
export function withPayload(request: TargetRequest, payload: Payload): TargetRequest {
  PAYLOADS.set(request, payload)
  return request
}

/** Finds the body of a request; `undefined` without one, and for one that was lost in JSON. */
export function payloadOf(request: TargetRequest): Payload | undefined {
  return PAYLOADS.get(request)
}

/** Recognizes a request whose body can be read once only. */
export function isOneShot(request: TargetRequest): boolean {
  return isStreamed(payloadOf(request)?.body)
}

/** Copies a request with some members changed. The copy has the same body. */
export function changed(request: TargetRequest, changes: Partial<TargetRequest>): TargetRequest {
  const copy = {...request, ...changes}
  const payload = PAYLOADS.get(request)
  return payload === undefined ? copy : withPayload(copy, payload)
}
