// The tests of the reader in a browser, which Vitest runs with vitest.browser.config.ts.

import {readFile} from 'node:fs/promises'
import {basename, join} from 'node:path'

import {at, execute} from '../execute.ts'
import type {ReaderRun} from '../runtime.ts'
import {type BrowserName, READER_LEFT_OUT} from './names.ts'

/** The report of Vitest, as far as it is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

const WITHIN = 600_000

/** The run of a browser. */
export function readerIn(browser: BrowserName): ReaderRun {
  return {
    leftOut: READER_LEFT_OUT,
    async run({folder}) {
      const file = join(folder, `reader-${browser}.json`)
      const parameters = ['--config=vitest.browser.config.ts', `--project=${browser}`]
      const report = ['--reporter=json', `--outputFile=${file}`]
      const run = ['run', ...parameters, ...report]
      // A failed test ends the program with an error, too. Without a report there is nothing to read.
      const ended = await execute(at('node_modules/.bin/vitest'), run, at(''), WITHIN).catch(
        (error: unknown) => error,
      )
      const {testResults}: Report = JSON.parse(
        await readFile(file, 'utf8').catch(() => {
          throw ended
        }),
      )
      const passed: Record<string, number> = {}
      const failed: string[] = []
      for (const {name, assertionResults} of testResults) {
        const isPassed = ({status}: {readonly status: string}): boolean => status === 'passed'
        passed[basename(name)] = assertionResults.filter(isPassed).length
        if (assertionResults.length === 0) failed.push(name)
        for (const result of assertionResults)
          if (!isPassed(result))
            failed.push(`${result.fullName}: ${result.failureMessages.join('; ')}`)
      }
      return {passed, failed}
    },
  }
}
