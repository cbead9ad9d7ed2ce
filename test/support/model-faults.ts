// The faults of a model server, drawn for each request from its seed, its operation and its number in that operation.
// Neither the clock nor the order of concurrent requests changes them.

import type {Random} from '../fuzz/random.ts'

/** Faults by method, each with its weight in a thousand. A request without a fault has a true answer. */
const LOTS = {
  GET: {
    'reset before': 20,
    '503': 10,
    '500 page': 5,
    'half a body, closed': 60,
    'half a body, reset': 40,
    'half a body, changed': 40,
    'whole for a range': 60,
    'another range': 60,
    'no Content-Range': 20,
    'half a range': 20,
    'another total': 20,
    'stale If-Range': 60,
    'If-None-Match ignored': 60,
  },
  PUT: {
    'reset before': 20,
    'reset after': 30,
    '503': 10,
    '423': 10,
    '507': 10,
    '500, destroyed': 20,
    lie: 15,
    shortened: 15,
  },
  MKCOL: {'reset before': 20, 'reset after': 30, '503': 10, '423': 10, '507': 10, lie: 15},
  DELETE: {
    'reset before': 20,
    'reset after': 30,
    '503': 10,
    '423': 15,
    part: 120,
    'done in a 207': 30,
    'wrong 207': 30,
    lie: 15,
  },
  COPY: {
    'reset before': 20,
    'reset after': 30,
    '503': 10,
    '423': 10,
    '507': 15,
    part: 150,
    'done in a 207': 30,
    'wrong 207': 30,
    lie: 15,
  },
  MOVE: {
    'reset before': 20,
    'reset after': 40,
    '503': 10,
    '423': 15,
    '507': 10,
    part: 100,
    'both ends': 60,
    'done in a 207': 30,
    'wrong 207': 30,
    lie: 15,
  },
  PROPPATCH: {
    'reset before': 20,
    'reset after': 30,
    '503': 10,
    '423': 10,
    '507': 10,
    'a refused property': 60,
    'a property left out': 30,
    'reset in the answer': 20,
    'wrong 207': 30,
    lie: 20,
  },
  PROPFIND: {'reset before': 20, '503': 10, 'reset in the answer': 10, 'half a document': 10},
  // Seldom asked, so often wrong.
  OPTIONS: {'reset before': 100, '503': 80, '500 page': 80, 'reset in the answer': 140},
} as const

type Lots = typeof LOTS
/** The name of a fault. Some need a resource that allows them. */
export type FaultName = {[Method in keyof Lots]: keyof Lots[Method]}[keyof Lots]

/** All faults, each with its method. */
export const FAULTS: readonly string[] = Object.entries(LOTS).flatMap(([method, lots]) =>
  Object.keys(lots).map((name) => `${method}: ${name}`),
)

/** Draws the fault of a request. */
export function drawFault(method: string, dice: Random): FaultName | undefined {
  if (!isKnown(method)) return undefined
  let left = dice.below(1000)
  for (const [name, weight] of entriesOf(LOTS[method])) {
    left -= weight
    if (left < 0) return name
  }
  return undefined
}

function isKnown(method: string): method is keyof Lots {
  return Object.hasOwn(LOTS, method)
}

function entriesOf(lots: Readonly<Partial<Record<FaultName, number>>>): [FaultName, number][] {
  return Object.entries(lots) as [FaultName, number][]
}

/** The constant oddities of one lane. */
export interface Traits {
  readonly etags: 'strong' | 'weak' | 'none'
  /** True if PUT answers with an ETag. */
  readonly tellsEtag: boolean
  readonly honoursConditions: boolean
  /** True if a collection without its slash is redirected. */
  readonly redirects: boolean
  /** True if a GET of a file has no Content-Length. */
  readonly isChunked: boolean
  /** The answer to a PROPPATCH that stored everything. */
  readonly proppatch: 207 | 200 | 204
}

/** Draws the oddities of a lane. */
export function drawTraits(dice: Random): Traits {
  return {
    etags: dice.pick(['strong', 'strong', 'strong', 'weak', 'none'] as const),
    tellsEtag: dice.oneIn(2),
    honoursConditions: !dice.oneIn(4),
    redirects: dice.oneIn(3),
    isChunked: dice.oneIn(4),
    proppatch: dice.pick([207, 207, 200, 204] as const),
  }
}
