// States that each bundler makes a page of the packed package without a warning, and that its output runs. The outputs for Node
// and Bun are programs that run alone. They run under Node and as an executable, against a server on loopback.

import {execFile} from 'node:child_process'
import {cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {nodeResolve} from '@rollup/plugin-node-resolve'
import * as esbuild from 'esbuild'
import * as rolldown from 'rolldown'
import {rollup} from 'rollup'
import * as vite from 'vite'
import {afterAll, afterEach, beforeAll, beforeEach, expect, it, vi} from 'vitest'
import webpack from 'webpack'

import {answer207, type FaultServer, listing, startFaultServer} from '../support/fault-server.ts'

vi.setConfig({testTimeout: 60_000, hookTimeout: 60_000})

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

// A page has no arguments, so the program takes the URL of the server from a global.
const PAGE = `
  import {DavClient} from 'multistatus'
  import {fetchTransport} from 'multistatus/fetch'
  import {parseMultiStatus} from 'multistatus/parser'
  import {undiciTransport} from 'multistatus/undici'

  const {url, done} = globalThis.place
  const {summary: parsed} = await parseMultiStatus('<multistatus xmlns="DAV:"/>').collect()
  const dav = new DavClient({url, transport: fetchTransport()})
  const {successes} = await dav.propfind('', {depth: 1}).collect()
  const {status} = await new DavClient({url}).delete('a')
  let refusal = ''
  try {
    undiciTransport()
  } catch (error) {
    refusal = error.message
  }
  done([parsed.complete, successes.map(({href}) => href), status, refusal])
`
const PAGE_RESULTS = [
  true,
  ['/', '/a'],
  204,
  'undiciTransport needs Node: in a browser, use fetchTransport of multistatus/fetch',
]

const PROGRAM = `
  import {DavClient} from 'multistatus'

  const dav = new DavClient({url: process.argv.at(-1)})
  const {successes} = await dav.propfind('', {depth: 1}).collect()
  const {status} = await dav.delete('a')
  console.log(JSON.stringify([successes.map(({href}) => href), status]))
`

/** A folder with the packed package, as an application has it. */
let app: string
beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'bundlers-'))
  const {stdout} = await run('npm', ['pack', '--ignore-scripts', '--json', '--dry-run'], {
    cwd: root,
  })
  const [{files}] = JSON.parse(stdout)
  for (const {path} of files) {
    const to = join(app, 'node_modules/multistatus', path)
    await mkdir(dirname(to), {recursive: true})
    await cp(join(root, path), to)
  }
  await mkdir(join(app, 'node_modules/@noble'))
  for (const name of ['@noble/hashes', 'undici', 'p-limit', 'fast-xml-parser'])
    await symlink(join(root, 'node_modules', name), join(app, 'node_modules', name))
  await writeFile(join(app, 'package.json'), '{"type": "module"}')
  await writeFile(join(app, 'page.js'), PAGE)
  await writeFile(join(app, 'program.js'), PROGRAM)
  await writeFile(join(app, 'index.html'), '<script type="module" src="/page.js"></script>')
})
afterAll(() => rm(app, {recursive: true}))

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
  server.script(({method}) => (method === 'DELETE' ? {status: 204} : answer207(listing('/', '/a'))))
})
afterEach(() => server.close())

/** Bundles the page into a folder. Returns the warnings. */
type Bundle = (input: string, folder: string) => Promise<readonly string[]>

