/**
 * The tests against real servers, `npm run test:servers`: Apache, nginx, lighttpd, rclone, SabreDAV, nephele, Tomcat,
 * x/net/webdav, Radicale, xandikos, Cyrus and DAViCal, which the tests start by themselves. The sources are tested, not
 * the build. One file at a time, so that few servers run at once.
 */
import {fileURLToPath} from 'node:url'
import {defineConfig, type ViteUserConfig} from 'vitest/config'
import {MissingServers} from './test/servers/support/missing.ts'

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url))

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      {find: /^multistatus$/, replacement: source('index.ts')},
      {
        find: /^multistatus\/(parser|undici|http|fetch|testing|jobs|jobs\/bullmq)$/,
        replacement: source('$1.ts'),
      },
      {find: '#default-transport', replacement: source('transport/default.node.ts')},
      {find: '#diagnostics', replacement: source('transport/diagnostics.node.ts')},
      {find: '#files', replacement: source('transfer/files.node.ts')},
    ],
  },
  test: {
    include: ['test/servers/**/*.test.ts', 'test/peers/debian-clients.test.ts'],
    fileParallelism: false,
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // For the programs that tests start: they are compiled once, not for each start.
    env: {NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/node', import.meta.url))},
    reporters: ['verbose', new MissingServers()],
  },
})

export default config
