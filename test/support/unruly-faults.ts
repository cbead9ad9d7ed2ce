// Draws the fault of each DELETE from the seed, the resource and the number of its DELETE only. Neither the clock nor
// the order of requests changes it.

import {Random} from '../fuzz/random.ts'
import type {Resource} from './unruly-tree.ts'

/** Faults that do not depend on the resource. Those with "done" come after the deletion. */
export const FAULTS = [
  'reset',
  'reset, done',
  'stall',
  'stall, done',
  '429 Retry-After 0',
  '429 Retry-After 1',
  '503 burst',
  '500 HTML',
  '502 XML',
  '504 XML',
  '504 XML, done',
  '202, done',
] as const
export type FaultName = (typeof FAULTS)[number]

const BURST = 16
/** Upper bounds in a thousand. */
const LOTS: readonly (readonly [number, FaultName])[] = [
  [8, 'reset'],
  [16, 'reset, done'],
  [24, '429 Retry-After 0'],
  [32, '500 HTML'],
  [36, '502 XML'],
  [40, '504 XML'],
  [44, '504 XML, done'],
  [50, '202, done'],
]

/** Draws for a resource and the number of its DELETE, or for anything else with a name. */
export function draw(seed: number, name: string, number: number): Random {
  // FNV-1a, so that similar names give different draws.
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (const text of [name, '\0', String(number)]) {
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
    }
  }
  return new Random(hash)
}

/** Draws the faults of a seed among this many targets. */
export class Faults {
  readonly #seed: number
  /** From this DELETE of a resource on, no fault hides its deletion: no client could know better. */
  readonly #honestFrom: number
  /** Faults that must stay rare because they take time, by target, for the first DELETE. */
  readonly #rare = new Map<number, FaultName>()

  constructor(
    seed: number,
    {targets, attempts, stalls = 10}: {targets: number; attempts: number; stalls?: number},
  ) {
    this.#seed = seed
    this.#honestFrom = attempts
    const random = draw(seed, 'rare', targets)
    for (let left = 0; left < stalls; left++)
      this.#rare.set(random.below(targets), left % 2 === 0 ? 'stall' : 'stall, done')
    this.#rare.set(random.below(targets), '429 Retry-After 1')
  }

  /** Draws the fault of the current DELETE. */
  of({path, number, deletes, goneAt}: Resource): FaultName | undefined {
    const isHonest = number === undefined || deletes >= this.#honestFrom
    if (goneAt !== undefined && isHonest) return undefined
    if (number !== undefined) {
      const rare = deletes === 1 ? this.#rare.get(number) : undefined
      if (rare !== undefined) return rare
      const block = draw(this.#seed, 'burst', Math.floor(number / BURST))
      // A burst hits consecutive requests, because targets are sent in order. One in three lasts for the second attempt
      // too.
      if (block.oneIn(40) && deletes <= (block.oneIn(3) ? 2 : 1)) return '503 burst'
    }
    const dice = draw(this.#seed, path, deletes).below(1000)
    const fault = LOTS.find(([bound]) => dice < bound)?.[1]
    return fault === '504 XML, done' && isHonest ? '504 XML' : fault
  }
}
