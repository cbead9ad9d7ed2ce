import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {DavClient} from 'multistatus'
import {createJob, exportVerdicts, runJob, sqliteLedger} from 'multistatus/jobs'
import {fakeServer} from 'multistatus/testing'
import {expect, test} from 'vitest'

test('smoke', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'multistatus-'))
  const server = fakeServer()
  const dav = new DavClient({url: server.url, transport: server.transport})
  await dav.mkcol('a/')
  await dav.mkcol('a/b/')
  for (let i = 0; i < 50; i++) await dav.put(`a/b/${i}`, 'x')
  for (let i = 0; i < 50; i++) await dav.put(`a/${i}`, 'x')
  await using ledger = await sqliteLedger(join(folder, 'job.sqlite'))
  const list = await createJob(ledger, {kind: 'list', tree: 'a/'}, dav)
  console.log(await runJob(ledger, list, dav))
  for await (const line of exportVerdicts(ledger, list)) {
    console.log(line)
    break
  }
  const job = await createJob(ledger, {kind: 'delete', tree: 'a/'}, dav)
  const report = await runJob(ledger, job, dav)
  console.log(report)
  let n = 0
  for await (const line of exportVerdicts(ledger, job)) {
    if (n++ < 2) console.log(line)
  }
  expect(n).toBe(102)
  rmSync(folder, {recursive: true})
})
