// States which dispatcher a transport without one sends through: the one that the application has set for its process, and never the
// one that undici or Node's `fetch` puts there. Each case is a process of its own. Runs on Node 22, 24 and 26.

import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {createRequire} from 'node:module'
import {fileURLToPath} from 'node:url'

import {describe, expect, it} from 'vitest'

const PROGRAM = fileURLToPath(new URL('dispatchers.ts', import.meta.url))
const SOURCES = new URL('../support/use-sources.ts', import.meta.url).href
const require = createRequire(import.meta.url)
const NODES = {
  'Node 24': process.execPath,
  'Node 22': fileURLToPath(
    new URL('../../node_modules/runtime-node22/node_modules/node/bin/node', import.meta.url),
  ),
  'Node 26': fileURLToPath(
    new URL('../../node_modules/runtime-node26/node_modules/node/bin/node', import.meta.url),
  ),
}
const MINIFLARE = createRequire(require.resolve('miniflare'))
const UNDICI_7 = MINIFLARE.resolve('undici')

/** Runs a case of the program. Returns the ways of its requests, one after another. */
async function run(
  node: string,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const child = spawn(node, ['--no-warnings', '--import', SOURCES, PROGRAM, name, UNDICI_7], {
    env: {PATH: process.env['PATH'], ...env},
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [text] = await Promise.all([child.stdout.toArray(), once(child, 'close')])
  return Buffer.concat(text).toString().trim().split('\n')
}

describe.each(Object.entries(NODES))('a transport without options on %s', (_, node) => {
  it.each([
    ['nothing', ['own']],
    // Node's own `fetch` puts its default Agent there, before or after the import.
    ['fetch-before', ['own']],
    ['fetch-after', ['own', 'own']],
    ['undici-7-imported', ['own', 'own']],
    ['plain-agent', ['own', 'own']],
    ['agent-with-options', ['own', 'theirs']],
    ['set-before', ['theirs']],
    ['set-and-replaced', ['own', 'theirs', 'own']],
    ['composed', ['own', 'theirs']],
    ['mock-agent', ['own', 'mocked']],
    ['undici-7-set', ['own', 'theirs']],
    ['undici-7-mock', ['own', 'mocked']],
    ['earlier-handlers', ['own', 'theirs']],
  ])('%s: %j', async (name, ways) => {
    expect(await run(node, name)).toEqual(ways)
  })

  it('keeps its own Agent for the proxies of the environment, and yields to an EnvHttpProxyAgent', async () => {
    const env = {NODE_USE_ENV_PROXY: '1', NO_PROXY: '*', HTTP_PROXY: 'http://127.0.0.1:1'}
    expect(await run(node, 'nothing', env)).toEqual(['own'])
    expect(await run(node, 'env-agent')).toEqual(['own', 'theirs'])
  })

  it('goes its own way with a proxy, a certificate or a dispatcher of its own', async () => {
    expect(await run(node, 'explicit')).toEqual(['own', 'own'])
  })
})

it('the default transport keeps the dispatcher that undici 6 has set before it loads undici 8', async () => {
  expect(await run(NODES['Node 22'], 'undici-6-before')).toEqual(['theirs', 'kept'])
})
