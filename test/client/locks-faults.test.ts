// States the truth of locks for programs that share a server. It loses requests and answers, breaks locks, and speaks the dialects of
// real servers; the programs are restarted with their locks from JSON.
//
// The checks run a few operations of each seed. The full run, with 30 seeds and 5,000 operations each, is
//   LOCK_OPERATIONS=5000 vitest run test/client/locks-faults
// A problem names its seed and the number of its operation. SEED=7 runs one seed only.

import {env} from 'node:process'

import {describe, expect, it} from 'vitest'

import {runLockCampaign} from '../support/locking-campaign.ts'
import {LOCK_FAULTS} from '../support/locking-server.ts'
import {numberFrom} from '../support/unruly-caller.ts'

const OPERATIONS = numberFrom(env['LOCK_OPERATIONS'], 250)
const ONE = env['SEED']
const SEEDS = Array.from({length: 30}, (_, index) => index + 1).filter(
  (seed) => ONE === undefined || String(seed) === ONE,
)

/** Verdicts and events that occur in any range of seeds. */
const KINDS =
  'lock refresh put putMany mkcol proppatch delete deleteMany copy copyMany move moveMany'
    .split(' ')
    .flatMap((verb) => [`${verb}: success`, `${verb}: success after a fault`, `${verb}: status`])
const EVENTS = [
  'others',
  'unlock: success',
  'lock: error',
  'a lock is lost',
  'a lock was found',
  'a lock was given up',
  'more locks than an If header has room for',
  'a refusal for want of room',
]

const met = new Set<string>()

describe('programs on a server that enforces locks', {timeout: 300_000}, () => {
  it.for(SEEDS)('submit their locks, and are told the truth about them: seed %i', async (seed) => {
    const campaign = await runLockCampaign(seed, OPERATIONS)
    expect(campaign.problems).toEqual([])
    for (const name of campaign.met) met.add(name)
  })

  it.skipIf(ONE !== undefined)('meet every fault, and have every kind of verdict', () => {
    const wanted = [...LOCK_FAULTS, ...KINDS, ...EVENTS]
    expect(wanted.filter((name) => !met.has(name))).toEqual([])
  })
})
