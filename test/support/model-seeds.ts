// Tests of a range of seeds of the campaign against a model server, and of all that they must have met.

import {env} from 'node:process'

import {describe, expect, it} from 'vitest'

import {runCampaign} from './model-campaign.ts'
import {FAULTS} from './model-faults.ts'
import {numberFrom} from './unruly-caller.ts'

const OPERATIONS = numberFrom(env['VERB_OPERATIONS'], 400)
const ONE = env['SEED']

/** Verdicts that occur in any range of seeds: each verb succeeds beside faults, and each retry does. */
const KINDS = [
  ...['get', 'put', 'mkcol', 'copy', 'move', 'proppatch', 'delete'].map(
    (verb) => `${verb}: success after a fault`,
  ),
  ...['put', 'copy', 'move', 'delete'].map((verb) => `retry of ${verb}: success`),
  'options: success',
  'put: refused',
  'get: refused',
]

/** Defines the tests of the seeds from the first to the last. */
export function testSeeds(first: number, last: number): void {
  const all = Array.from({length: last - first + 1}, (_, index) => first + index)
  const seeds = ONE === undefined ? all : all.filter((seed) => String(seed) === ONE)
  const faults = new Set<string>()
  const kinds = new Set<string>()

  describe('all verbs against a server with faults', {timeout: 300_000}, () => {
    it.for(seeds)('have true verdicts: seed %i', async (seed) => {
      const {problems, met, verdicts} = await runCampaign(seed, OPERATIONS)
      expect(problems).toEqual([])
      for (const name of met) faults.add(name)
      for (const kind of verdicts) kinds.add(kind)
    })

    it.skipIf(ONE !== undefined)('meet every fault, and have every kind of verdict', () => {
      expect(FAULTS.filter((name) => !faults.has(name))).toEqual([])
      expect(KINDS.filter((kind) => !kinds.has(kind))).toEqual([])
    })
  })
}
