// Builds the driver of neon in C if there are a compiler and the library (Debian: gcc, pkg-config, libneon27-dev), and
// starts it with a body.

import {execFileSync} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

import {ringOf} from './body.ts'
import type {Task} from './contenders.ts'
import {startContestant} from './process.ts'
import type {Contestant} from './process.ts'

const COMPILER = process.env['CC'] ?? 'cc'
const FLAGS = process.env['PKG_CONFIG'] ?? 'pkg-config'

/** Builds the driver in a folder. Throws if something for it is missing. */
function buildNeon(folder: string): string {
  const program = join(folder, 'neon')
  const source = fileURLToPath(new URL('neon.c', import.meta.url))
  const flags = execFileSync(FLAGS, ['--cflags', '--libs', 'neon'], {stdio: 'pipe'})
  const parameters = ['-O2', '-o', program, source, ...flags.toString().trim().split(/\s+/)]
  execFileSync(COMPILER, parameters, {stdio: 'pipe'})
  return program
}

/** Builds the driver once. Returns its path, or the reason for its absence. */
export function findNeon(folder: string): {program: string} | {problem: string} {
  try {
    return {program: buildNeon(folder)}
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return {problem: message.split('\n')[0] ?? ''}
  }
}

/** Starts the driver with a body, which it is given as a file in a folder. */
export function startNeon(program: string, folder: string, {body, blocks}: Task): Contestant {
  const file = join(folder, 'body')
  writeFileSync(file, Buffer.concat([body.prologue, ringOf(body), body.epilogue]))
  const numbers = [body.prologue.length, body.block.length, body.epilogue.length, blocks]
  return startContestant(program, [file, ...numbers.map(String)])
}
