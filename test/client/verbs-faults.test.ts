// States that the verdicts of all verbs are true, even from a server with faults drawn by a seed: nothing is lost, doubled
// or untrue, every byte that was read was stored, and nothing changes but the named. Here the first half of the seeds.
//
// The checks run a few operations of each seed. The full run, with 30 seeds and 5,000 operations each, is
//   VERB_OPERATIONS=5000 vitest run --maxWorkers=2 test/client/verbs-faults
// A problem names its seed, its lane and the number of its operation. SEED=7 runs one seed only.

import {testSeeds} from '../support/model-seeds.ts'

testSeeds(1, 15)
