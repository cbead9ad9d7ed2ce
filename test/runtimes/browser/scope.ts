// What a page asks of itself or of a worker, and the answer: one scenario at a time, because a service worker may be stopped between
// two events.

import type {Outcome, Place} from '../scenario.ts'
import {SCENARIOS} from '../scenarios.ts'
import {runEach} from '../scenario.ts'

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
