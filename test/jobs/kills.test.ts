import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {sqliteLedger} from 'multistatus/jobs'
import {describe, expect, it, onTestFinished} from 'vitest'

import {removeFolder} from '../servers/support/disk.ts'
import {runKillCampaign} from '../support/job-kills.ts'

describe('a job in SQLite on four processes that are killed and stopped', () => {
  it('gives each of 3,000 hrefs one verdict, as the record of the server has it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'multistatus-'))
    onTestFinished(() => removeFolder(folder))
    const file = join(folder, 'job.sqlite')
    await using ledger = await sqliteLedger(file)
    const {problems, verdicts, kills} = await runKillCampaign({
      seed: 19,
      hrefs: 3000,
      collections: 40,
      source: 'tree',
      ledger,
      store: {file},
      pause: [70, 190],
      patience: 60_000,
      lease: 1000,
      concurrency: 8,
      latency: 10,
      unitSize: 100,
    })
    expect(problems).toEqual([])
    expect(verdicts).toBe(3000)
    expect(kills).toBeGreaterThanOrEqual(8)
  }, 120_000)
})
