// Runs programs of the checkout.

import {execFile} from 'node:child_process'
import {fileURLToPath} from 'node:url'

/** Returns the path of a file of the checkout. */
export function at(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url))
}

/** Runs a program to its end. Rejects with its output if it fails, or after a timeout in milliseconds. */
export function execute(
  program: string,
  parameters: readonly string[],
  cwd: string = at(''),
  timeout = 300_000,
): Promise<{readonly stdout: string}> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      parameters,
      {cwd, timeout, maxBuffer: 64 * 1024 * 1024},
      (error, stdout, stderr) => {
        if (error === null) resolve({stdout})
        else reject(new Error(`${error.message}\n${stdout}\n${stderr}`, {cause: error}))
      },
    )
  })
}
