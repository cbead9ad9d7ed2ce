/**
 * Keeps uploads beside their requests. A request is plain data that survives JSON, and the body of an upload seldom is. RFC 9110,
 * section 9.3.4.
 */

import type {Upload} from '../transfer/upload.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {TargetRequest} from './verb.ts'

const UPLOADS = new WeakMap<TargetRequest, Upload>()

/** Gives a request its upload. */
export function withUpload(request: TargetRequest, upload: Upload): TargetRequest {
  UPLOADS.set(request, upload)
  return request
}

/** Finds the upload of a request; `undefined` without one, and for one that was lost in JSON. */
export function uploadOf(request: TargetRequest): Upload | undefined {
  return UPLOADS.get(request)
}

/** Recognizes a request whose body can be read once only. */
export function isOneShot(request: TargetRequest): boolean {
  return isStreamed(uploadOf(request)?.body)
}

/** Copies a request with some members changed. The copy has the same upload. */
export function changed(request: TargetRequest, changes: Partial<TargetRequest>): TargetRequest {
  const copy = {...request, ...changes}
  const upload = UPLOADS.get(request)
  return upload === undefined ? copy : withUpload(copy, upload)
}
