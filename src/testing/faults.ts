/**
 * The faults of a fake server: by rules, and at random by a seed. A draw depends on the seed and on the request: its method, its path,
 * and its number among the equal ones. The order of other requests changes nothing.
 */

import {isWholeNumber} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {
  ANY,
  BOOLEAN,
  callback,
  NUMBER,
  oneOf,
  readOptions,
  RECORD,
  TEXT,
} from '../protocol/options.ts'

/** A fault of {@link fakeServer}. Give one of `status`, `reset`, `stall`, `cut` and `lie`. `latency` and `meanwhile` go with it, or stand alone. */
export interface FaultRule {
  /** The method of the requests in capitals, such as `DELETE`. Default: each method. */
  readonly method?: string | undefined
  /** The plain path of the resource, or a pattern of such paths. Default: each path. */
  readonly path?: string | RegExp | undefined
  /**
   * The number of requests that meet the fault.
   *
   * @defaultValue `Infinity`
   */
  readonly times?: number | undefined
  /**
   * The number of such requests that are answered well before the first fault.
   *
   * @defaultValue 0
   */
  readonly after?: number | undefined
  /**
   * The status of the answer. With a `path`, the resource also refuses as a member. A DELETE, COPY or MOVE of a collection around it
   * does the rest, and names the member in a 207. RFC 4918, section 9.6.1.
   */
  readonly status?: number | undefined
  /** Headers of the answer with `status`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The body of the answer with `status`. */
  readonly body?: string | undefined
  /** Breaks the connection in the place of an answer. */
  readonly reset?: boolean | undefined
  /** Never answers. The exchange ends by a time limit or a signal. */
  readonly stall?: boolean | undefined
  /**
   * Obeys the request before the fault, so that only the answer is lost or wrong: for `status`, `reset` and `stall`.
   *
   * @defaultValue `false`
   */
  readonly obeyed?: boolean | undefined
  /** Breaks the connection after so many bytes of the body of the answer; below 1, after this part of it. */
  readonly cut?: number | undefined
  /** Answers as after a success, and changes nothing. */
  readonly lie?: boolean | undefined
  /** Called with each request that meets the rule, before it is obeyed: a change by somebody else. */
  readonly meanwhile?: (() => void) | undefined
  /** Milliseconds before the request is obeyed. A signal ends the wait, and the request has no effect then. */
  readonly latency?: number | undefined
}

/**
 * A kind of random fault.
 *
 * - `refusal`: 503 with `Retry-After: 0`. Nothing is done.
 * - `reset`: the connection breaks. Nothing is done.
 * - `lost`: the request is obeyed, and the connection breaks in the place of its answer.
 * - `cut`: half of the body arrives.
 * - `latency`: the answer comes after 1 to 20 milliseconds.
 * - `lie`: the server answers as after a success, and does nothing.
 */
export type FaultKind = 'refusal' | 'reset' | 'lost' | 'cut' | 'latency' | 'lie'

/** Random faults of {@link fakeServer}. Equal requests of two runs with one seed meet equal faults. */
export interface RandomFaults {
  /** A whole number. Another one means other faults. */
  readonly seed: number
  /**
   * The part of all requests that meet a fault, from 0 to 1.
   *
   * @defaultValue 0.1
   */
  readonly rate?: number | undefined
  /**
   * The kinds of faults.
   *
   * @defaultValue all except `lie`, which no client can see
   */
  readonly kinds?: readonly FaultKind[] | undefined
}

/** A rule at work. */
export interface Fault {
  /** The number of requests that have met the fault so far. */
  readonly met: number
  /** Ends the fault. */
  remove(): void
}

const RULE: Rules<FaultRule> = {
  method: TEXT,
  path: {
    words: 'a string or a RegExp',
    accepts: (value) => typeof value === 'string' || value instanceof RegExp,
  },
  times: NUMBER,
  after: NUMBER,
  status: NUMBER,
  headers: RECORD,
  body: TEXT,
  reset: BOOLEAN,
  stall: BOOLEAN,
  obeyed: BOOLEAN,
  cut: NUMBER,
  lie: BOOLEAN,
  meanwhile: callback('a function'),
  latency: NUMBER,
}
const RANDOM: Rules<RandomFaults> = {seed: NUMBER, rate: NUMBER, kinds: ANY}

const ENDS = ['status', 'reset', 'stall', 'cut', 'lie'] as const
const KINDS: readonly FaultKind[] = ['refusal', 'reset', 'lost', 'cut', 'latency']
const KIND = oneOf(...KINDS, 'lie')

/** The effect of a fault on one request. */
export type Effect = Omit<FaultRule, 'method' | 'path' | 'times' | 'after'>

/** A request that a fault may meet. */
export interface Target {
  readonly method: string
  /** The plain path. */
  readonly plain: string
}

/** Random faults with their defaults. */
type Dice = {readonly [Name in keyof RandomFaults]-?: Exclude<RandomFaults[Name], undefined>}

/** The faults of one server. */
export class Faults {
  readonly #rules = new Set<RuleAtWork>()
  readonly #random: Dice | undefined
  readonly #times = new Map<string, number>()

