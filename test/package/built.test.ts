// The built package under Node: the reader in `dist` at every chunk edge, its memory, and the imports of each door.

import {execFile} from 'node:child_process'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {build} from 'esbuild'
import {expect, it} from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

it('dist/parser.js reads a body byte by byte with the results of a whole read', async () => {
  const program = `
    import {readFileSync} from 'node:fs'
    import {isDeepStrictEqual} from 'node:util'
    import {MultiStatusParser} from './dist/parser.js'
    const bytes = readFileSync('test/fixtures/apache-2.4.71-allprop.xml')
    const read = (chunks) => {
      const parser = new MultiStatusParser()
      const results = chunks.flatMap((chunk) => parser.write(chunk))
      return {results, summary: parser.end()}
    }
    const whole = read([bytes])
    const single = read(Array.from(bytes, (byte) => Uint8Array.of(byte)))
    console.log(JSON.stringify({results: whole.results.length, equal: isDeepStrictEqual(whole, single)}))
  `
  const {stdout} = await run(process.execPath, ['--input-type=module', '-e', program], {cwd: root})
  expect(JSON.parse(stdout)).toEqual({results: 3, equal: true})
})

it('100,000 responses stream through parseMultiStatus with less than 40 MB of growth', async () => {
  const {stdout} = await run(process.execPath, ['--expose-gc', 'test/bench/memory.ts', '100000'], {
    cwd: root,
  })
  const {responses, growth} = JSON.parse(stdout)
  expect(responses).toBe(100_000)
  expect(growth).toBeGreaterThan(0)
  expect(growth).toBeLessThan(40)
})

it.each<[entry: string, absent: readonly string[], present: string[]]>([
  ['multistatus/parser', ['@noble/hashes', 'undici', 'p-limit', 'fast-xml-parser'], []],
  ['multistatus/fetch', ['@noble/hashes', 'undici', 'p-limit', 'fast-xml-parser'], []],
  [
    'multistatus/http',
    ['@noble/hashes', 'undici', 'p-limit', 'fast-xml-parser'],
    ['node:http', 'node:https'],
  ],
  ['multistatus/testing', ['@noble/hashes', 'undici', 'p-limit'], ['fast-xml-parser']],
  ['multistatus', ['@noble/hashes', 'fast-xml-parser'], ['undici', 'p-limit']],
])('%s imports only its allowed packages under Node', async (entry, absent, present) => {
  const {metafile} = await build({
    entryPoints: [dist(entry === 'multistatus' ? 'index' : entry.slice('multistatus/'.length))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    alias: {
      '#default-transport': dist('transport/default.node'),
      '#diagnostics': dist('transport/diagnostics.node'),
      '#files': dist('transfer/files.node'),
    },
    write: false,
    metafile: true,
    logLevel: 'error',
  })
  // A hash function is imported at the first challenge of Digest.
  const imports = Object.values(metafile.outputs)
    .flatMap((output) => output.imports)
    .filter(({path, kind}) => kind !== 'dynamic-import' || !path.startsWith('@noble/'))
    .map(({path}) => path.replace(/^@noble\/hashes\/.*/, '@noble/hashes'))
  expect(imports.filter((path) => absent.includes(path))).toEqual([])
  expect(imports).toEqual(expect.arrayContaining(present))
})

it('multistatus/http throws a TypeError in a browser, and needs nothing of Node to load', async () => {
  const contents = `
    import {httpTransport} from 'multistatus/http'
    export const thrown = (() => {
      try {
        return httpTransport()
      } catch (error) {
        return String(error)
      }
    })()
  `
  const options = {bundle: true, format: 'esm', platform: 'browser', write: false} as const
  const stdin = {contents, resolveDir: root}
  // The package's own conditions count, not the paths of our type check.
  const {outputFiles} = await build({...options, stdin, tsconfigRaw: '{}'})
  const {thrown} = await import(
    `data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`
  )
  expect(thrown).toBe(
    'TypeError: httpTransport needs Node: in a browser, use fetchTransport of multistatus/fetch',
  )
})

function dist(file: string): string {
  return fileURLToPath(new URL(`../../dist/${file}.js`, import.meta.url))
}
