// The proof by kills in full: `npm run campaign:jobs -- --store sqlite --hrefs 200000 --seed 1`, or `--store postgres`, which is
// restarted in the middle. Ends with code 1 after a verdict that is missing, doubled or untrue.

import {copyFile, mkdtemp} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {parseArgs} from 'node:util'

import {postgresLedger, sqliteLedger} from 'multistatus/jobs'

import {removeFolder} from '../servers/support/disk.ts'
import {startPostgres} from '../servers/support/postgres.ts'
import type {KillCampaignOptions} from './job-kills.ts'
import {runKillCampaign} from './job-kills.ts'

const {values: given} = parseArgs({
  options: {
    store: {type: 'string', default: 'sqlite'},
    hrefs: {type: 'string', default: '200000'},
    collections: {type: 'string', default: '400'},
    source: {type: 'string', default: 'tree'},
    seed: {type: 'string', default: String(Math.floor(Math.random() * 1_000_000))},
    pause: {type: 'string', default: '1000-5000'},
    patience: {type: 'string', default: '8000'},
    lease: {type: 'string', default: '1500'},
    latency: {type: 'string', default: '10'},
    concurrency: {type: 'string', default: '16'},
    unit: {type: 'string', default: '500'},
    faketime: {type: 'boolean', default: false},
  },
})
const [least = 1000, most = 5000] = given.pause.split('-').map(Number)
const common: Omit<KillCampaignOptions, 'ledger' | 'store'> = {
  seed: Number(given.seed),
  hrefs: Number(given.hrefs),
  collections: Number(given.collections),
  source: given.source === 'targets' ? 'targets' : 'tree',
  pause: [least, most],
  patience: Number(given.patience),
  lease: Number(given.lease),
  latency: Number(given.latency),
  concurrency: Number(given.concurrency),
  unitSize: Number(given.unit),
  faketime: given.faketime,
  log: console.log,
}
console.log(`seed ${given.seed}, ${given.hrefs} hrefs, ${given.source}, ${given.store}`)
const {problems, ...facts} = await (given.store === 'postgres' ? onPostgres() : onSqlite())
console.log(facts)
for (const problem of problems.slice(0, 50)) console.log(problem)
console.log(problems.length === 0 ? 'no problem' : `${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1

async function onSqlite(): ReturnType<typeof runKillCampaign> {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-kills-'))
  const file = join(folder, 'job.sqlite')
  try {
    await using ledger = await sqliteLedger(file)
    const outcome = await runKillCampaign({...common, ledger, store: {file}})
    if (outcome.problems.length > 0) await copyFile(file, 'kills.sqlite')
    return outcome
  } finally {
    await removeFolder(folder)
  }
}

async function onPostgres(): ReturnType<typeof runKillCampaign> {
  const server = await startPostgres()
  try {
    await using ledger = await postgresLedger(server.url)
    const crash = async (): Promise<void> => {
      await server.kill()
      await server.restart()
    }
    const events = [
      {at: 1 / 3, run: () => server.restart()},
      {at: 2 / 3, run: crash},
    ]
    return await runKillCampaign({...common, ledger, store: {database: server.url}, events})
  } finally {
    await server.stop()
  }
}
