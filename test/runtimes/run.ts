// Runs the scenarios in Node, Bun or Deno, and prints their outcomes. Arguments: the place as JSON, and undici or fetch.

import {fetchTransport} from 'multistatus/fetch'

import {runEach} from './scenario.ts'
import {SCENARIOS} from './scenarios.ts'
import {fileScenarios} from './with-files.ts'

const [place = '', which] = process.argv.slice(2)

async function makeTransport() {
  if (which === 'fetch') return fetchTransport()
  const {undiciTransport} = await import('multistatus/undici')
  return undiciTransport()
}

const outcomes = await runEach([...SCENARIOS, ...fileScenarios], {
  ...JSON.parse(place),
  transport: await makeTransport(),
})
console.log(JSON.stringify(outcomes))
