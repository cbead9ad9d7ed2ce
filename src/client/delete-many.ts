/**
 * DELETE of many resources, each with a verdict of its own: one that is refused, or whose exchange breaks, does not end
 * the others. RFC 4918, section 9.6.
 */

import type {DavResult} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import {createResultStream} from '../multistatus/result-stream.ts'
import {resolvePolicy} from '../retry/policy.ts'
import type {DeleteOptions, DeleteRequest} from './delete.ts'
import {deleteAmongMany, settleDelete} from './delete.ts'
import {merge} from './merge.ts'
import type {Progress} from './progress.ts'
import {ProgressMeter} from './progress.ts'
import type {Line, Session} from './session.ts'
import {openLine, resolveConcurrency} from './session.ts'
import type {Target} from './target.ts'

/** How many resources are deleted. */
export interface DeleteManyOptions extends DeleteOptions {
  /**
   * Requests under way at once.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /** Is told how far the call is, at most ten times a second and at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Targets, one by one: results of a listing may be failures, and failures are no targets. */
export type Targets = Iterable<Target> | AsyncIterable<Target>

/** Checks the options, and the targets where they are all there, and makes the stream. Nothing is sent yet. */
export function deleteMany(
  session: Session,
  targets: Targets,
  options: DeleteManyOptions = {},
): ResultStream {
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const policy = options.retry === undefined ? session.retry : resolvePolicy(options.retry)
  const settle = (target: Target): DeleteRequest => settleDelete(session, target, options)
  if (typeof targets === 'string' || targets instanceof URL) {
    throw new TypeError('deleteMany takes an iterable of targets; for a single one there is delete')
  }
  const known = Array.isArray(targets) ? targets.length : undefined
  const requests = Array.isArray(targets) ? targets.map(settle) : undefined
  let line: Line | undefined
  return createResultStream({
    async *read() {
      const stop = new AbortController()
      line = openLine(session, options.signal, stop.signal)
      const current = line
      const meter = new ProgressMeter(known, options.onProgress)
      const run = (source: Target | DeleteRequest): AsyncIterable<readonly DavResult[]> => {
        meter.started()
        return deleteAmongMany(
          session,
          current,
          isRequest(source) ? source : settle(source),
          policy,
        )
      }
      try {
        for await (const batch of merge(requests ?? targets, {concurrency, stop}, run)) {
          meter.see(batch)
          yield batch
        }
      } finally {
        meter.ended()
      }
      return {incomplete: [], requests: line.requests}
    },
    stopped: () => ({
      incomplete: [{href: session.base.href, reason: 'stopped'}],
      requests: line?.requests ?? 0,
    }),
  })
}

function isRequest(source: Target | DeleteRequest): source is DeleteRequest {
  return typeof source === 'object' && 'ifMissing' in source
}
