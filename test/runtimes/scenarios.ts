// All that a client does in each runtime: with three real servers, and with one that breaks exchanges. A page, a worker and workerd
// bundle this module.

import {faultScenarios} from './with-faults.ts'
import {type Outcome, type Place, runEach, type Scenario} from './scenario.ts'
import {serverScenarios} from './with-servers.ts'

export type {Outcome, Place, Scenario} from './scenario.ts'

export const SCENARIOS: readonly Scenario[] = [...serverScenarios, ...faultScenarios]

/** Runs all scenarios. A thrown error becomes a text. */
export function runScenarios(place: Place): Promise<readonly Outcome[]> {
  return runEach(SCENARIOS, place)
}
