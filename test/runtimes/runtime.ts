// A runtime of the tests: its runs, and the outcomes that differ from the right ones.

import type {SuiteOutcome} from './parser-suite.ts'
import type {Outcome, Place, Scenario} from './scenario.ts'
import type {Site} from './site.ts'

/** An outcome that differs. */
export interface Difference {
  readonly seen: unknown
  /** True if the outcome is the right one in some runs. */
  readonly isOccasional?: boolean
  /** The reason in a sentence, for the guide. */
  readonly fact: string
}

export interface Runtime {
  /** Its column of the guide's table. */
  readonly heading: string
  /** Its name in titles, and as a path segment on the servers. */
  readonly name: string
  readonly scenarios: readonly Scenario[]
  /** Runs all its scenarios. */
  readonly run: (site: Site, place: Place) => Promise<readonly Outcome[]>
  /** By the title of the scenario. */
  readonly differences: Readonly<Record<string, Difference>>
  /** The tests of the reader, for one of the runtimes that would run them alike. */
  readonly reader?: ReaderRun | undefined
}

/** A run of the tests of the reader. */
export interface ReaderRun {
  readonly run: (site: Site) => Promise<SuiteOutcome>
  /** The files that cannot run here, each with its reason in a sentence. */
  readonly leftOut: Readonly<Record<string, string>>
}
