// The runtimes that the packed package is tested in. To add one, list it here.

import {join} from 'node:path'

import {browsers} from './browser/browsers.ts'
import {at, execute} from './execute.ts'
import {bundleParserSuite, PARSER_TESTS} from './parser-bundle.ts'
import type {Difference, ReaderRun, Runtime} from './runtime.ts'
import {SCENARIOS} from './scenarios.ts'
import {fileScenarios} from './with-files.ts'
import {workerd} from './workerd.ts'

/** A runtime that runs modules from the disk. */
interface Program {
  readonly path: string
  /** Its version, as the program tells it. */
  readonly version: RegExp
  /** The parameters before the module to run. */
  readonly parameters: readonly string[]
}

type ProgramName = 'node22' | 'node24' | 'node26' | 'bun' | 'deno'

export const PROGRAMS: Readonly<Record<ProgramName, Program>> = {
  node22: {
    path: at('test/runtimes/node22/node_modules/.bin/node'),
    version: /^v22\.19\.0$/,
    parameters: ['--no-warnings'],
  },
  node24: {path: at('node_modules/.bin/node'), version: /^v24\.21\.0$/, parameters: []},
  node26: {
    path: at('test/runtimes/node26/node_modules/.bin/node'),
    version: /^v26\.10\.0$/,
    parameters: [],
  },
  bun: {path: at('node_modules/.bin/bun'), version: /^1\.4\.5$/, parameters: ['run']},
  deno: {
    path: at('node_modules/.bin/deno'),
    version: /^deno 2\.9\.6 /,
    parameters: ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual'],
  },
}

/** Runs a module in a folder. Returns what it prints last. */
async function runModule(
  program: ProgramName,
  folder: string,
  parameters: readonly string[],
  timeout?: number,
): Promise<string> {
  const {path, parameters: before} = PROGRAMS[program]
  const {stdout} = await execute(path, [...before, ...parameters], folder, timeout)
  return stdout.trim().split('\n').at(-1) ?? ''
}

function scenariosIn(
  heading: string,
  program: ProgramName,
  transport: 'undici' | 'fetch',
  differences: Readonly<Record<string, Difference>> = {},
): Runtime {
  return {
    heading,
    name: `${program}-${transport}`,
    scenarios: [...SCENARIOS, ...fileScenarios],
    run: async ({folder}, place) =>
      JSON.parse(await runModule(program, folder, ['run.ts', JSON.stringify(place), transport])),
    differences,
  }
}

/** The time for the tests of the reader, which take less than a minute on a free machine. */
const READER_MILLISECONDS = 900_000

function readerIn(program: ProgramName, leftOut: Readonly<Record<string, string>> = {}): ReaderRun {
  return {
    leftOut,
    async run({folder}) {
      const module = join(folder, `parser-${program}.mjs`)
      await bundleParserSuite(
        module,
        PARSER_TESTS.filter((name) => leftOut[name] === undefined),
      )
      return JSON.parse(await runModule(program, folder, [module], READER_MILLISECONDS))
    },
  }
}

const NAMES_ITSELF = 'the User-Agent is that of the runtime, unless `userAgent` says another one.'

const ownAgent: Readonly<Record<string, Difference>> = {
  'the package names itself, or what the program says': {
    seen: [false, true],
    fact: NAMES_ITSELF,
  },
}

const CUT_GZIP =
  '`fetch` takes a gzip that was cut for a whole one. A listing is an error all the same, because its XML lacks its end. A file that the server compresses unasked is shorter. Use undici.'

const nodeFetch: Readonly<Record<string, Difference>> = {
  ...ownAgent,
  'a listing in gzip that lacks its end is an error': {
    seen: 'thrown MultiStatusError',
    fact: CUT_GZIP,
  },
  'a file in gzip, which was not asked for, lacks its end': {
    seen: 'a shorter file',
    fact: CUT_GZIP,
  },
}

const node22Fetch: Readonly<Record<string, Difference>> = {
  ...nodeFetch,
  'a listing that is no gzip is an error': {
    seen: ['thrown DavTimeoutError idle'],
    isOccasional: true,
    fact: 'the body of an answer that is no gzip sometimes never ends in `fetch` of Node 22. A time limit ends the call.',
  },
}

const nodeUndici: Readonly<Record<string, Difference>> = {
  'a server without TLS': {
    seen: ['refused 0 self /a 1'],
    fact: 'undici tells why TLS failed. The error names the remedy, and the Failure is `refused`, which is not retried.',
  },
}

const TYPES_OF_BUN =
  'an upload of a Blob, a stream or a long file without a type gets `application/octet-stream`, and a text type gets a charset.'

const bun: Readonly<Record<string, Difference>> = {
  ...ownAgent,
  'an upload has its length, and no type but its own': {
    seen: [
      ['text', 'blob', 'spooled', 'stream', 'typed'].map(
        (name) => `ok 201 self /uploads/${name} 1`,
      ),
      [
        [true, '12', null],
        [true, '12', 'text/css;charset=utf-8'],
        [true, '12', 'application/octet-stream'],
        [true, '12', 'application/octet-stream'],
        [true, '12', 'text/x'],
      ],
    ],
    fact: TYPES_OF_BUN,
  },
  'a file is sent with its length, and no type': {
    seen: [
      [
        'ok 201 self /uploads/files/short 1',
        'ok 201 self /uploads/files/long 1',
        'refused 0 self /uploads/files/none 1',
      ],
      [
        [true, '12', null],
        [true, '120000', 'application/octet-stream'],
      ],
    ],
    fact: TYPES_OF_BUN,
  },
  'undici is a transport': {
    seen: 'TypeError',
    fact: 'Bun has a module of its own under the name undici, which cannot send; `undiciTransport` says so.',
  },
}

const ofWorkerd: Readonly<Record<string, Difference>> = {
  ...ownAgent,
  'a listing is read in each coding that the runtime asks for': {
    seen: [false, []],
    fact: 'workerd alone asks for no compressed answers. It reads those that come in gzip.',
  },
}

const readerLeftOutOfBun: Readonly<Record<string, string>> = {
  'kept.test.ts':
    'the bound of 1 KB for a kept result is that of V8. Bun needs a few bytes more for a structured value.',
}

export const runtimes: readonly Runtime[] = [
  {...scenariosIn('Node', 'node22', 'undici', nodeUndici), reader: readerIn('node22')},
  {...scenariosIn('Node', 'node24', 'undici', nodeUndici), reader: readerIn('node24')},
  {...scenariosIn('Node', 'node26', 'undici', nodeUndici), reader: readerIn('node26')},
  scenariosIn('Node, fetch', 'node22', 'fetch', node22Fetch),
  scenariosIn('Node, fetch', 'node24', 'fetch', nodeFetch),
  scenariosIn('Node, fetch', 'node26', 'fetch', nodeFetch),
  {...scenariosIn('Bun', 'bun', 'fetch', bun), reader: readerIn('bun', readerLeftOutOfBun)},
  {...scenariosIn('Deno', 'deno', 'fetch', ownAgent), reader: readerIn('deno')},
  workerd('2024-11-01', ofWorkerd),
  workerd('2026-07-01', ofWorkerd),
  ...browsers,
]
