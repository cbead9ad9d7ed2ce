// Runs code that may hang. The engine can end an endless loop if the code runs as a script with a timeout. So a hang is a finding
// like any other, and the run goes on. It costs some milliseconds each time.

import {Script} from 'node:vm'

import {Violation} from './reading.ts'

const NAME = '__fuzzWork__'
const script = new Script(`${NAME}()`)

/** Does some work. Throws a {@link Violation} if that takes longer than `most` milliseconds. */
export function runTimed(work: () => void, most: number): {error: unknown} {
  Reflect.set(globalThis, NAME, work)
  try {
    script.runInThisContext({timeout: most})
    return {error: undefined}
  } catch (error) {
    return {error: isTimeout(error) ? new Violation('hangs', `not done in ${most} ms`) : error}
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
