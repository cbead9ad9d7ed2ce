/**
 * The tests of the parser in Chromium and Firefox ESR, a part of `npm run test:runtimes`. The browsers are the installed ones.
 */
import {fileURLToPath} from 'node:url'

import {playwright} from '@vitest/browser-playwright'
import {defineConfig, type TestProjectConfiguration, type ViteUserConfig} from 'vitest/config'
import type {BrowserProviderOption} from 'vitest/node'

import {firefox} from './test/runtimes/browser/firefox-provider.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

function inBrowser(
  browser: 'chromium' | 'firefox',
  provider: BrowserProviderOption,
): TestProjectConfiguration {
  return {
    extends: true,
    test: {
      name: browser,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider,
        instances: [{browser}],
      },
    },
  }
}

const config: ViteUserConfig = defineConfig({
  assetsInclude: ['**/*.xml', '**/*.bin', '**/*.facts'],
  resolve: {
    alias: [
      {find: /^multistatus\/(parser|fetch)$/, replacement: at('src/$1.ts')},
      {find: /^multistatus$/, replacement: at('src/index.ts')},
      {find: '#default-transport', replacement: at('src/transport/default.ts')},
      {find: '#files', replacement: at('src/transfer/files.ts')},
      {find: 'node:fs', replacement: at('test/runtimes/browser/files.ts')},
      {find: 'node:util', replacement: at('test/runtimes/browser/util.ts')},
    ],
  },
  test: {
    include: ['test/{parser,properties,xml}/**/*.test.ts'],
    // Node's own streams, zlib and Buffers; V8's counters of work and memory.
    exclude: ['test/parser/{node,hostile-work,kept}.test.ts'],
    testTimeout: 30_000,
    isolate: false,
    projects: [
      inBrowser('chromium', playwright({launchOptions: {executablePath: '/usr/bin/chromium'}})),
      inBrowser('firefox', firefox('/usr/bin/firefox-esr')),
    ],
  },
})

export default config
