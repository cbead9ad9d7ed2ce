// Makes a case small that breaks a rule. Takes parts out of its body, and sets its options back, as long as the
// same rule stays broken in the same way.

import type {CaseOptions, FuzzCase} from './cases.ts'

// A case that stays long after so many tries is good enough.
const MOST_TRIES = 6000
const MOST_MILLISECONDS = 60_000

/** The smallest case that is found by dropping blocks, halves first. `isBroken` tells if the rule is still broken. */
export function minimize(input: FuzzCase, isBroken: (smaller: FuzzCase) => boolean): FuzzCase {
  let smallest = input
  let tries = 0
  const end = performance.now() + MOST_MILLISECONDS
  const attempt = (smaller: FuzzCase): boolean => {
    if (++tries > MOST_TRIES || performance.now() > end || !isBroken(smaller)) return false
    smallest = smaller
    return true
  }
  for (const options of simplerOptions(input)) if (attempt({...input, options})) break
  for (let before = Infinity; smallest.body.length < before;) {
    before = smallest.body.length
    for (let size = before; size >= 1; size >>= 1) {
      for (let from = 0; from < smallest.body.length;) {
        if (!attempt(without(smallest, from, from + size))) from += size
      }
    }
  }
  attempt({...smallest, cuts: []})
  for (let index = smallest.cuts.length - 1; index >= 0; index--)
    attempt({...smallest, cuts: smallest.cuts.toSpliced(index, 1)})
  for (const step of [smallest.body.length, 1]) attempt({...smallest, step: Math.max(1, step)})
  return smallest
}

/** Options that say less, the simplest first. */
function* simplerOptions({options}: FuzzCase): Generator<CaseOptions, void, undefined> {
  const {limits = {}, encoding, malformed, hasDecoders} = options
  const usual = {method: 'PROPFIND', url: 'http://localhost/docs/'}
  const limitsToTry = [
    {},
    ...Object.entries(limits).map(([name, value]) => ({[name]: value})),
    limits,
  ]
  for (const few of limitsToTry) {
    const left = Object.keys(few).length === 0 ? {} : {limits: few}
    yield {...usual, ...left, malformed: 'throw'}
    yield {...usual, ...left, malformed}
    if (encoding !== undefined) yield {...usual, ...left, malformed, encoding}
    if (hasDecoders !== undefined) yield {...usual, ...left, malformed, hasDecoders}
  }
}

function without(input: FuzzCase, from: number, to: number): FuzzCase {
  const {body, cuts} = input
  const end = Math.min(to, body.length)
  return {
    ...input,
    body: Buffer.concat([body.subarray(0, from), body.subarray(end)]),
    cuts: cuts.map((cut) => (cut <= from ? cut : Math.max(from, cut - (end - from)))),
  }
}
