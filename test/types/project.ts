/** Programs of a user, in a package that has the built `multistatus` and the types of Node among its dependencies. */

import {execFile} from 'node:child_process'
import {mkdir, mkdtemp, realpath, rm, symlink, writeFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {Compiler} from './compiler.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const {resolve} = createRequire(import.meta.url)

/** A version of TypeScript. */
export type Version = '5.4' | '6.0' | '7.0'

/** The oldest compiler that is supported, and the last one in JavaScript. They run in this process, where they are soon warm. */
const COMPILERS = {
  '5.4': new Compiler('typescript-5.4'),
  '6.0': new Compiler('typescript'),
} as const

/** The native compiler. */
const NATIVE = join(dirname(resolve('@typescript/native/package.json')), 'bin/tsc')

/** Options of a compiler, as in a `tsconfig.json`. */
export type CompilerOptions = Readonly<Record<string, boolean | string | readonly string[]>>

// Our declarations are checked, and those of Node. The compiler's own library is not.
const STRICT: CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  skipDefaultLibCheck: true,
  target: 'es2022',
}

/** A package of a user. Disposing of it removes its folder. */
export interface Project extends AsyncDisposable {
  readonly folder: string
}

/** Makes a package with these programs. */
export async function createProject(programs: Readonly<Record<string, string>>): Promise<Project> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'multistatus-types-')))
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, '@types'), {recursive: true})
  await symlink(root, join(modules, 'multistatus'))
  await symlink(join(root, 'node_modules/@types/node'), join(modules, '@types/node'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({type: 'module'}))
  for (const [name, text] of Object.entries(programs)) await writeFile(join(folder, name), text)
  return {folder, [Symbol.asyncDispose]: () => rm(folder, {recursive: true})}
}

/**
 * Compiles the programs of a package, and the declarations that they import.
 *
 * @returns The errors as `name(line): TS1234: message`, with the further lines of their messages.
 */
export async function compile(
  {folder}: Project,
  version: Version,
  options: CompilerOptions,
): Promise<readonly string[]> {
  const config = {compilerOptions: {...STRICT, ...options}}
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  if (version !== '7.0') return parseErrors(COMPILERS[version].compile(folder))
  const args = [NATIVE, '--pretty', 'false', '-p', folder]
  // A compiler that finds errors ends with a code of its own.
  const {stdout} = await run(process.execPath, args, {cwd: folder}).catch((error: unknown) => {
    if (error instanceof Error && 'stdout' in error) return error
    throw error
  })
  return parseErrors(String(stdout))
}

/** The further lines of a message are indented. */
function parseErrors(output: string): readonly string[] {
  const errors = output.split(/\n(?! )/).filter((error) => error !== '')
  return errors.map((error) => error.replace(/^(.*\(\d+),\d+\): error /, '$1): '))
}
