/**
 * Reports the servers that this machine lacks, so that an incomplete run is visible. A missing server is a skipped test
 * with its name, a line at the very end, and under `CI` a failing test.
 */
import type {Reporter} from 'vitest/node'
import {allServers} from '../servers.ts'
import {findMissing, type ServerRecipe} from './recipe.ts'

/** True for a run that must have every server. */
export const isEveryServerRequired: boolean = (process.env['CI'] ?? '') !== ''

/** Describes a server that is not installed; `undefined` for an installed one. */
export function describeMissing(recipe: ServerRecipe): string | undefined {
  const missing = findMissing(recipe)
  if (missing.length === 0) return undefined
  const others = missing.length > 1 ? ` and ${missing.length - 1} more` : ''
  return `NOT TESTED: ${recipe.name}: ${missing[0]}${others} not found (Debian: ${recipe.packages})`
}

/** Ends the run with a line for each server that was not tested. */
export class MissingServers implements Reporter {
  onTestRunEnd(): void {
    const lines = allServers.map(describeMissing).filter((line) => line !== undefined)
    const found = allServers.length - lines.length
    console.log(`\nReal servers found: ${found} of ${allServers.length}`)
    for (const line of lines) console.log(`! ${line}`)
  }
}
