// Measures `multistatus/jobs` on the SQLite ledger. Run by `npm run bench:jobs`; it measures `dist`, so build first.
//
// - 20,000 files of nginx and Apache through a ledger, beside plain `deleteMany`, in rounds that take turns. The time of the job
//   counts, its creation included.
// - 1,000,000 resources listed into a ledger, from a server in this process: bytes on disk and memory.
// - The cost of creating a job and of claiming a unit, from 10,000 to 1,000,000 targets.

import {execFileSync, spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

import {DavClient} from 'multistatus'
import type {DavRequest, DavResponse} from 'multistatus'
import {createJob, inspectJob, runJob, sqliteLedger} from 'multistatus/jobs'

import {claim, OPEN, release} from '../../src/jobs/units.ts'
import {openSqlite} from '../../src/jobs/sqlite.ts'
import {apache} from '../servers/apache.ts'
import {nginx} from '../servers/nginx.ts'
import {giveToServer} from '../servers/support/account.ts'
import {Server} from '../servers/support/server.ts'

const ROUNDS = 5
const FILES = 20_000
const CONCURRENCY = 8
const COLLECTION = 'files'

const worker = fileURLToPath(new URL('delete-worker.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'multistatus-bench-'))
try {
  for (const recipe of [nginx, apache]) await compareDeletes(new Server(recipe))
  await measureList()
  for (const targets of [10_000, 100_000, 1_000_000]) await measureClaims(targets)
} finally {
  rmSync(folder, {recursive: true})
}

async function compareDeletes(server: Server): Promise<void> {
  await server.start()
  const times: Record<'ours' | 'job', number[]> = {ours: [], job: []}
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const kind of ['ours', 'job'] as const) {
        const files = await makeFiles(server)
        const parameters = [
          worker,
          kind,
          server.url(COLLECTION),
          String(FILES),
          String(CONCURRENCY),
        ]
        const {stdout, stderr} = spawnSync(process.execPath, parameters, {encoding: 'utf8'})
        if (stdout === '') throw new Error(stderr)
        const {verdicts, milliseconds} = JSON.parse(stdout)
        const left = readdirSync(files).length
        if (verdicts !== FILES || left > 0) throw new Error(`${verdicts} verdicts, ${left} left`)
        times[kind].push(milliseconds)
      }
    }
  } finally {
    await server.remove()
  }
  const [plain, job] = [Math.min(...times.ours), Math.min(...times.job)]
  const ratio = plain / job
  console.log(
    `${server.recipe.name}: ${FILES} files, concurrency ${CONCURRENCY}, best of ${ROUNDS}: deleteMany ${plain.toFixed(0)} ms, job ${job.toFixed(0)} ms; ${ratio.toFixed(2)} of its speed (0.7: ${ratio >= 0.7 ? 'yes' : 'NO'})`,
  )
}

async function makeFiles(server: Server): Promise<string> {
  const files = join(server.root, COLLECTION)
  rmSync(files, {recursive: true, force: true})
  mkdirSync(files)
  for (let index = 0; index < FILES; index++) writeFileSync(join(files, `${index}.txt`), 'x')
  await giveToServer(files)
  execFileSync('sync')
  return files
}

/** A server of 1,000 collections with 1,000 files each. */
async function measureList(): Promise<void> {
  const [collections, files] = [1000, 1000]
  const url = 'https://dav.example/remote.php/dav/files/ana/'
  async function* body(href: string): AsyncGenerator<Uint8Array> {
    const own = responseOf(href, '<d:collection/>', 0)
    yield Buffer.from(`<d:multistatus xmlns:d="DAV:">${own}`)
    const isRoot = href.endsWith('/tree/')
    for (let from = 0; from < (isRoot ? collections : files); from += 100) {
      const part = Array.from({length: 100}, (_, index) =>
        isRoot
          ? responseOf(`${href}folder-${from + index}/`, '<d:collection/>', index)
          : responseOf(`${href}photo-${from + index}.jpg`, '', index),
      )
      yield Buffer.from(part.join(''))
    }
    yield Buffer.from('</d:multistatus>')
  }
  const transport = async ({url: asked}: DavRequest): Promise<DavResponse> => ({
    status: 207,
    url: asked,
    headers: new Headers({'content-type': 'application/xml; charset=utf-8'}),
    body: body(new URL(asked).pathname),
  })
  const dav = new DavClient({url, transport})
  const file = join(folder, 'list.sqlite')
  const before = process.memoryUsage().rss
  let most = before
  const begin = performance.now()
  const ledger = await sqliteLedger(file)
  const job = await createJob(ledger, {kind: 'list', tree: 'tree/'}, dav)
  const onProgress = (): void => {
    most = Math.max(most, process.memoryUsage().rss)
  }
  const {resources, complete} = await runJob(ledger, job, dav, {onProgress})
  const seconds = (performance.now() - begin) / 1000
  await ledger.close()
  const bytes = statSync(file).size / resources
  console.log(
    `${resources} resources listed in ${seconds.toFixed(1)} s, ${complete ? 'complete' : 'INCOMPLETE'}: ${bytes.toFixed(0)} bytes each on disk (250: ${bytes < 250 ? 'yes' : 'NO'}), ${((most - before) / 2 ** 20).toFixed(0)} MB of memory more`,
  )
}

function responseOf(href: string, type: string, index: number): string {
  const length = type === '' ? `<d:getcontentlength>${100_000 + index}</d:getcontentlength>` : ''
  return `<d:response><d:href>${href}</d:href><d:propstat><d:prop><d:resourcetype>${type}</d:resourcetype><d:getetag>"5f1e8a${index}0c7d2b9a4e"</d:getetag>${length}<d:getlastmodified>Mon, 12 Jan 2026 10:${10 + (index % 50)}:00 GMT</d:getlastmodified></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
}

/** Measures a claim with its release, in a ledger that holds so many targets. */
async function measureClaims(targets: number): Promise<void> {
  const file = join(folder, `claims-${targets}.sqlite`)
  const dav = new DavClient({url: 'https://dav.example/'})
  const ledger = await sqliteLedger(file)
  function* names(): Generator<string> {
    for (let index = 0; index < targets; index++)
      yield `folder-${Math.floor(index / 1000)}/photo-${index}.jpg`
  }
  let begin = performance.now()
  // Small units, so that each ledger has more of them than one claim reads.
  const options = {kind: 'delete', targets: names(), unitSize: 100} as const
  const {id} = await createJob(ledger, options, dav)
  const creating = ((performance.now() - begin) / targets) * 1000
  begin = performance.now()
  await inspectJob(ledger, id)
  const inspecting = performance.now() - begin
  await ledger.close()
  const store = await openSqlite(file)
  const claims = 200
  begin = performance.now()
  for (let number = 0; number < claims; number++) {
    const asked = {
      job: id,
      worker: 'bench',
      lease: 30_000,
      origin: 'https://dav.example',
      most: 100,
    }
    await store.transaction(async (sql) => {
      const found = await claim(sql, asked)
      if ('units' in found) await release(sql, found.units, OPEN, 60_000 + number)
    })
  }
  const claiming = ((performance.now() - begin) / claims) * 1000
  await store.close()
  console.log(
    `${targets} targets: ${creating.toFixed(1)} µs to create each, ${claiming.toFixed(0)} µs to claim a unit, ${inspecting.toFixed(1)} ms to inspect, ${(statSync(file).size / targets).toFixed(0)} bytes each`,
  )
}
