// A contender in a process of its own: a line in, a line of JSON out.

import {spawn} from 'node:child_process'
import {createInterface} from 'node:readline'

/** The report of a contender on one reading of the body. */
export interface Answer {
  readonly milliseconds: number
  readonly responses: number
  /** Of one block. */
  readonly properties?: number
  /** The largest resident set of the process so far, in MB. */
  readonly peak: number
}

/** A process that reads the body as often as it is asked to. */
export interface Contestant {
  ask(line: 'check' | 'round'): Promise<Answer>
  close(): void
}

/** Starts a program that answers by lines. Its standard error is the reason if it ends too early. */
export function startContestant(program: string, parameters: readonly string[]): Contestant {
  const child = spawn(program, parameters, {stdio: 'pipe'})
  const answers = createInterface({input: child.stdout})[Symbol.asyncIterator]()
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  // A process that has ended does not read: its silence shows its fate.
  child.stdin.on('error', () => {})
  const ended = new Promise((resolve) => {
    child.on('close', resolve)
  })
  return {
    ask: async (line) => {
      child.stdin.write(`${line}\n`)
      const {done, value} = await answers.next()
      if (done !== true) return JSON.parse(value)
      await ended
      throw new Error(/^\w*Error.*$/m.exec(errors)?.[0] ?? `it ended: ${errors.trim()}`)
    },
    close: () => child.stdin.end(),
  }
}