const BUNDLERS: Readonly<Record<string, Bundle>> = {
  async esbuild(input, folder) {
    const {warnings} = await esbuild.build({
      entryPoints: [input],
      outdir: folder,
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      logLevel: 'silent',
    })
    return warnings.map(({text}) => text)
  },
  async rollup(input, folder) {
    const warnings: string[] = []
    const bundle = await rollup({
      input,
      plugins: [nodeResolve({browser: true})],
      onwarn: ({message}) => void warnings.push(message),
    })
    await bundle.write({dir: folder, format: 'es'})
    await bundle.close()
    return warnings
  },
  async rolldown(input, folder) {
    const warnings: string[] = []
    const bundle = await rolldown.rolldown({
      input,
      platform: 'browser',
      onwarn: ({message}) => void warnings.push(message ?? ''),
    })
    await bundle.write({dir: folder, format: 'es', minify: true})
    await bundle.close()
    return warnings
  },
  async vite(_input, folder) {
    const warnings: string[] = []
    const warn = (message: string): void => void warnings.push(message)
    await vite.build({
      root: app,
      configFile: false,
      logLevel: 'warn',
      customLogger: {...vite.createLogger('silent'), warn, warnOnce: warn, error: warn},
      build: {outDir: folder, modulePreload: false, emptyOutDir: true},
    })
    return warnings
  },
  async webpack(input, folder) {
    const compiler = webpack({
      mode: 'production',
      target: 'web',
      entry: input,
      output: {path: folder, filename: 'page.js', module: true},
      experiments: {outputModule: true},
    })
    const stats = await promisify(compiler.run.bind(compiler))()
    await promisify(compiler.close.bind(compiler))()
    const {errors = [], warnings = []} =
      stats?.toJson({all: false, errors: true, warnings: true}) ?? {}
    return [...errors, ...warnings].map(({message}) => message)
  },
}

it.each(Object.entries(BUNDLERS))(
  '%s makes a page that runs, without a warning',
  async (name, bundle) => {
    const folder = join(app, `${name}-page`)
    expect(await bundle(join(app, 'page.js'), folder)).toEqual([])
    const files = await readdir(folder, {recursive: true})
    const [script = '', ...others] = files.filter((file) => file.endsWith('.js'))
    expect(others).toEqual([])
    const code = await readFile(join(folder, script), 'utf8')
    expect(code).not.toContain('node:')
    const page = join(folder, 'page.mjs')
    await writeFile(
      page,
      `globalThis.place = {url: process.argv[2], done: (results) => console.log(JSON.stringify(results))}\n${code}`,
    )
    const {stdout} = await run(process.execPath, [page, server.url])
    expect(JSON.parse(stdout)).toEqual(PAGE_RESULTS)
    expect(server.requests.map(({method}) => method)).toEqual(['PROPFIND', 'DELETE'])
  },
)

const PROGRAM_RESULTS = [['/', '/a'], 204]

it('esbuild makes an ES module for Node, with undici in it', async () => {
  const outfile = join(app, 'alone', 'program.mjs')
  const {warnings} = await esbuild.build({
    entryPoints: [join(app, 'program.js')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    // undici requires modules of Node, and esbuild gives an ES module no `require`.
    banner: {
      js: "import {createRequire} from 'node:module'; const require = createRequire(import.meta.url)",
    },
  })
  expect(warnings).toEqual([])
  const {stdout} = await run(process.execPath, [outfile, server.url])
  expect(JSON.parse(stdout)).toEqual(PROGRAM_RESULTS)
  expect(server.requests[0]?.headers['user-agent']).toMatch(/^multistatus\//)
})

it('esbuild makes an ES module for Node, with undici beside it', async () => {
  const outfile = join(app, 'program.mjs')
  const {warnings} = await esbuild.build({
    entryPoints: [join(app, 'program.js')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['undici'],
  })
  expect(warnings).toEqual([])
  const {stdout} = await run(process.execPath, [outfile, server.url])
  expect(JSON.parse(stdout)).toEqual(PROGRAM_RESULTS)
})

it('bun makes an executable', async () => {
  const outfile = join(app, 'program')
  const bun = join(root, 'node_modules/.bin/bun')
  await run(bun, ['build', '--compile', join(app, 'program.js'), '--outfile', outfile])
  const {stdout} = await run(outfile, [server.url])
  expect(JSON.parse(stdout)).toEqual(PROGRAM_RESULTS)
  expect(server.requests[0]?.headers['user-agent']).toMatch(/^Bun\//)
})
