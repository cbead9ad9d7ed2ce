/** DELETE of one resource, with one verdict on it whatever the server answers. RFC 4918, sections 9.6 and 9.6.1. */

import type {ResultStream} from '../multistatus/result-stream.ts'
import {resolvePolicy} from '../retry/policy.ts'
import {createCall} from './call.ts'
import {deleteRepeatedly} from './delete-attempts.ts'
import {deleteTarget} from './delete-exchange.ts'
import type {DeleteOptions} from './delete-options.ts'
import {settleOptions} from './delete-options.ts'
import type {DeleteTarget} from './delete-target.ts'
import {settleDelete} from './delete-target.ts'
import {plannedVerdict} from './delete-verdict.ts'
import type {Session} from './session.ts'

/** Checks the options and makes the stream. Nothing is sent yet. */
export function deleteOne(
  session: Session,
  target: DeleteTarget,
  options: DeleteOptions = {},
): ResultStream {
  const settled = settleOptions(options)
  const request = settleDelete(session, target, settled)
  const policy = options.retry === undefined ? session.retry : resolvePolicy(options.retry)
  const {signal} = options
  return createCall(session, {href: request.url, signal, policy}, async function* (line, stop) {
    const manner = {session, line, stop}
    if ('ok' in request) yield [request]
    else if (settled.dryRun) yield [plannedVerdict(request)]
    else if (line.repeats === undefined) yield* deleteTarget(request, manner)
    else {
      const {results, problem} = await deleteRepeatedly(request, manner, line.repeats)
      yield problem === undefined ? results : results.slice(0, -1)
      if (problem !== undefined) throw problem
    }
    return {incomplete: []}
  })
}
