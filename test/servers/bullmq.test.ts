// Jobs of a ledger through BullMQ 6 on Redis 7 and on PostgreSQL 15. Workers are processes that are killed, and so are the servers.

import {spawn} from 'node:child_process'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'

import {createPostgresBackend, Queue} from 'bullmq'
import {DavClient} from 'multistatus'
import {
  cancelJob,
  createJob,
  exportVerdicts,
  inspectJob,
  type Job,
  type Ledger,
  postgresLedger,
  sqliteLedger,
} from 'multistatus/jobs'
import {
  enqueueJob,
  type JobQueue,
  type JobWorker,
  jobWorker,
  QueueTimeoutError,
  superviseJobs,
} from 'multistatus/jobs/bullmq'
import {describe, expect, it, onTestFinished, vi} from 'vitest'

import {type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {isEveryServerRequired} from './support/missing.ts'
import {hasPostgres, type Postgres, startPostgres} from './support/postgres.ts'
import type {QueueWorker} from './support/queue-worker.ts'
import {hasRedis, type Redis, startRedis} from './support/redis.ts'

const PROGRAM = fileURLToPath(new URL('support/queue-worker.ts', import.meta.url))
const LEASE = 2000
/** Milliseconds that the server takes for each answer. */
const ANSWER = 15

/** What the tests need of a store of BullMQ, and a ledger beside it. */
interface Engine {
  readonly server: Redis | Postgres
  readonly ledger: Ledger
  readonly queue: JobQueue & Pick<Queue, 'getJobCounts' | 'getJob' | 'close'>
  /** The parameter of a worker process. */
  readonly worker: Omit<QueueWorker, 'poison'>
  /** Starts a worker in this process. */
  work(dav: DavClient): Promise<Pick<JobWorker, 'close'> & {readonly worker: Events}>
}

interface Events {
  on(event: 'failed', listener: (job: unknown, error: Error) => void): unknown
  on(event: 'lockRenewalFailed', listener: (ids: string[]) => void): unknown
}

async function onRedis(options: {readonly appendonly?: boolean} = {}): Promise<Engine> {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-ledger-'))
  onTestFinished(() => rm(folder, {recursive: true}))
  const file = join(folder, 'ledger.sqlite')
  const ledger = await sqliteLedger(file)
  onTestFinished(() => ledger.close())
  const connection = {port: server.port}
  const queue = new Queue('multistatus', {connection})
  queue.on('error', () => {})
  onTestFinished(() => queue.close())
  return {
    server,
    ledger,
    queue,
    worker: {ledger: file, lease: LEASE, engine: server.port},
    work: (dav) => jobWorker(ledger, dav, {connection, lease: LEASE, concurrency: 4}),
  }
}

async function onPostgres(): Promise<Engine> {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const ledger = await postgresLedger(server.url)
  onTestFinished(() => ledger.close())
  const connection = {connectionString: server.url, migrate: true}
  const queue = new Queue('multistatus', {connection}, createPostgresBackend)
  queue.on('error', () => {})
  onTestFinished(() => queue.close())
  await queue.waitUntilReady()
  const how = {connection: server.url, backend: createPostgresBackend, lease: LEASE}
  return {
    server,
    ledger,
    queue,
    worker: {ledger: server.url, lease: LEASE, engine: server.url},
    work: (dav) => jobWorker(ledger, dav, {...how, concurrency: 4}),
  }
}

const engines = [
  {name: 'Redis', start: onRedis, isThere: hasRedis},
  {name: 'PostgreSQL', start: onPostgres, isThere: hasPostgres},
]

/** A server of files that counts what it did with each of them. A name that begins with `kept` is never deleted. */
interface Files {
  readonly server: FaultServer
  readonly dav: DavClient
  readonly names: readonly string[]
  readonly there: ReadonlySet<string>
  /** Paths for which a DELETE arrived more than once. */
  sentAgain(): number
}

async function serveFiles(count: number): Promise<Files> {
  const server = await startFaultServer()
  onTestFinished(() => server.close())
  const names = Array.from({length: count}, (_, n) => {
    const kind = n % 50 === 7 ? 'kept' : 'file'
    return `c${n % 7}/${kind} ${n}.txt`
  })
  const there = new Set(names.map((name) => `/${encodeURI(name)}`))
  server.script(async ({url}) => {
    await delay(ANSWER)
    if (url.includes('/kept')) return {status: 403}
    return {status: there.delete(url) ? 204 : 404}
  })
  const dav = new DavClient({url: server.url})
  const sentAgain = (): number =>
    server.requests.length - new Set(server.requests.map(({url}) => url)).size
  return {server, dav, names, there, sentAgain}
}

/** Stores a job that deletes all files. */
function deleteFiles({ledger}: Engine, {names, dav}: Files, unitSize = 100): Promise<Job> {
  const targets = names.map((name) => encodeURI(name))
  return createJob(ledger, {kind: 'delete', id: 'night', targets, unitSize}, dav)
}

/** Keeps some worker processes alive: each one that ends is started again. */
class Crew {
  readonly #children: ReturnType<typeof spawn>[] = []
  readonly #options: QueueWorker
  #isStopped = false
  kills = 0
  output = ''

  constructor(size: number, options: QueueWorker) {
    this.#options = options
    for (let n = 0; n < size; n++) this.#start(n)
    onTestFinished(() => this.stop('SIGKILL'))
  }

  #start(n: number): void {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(this.#options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#children[n] = child
    child.stdout.on('data', (text: unknown) => (this.output += String(text)))
    child.once('exit', (_, signal) => {
      if (signal === 'SIGKILL') this.kills++
      if (!this.#isStopped) this.#start(n)
    })
  }

  kill(n: number): void {
    this.#children[n]?.kill('SIGKILL')
  }

  /** Ends all of them, and returns their exit codes. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<readonly (number | null)[]> {
    this.#isStopped = true
    const ended = this.#children.map(async (child) => {
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('exit', resolve).kill(signal))
      return child.exitCode
    })
    return Promise.all(ended)
  }
}

const WITHIN = {timeout: 60_000, interval: 50}

/** Waits until a share of the verdicts is stored. */
async function untilDone(ledger: Ledger, job: Job, least: number): Promise<void> {
  await vi.waitFor(async () => {
    expect((await inspectJob(ledger, job)).done).toBeGreaterThanOrEqual(least)
  }, WITHIN)
}

async function untilEnd(ledger: Ledger, job: Job): Promise<void> {
  await vi.waitFor(async () => {
    expect((await inspectJob(ledger, job)).state).toBe('done')
  }, WITHIN)
}

/** Waits until the queue has forgotten its jobs. */
async function expectEmpty({queue}: Engine): Promise<void> {
  await vi.waitFor(async () => {
    const counts = Object.values(await queue.getJobCounts())
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(0)
  }, WITHIN)
}

/** Compares the verdicts with the server's own record: one for each file, and each of them true. */
async function expectTruth({ledger}: Engine, job: Job, {names, there, dav}: Files): Promise<void> {
  const verdicts = new Map<string, boolean>()
  let count = 0
  for await (const line of exportVerdicts(ledger, job)) {
    const {url, ok} = JSON.parse(line)
    verdicts.set(url, ok)
    count++
  }
  expect(count).toBe(names.length)
  expect(verdicts.size).toBe(names.length)
  for (const name of names) {
    const url = new URL(encodeURI(name), dav.url)
    expect([name, verdicts.get(url.href)]).toEqual([name, !there.has(url.pathname)])
  }
  expect([...there].every((path) => path.includes('/kept'))).toBe(true)
}

describe.each(engines)('jobs through BullMQ on $name', ({name, start, isThere}) => {
  const test = it.skipIf(!isThere && !isEveryServerRequired)

  test('3 workers of which 8 are killed give each href one true verdict', async () => {
    const engine = await start()
    const files = await serveFiles(6000)
    const job = await deleteFiles(engine, files)
    await enqueueJob(engine.queue, job, {workers: 3})
    const crew = new Crew(3, engine.worker)
    for (let kill = 0; kill < 8; kill++) {
      await untilDone(engine.ledger, job, (kill + 1) * 500)
      crew.kill(kill % 3)
      await delay(200)
    }
    await untilEnd(engine.ledger, job)
    await expectEmpty(engine)
    expect(await crew.stop()).toEqual([0, 0, 0])
    await expectTruth(engine, job, files)
    expect(crew.kills).toBe(8)
    expect(crew.output).not.toContain('failed')
    console.log(`${name}: ${files.sentAgain()} of 6000 hrefs sent again after 8 kills`)
  }, 120_000)
})
