/**
 * The tests of the parser in Chromium and Firefox ESR, a part of `npm run test:runtimes`. The browsers are the installed ones.
 */
import {fileURLToPath} from 'node:url'

import {playwright} from '@vitest/browser-playwright'
import {defineConfig, type TestProjectConfiguration, type ViteUserConfig} from 'vitest/config'
import type {BrowserProviderOption} from 'vitest/node'

import {firefox} from './test/runtimes/browser/firefox-provider.ts'
import {type BrowserName, EXECUTABLES, READER_LEFT_OUT} from './test/runtimes/browser/names.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

function inBrowser(
  browser: BrowserName,
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
      {find: '#diagnostics', replacement: at('src/transport/diagnostics.ts')},
      {find: '#files', replacement: at('src/transfer/files.ts')},
      {find: 'node:fs', replacement: at('test/runtimes/browser/files.ts')},
      {find: 'node:util', replacement: at('test/runtimes/browser/util.ts')},
    ],
  },
  test: {
    include: ['test/{parser,properties,xml}/**/*.test.ts'],
    exclude: Object.keys(READER_LEFT_OUT).map((file) => `test/parser/${file}`),
    testTimeout: 30_000,
    isolate: false,
    projects: [
      inBrowser('chromium', playwright({launchOptions: {executablePath: EXECUTABLES.chromium}})),
      inBrowser('firefox', firefox(EXECUTABLES.firefox)),
    ],
  },
})

export default config
