// States that our reader and another one, which was written from the contract alone, give the same results for the same body. If one
// refuses a body, the other does too, after the same results. DIFFERENTIAL_RUNS sets the number of bodies for each property, from a
// random seed.
import fc from 'fast-check'
import {type DavResult, MultiStatusError, type Summary} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {type Options, type Reading, readToError, url} from '../support/fixtures.ts'
import {ANY_TEXT, readReference, type ReferenceSummary} from '../support/reference-reader.ts'
import {BodyWriter} from './documents.ts'
import {cut, mutate, Tape} from './tape.ts'

const runs = Number(process.env['DIFFERENTIAL_RUNS'] ?? 0)
const parameters =
  runs > 0
    ? {
        numRuns: runs,
        seed: Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1e9),
        interruptAfterTimeLimit: 300_000,
        markInterruptAsFailure: true,
      }
    : {numRuns: 300, seed: 4918}
const timeout = 30_000 + runs * 100

const tape = fc.uint8Array({maxLength: 400, size: 'max'}).map((bytes) => new Tape(bytes))
const encoder = new TextEncoder()
const decoder = new TextDecoder()

interface Sample {
  readonly body: Uint8Array
  readonly chunks: readonly Uint8Array[]
  readonly toString: () => string
}

function sample(body: Uint8Array, cutting: Tape): Sample {
  const chunks = cut(body, cutting)
  const toString = (): string =>
    `${JSON.stringify(decoder.decode(body))} in ${chunks.length} chunks`
  return {body, chunks, toString}
}

const wellFormed = fc
  .tuple(tape, tape)
  .map(([writing, cutting]) => sample(encoder.encode(new BodyWriter(writing).body()), cutting))
const mutated = fc
  .tuple(tape, tape, tape)
  .map(([writing, mutating, cutting]) =>
    sample(mutate(encoder.encode(new BodyWriter(writing).body()), mutating), cutting),
  )

/** The same in one form: keys in order, dates as text, and any text for a description of a fault. */
function canonical(results: readonly DavResult[]): readonly unknown[] {
  return results.map((result) =>
    ordered({
      ...result,
      ...(!result.ok &&
        result.reason === 'malformed' && {description: anyText(result.description)}),
      missing: result.missing.map((property) =>
        property.status === 0 && property.description !== undefined && result.ok
          ? {...property, description: anyText(property.description)}
          : property,
      ),
    }),
  )
}

const anyText = (text: string | undefined): string => (text ? ANY_TEXT : 'nothing is said')

function ordered(value: unknown): unknown {
  if (value instanceof Date) return {date: value.toISOString()}
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, each]) => [key, ordered(each)])
}

const compared = ({successes, failures, description, syncToken}: Summary): ReferenceSummary => ({
  successes,
  failures,
  description,
  syncToken,
})

/** Tells if a body was refused. Any other error is thrown on. */
function isRefused({error}: Reading): boolean {
  if (error !== undefined && !(error instanceof MultiStatusError)) throw error
  return error !== undefined
}

const same = (reading: Reading): unknown => ({
  results: canonical(reading.results),
  summary: reading.summary,
  reason: isRefused(reading) && reading.error instanceof MultiStatusError && reading.error.reason,
})

describe('a well-formed body', () => {
  it(
    'gives the results and the summary that the reference gives, however it is cut',
    () => {
      fc.assert(
        fc.property(wellFormed, ({body, chunks}) => {
          const reference = readReference(body, url)
          const ours = readToError(chunks)
          expect(reference.fault).toBeUndefined()
          expect(ours.error).toBeUndefined()
          expect(canonical(ours.results)).toEqual(canonical(reference.results))
          expect(ours.summary && compared(ours.summary)).toEqual(reference.summary)
        }),
        parameters,
      )
    },
    timeout,
  )

  it(
    'is read the same with malformed: skip',
    () => {
      fc.assert(
        fc.property(wellFormed, ({chunks}) => {
          expect(same(readToError(chunks, {malformed: 'skip'}))).toEqual(same(readToError(chunks)))
        }),
        parameters,
      )
    },
    timeout,
  )
})

/** A date may have become any text. Which texts are dates is tested elsewhere. */
const undated: Options = {
  decoders: {getlastmodified: (raw: unknown) => raw, creationdate: (raw: unknown) => raw},
}

describe('a body with faults', () => {
  it(
    'is read as the reference reads it, or refused after the results that it had till then',
    () => {
      fc.assert(
        fc.property(mutated, ({body, chunks}) => {
          const reference = readReference(body, url, ['getlastmodified', 'creationdate'])
          const ours = readToError(chunks, undated)
          const refused = isRefused(ours)
          expect({refused}).toEqual({refused: reference.fault !== undefined})
          expect(canonical(ours.results)).toEqual(canonical(reference.results))
          expect(refused || (ours.summary && compared(ours.summary))).toEqual(
            refused || reference.summary,
          )
        }),
        parameters,
      )
    },
    timeout,
  )

  it(
    'is read the same byte by byte, in chunks and at once with malformed: skip',
    () => {
      fc.assert(
        fc.property(mutated, ({body, chunks}) => {
          const whole = readToError(body, {malformed: 'skip'})
          const single = Array.from(body, (byte) => Uint8Array.of(byte))
          expect(same(readToError(single, {malformed: 'skip'}))).toEqual(same(whole))
          expect(same(readToError(chunks, {malformed: 'skip'}))).toEqual(same(whole))
        }),
        parameters,
      )
    },
    timeout,
  )
})
