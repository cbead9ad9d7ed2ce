// Counts the work of a piece of our code: its statements, functions and branches, and the lengths that platform functions were given.
// Unlike seconds, this is the same on every machine. It doubles with twice the input only if the cost is proportional.

import type {Counters} from '../fuzz/counters.ts'

/** Platform functions with a cost proportional to the length of their input. */
const NATIVES: readonly (readonly [prototype: object, names: readonly string[]])[] = [
  [
    String.prototype,
    ['indexOf', 'lastIndexOf', 'includes', 'search', 'replaceAll', 'replace', 'split', 'trim'],
  ],
  [RegExp.prototype, ['exec', 'test']],
  [Object.getPrototypeOf(Uint8Array.prototype), ['indexOf', 'set', 'fill']],
  [TextDecoder.prototype, ['decode']],
  [TextEncoder.prototype, ['encode']],
  [Array.prototype, ['join', 'filter', 'map', 'includes', 'indexOf']],
]

/** Counts the work of a run of instrumented code. */
export function countWork(counters: Counters, run: () => void): number {
  let looked = 0
  const originals: (() => void)[] = []
  for (const [prototype, names] of NATIVES) {
    for (const name of names) {
      const original: unknown = Reflect.get(prototype, name)
      if (typeof original !== 'function') throw new TypeError(`no function ${name}`)
      const counted = function (this: unknown, ...given: unknown[]): unknown {
        const result: unknown = Reflect.apply(original, this, given)
        looked += lengthOf(this, given, result)
        return result
      }
      Reflect.set(prototype, name, counted)
      originals.push(() => Reflect.set(prototype, name, original))
    }
  }
  counters.reset()
  try {
    run()
  } finally {
    for (const restore of originals) restore()
  }
  return looked + counters.take().work
}

/** Length that a function read: from its start to its match, or all of it. */
function lengthOf(self: unknown, given: readonly unknown[], result: unknown): number {
  const [subject, begin] = given
  if (self instanceof RegExp) {
    const from = self.sticky ? String(subject).length : 0
    if (!self.sticky) return String(subject).length
    // A sticky expression reads no further than its match, which is a tag at most.
    return Array.isArray(result) ? String(result[0]).length : Math.min(from, 64)
  }
  if (typeof self === 'string' || Array.isArray(self)) {
    const from = typeof begin === 'number' ? begin : 0
    return (typeof result === 'number' && result >= 0 ? result : self.length) - from
  }
  if (self instanceof Uint8Array && typeof subject === 'number') {
    const from = typeof begin === 'number' ? begin : 0
    return (typeof result === 'number' && result >= 0 ? result : self.length) - from
  }
  if (subject instanceof Uint8Array || typeof subject === 'string') return subject.length
  return 1
}
