import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'

import type {DavRequest, DavResponse} from 'multistatus'
import {DavClient} from 'multistatus'
import {createJob, exportVerdicts, retryJob, runJob, sqliteLedger} from 'multistatus/jobs'
import {fakeServer} from 'multistatus/testing'
import {expect, it, onTestFinished} from 'vitest'

import {removeFolder} from '../servers/support/disk.ts'

const COLLECTIONS = 20
/** Its answers come after those of the other collections. */
const SLOW = '/a/c1/'

async function startTree(refuse: (path: string, number: number) => number | undefined): Promise<{
  readonly dav: DavClient
  readonly deleted: readonly string[]
  readonly file: string
}> {
  const folder = mkdtempSync(join(tmpdir(), 'multistatus-'))
  onTestFinished(() => removeFolder(folder))
  const files = Object.fromEntries(
    Array.from({length: COLLECTIONS}, (_, number) => [`/a/c${number}/f`, 'x']),
  )
  const server = fakeServer({files})
  const listed = new Map<string, number>()
  const deleted: string[] = []
  const transport = async (request: DavRequest): Promise<DavResponse> => {
    const path = new URL(request.url).pathname
    if (request.method === 'DELETE') deleted.push(path)
    const number = (listed.get(path) ?? 0) + 1
    if (request.method === 'PROPFIND') listed.set(path, number)
    const status = request.method === 'PROPFIND' ? refuse(path, number) : undefined
    if (path === SLOW) await delay(100)
    return status === undefined ? server.transport(request) : new Response(null, {status})
  }
  return {
    dav: new DavClient({url: server.url, transport}),
    deleted,
    file: join(folder, 'job.sqlite'),
  }
}

const retry = {minDelay: 1, maxDelay: 1}

it('lists a collection again whose listing failed while others went on', async () => {
  const {dav, file} = await startTree((path, number) =>
    path === '/a/c3/' && number === 1 ? 503 : undefined,
  )
  await using ledger = await sqliteLedger(file)
  const job = await createJob(ledger, {kind: 'delete', tree: 'a/', retry}, dav)
  const report = await runJob(ledger, job, dav)
  expect(report).toMatchObject({state: 'done', complete: true, done: 2 * COLLECTIONS + 1})
})

it('keeps a collection that was not listed as a whole, and deletes it after a retry', async () => {
  let isRefused = true
  const {dav, deleted, file} = await startTree((path) =>
    path === '/a/c3/' && isRefused ? 503 : undefined,
  )
  await using ledger = await sqliteLedger(file)
  const retries = {...retry, attempts: 2}
  const job = await createJob(ledger, {kind: 'delete', tree: 'a/', retry: retries}, dav)
  const report = await runJob(ledger, job, dav)
  expect(report).toMatchObject({
    complete: false,
    done: 2 * COLLECTIONS,
    reasons: {'member 424': 2},
  })
  const kept: string[] = []
  for await (const line of exportVerdicts(ledger, job, {failuresOnly: true}))
    kept.push(new URL(JSON.parse(line).url).pathname)
  expect(kept.toSorted()).toEqual(['/a/', '/a/c3/'])
  expect(deleted).not.toContain('/a/c3/')

  isRefused = false
  await retryJob(ledger, job)
  const again = await runJob(ledger, job, dav)
  expect(again).toMatchObject({complete: true, done: 2 * COLLECTIONS + 1, failures: 0})
  expect(deleted.indexOf('/a/c3/f')).toBeLessThan(deleted.indexOf('/a/c3/'))
})
