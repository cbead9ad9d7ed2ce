// A release up to the point of publishing, without a network. The tarball is packed and installed in a folder of its own. Its doors
// are imported, its types compiled, and `npm publish --dry-run` takes it. `npm run release:dry` runs this file alone.

import {execFile} from 'node:child_process'
import {cp, mkdtemp, readFile, realpath, rm, symlink, writeFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {afterAll, beforeAll, expect, it} from 'vitest'

import manifest from '../../package.json' with {type: 'json'}

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const modules = join(root, 'node_modules')
const doors = Object.keys(manifest.exports).filter((door) => door !== './package.json')

let folder: string
let tarball: string
let files: readonly string[]

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'multistatus-release-')))
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const [packed] = JSON.parse((await run('npm', pack, {cwd: root})).stdout)
  tarball = join(folder, packed.filename)
  files = packed.files.map(({path}: {readonly path: string}) => path)
  const program = {
    type: 'module',
    dependencies: {
      multistatus: `file:${tarball}`,
      ...Object.fromEntries(dependencies().map((name) => [name, `file:${join(modules, name)}`])),
    },
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify(program))
  const install = ['install', '--offline', '--install-links', '--ignore-scripts', '--no-audit']
  await run('npm', install, {cwd: folder})
}, 60_000)

afterAll(() => rm(folder, {recursive: true}))

it('the tarball holds the build, the sources and the texts, and nothing else', () => {
  const places = new Set(files.map((file) => file.split('/')[0]))
  const texts = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
  expect(places).toEqual(new Set(['dist', 'guide', 'src', ...texts]))
})

it('the tarball holds each file that package.json names', () => {
  const named = JSON.stringify([manifest.exports, manifest.imports]).matchAll(/\.\/(dist\/[^"]*)/g)
  const missing = Array.from(named, ([, file = '']) => file).filter((file) => !files.includes(file))
  expect(missing).toEqual([])
})

it('no file of the tarball names a folder of the machine that packed it', async () => {
  const installed = join(folder, 'node_modules/multistatus')
  const telling = await Promise.all(
    files.map(async (file) => (await readFile(join(installed, file), 'utf8')).includes(root)),
  )
  expect(files.filter((_, index) => telling[index])).toEqual([])
})

it('each door of the installed package gives names under Node', async () => {
  const program = `
    const doors = ${JSON.stringify(doors)}
    const modules = await Promise.all(doors.map((door) => import('multistatus' + door.slice(1))))
    console.log(JSON.stringify(modules.map((names) => Object.keys(names).length > 0)))
  `
  const node = ['--input-type=module', '-e', program]
  const {stdout, stderr} = await run(process.execPath, node, {cwd: folder})
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual(doors.map(() => true))
})

it('a program in TypeScript compiles with the installed types, those of the libraries included', async () => {
  const program = `
    import {DavClient, isFailure} from 'multistatus'
    import {parseMultiStatus} from 'multistatus/parser'
    const dav = new DavClient({url: 'https://dav.example/'})
    for await (const result of dav.propfind('', {properties: ['getcontentlength']})) {
      const length: number | undefined = result.ok ? result.properties.getcontentlength : result.status
      console.log(length)
    }
    const verdict = await dav.delete('a.txt')
    if (isFailure(verdict)) console.log(verdict.reason)
    for await (const {href} of parseMultiStatus('<multistatus xmlns="DAV:"/>')) console.log(href)
    // @ts-expect-error A misspelt option is an error.
    await dav.delete('a.txt', {ifMatsch: '"1"'})
  `
  await writeFile(join(folder, 'program.ts'), program)
  const compiler = fileURLToPath(
    new URL('bin/tsc', import.meta.resolve('@typescript/native/package.json')),
  )
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023']
  const types = ['--types', '', '--lib', 'es2023,esnext.disposable,dom,dom.asynciterable']
  const {stdout} = await run(process.execPath, [compiler, ...options, ...types, 'program.ts'], {
    cwd: folder,
  }).catch((error: unknown) => ({stdout: String(Reflect.get(Object(error), 'stdout'))}))
  expect(stdout).toBe('')
})

it('npm would publish the tarball for everybody, and corrects nothing in package.json', async () => {
  const publish = ['publish', '--dry-run', '--offline', '--loglevel=notice', tarball]
  const {stdout, stderr} = await run('npm', publish, {cwd: folder})
  expect(stdout).toBe(`+ multistatus@${manifest.version}\n`)
  expect(stderr).toContain('with tag latest and public access (dry-run)')
  expect(stderr).not.toContain('corrected')
})

it('CHANGELOG.md begins with this version, and the next one comes before it', async () => {
  const changes = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
  expect(changes.match(/^## (.*)$/m)?.[1]).toBe(manifest.version)

  const next = join(folder, 'next')
  for (const name of ['package.json', 'CHANGELOG.md', '.changeset', '.oxfmtrc.json'])
    await cp(join(root, name), join(next, name), {recursive: true})
  await symlink(modules, join(next, 'node_modules'))
  const words = '---\n"multistatus": minor\n---\n\nA new verb.\n'
  await writeFile(join(next, '.changeset/new-verb.md'), words)
  const changeset = fileURLToPath(
    new URL('bin.js', import.meta.resolve('@changesets/cli/package.json')),
  )
  await run(process.execPath, [changeset, 'version'], {cwd: next})
  const [major, minor] = manifest.version.split('.')
  const section = `## ${major}.${Number(minor) + 1}.0\n\n### Minor Changes\n\n- A new verb.\n\n`
  const title = '# Changelog\n\n'
  expect(await readFile(join(next, 'CHANGELOG.md'), 'utf8')).toBe(
    title + section + changes.slice(title.length),
  )
})

/** The packages that an installation brings with it, ours aside. */
function dependencies(): readonly string[] {
  const names = new Set(Object.keys(manifest.dependencies))
  for (const name of names) {
    const {dependencies: its = {}} = createRequire(import.meta.url)(
      join(modules, name, 'package.json'),
    )
    for (const other of Object.keys(its)) names.add(other)
  }
  return [...names]
}
