// Another case from one or two that are known: its bytes, its markup, its chunks or its options are changed a little.

import type {CaseOptions, FuzzCase} from './cases.ts'
import {changeMarkup, changeText, changeEncoding} from './markup.ts'
import {changeOptions} from './options.ts'
import type {Random} from './random.ts'
import {BYTES, GRAMMAR, MARKS} from './dictionary.ts'

// Longer bodies say little more and take the time of many short ones; a limit of 65,536 can be reached all the same.
const LONGEST = 4096
const LONGEST_SELDOM = 100_000
const MOST_CHANGES = 5
const MOST_CUTS = 6

const MARK = /[^\w\s.:=/]|\r/g

/** A change of the bytes of a body; `other` is a body to take something from. */
type Change = (body: Buffer, random: Random, other: Uint8Array) => Uint8Array

const flipBit: Change = (body, random) => {
  const at = random.below(body.length)
  body[at] = (body[at] ?? 0) ^ (1 << random.below(8))
  return body
}

const setByte: Change = (body, random) => {
  body[random.below(body.length)] = random.below(256)
  return body
}

const drop: Change = (body, random) => {
  const [from, to] = block(body, random)
  return Buffer.concat([body.subarray(0, from), body.subarray(to)])
}

const double: Change = (body, random) => {
  const [from, to] = block(body, random)
  return Buffer.concat([body.subarray(0, to), body.subarray(from)])
}

const move: Change = (body, random) => {
  const [from, to] = block(body, random)
  const rest = Buffer.concat([body.subarray(0, from), body.subarray(to)])
  return insert(rest, random, body.subarray(from, to))
}

const repeat: Change = (body, random) => {
  const [from, to] = block(body, random)
  const times = random.length(random.oneIn(20) ? 2000 : 40)
  return Buffer.concat([
    body.subarray(0, to),
    ...Array.from({length: times}, () => body.subarray(from, to)),
    body.subarray(to),
  ])
}

const run: Change = (body, random) => {
  const length = random.length(random.oneIn(50) ? 70_000 : 300)
  return insert(body, random, Buffer.alloc(length, random.pick([...'a0 ]-&<\t\r?;/.:'])))
}

const splice: Change = (body, random, other) => {
  const [from, to] = block(other, random)
  return random.oneIn(2)
    ? insert(body, random, other.subarray(from, to))
    : Buffer.concat([body.subarray(0, random.below(body.length)), other.subarray(from)])
}

const token: Change = (body, random) => {
  const word = random.pick(random.pick([GRAMMAR, MARKS, MARKS, BYTES]))
  return changeText(body, (text) => {
    const at = random.below(text.length + 1)
    const to = random.oneIn(3) ? at + random.length(text.length) : at
    return text.slice(0, at) + word + text.slice(to)
  })
}

const odd: Change = (body, random) =>
  insert(body, random, Buffer.from(random.pick(BYTES), 'latin1'))
const markup: Change = (body, random) => changeText(body, (text) => changeMarkup(text, random))

const CHANGES: readonly Change[] = [
  [flipBit, setByte, drop, drop, double, move, repeat, run, splice, splice, odd],
  [token, token, token, token, markup, markup, markup, markup, changeEncoding],
].flat()

/** A case that is a little different. */
export function mutate(input: FuzzCase, other: FuzzCase, random: Random): FuzzCase {
  let body = Buffer.from(input.body)
  const changes = random.oneIn(6) ? 0 : random.length(MOST_CHANGES)
  for (let done = 0; done < changes; done++) {
    if (body.length === 0) body = Buffer.from(other.body)
    if (body.length > 0) body = Buffer.from(random.pick(CHANGES)(body, random, other.body))
  }
  const longest = random.oneIn(200) ? LONGEST_SELDOM : Math.max(LONGEST, input.body.length)
  if (body.length > longest) body = body.subarray(0, longest)
  const options: CaseOptions =
    changes === 0 || random.oneIn(4) ? changeOptions(input.options, random, body) : input.options
  const cuts = random.oneIn(3) ? input.cuts : randomCuts(body, random)
  const step = random.oneIn(3) ? random.length(64) : input.step
  return {body, options, cuts: cuts.filter((cut) => cut <= body.length), step}
}

/** Edges anywhere, most of them beside something that means something. */
function randomCuts(body: Buffer, random: Random): number[] {
  const marks = Array.from(body.toString('latin1').matchAll(MARK), ({index}) => index)
  const cuts = Array.from({length: random.length(MOST_CUTS)}, () =>
    marks.length === 0 || random.oneIn(3)
      ? random.below(body.length + 1)
      : random.pick(marks) + random.below(4) - 1,
  )
  return cuts.filter((cut) => cut >= 0).toSorted((a, b) => a - b)
}

function insert(body: Uint8Array, random: Random, piece: Uint8Array): Buffer {
  const at = random.below(body.length + 1)
  return Buffer.concat([body.subarray(0, at), piece, body.subarray(at)])
}

function block(body: Uint8Array, random: Random): [from: number, to: number] {
  const from = random.below(body.length)
  return [from, from + random.length(body.length - from)]
}
