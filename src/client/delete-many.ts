/**
 * DELETE of many resources, each with a verdict of its own: one that is refused, or whose exchange breaks, does not end
 * the others. RFC 4918, section 9.6.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
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
  const settleOrRefuse = (target: Target): DeleteRequest | Failure => {
    try {
      return settle(target)
    } catch (error) {
      if (error instanceof TypeError) return refused(target, session, error.message)
      throw error
    }
  }
  let line: Line | undefined
  return createResultStream({
    async *read() {
      const stop = new AbortController()
      line = openLine(session, options.signal, stop.signal)
      const current = line
      const meter = new ProgressMeter(known, options.onProgress)
      const run = async function* (
        source: Target | DeleteRequest,
      ): AsyncGenerator<readonly DavResult[]> {
        meter.started()
        const request = isRequest(source) ? source : settleOrRefuse(source)
        if ('ok' in request) yield [request]
        else yield* deleteAmongMany(session, current, request, policy)
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

/** The verdict on a target that is none: in its place, so that the ones around it are deleted all the same. */
function refused(target: unknown, session: Session, description: string): Failure {
  const href = typeof target === 'string' ? target : ''
  const url = session.base.href
  return {
    ok: false,
    href,
    url,
    relation: 'self',
    status: 0,
    reason: 'malformed',
    conditions: [],
    missing: [],
    description,
  }
}

function isRequest(source: Target | DeleteRequest): source is DeleteRequest {
  return typeof source === 'object' && 'ifMissing' in source
}
