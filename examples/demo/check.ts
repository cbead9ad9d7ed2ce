// Compares the outcome with the expected one. The first difference ends the demo with a sentence that names it.

import {inspect, isDeepStrictEqual} from 'node:util'

import {type DavResult, decodePath} from 'multistatus'

import {note} from './terminal.ts'

/** Prints a fact that is as expected, or throws. */
export function check(fact: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`Wrong: ${fact}. Expected ${show(expected)}, found ${show(actual)}.`)
  }
  note(`checked: ${fact}`)
}

/** Removes a verdict from the expected ones, or throws for an unexpected one. */
export function judge(result: DavResult, expected: Map<string, string>): void {
  const path = decodePath(result) ?? result.href
  const verdict = result.ok ? `${result.status}` : `${result.status} ${result.reason}`
  if (expected.get(path) !== verdict) {
    throw new Error(
      `Wrong verdict on ${path}: ${verdict}. Expected: ${expected.get(path) ?? 'none'}.`,
    )
  }
  expected.delete(path)
}

function show(value: unknown): string {
  return inspect(value, {breakLength: Infinity})
}
