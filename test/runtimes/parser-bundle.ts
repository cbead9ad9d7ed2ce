// Bundles the tests of the reader for a runtime. They import the installed package, and find their fixtures where they are.

import {readFile} from 'node:fs/promises'
import {globSync} from 'node:fs'
import {basename} from 'node:path'
import {pathToFileURL} from 'node:url'

import {build, type Plugin} from 'esbuild'

import {at} from './execute.ts'

/** The names of the test files, without the one that counts the work of instrumented sources. */
export const PARSER_TESTS: readonly string[] = globSync('*.test.ts', {cwd: at('test/parser')})
  .filter((name) => name !== 'hostile-work.test.ts')
  .toSorted()

/** Keeps the place of each module for `import.meta.url`. */
const places: Plugin = {
  name: 'places',
  setup(building) {
    building.onLoad({filter: /\/test\/.*\.ts$/}, async ({path}) => ({
      loader: 'ts',
      contents: (await readFile(path, 'utf8')).replaceAll(
        'import.meta.url',
        JSON.stringify(pathToFileURL(path).href),
      ),
    }))
  },
}

/** Bundles the suite as a program that prints its outcome. */
export async function bundleParserSuite(outfile: string, names: readonly string[]): Promise<void> {
  const files = names.map(
    (name) => `${JSON.stringify(basename(name))}: () => import('./test/parser/${name}')`,
  )
  await build({
    stdin: {
      contents: `import {runSuite} from './test/runtimes/parser-suite.ts'
const outcome = await runSuite({${files.join(', ')}})
console.log(JSON.stringify(outcome))`,
      resolveDir: at(''),
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2023',
    external: ['multistatus', 'multistatus/*'],
    tsconfigRaw: '{}',
    plugins: [places],
    logLevel: 'error',
    banner: {
      js: "import {createRequire} from 'node:module'\nconst require = createRequire(import.meta.url)",
    },
  })
}
