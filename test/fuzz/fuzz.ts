// Looks for a body that breaks a rule of the oracle: `npm run fuzz -- --seconds 60 --seed 1`. Ends with code 1 if one was
// found, which test/parser/findings.test.ts replays from then on. `--findings folder/` saves them elsewhere,
// `--replay file.bin` reads one again.

import {pathToFileURL} from 'node:url'
import {parseArgs} from 'node:util'

import {Campaign, describeCase} from './campaign.ts'
import {loadFinding} from './cases.ts'
import {loadInstrumented} from './instrument.ts'
import {check} from './oracle.ts'
import {describe} from './reading.ts'
import {seeds} from './seeds.ts'
import {runTimed} from './timed.ts'

const REPORT_EVERY = 5000

const {values: given} = parseArgs({
  options: {
    seconds: {type: 'string', default: '60'},
    seed: {type: 'string', default: '1'},
    findings: {type: 'string'},
    replay: {type: 'string'},
  },
})
const instrumented = await loadInstrumented()
if (given.replay === undefined) fuzz()
else replay(pathToFileURL(given.replay))

function fuzz(): void {
  const folder = given.findings === undefined ? undefined : pathToFileURL(`${given.findings}/`)
  const campaign = new Campaign(instrumented, Number(given.seed), folder)
  const begin = performance.now()
  const end = begin + Number(given.seconds) * 1000
  campaign.seed(seeds())
  while (performance.now() < end) {
    campaign.run(Math.min(REPORT_EVERY, end - performance.now()))
    report(campaign, performance.now() - begin)
  }
  console.log('\nsummary')
  report(campaign, performance.now() - begin)
  for (const folderOfSources of [
    'src/xml/',
    'src/multistatus/',
    'src/properties/',
    'src/protocol/',
  ])
    console.log(`${folderOfSources.padEnd(17)} ${share(folderOfSources)}`)
  for (const [signature, {path, times}] of campaign.found)
    console.log(`found ${times} times: ${signature}\n  ${path}`)
  if (campaign.found.size === 0) console.log('nothing was found')
  else process.exitCode = 1
}

function report({executions, corpus, found}: Campaign, milliseconds: number): void {
  const speed = Math.round((executions / milliseconds) * 1000)
  console.log(
    `${Math.round(milliseconds / 1000)} s: ${executions} executions, ${speed} a second, corpus ${corpus.size}, ` +
      `features ${corpus.features}, counters ${share()}, findings ${found.size}`,
  )
}

function share(folder?: string): string {
  const {hit, of} = instrumented.counters.covered(folder)
  return `${hit} of ${of} (${((hit / of) * 100).toFixed(1)} %)`
}

function replay(address: URL): void {
  const {input, signature} = loadFinding(address)
  console.log(`${signature}\n${describeCase(input)}`)
  const {error} = runTimed(() => check(instrumented.classes, input), REPORT_EVERY)
  console.log(error === undefined ? 'it breaks no rule' : describe(error))
  if (error !== undefined) process.exitCode = 1
}
