/** Doubts the 412 of a repeated upload: the write that it met may be the client's own. RFC 9110, section 13.1. */

import type {TargetRequest} from '../engine/verb.ts'
import {unclear} from '../engine/verdict.ts'
import type {Failure} from '../multistatus/result.ts'

/**
 * Makes the verdict of a 412 that an earlier attempt may have caused. Nobody can tell it from a write of somebody else: the answer
 * with the ETag was lost.
 *
 * @returns `undefined` for any other failure.
 */
export function doubtOwnWrite(request: TargetRequest, {status}: Failure): Failure | undefined {
  const {conditions = {}, attempts} = request
  const isConditional = 'if-match' in conditions || 'if-none-match' in conditions
  if (status !== 412 || attempts === 0 || !isConditional) return undefined
  const sentence = 'It was answered 412, and an earlier attempt may have written it'
  return unclear(request, 'unreadable', sentence)
}
