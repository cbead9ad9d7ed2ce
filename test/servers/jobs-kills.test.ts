import {postgresLedger} from 'multistatus/jobs'
import {describe, expect, it, onTestFinished} from 'vitest'

import {runKillCampaign} from '../support/job-kills.ts'
import {hasPostgres, startPostgres} from './support/postgres.ts'

describe.skipIf(!hasPostgres)('a job in PostgreSQL on four processes that are killed', () => {
  it('gives each href one verdict, over a restart and a crash of PostgreSQL', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    await using ledger = await postgresLedger(server.url)
    const crash = async (): Promise<void> => {
      await server.kill()
      await server.restart()
    }
    const {problems, kills, events} = await runKillCampaign({
      seed: 15,
      hrefs: 4000,
      collections: 40,
      source: 'targets',
      ledger,
      store: {database: server.url},
      pause: [120, 300],
      patience: 60_000,
      lease: 1000,
      concurrency: 8,
      latency: 10,
      unitSize: 100,
      events: [
        {at: 1 / 3, run: () => server.restart()},
        {at: 2 / 3, run: crash},
      ],
    })
    expect(problems).toEqual([])
    expect(kills).toBeGreaterThanOrEqual(8)
    expect(events).toBe(2)
  }, 180_000)
})
