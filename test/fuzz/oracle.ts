// Rules for every body, whatever its text. Neither the cut of chunks, nor text instead of bytes, nor an unreached limit makes a
// difference. Recovery changes no well-formed body.

import type {CaseOptions, FuzzCase} from './cases.ts'
import {parserOptions} from './options.ts'
import {checkPrototypes, checkResult} from './plain-data.ts'
import type {ParserClasses, Reading} from './reading.ts'
import {describe, read, Violation} from './reading.ts'
import {checkLimits} from './within-limits.ts'

// More chunks than this say nothing new: the bytes of a body that is not longer are read one by one.
const MOST_CHUNKS = 128

/** Throws a {@link Violation} if a rule is broken. Returns the reading in one chunk. */
export function check(classes: ParserClasses, input: FuzzCase): Reading {
  const {body, options} = input
  const whole = read(classes, [body], parserOptions(options))
  for (const result of whole.results) checkResult(result, options.url)
  checkLimits(input, whole)
  checkPrototypes()
  for (const chunks of splits(input)) {
    const reading = read(classes, chunks, parserOptions(options))
    expectAlike('chunks', whole, reading)
  }
  checkRecovery(classes, input, whole)
  if (options.limits !== undefined) checkLimitsOnlyCut(classes, input, whole)
  // Three more readings, so not of each case.
  if (input.step % 3 === 1) checkText(classes, input)
  return whole
}

/** The ways in which a case is cut. */
function splits<T extends Uint8Array | string>(input: FuzzCase, whole: T = input.body as T): T[][] {
  const step = Math.max(1, input.step, Math.ceil(whole.length / MOST_CHUNKS))
  const steps = Array.from({length: Math.ceil(whole.length / step)}, (_, index) => index * step)
  return [input.cuts, steps].map((cuts) => cutAt(whole, cuts))
}

function cutAt<T extends Uint8Array | string>(whole: T, cuts: readonly number[]): T[] {
  return [0, ...cuts].map((from, index) => whole.slice(from, cuts[index] ?? whole.length) as T)
}

/** Two readings that may not differ. */
function expectAlike(rule: string, first: Reading, second: Reading, shift = 0): void {
  if (!endAlike(first, second, shift))
    throw new Violation(
      `${rule}: ${limitOf(first) ?? limitOf(second) ?? `${endOf(first)} and ${endOf(second)}`}`,
      `${describe(first.error)} and ${describe(second.error)}`,
    )
  expectPrefix(rule, first, second)
  if (first.lines.length !== second.lines.length)
    throw new Violation(
      `${rule}: number of results`,
      `${first.lines.length} and ${second.lines.length}`,
    )
  const [summary, otherSummary] = [JSON.stringify(first.summary), JSON.stringify(second.summary)]
  if (summary !== otherSummary)
    throw new Violation(`${rule}: summary`, `${summary} and ${otherSummary}`)
}

// Limits on parts that grow from chunk to chunk. They are checked at the end of a chunk, so that in smaller chunks they come before
// other faults of the same response. Their offset is only near the place.
const NOTICED_AT_EDGES: ReadonlySet<string> = new Set(['response', 'value'])
const ABOUT: ReadonlySet<string> = new Set(['response', 'value', 'elements'])

function endAlike({error}: Reading, {error: other}: Reading, shift: number): boolean {
  if (error === undefined || other === undefined) return error === other
  if (NOTICED_AT_EDGES.has(error.limit ?? '') || NOTICED_AT_EDGES.has(other.limit ?? ''))
    return true
  if (error.reason !== other.reason || error.limit !== other.limit) return false
  return error.offset === other.offset - shift || ABOUT.has(error.limit ?? '')
}

function limitOf({error}: Reading): string | undefined {
  return error?.limit === undefined ? undefined : `limit ${error.limit}`
}

function endOf({error}: Reading): string {
  return error === undefined ? 'complete' : error.reason
}

/** The results of one reading must be the first ones of another. */
function expectPrefix(rule: string, first: Reading, second: Reading): void {
  const index = first.lines.findIndex((line, at) => line !== second.lines[at])
  if (index !== -1)
    throw new Violation(`${rule}: results`, `${first.lines[index]} and ${second.lines[index]}`)
}

/** `skip` reads a well-formed body as `throw` does, and another one alike up to the fault. */
function checkRecovery(classes: ParserClasses, input: FuzzCase, whole: Reading): void {
  const {malformed} = input.options
  const options: CaseOptions = {
    ...input.options,
    malformed: malformed === 'throw' ? 'skip' : 'throw',
  }
  const other = read(classes, [input.body], parserOptions(options))
  for (const result of other.results) checkResult(result, options.url)
  checkLimits({...input, options}, other)
  const [strict, lenient] = malformed === 'throw' ? [whole, other] : [other, whole]
  expectPrefix('recovery', strict, lenient)
  // There is nothing to recover from in any of these.
  const isFinal = strict.error?.reason !== 'not-well-formed' && strict.error?.reason !== 'encoding'
  if (isFinal) expectAlike('recovery', strict, lenient)
  else if (lenient.summary?.complete === true)
    throw new Violation('recovery: complete', 'a summary says so of what is not well-formed')
}

/** With limits there are the same results as without, only fewer. */
function checkLimitsOnlyCut(classes: ParserClasses, input: FuzzCase, whole: Reading): void {
  const {limits: _limits, ...options} = input.options
  const unlimited = read(classes, [input.body], parserOptions(options))
  if (whole.error?.reason === 'limit-exceeded') expectPrefix('limits', whole, unlimited)
  else expectAlike('limits', whole, unlimited)
}

/** Text that is decoded already is read as its bytes are. */
function checkText(classes: ParserClasses, input: FuzzCase): void {
  const {encoding: _encoding, limits = {}, ...rest} = input.options
  if (limits.bytes !== undefined) return
  const options = parserOptions({...rest, limits})
  let text: string
  try {
    text = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(input.body)
  } catch {
    return
  }
  // A mark, which wins over the declaration of the document.
  const mark = text.startsWith('\uFEFF') ? '' : '\uFEFF'
  const bytes = read(classes, [new TextEncoder().encode(mark + text)], options)
  const [few = [], many = []] = splits(input, text)
  const chunks = input.step % 2 === 0 ? few : many
  const reading = read(classes, chunks, options)
  expectAlike('text', reading, bytes, new TextEncoder().encode(mark).length)
}
