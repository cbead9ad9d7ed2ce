// Runs the scenarios in Node, Bun or Deno, and prints their outcomes. Arguments: the place as JSON, and undici or fetch.

import {fetchTransport} from 'multistatus/fetch'

import {runScenarios} from './scenarios.ts'

const [place = '', which] = process.argv.slice(2)

async function makeTransport() {
  if (which === 'fetch') return fetchTransport()
  const {undiciTransport} = await import('multistatus/undici')
  return undiciTransport()
}

const outcomes = await runScenarios({...JSON.parse(place), transport: await makeTransport()})
console.log(JSON.stringify(outcomes))
