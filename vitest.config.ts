/** The tests of the sources, with the package's own names meaning them. */

import {fileURLToPath} from 'node:url'

import type {ViteUserConfig} from 'vitest/config'
import {defineConfig} from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url))

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      {find: /^multistatus\/(parser|undici|fetch|testing)$/, replacement: source('$1.ts')},
      {find: /^multistatus$/, replacement: source('index.ts')},
      {find: '#default-transport', replacement: source('transport/default.node.ts')},
      {find: '#files', replacement: source('transfer/files.node.ts')},
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/{servers,runtimes,page}/**', 'test/peers/debian-clients.test.ts'],
    testTimeout: 30_000,
  },
})

export default config
