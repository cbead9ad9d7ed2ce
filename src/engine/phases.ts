/**
 * Runs failed requests again in an order in which they can succeed. Requests for resources in one another wait for each other.
 * RFC 4918, sections 9.6.1 and 11.4.
 */

import {runAll} from '../call/run-all.ts'
import type {Failure} from '../multistatus/result.ts'
import {inPhases} from '../retry/phases.ts'
import {Folding} from './folding.ts'
import type {VerbContext} from './verb.ts'

/** Runs a function for each failure. An aborted `ending` begins no further one. */
export async function runPhases(
  failures: readonly Failure[],
  {connection, stop, verb}: VerbContext,
  ending: AbortSignal | undefined,
  run: (failure: Failure) => Promise<void>,
): Promise<void> {
  const {pace} = connection
  const options = {pace, signal: stop.signal, ...(ending !== undefined && {ending})}
  for (const phase of inPhases(failures, verb.order)) {
    const folding = new Folding()
    await runAll(phase, options, async (failure) => {
      const taken = folding.take(failure.request?.url ?? failure.url)
      // Those around it and in it that were taken before are waited for.
      if (taken?.before !== undefined) await pace.idle(taken.before)
      try {
        await run(failure)
      } finally {
        taken?.settle(undefined)
      }
    })
  }
}
