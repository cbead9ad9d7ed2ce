// States that the verdicts of all verbs are true, even from a server with faults drawn by a seed: nothing is lost, doubled
// or untrue, every byte that was read was stored, and nothing changes but the named.
//
// The checks run a few operations of each seed. The full run is
//   VERB_OPERATIONS=5000 vitest run test/client/verbs-faults.test.ts
// A problem names its seed, its lane and the number of its operation. SEED=7 runs one seed only.

import {env} from 'node:process'

import {describe, expect, it} from 'vitest'

import {runCampaign} from '../support/model-campaign.ts'
import {FAULTS} from '../support/model-faults.ts'
import {numberFrom} from '../support/unruly-caller.ts'

const SEEDS = numberFrom(env['VERB_SEEDS'], 30)
const OPERATIONS = numberFrom(env['VERB_OPERATIONS'], 500)

const seeds =
  env['SEED'] === undefined
    ? Array.from({length: SEEDS}, (_, index) => index + 1)
    : [numberFrom(env['SEED'], 1)]

describe('all verbs against a server with faults', {timeout: 300_000}, () => {
  it.for(seeds)('have true verdicts: seed %i', async (seed) => {
    const {problems, met, verdicts} = await runCampaign(seed, OPERATIONS)
    if (env['SHOW'])
      console.log(
        [...verdicts]
          .toSorted()
          .map(([a, b]) => `${a} ${b}`)
          .join('\n'),
      )
    expect(problems).toEqual([])
    if (OPERATIONS >= 5000) expect(FAULTS.filter((name) => !met.has(name))).toEqual([])
  })
})
