/** Stands in for `node:util` where the rules of the fuzzer run in a browser. */
import {expect} from 'vitest'

export function isDeepStrictEqual(one: unknown, other: unknown): boolean {
  try {
    expect(one).toStrictEqual(other)
    return true
  } catch {
    return false
  }
}
