/** DELETE of one resource, with one verdict on it whatever the server answers. RFC 4918, sections 9.6 and 9.6.1. */

import type {DavResult} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import {readOptions} from '../protocol/options.ts'
import {resolvePolicy} from '../retry/policy.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import {createCall} from '../call/call.ts'
import {deleteWithRetries} from '../engine/attempts.ts'
import type {DeleteOptions} from './delete-options.ts'
import {DELETE_OPTIONS, settleOptions} from './delete-options.ts'
import type {DeleteTarget} from './delete-target.ts'
import {settleDelete} from './delete-target.ts'
import {plannedVerdict} from '../engine/verdict.ts'
import type {Sink} from '../call/merge.ts'
import {merge} from '../call/merge.ts'
import type {Session} from '../call/session.ts'

/** Checks the options and makes the stream. Nothing is sent yet. */
export function deleteOne(
  session: Session,
  target: DeleteTarget,
  given: DeleteOptions = {},
): ResultStream {
  const options = readOptions('delete', given, DELETE_OPTIONS)
  const settled = settleOptions(options)
  const request = settleDelete(session, target, settled)
  const policy = options.retry === undefined ? session.retry : resolvePolicy(options.retry)
  const {signal} = options
  return createCall(
    session,
    {href: request.url, signal, policy},
    async function* (connection, stop) {
      if ('ok' in request) yield [request]
      else if (settled.dryRun) yield [plannedVerdict(request)]
      else {
        const {pace, signal: ended} = connection
        yield* merge([request], {pace, signal: ended, stop}, async (one, emit: Sink<DavResult>) => {
          const {verdict, problem} = await deleteWithRetries(one, {session, connection, stop}, emit)
          // A redirect that a browser hides is an answer, though nobody can read it.
          if (problem !== undefined && !(problem instanceof HiddenRedirectError)) throw problem
          await emit([verdict])
        })
      }
      return {incomplete: []}
    },
  )
}