  constructor(random: RandomFaults | undefined) {
    if (random === undefined) return
    const {seed, rate = 0.1, kinds = KINDS} = readOptions('random', random, RANDOM)
    if (!Number.isSafeInteger(seed)) throw new RangeError('random: seed is a whole number')
    if (!(rate >= 0 && rate <= 1)) throw new RangeError('random: rate is a number from 0 to 1')
    if (!Array.isArray(kinds) || kinds.length === 0 || !kinds.every((kind) => KIND.accepts(kind)))
      throw new TypeError(`random: kinds is a list of ${KIND.words}`)
    this.#random = {seed, rate, kinds}
  }

  add(given: FaultRule): Fault {
    const rule = readOptions('fault', given, RULE)
    const ends = ENDS.filter((name) => rule[name] !== undefined && rule[name] !== false)
    const isMore = rule.latency !== undefined || rule.meanwhile !== undefined
    if (ends.length > 1 || (ends.length === 0 && !isMore))
      throw new TypeError(`fault: give one of ${ENDS.join(', ')}, or latency or meanwhile`)
    checkRule(rule)
    const added = new RuleAtWork(rule)
    this.#rules.add(added)
    return {
      get met() {
        return added.met
      },
      remove: () => this.#rules.delete(added),
    }
  }

  /** Finds the effects on a request: of the first rule that fits, else of the dice. */
  meet(target: Target): Effect | undefined {
    for (const rule of this.#rules) if (rule.meets(target)) return rule.rule
    return this.#draw(target)
  }

  /** Finds the status with which a member refuses, and counts it. */
  refusalOf(target: Target): number | undefined {
    for (const one of this.#rules) {
      const {status, path} = one.rule
      if (status !== undefined && path !== undefined && one.meets(target)) return status
    }
    return undefined
  }

  #draw({method, plain}: Target): Effect | undefined {
    if (this.#random === undefined) return undefined
    const {seed, rate, kinds} = this.#random
    const key = `${method} ${plain}`
    const number = (this.#times.get(key) ?? 0) + 1
    this.#times.set(key, number)
    const dice = (name: string): number => draw(`${seed} ${name} ${number} ${key}`)
    if (dice('rate') >= rate) return undefined
    const kind = kinds[Math.floor(dice('kind') * kinds.length)]
    return kind && EFFECTS[kind](dice('size'))
  }
}

/** Refuses what would have no effect, or none that a server can have. */
function checkRule(rule: FaultRule): void {
  const {method, status, headers, body, reset, stall, obeyed} = rule
  // Methods have a case. RFC 9110, section 9.1.
  if (method !== undefined && !/^[^a-z\s]+$/.test(method))
    throw new TypeError('fault: method is in capitals, such as DELETE')
  if (status !== undefined && (!isWholeNumber(status, 200) || status > 599))
    throw new RangeError('fault: status is a whole number from 200 to 599')
  for (const name of ['times', 'after', 'cut', 'latency'] as const)
    if (rule[name] !== undefined && !(rule[name] >= 0))
      throw new RangeError(`fault: ${name} is 0 or more`)
  if (status === undefined && (headers ?? body) !== undefined)
    throw new TypeError('fault: headers and body go with a status')
  if (obeyed === true && status === undefined && reset !== true && stall !== true)
    throw new TypeError('fault: obeyed goes with status, reset or stall')
}

class RuleAtWork {
  readonly rule: FaultRule
  met = 0
  #seen = 0

  constructor(rule: FaultRule) {
    this.rule = rule
  }

  /** Counts a request that fits, and tells if it meets the fault. */
  meets({method, plain}: Target): boolean {
    const {rule} = this
    if (rule.method !== undefined && rule.method !== method) return false
    if (!isAt(rule.path, plain)) return false
    if (this.#seen++ < (rule.after ?? 0) || this.met >= (rule.times ?? Number.POSITIVE_INFINITY))
      return false
    this.met++
    return true
  }
}

function isAt(path: FaultRule['path'], plain: string): boolean {
  if (path === undefined) return true
  return typeof path === 'string' ? withoutSlashes(path) === plain : plain.search(path) !== -1
}

/** Drops the slashes at both ends of a plain path. */
export function withoutSlashes(plain: string): string {
  return plain.replaceAll(/^\/+|\/+$/g, '')
}

/** The effects of random faults. A size from 0 to below 1 is drawn too. */
const EFFECTS: Readonly<Record<FaultKind, (size: number) => Effect>> = {
  refusal: () => ({status: 503, headers: {'retry-after': '0'}}),
  reset: () => ({reset: true}),
  lost: () => ({reset: true, obeyed: true}),
  cut: (size) => ({cut: size}),
  latency: (size) => ({latency: 1 + Math.floor(size * 20)}),
  lie: () => ({lie: true}),
}

/** Draws a number from 0 to below 1 by a text: FNV-1a, mixed as in mulberry32. */
function draw(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), hash | 1)
  hash ^= hash + Math.imul(hash ^ (hash >>> 7), hash | 61)
  return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32
}
