// Reads a body in given chunks and checks the calls of the parser. It throws `MultiStatusError` only, one call late and then for
// ever. It keeps no view of a chunk, because the owner may write over it. It has one summary.

import type {
  DavResult,
  MultiStatusError,
  MultiStatusParser,
  ParserOptions,
  Summary,
} from 'multistatus/parser'

/** The classes under test: from the sources, or from a bundle that counts its own runs. */
export interface ParserClasses {
  readonly MultiStatusParser: typeof MultiStatusParser
  readonly MultiStatusError: typeof MultiStatusError
}

/** The outcome of a reading. */
export interface Reading {
  readonly results: readonly DavResult[]
  /** Each result as JSON, to be compared. */
  readonly lines: readonly string[]
  readonly error: MultiStatusError | undefined
  readonly summary: Summary | undefined
}

/** A rule of the oracle that was broken. */
export class Violation extends Error {
  /** The rule, with the mark of this breach of it. */
  readonly signature: string

  constructor(signature: string, detail: string) {
    super(`${signature}: ${detail}`)
    this.signature = signature
  }
}

// A chunk is written over with this byte once the parser has had it.
const OVERWRITTEN = 0x3c

/** Reads chunks to the end, or to the first error. */
export function read(
  classes: ParserClasses,
  chunks: Iterable<Uint8Array | string>,
  options: ParserOptions,
): Reading {
  const parser = new classes.MultiStatusParser(options)
  const results: DavResult[] = []
  for (const chunk of chunks) {
    const given = typeof chunk === 'string' ? chunk : Uint8Array.from(chunk)
    for (const result of attempt('write', () => parser.write(given))) results.push(result)
    if (typeof given !== 'string') given.fill(OVERWRITTEN)
    if (parser.error !== undefined) break
  }
  const lines = (): string[] => results.map((result) => JSON.stringify(result))
  const known = parser.error
  const {value: summary, error: thrown} = outcomeOf(() => parser.end())
  if (known !== undefined && thrown !== known)
    throw new Violation(
      'late error',
      `end() did not throw what write() had found: ${describe(thrown)}`,
    )
  if (thrown === undefined) {
    expectSame('summary', summary, outcomeOf(() => parser.end()).value)
    const refused = outcomeOf(() => parser.write('')).error
    if (!(refused instanceof TypeError))
      throw new Violation('write after end', `write() after end() threw ${describe(refused)}`)
    return {results, lines: lines(), error: undefined, summary}
  }
  if (!(thrown instanceof classes.MultiStatusError)) throw unexpected('end', thrown)
  expectSame('error', thrown, outcomeOf(() => parser.write('<')).error)
  expectSame('error', thrown, outcomeOf(() => parser.end()).error)
  return {results, lines: lines(), error: thrown, summary: undefined}
}

/** An error in one line. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const facts = Object.entries(error).map(([name, value]) => ` ${name}=${String(value)}`)
  return `${error.name}: ${error.message}${facts.join('')}`
}

function attempt<T>(what: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw unexpected(what, error)
  }
}

function outcomeOf<T>(call: () => T): {value?: T; error?: unknown} {
  try {
    return {value: call()}
  } catch (error) {
    return {error}
  }
}

function expectSame(what: string, first: unknown, second: unknown): void {
  if (first !== second)
    throw new Violation(`another ${what}`, `${describe(first)} became ${describe(second)}`)
}

function unexpected(what: string, error: unknown): Violation {
  const name = error instanceof Error ? error.name : typeof error
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return new Violation(`${what} threw ${name}`, `${describe(error)}\n${stack}`)
}
