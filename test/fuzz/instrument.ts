// The parser from its sources in one bundle that counts its own runs. Each file goes through istanbul's instrumenter, the
// library that makes trees of markup does not. Nothing is written to disk.

import {readFile} from 'node:fs/promises'
import {relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {compileFunction} from 'node:vm'

import {build, transform, type Plugin} from 'esbuild'
import {createInstrumenter} from 'istanbul-lib-instrument'

import {Counters, type FileCounters} from './counters.ts'
import type {ParserClasses} from './reading.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const VARIABLE = '__fuzzCounters__'

/** The classes under test, and the counters of their code. */
export async function loadInstrumented(): Promise<{classes: ParserClasses; counters: Counters}> {
  const result = await build({
    // Without the asynchronous doors, which are thin and have tests of their own.
    stdin: {
      contents: `export {MultiStatusParser} from './src/multistatus/parser.ts'
        export {MultiStatusError} from './src/protocol/errors.ts'`,
      resolveDir: ROOT,
    },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    write: false,
    plugins: [counting],
  })
  const [output] = result.outputFiles
  if (output === undefined) throw new Error('esbuild gave nothing')
  const module = {exports: {}}
  // In this realm, so that a prototype that is changed is one of ours.
  compileFunction(output.text, ['module'])(module)
  const files: Record<string, FileCounters> = Reflect.get(globalThis, VARIABLE)
  return {classes: classesOf(module.exports), counters: new Counters(files)}
}

const counting: Plugin = {
  name: 'counting',
  setup(bundle) {
    const instrumenter = createInstrumenter({
      coverageVariable: VARIABLE,
      esModules: true,
      produceSourceMap: false,
    })
    bundle.onLoad({filter: /\/src\/.*\.ts$/}, async ({path}) => {
      const {code} = await transform(await readFile(path, 'utf8'), {loader: 'ts'})
      return {contents: instrumenter.instrumentSync(code, relative(ROOT, path)), loader: 'js'}
    })
  },
}

function classesOf(exported: object): ParserClasses {
  if (!('MultiStatusParser' in exported && 'MultiStatusError' in exported))
    throw new TypeError('the bundle has no parser')
  return exported as ParserClasses
}
