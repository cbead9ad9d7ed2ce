import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'

import type {DavRequest, DavResponse} from 'multistatus'
import {DavClient} from 'multistatus'
import {createJob, runJob, sqliteLedger} from 'multistatus/jobs'
import {fakeServer} from 'multistatus/testing'
import {expect, it, onTestFinished} from 'vitest'

import {removeFolder} from '../servers/support/disk.ts'

it('stores verdicts in small steps in a unit that was lost before, so that another loss is none without progress', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'multistatus-'))
  onTestFinished(() => removeFolder(folder))
  const names = Array.from({length: 20}, (_, number) => `a/${number}`)
  const server = fakeServer({files: Object.fromEntries(names.map((name) => [`/${name}`, 'x']))})
  const file = join(folder, 'job.sqlite')
  await using ledger = await sqliteLedger(file)
  using reader = new DatabaseSync(file)
  const stored: number[] = []
  const transport = (request: DavRequest): Promise<DavResponse> => {
    const row = reader.prepare('select count(*) as count from verdict').get()
    stored.push(Number(row?.['count']))
    return server.transport(request)
  }
  const dav = new DavClient({url: server.url, transport})
  const job = await createJob(ledger, {kind: 'delete', targets: names}, dav)
  // As a killed worker leaves it.
  reader.exec('update unit set state = 1, due = 1')
  await runJob(ledger, job, dav, {concurrency: 1})
  expect(stored).toEqual(names.map((_, number) => number))
})
