/** The tests of the sources, with the package's own names meaning them. */

import {availableParallelism} from 'node:os'
import {fileURLToPath} from 'node:url'

import type {ViteUserConfig} from 'vitest/config'
import {defineConfig} from 'vitest/config'
import {BaseSequencer, type TestSpecification} from 'vitest/node'

/** The tests of the packed package, `npm run package`: bundlers, the compilers of users, and a release. */
export const PACKED: string[] = [
  'test/package/{bundlers,release}.test.ts',
  'test/types/**/*.test.ts',
]

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Node imports the files of the tests itself. So they start faster, from its cache, and run faster than in a module runner. */
export const NATIVE: Pick<NonNullable<ViteUserConfig['test']>, 'execArgv' | 'experimental'> = {
  experimental: {viteModuleRunner: false, nodeLoader: false},
  execArgv: ['--import', at('test/support/use-sources.ts')],
}

/** Files of many seconds, the longest first. Started last, one of them would run alone at the end. */
const LONG = [
  'jobs/kills',
  'client/delete-faults',
  'transport/odd-servers',
  'parser/hostile-work',
  'client/locks-faults',
  'client/verbs-faults',
  'client/verbs-faults-more',
  'parser/truncation',
  'client/put-chunked-resume',
  'client/delete-faults-folds',
  'client/answers',
  'parser/kept',
  'client/abort',
  'client/lock-refresh',
  'transport/uploads',
]

/** Begins with the long files. A clean checkout knows no durations, and vitest would go by the size of the files. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({moduleId}: TestSpecification): number => {
      const index = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return index === -1 ? LONG.length : index
    }
    // oxlint-disable-next-line unicorn/no-array-sort -- A sequencer is no array.
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other))
  }
}

const config: ViteUserConfig = defineConfig({
  test: {
    ...NATIVE,
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/{servers,runtimes,page,examples}/**',
      'test/peers/debian-clients.test.ts',
      ...PACKED,
    ],
    testTimeout: 30_000,
    // A process runs many files, as most of them import the same modules. A file that changes something global puts it back.
    isolate: false,
    // The default leaves a core without a worker. Many tests wait: for time limits, or for the programs that they start.
    maxWorkers: availableParallelism() * 2,
    sequence: {sequencer: LongestFirst},
    // Files are compiled once, not in each process of tests and of the programs that they start.
    env: {NODE_COMPILE_CACHE: at('node_modules/.cache/node')},
  },
})

export default config
