// Jobs of a ledger through BullMQ 6 on Redis 7 and on PostgreSQL 15. Workers are processes that are killed, and so are the servers.

import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'

import {createPostgresBackend, Queue} from 'bullmq'
import {Redis as IORedis} from 'ioredis'
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
import {Client} from 'pg'
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
  /** Takes the lock of a queue job away from its worker. */
  loseLock(id: string): Promise<void>
  /** Makes it the 999th failure of a queue job. */
  failOften(id: string): Promise<void>
  /** Starts a worker in this process. */
  work(
    dav: DavClient,
  ): Promise<AsyncDisposable & Pick<JobWorker, 'close'> & {readonly worker: Events}>
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
    async loseLock(id) {
      const redis = new IORedis(server.port)
      await redis.del(`bull:multistatus:${id}:lock`)
      redis.disconnect()
    },
    async failOften(id) {
      const redis = new IORedis(server.port)
      await redis.hset(`bull:multistatus:${id}`, 'atm', 999)
      redis.disconnect()
    },
    worker: {ledger: file, lease: LEASE, engine: server.port},
    work: (dav) => jobWorker(ledger, dav, {connection, lease: LEASE, concurrency: 4}),
  }
}

async function onPostgres(): Promise<Engine> {
  const server = await startPostgres()
  onTestFinished(async () => {
    // BullMQ's close() ends before its connections, whose errors nobody listens to any more.
    await delay(300)
    await server.stop()
  })
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
    async loseLock(id) {
      const client = new Client(server.url)
      await client.connect()
      await client.query(
        `update bullmq.job set lock_token = 'lost', locked_until_ms = 0 where id = $1`,
        [id],
      )
      await client.end()
    },
    async failOften(id) {
      const client = new Client(server.url)
      await client.connect()
      await client.query('update bullmq.job set attempts_made = 999 where id = $1', [id])
      await client.end()
    },
    worker: {ledger: server.url, lease: LEASE, engine: server.url},
    work: (dav) => jobWorker(ledger, dav, {...how, concurrency: 4}),
  }
}

const engines = [
  ...(hasRedis ? [{name: 'Redis', start: onRedis}] : []),
  ...(hasPostgres ? [{name: 'PostgreSQL', start: onPostgres}] : []),
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
  const retry = {attempts: 3, minDelay: 50}
  return createJob(ledger, {kind: 'delete', id: 'night', targets, unitSize, retry}, dav)
}

/** Keeps some worker processes alive: each one that ends is started again. */
class Crew {
  readonly #children: ReturnType<typeof spawn>[] = []
  readonly #ready: Promise<unknown>[] = []
  readonly #options: QueueWorker
  #isStopped = false
  kills = 0
  output = ''

  constructor(size: number, options: QueueWorker) {
    this.#options = options
    for (let n = 0; n < size; n++) this.#start(n)
    onTestFinished(async () => {
      await this.stop('SIGKILL')
    })
  }

  #start(n: number): void {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(this.#options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#children[n] = child
    this.#ready[n] = once(child.stdout, 'data')
    child.stdout.on('data', (text: unknown) => (this.output += String(text)))
    child.once('exit', (_, signal) => {
      if (signal === 'SIGKILL') this.kills++
      if (!this.#isStopped) this.#start(n)
    })
  }

