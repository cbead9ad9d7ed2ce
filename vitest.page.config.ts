/**
 * The tests of the page in Chromium and Firefox, `npm run test:page`. They start the browsers and the servers by themselves. The page
 * is bundled from the built package.
 */
import {defineConfig, type ViteUserConfig} from 'vitest/config'
import {NATIVE} from './vitest.config.ts'

const config: ViteUserConfig = defineConfig({
  test: {
    ...NATIVE,
    include: ['test/page/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

export default config
