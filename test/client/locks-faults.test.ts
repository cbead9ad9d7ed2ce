// States the truth of locks for programs that share a server, which loses their answers.
import {env} from 'node:process'

import {describe, expect, it} from 'vitest'

import {runLockCampaign} from '../support/locking-campaign.ts'
import {numberFrom} from '../support/unruly-caller.ts'

const OPERATIONS = numberFrom(env['LOCK_OPERATIONS'], 300)
const ONE = env['SEED']
const SEEDS = Array.from({length: 30}, (_, index) => index + 1).filter(
  (seed) => ONE === undefined || String(seed) === ONE,
)
const met = new Set<string>()

describe('clients of a server that enforces locks', {timeout: 300_000}, () => {
  it.for(SEEDS)('submit their locks, and say the truth about them: seed %i', async (seed) => {
    const campaign = await runLockCampaign(seed, OPERATIONS)
    for (const name of campaign.met) met.add(name)
    expect(campaign.problems).toEqual([])
  })
})
