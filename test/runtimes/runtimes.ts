// The runtimes that the packed package is tested in. To add one, list it here.

import {browsers} from './browser/browsers.ts'
import {at, execute} from './execute.ts'
import type {Difference, Runtime} from './runtime.ts'
import {SCENARIOS} from './scenarios.ts'
import {fileScenarios} from './with-files.ts'
import {workerd} from './workerd.ts'

type ProgramName = 'node22' | 'node24' | 'node26' | 'bun' | 'deno'

/** The versions that are meant, as each program tells them. */
export const PROGRAMS: Readonly<
  Record<ProgramName, {readonly path: string; readonly version: RegExp}>
> = {
  node22: {path: at('test/runtimes/node22/node_modules/.bin/node'), version: /^v22\.19\.0$/},
  node24: {path: at('node_modules/.bin/node'), version: /^v24\.21\.0$/},
  node26: {path: at('test/runtimes/node26/node_modules/.bin/node'), version: /^v26\.10\.0$/},
  bun: {path: at('node_modules/.bin/bun'), version: /^1\.4\.5$/},
  deno: {path: at('node_modules/.bin/deno'), version: /^deno 2\.9\.6 /},
}

/** The parameters before the module to run. */
export const PARAMETERS: Readonly<Record<ProgramName, readonly string[]>> = {
  node22: ['--no-warnings'],
  node24: [],
  node26: [],
  bun: ['run'],
  deno: ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual'],
}

/** A runtime that runs modules from the disk. */
function runtimeOf(
  heading: string,
  program: ProgramName,
  transport: 'undici' | 'fetch',
  differences: Readonly<Record<string, Difference>> = {},
): Runtime {
  return {
    heading,
    name: `${program}-${transport}`,
    scenarios: [...SCENARIOS, ...fileScenarios],
    async run({folder}, place) {
      const {stdout} = await execute(
        PROGRAMS[program].path,
        [...PARAMETERS[program], 'run.ts', JSON.stringify(place), transport],
        folder,
      )
      return JSON.parse(stdout)
    },
    differences,
  }
}

export const runtimes: readonly Runtime[] = [
  runtimeOf('Node', 'node22', 'undici'),
  runtimeOf('Node', 'node24', 'undici'),
  runtimeOf('Node', 'node26', 'undici'),
  runtimeOf('Node, fetch', 'node22', 'fetch'),
  runtimeOf('Node, fetch', 'node24', 'fetch'),
  runtimeOf('Node, fetch', 'node26', 'fetch'),
  runtimeOf('Bun', 'bun', 'fetch'),
  runtimeOf('Deno', 'deno', 'fetch'),
  workerd('2024-11-01'),
  workerd('2026-07-01'),
  ...browsers,
]
