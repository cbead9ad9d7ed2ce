// A runtime of the tests: its runs, and the outcomes that differ from the right ones.

import type {Outcome, Place, Scenario} from './scenario.ts'
import type {Site} from './site.ts'

/** An outcome that differs. */
export interface Difference {
  readonly seen: unknown
  /** True if the outcome is the right one in some runs. */
  readonly isOccasional?: boolean
  /** The reason in one sentence, for the guide. */
  readonly fact: string
}

export interface Runtime {
  /** Its column of the guide's table. Runtimes with the same heading have the same outcomes. */
  readonly heading: string
  /** Its name in titles, and as a path segment on the servers. */
  readonly name: string
  readonly scenarios: readonly Scenario[]
  /** Runs all its scenarios. */
  run(site: Site, place: Place): Promise<readonly Outcome[]>
  /** By the title of the scenario. */
  readonly differences: Readonly<Record<string, Difference>>
}
