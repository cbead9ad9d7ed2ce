// The table of the guide: a row for each feature, a column for each heading, and the facts below it.

import {isDeepStrictEqual} from 'node:util'

import {formatRows} from '../support/guide.ts'
import type {Runtime} from './runtime.ts'
import type {Outcome} from './scenario.ts'

/** A runtime with the outcomes of its run. */
export interface Run {
  readonly runtime: Runtime
  readonly outcomes: readonly Outcome[]
}

const READER = "the reader's own tests"

/** Formats the table of some runs. */
export function formatTable(runs: readonly Run[]): string {
  const headings = [...new Set(runs.map(({runtime}) => runtime.heading))]
  const scenarios = runs.flatMap(({runtime}) => runtime.scenarios)
  const features = [...new Set(scenarios.map(({feature}) => feature)), READER]
  const facts: string[] = []
  const rows = features.map((feature) => [
    feature,
    ...headings.map((heading) => {
      const same = runs.filter(({runtime}) => runtime.heading === heading)
      const found = same.map((run) => factsOf(run, feature)).filter((list) => list !== undefined)
      if (found.length === 0) return '–'
      const notes = new Set(found.flat())
      for (const fact of notes) if (!facts.includes(fact)) facts.push(fact)
      const numbers = [...notes].map((fact) => facts.indexOf(fact) + 1)
      return notes.size === 0 ? 'yes' : `note ${numbers.toSorted((a, b) => a - b).join(', ')}`
    }),
  ])
  const notes = facts.map((fact, index) => `- Note ${index + 1}: ${fact}`)
  return [formatRows([['', ...headings], ...rows]), '', ...notes].join('\n').trim()
}

/** Finds the facts of a run about a feature; `undefined` if the runtime does not have it. */
function factsOf({runtime, outcomes}: Run, feature: string): readonly string[] | undefined {
  if (feature === READER) return runtime.reader && Object.values(runtime.reader.leftOut)
  const scenarios = runtime.scenarios.filter((scenario) => scenario.feature === feature)
  if (scenarios.length === 0) return undefined
  return scenarios.flatMap(({title, expected}) => {
    const outcome = outcomes.find((candidate) => candidate.title === title)?.outcome
    const difference = runtime.differences[title]
    const isRight = isDeepStrictEqual(outcome, expected)
    if (isRight && difference?.isOccasional !== true) return []
    if (difference === undefined || !(isRight || isDeepStrictEqual(outcome, difference.seen)))
      throw new Error(`${runtime.name}: ${title} has no known outcome`)
    return [difference.fact]
  })
}
