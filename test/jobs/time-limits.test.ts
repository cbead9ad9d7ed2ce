// States the time limits of a job: those of one exchange count, and `total` of the client does not, because a job is no call.

import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {DavClient} from 'multistatus'
import {createJob, runJob, sqliteLedger} from 'multistatus/jobs'
import {expect, it, onTestFinished} from 'vitest'

import {removeFolder} from '../servers/support/disk.ts'
import {answer207, listing, NEVER, startFaultServer} from '../support/fault-server.ts'

it.each(['targets', 'a tree'])('goes on behind a request without an answer: %s', async (of) => {
  const server = await startFaultServer()
  onTestFinished(() => server.close())
  const folder = mkdtempSync(join(tmpdir(), 'multistatus-'))
  onTestFinished(() => removeFolder(folder))
  const targets = ['/a/1', '/a/2', '/a/3', '/a/4']
  const sent: string[] = []
  server.script(({method, url}) => {
    sent.push(`${method} ${url}`)
    const isSlow = (method === 'DELETE' && url === '/a/3') || method === 'PROPFIND'
    if (isSlow && sent.filter((one) => one === sent.at(-1)).length === 1) return NEVER
    return method === 'PROPFIND' ? answer207(listing('/a/', ...targets)) : {status: 204}
  })
  await using ledger = await sqliteLedger(join(folder, 'job.sqlite'))
  const dav = new DavClient({url: server.url, timeout: {headers: 500, total: 200}})
  const own = of === 'targets' ? {targets} : {tree: 'a/'}
  const retry = {minDelay: 1, maxDelay: 1}
  const job = await createJob(ledger, {kind: 'delete', retry, ...own}, dav)
  const report = await runJob(ledger, job, dav)
  expect(report).toMatchObject({state: 'done', failures: 0, complete: true})
  const deleted = sent.filter((one) => one.startsWith('DELETE /a/') && one !== 'DELETE /a/')
  expect(deleted.toSorted()).toEqual(['1', '2', '3', '3', '4'].map((name) => `DELETE /a/${name}`))
})
