// States that the verdicts of all verbs are true, even from a server with faults drawn by a seed: nothing is lost, doubled
// or untrue, every byte that was read was stored, and nothing changes but the named. Here the second half of the seeds.

import {testSeeds} from '../support/model-seeds.ts'

testSeeds(16, 30)
