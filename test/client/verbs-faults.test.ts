// States that the verdicts of all verbs are true, even from a server with faults drawn by a seed: nothing is lost, doubled
// or untrue, every byte that was read was stored, and nothing changes but the named.
//
// The checks run a few operations of each seed. The full run is
//   VERB_OPERATIONS=5000 vitest run test/client/verbs-faults.test.ts
// A problem names its seed, its lane and the number of its operation. SEED=7 runs one seed only.

import {env} from 'node:process'

import {describe, expect, it} from 'vitest'

import {clientOf, run} from '../support/model-caller.ts'
import {FAULTS} from '../support/model-faults.ts'
import {drawOperation, type Operation} from '../support/model-operations.ts'
import {type Lane, type ModelServer, startModelServer} from '../support/model-server.ts'
import {problemsOf} from '../support/model-verdicts.ts'
import {numberFrom} from '../support/unruly-caller.ts'

const SEEDS = numberFrom(env['VERB_SEEDS'], 30)
const OPERATIONS = numberFrom(env['VERB_OPERATIONS'], 500)
const LANES = 8

const seeds =
  env['SEED'] === undefined
    ? Array.from({length: SEEDS}, (_, index) => index + 1)
    : [numberFrom(env['SEED'], 1)]

describe('all verbs against a server with faults', {timeout: 300_000}, () => {
  it.for(seeds)('have true verdicts: seed %i', async (seed) => {
    const server = await startModelServer(seed, {lanes: LANES, isLocal: seed % 10 !== 0})
    try {
      const found = await Promise.all(
        server.lanes.map((lane) => runLane(server, lane, seed, OPERATIONS / LANES)),
      )
      expect(found.flat()).toEqual([])
      if (OPERATIONS >= 5000) expect(FAULTS.filter((name) => !server.met.has(name))).toEqual([])
    } finally {
      await server.close()
    }
  })
})

/** Runs the operations of a lane one after another. Returns their problems. */
async function runLane(
  server: ModelServer,
  lane: Lane,
  seed: number,
  count: number,
): Promise<readonly string[]> {
  const dav = clientOf(server.url, lane, server.transport)
  const problems: string[] = []
  for (let number = 1; number <= count; number++) {
    const operation = drawOperation(seed, lane, number)
    lane.begin(operation)
    const before = lane.tree
    const answered = await run(dav, lane, operation)
    for (const problem of problemsOf(operation, answered, lane, before))
      problems.push(`${wordsOf(seed, lane, operation)}: ${problem}`)
  }
  return problems
}

function wordsOf(seed: number, lane: Lane, {number, verb, isMany, targets}: Operation): string {
  const named = targets.map(({path, to}) => `/${path.join('/')}${to ? ` to /${to.join('/')}` : ''}`)
  const place = `seed ${seed}, lane ${lane.number}, operation ${number}`
  return `${place}: ${verb}${isMany ? 'Many' : ''} ${named.join(', ')} [${lane.faults.join(', ')}]`
}
