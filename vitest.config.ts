/** The tests of the sources, with the package's own names meaning them. */

import {availableParallelism} from 'node:os'
import {fileURLToPath} from 'node:url'

import type {ViteUserConfig} from 'vitest/config'
import {defineConfig} from 'vitest/config'
import {BaseSequencer, type TestSpecification} from 'vitest/node'

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url))

/** Files of many seconds, the longest first. Started last, one of them would run alone at the end. */
const LONG = [
  'jobs/kills',
  'parser/hostile-work',
  'types/consumers',
  'client/delete-faults',
  'client/mirror',
  'client/locks-faults',
  'package/hand-over',
  'package/release',
  'client/verbs-faults',
  'client/verbs-faults-more',
  'client/delete-faults-folds',
  'client/sync-faults',
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
  resolve: {
    alias: [
      {find: /^multistatus\/(parser|undici|fetch|testing|jobs)$/, replacement: source('$1.ts')},
      {find: /^multistatus$/, replacement: source('index.ts')},
      {find: '#default-transport', replacement: source('transport/default.node.ts')},
      {find: '#files', replacement: source('transfer/files.node.ts')},
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/{servers,runtimes,page}/**', 'test/peers/debian-clients.test.ts'],
    testTimeout: 30_000,
    // The default leaves a core without a worker. Many tests wait: for time limits, or for the programs that they start.
    maxWorkers: availableParallelism() + 1,
    sequence: {sequencer: LongestFirst},
    // For the programs that tests start: they are compiled once, not for each start.
    env: {NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/node', import.meta.url))},
  },
})

export default config
