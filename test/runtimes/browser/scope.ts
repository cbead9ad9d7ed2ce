// The order of a page to itself or to a worker: one scenario at a time, because a browser may stop a service worker between two
// messages.

import {type Outcome, type Place, runEach} from '../scenario.ts'
import {SCENARIOS} from '../scenarios.ts'

/** The kinds of global scopes in a browser. */
export type Scope = 'page' | 'worker' | 'shared worker' | 'service worker'

export interface Order {
  readonly place: Place
  /** The index of the scenario. */
  readonly index: number
}

/** Runs a scenario in this scope. */
export function obey({place, index}: Order): Promise<readonly Outcome[]> {
  return runEach(SCENARIOS.slice(index, index + 1), place)
}
