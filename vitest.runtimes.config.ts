/**
 * The tests of the packed package in each runtime, `npm run test:runtimes`. The runtimes import the package from a folder in which
 * it is installed; only the tests around them use the sources.
 */
import {mergeConfig, type ViteUserConfig} from 'vitest/config'
import sources from './vitest.config.ts'

const config: ViteUserConfig = mergeConfig(sources, {
  test: {testTimeout: 60_000, hookTimeout: 320_000, reporters: ['verbose']},
})
config.test = {...config.test, include: ['test/runtimes/**/*.test.ts'], exclude: []}

export default config