  /** Waits until each process has written its first line. */
  async ready(): Promise<void> {
    await Promise.all(this.#ready)
  }

  kill(n: number): void {
    this.#children[n]?.kill('SIGKILL')
  }

  /** Ends all of them, and returns their exit codes. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<readonly (number | null)[]> {
    this.#isStopped = true
    // A process that still starts does not know SIGTERM yet.
    if (signal === 'SIGTERM') await this.ready()
    const ended = this.#children.map(async (child) => {
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('exit', resolve).kill(signal))
      return child.exitCode
    })
    return Promise.all(ended)
  }
}

const WITHIN = {timeout: 120_000, interval: 50}
vi.setConfig({testTimeout: 240_000})

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

describe.each(engines)('jobs through BullMQ on $name', ({name, start}) => {
  it('3 workers of which 6 are killed give each href one true verdict', async () => {
    const engine = await start()
    const files = await serveFiles(3000)
    const job = await deleteFiles(engine, files)
    await enqueueJob(engine.queue, job, {workers: 3})
    const crew = new Crew(3, engine.worker)
    for (let kill = 0; kill < 6; kill++) {
      await untilDone(engine.ledger, job, (kill + 1) * 350)
      crew.kill(kill % 3)
      await delay(200)
    }
    await untilEnd(engine.ledger, job)
    await expectEmpty(engine)
    expect(await crew.stop()).toEqual([0, 0, 0])
    await expectTruth(engine, job, files)
    expect(crew.kills).toBe(6)
    expect(crew.output).not.toContain('failed')
    console.log(`${name}: ${files.sentAgain()} of 3000 hrefs sent again after 6 kills`)
  })

  it('a unit that kills its workers is set aside, and the job ends', async () => {
    const engine = await start()
    const files = await serveFiles(200)
    const job = await deleteFiles(engine, files, 20)
    const crew = new Crew(2, {...engine.worker, poison: 'file%2055.txt'})
    await enqueueJob(engine.queue, job, {workers: 2})
    await untilEnd(engine.ledger, job)
    await expectEmpty(engine)
    expect(await crew.stop()).toEqual([0, 0])
    // A run that stored verdicts of the unit before it was killed does not count.
    expect(crew.kills).toBeGreaterThanOrEqual(3)
    expect(crew.kills).toBeLessThanOrEqual(6)
    expect(await inspectJob(engine.ledger, job)).toMatchObject({setAside: 1, complete: false})
    expect(files.there).toContain('/c6/file%2055.txt')
  })

  it('a lost lock ends the run, and the queue job runs again', async () => {
    const engine = await start()
    const files = await serveFiles(1000)
    const job = await deleteFiles(engine, files)
    await using worker = await engine.work(files.dav)
    const lost: string[][] = []
    worker.worker.on('lockRenewalFailed', (ids) => lost.push(ids))
    await enqueueJob(engine.queue, job)
    await untilDone(engine.ledger, job, 50)
    await engine.loseLock('night.0')
    await untilEnd(engine.ledger, job)
    await expectEmpty(engine)
    expect(lost[0]).toEqual(['night.0'])
    // Each run of a job enters the ledger under a name of its own.
    expect((await inspectJob(engine.ledger, job)).workers).toHaveLength(2)
    await expectTruth(engine, job, files)
  })

  it('close() while working leaves nothing lost, and another worker goes on at once', async () => {
    const engine = await start()
    const files = await serveFiles(1000)
    const job = await deleteFiles(engine, files)
    const first = await engine.work(files.dav)
    await enqueueJob(engine.queue, job)
    await untilDone(engine.ledger, job, 50)
    await first.close()
    const {done} = await inspectJob(engine.ledger, job)
    expect(done).toBe(files.server.requests.length)
    expect(await engine.queue.getJobCounts()).toMatchObject({waiting: 1, active: 0, failed: 0})
    await using _ = await engine.work(files.dav)
    await untilEnd(engine.ledger, job)
    await expectEmpty(engine)
    await expectTruth(engine, job, files)
    expect(files.sentAgain()).toBe(0)
  })

  it('a cancelled job ends its queue job', async () => {
    const engine = await start()
    const files = await serveFiles(1000)
    const job = await deleteFiles(engine, files)
    await using _ = await engine.work(files.dav)
    await enqueueJob(engine.queue, job)
    await untilDone(engine.ledger, job, 50)
    await cancelJob(engine.ledger, job)
    await expectEmpty(engine)
    const {state, done} = await inspectJob(engine.ledger, job)
    expect([state, done]).toEqual(['cancelled', files.server.requests.length])
    // A cancelled job that is queued all the same sends nothing.
    await enqueueJob(engine.queue, job)
    await expectEmpty(engine)
    expect(files.server.requests).toHaveLength(done)
  })

  it('a worker of another URL or ledger puts a queue job back, and another worker gets it', async () => {
    const engine = await start()
    const files = await serveFiles(10)
    const job = await deleteFiles(engine, files)
    const failed: string[] = []
    {
      await using worker = await engine.work(new DavClient({url: `${files.dav.url}other/`}))
      worker.worker.on('failed', (_, error) => failed.push(`${error.name}: ${error.message}`))
      await enqueueJob(engine.queue, 'gone')
      await enqueueJob(engine.queue, job)
      await vi.waitFor(() => expect(failed.length).toBeGreaterThan(1), WITHIN)
    }
    expect(failed[0]).toBe('LedgerError: The ledger has no job gone')
    expect(failed[1]).toContain('TypeError: runJob: the job night is one of http://')
    expect(await engine.queue.getJob('night.0')).toBeDefined()

    await engine.failOften('gone.0')
    await using worker = await engine.work(files.dav)
    worker.worker.on('failed', (_, error) => failed.push(error.name))
    await untilEnd(engine.ledger, job)
    await expectEmpty(engine)
    // A job that no ledger has ends at last.
    expect(failed.at(-1)).toBe('UnrecoverableError')
  })

  it('enqueueJob adds no queue job twice, and superviseJobs only those of open jobs', async () => {
    const engine = await start()
    const files = await serveFiles(10)
    const job = await deleteFiles(engine, files)
    await enqueueJob(engine.queue, job, {workers: 2})
    await enqueueJob(engine.queue, job, {workers: 3})
    expect(await engine.queue.getJobCounts()).toMatchObject({waiting: 3})
    expect((await engine.queue.getJob('night.2'))?.data).toEqual({job: 'night'})
    await createJob(engine.ledger, {kind: 'list', id: 'other', tree: ''}, files.dav)
    await createJob(engine.ledger, {kind: 'list', id: 'ended', tree: ''}, files.dav)
    await cancelJob(engine.ledger, 'ended')
    await using _ = superviseJobs(engine.queue, engine.ledger, {every: 50, workers: 4})
    await delay(500)
    expect(await engine.queue.getJobCounts()).toMatchObject({waiting: 8})
  })

  it('a restart of its server in the middle of a job loses nothing', async () => {
    const engine = await (name === 'Redis' ? onRedis({appendonly: true}) : start())
    const files = await serveFiles(2000)
    const job = await deleteFiles(engine, files)
    const crew = new Crew(3, engine.worker)
    await enqueueJob(engine.queue, job, {workers: 3})
    await untilDone(engine.ledger, job, 300)
    await engine.server.kill()
    await delay(500)
    await engine.server.restart()
    await untilDone(engine.ledger, job, 900)
    await engine.server.restart()
    await untilEnd(engine.ledger, job)
    await expectEmpty(engine)
    expect(await crew.stop()).toEqual([0, 0, 0])
    await expectTruth(engine, job, files)
    expect(crew.kills).toBe(0)
  })
})

describe.skipIf(!hasRedis)('jobs through BullMQ on a Redis that forgets', () => {
  it('go on by superviseJobs after the Redis was killed', async () => {
    const engine = await onRedis()
    const files = await serveFiles(2000)
    const job = await deleteFiles(engine, files)
    const crew = new Crew(3, engine.worker)
    const errors: unknown[] = []
    const onError = (error: unknown): void => void errors.push(error)
    await using _ = superviseJobs(engine.queue, engine.ledger, {every: 500, workers: 3, onError})
    for (const done of [300, 900]) {
      await untilDone(engine.ledger, job, done)
      await engine.server.restart()
    }
    await untilEnd(engine.ledger, job)
    await expectEmpty(engine)
    expect(await crew.stop()).toEqual([0, 0, 0])
    await expectTruth(engine, job, files)
    expect(errors).toEqual([])
  })

  it('are maybe added while it is down, and run later', async () => {
    const engine = await onRedis()
    const files = await serveFiles(10)
    const job = await deleteFiles(engine, files)
    await engine.queue.getJobCounts()
    await engine.server.kill()
    const added = enqueueJob(engine.queue, job, {timeout: 300})
    await expect(added).rejects.toThrow(QueueTimeoutError)
    await expect(added).rejects.toThrow(
      'The queue did not answer for 300 ms: the job night was maybe added; add it again, it is never there twice',
    )
    await engine.server.restart()
    await using _ = await engine.work(files.dav)
    await untilEnd(engine.ledger, job)
    await expectTruth(engine, job, files)
  })

  it('close() comes back while it is down', async () => {
    const engine = await onRedis()
    const files = await serveFiles(1000)
    const job = await deleteFiles(engine, files)
    const [idle, busy] = [await engine.work(files.dav), await engine.work(files.dav)]
    const crew = new Crew(1, engine.worker)
    await crew.ready()
    await enqueueJob(engine.queue, job, {workers: 2})
    await untilDone(engine.ledger, job, 50)
    await engine.server.kill()
    await Promise.all([idle.close(), busy.close()])
    // Nothing of BullMQ keeps the process alive.
    expect(await crew.stop()).toEqual([0])
    expect((await inspectJob(engine.ledger, job)).done).toBe(files.server.requests.length)
    await engine.server.restart()
    await enqueueJob(engine.queue, job)
    await using _ = await engine.work(files.dav)
    await untilEnd(engine.ledger, job)
    await expectTruth(engine, job, files)
  })
})

it.skipIf((hasRedis && hasPostgres) || !isEveryServerRequired)('BullMQ was not tested', () => {
  expect.fail('NOT TESTED: Redis or PostgreSQL 15 not found (Debian: redis-server postgresql-15)')
})

describe.skipIf(!hasRedis)('the example job', () => {
  it('works through a Redis with a password', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const admin = new IORedis(redis.port)
    await admin.config('SET', 'requirepass', 'p@ss')
    admin.disconnect()
    const files = await serveFiles(0)
    const folder = await mkdtemp(join(tmpdir(), 'multistatus-ledger-'))
    onTestFinished(() => rm(folder, {recursive: true}))
    const tree = new URL('files/', files.dav.url).href
    const how = ['--engine', 'Redis', '--redis', `redis://:p%40ss@127.0.0.1:${redis.port}`]
    const program = fileURLToPath(new URL('../../examples/job/job.ts', import.meta.url))
    const given = [program, 'list', tree, '--ledger', join(folder, 'job.sqlite'), ...how]
    const child = spawn(process.execPath, given, {timeout: 30_000})
    let text = ''
    child.stdout.on('data', (chunk) => (text += String(chunk)))
    await once(child, 'close')
    expect(text).toContain(`Nothing is at ${tree}`)
  })
})
