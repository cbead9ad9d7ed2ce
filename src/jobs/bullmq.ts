/**
 * Runs the jobs of a ledger through BullMQ 6, on Redis or PostgreSQL. The queue wakes workers and replaces lost ones. The ledger
 * alone is the truth: a queue job holds the name of a ledger job and no href. To run it twice, or to lose it, does no harm.
 *
 * @packageDocumentation
 */

import type {BackendFactory, ConnectionOptions, IQueueBackend, JobsOptions, Worker} from 'bullmq'

import type {DavClient} from '../client/dav-client.ts'
import type {AsyncDisposing} from '../protocol/dispose.ts'
import {LONGEST_TIMER_MILLISECONDS} from '../protocol/bounds.ts'
import {tell} from '../protocol/listener.ts'
import {isWholeNumber} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, callback, NUMBER, readOptions, TEXT} from '../protocol/options.ts'
import type {ListedJob} from './inspect.ts'
import {listJobs} from './inspect.ts'
import type {Job} from './job.ts'
import type {Ledger} from './ledger.ts'
import {LedgerError, storeOf} from './ledger.ts'
import type {RunJobOptions} from './run.ts'
import {LONGEST_LEASE_MILLISECONDS, runJob} from './run.ts'

/** The name of the queue. */
const QUEUE = 'multistatus'
/** Milliseconds to wait for a queue whose server may be down: BullMQ itself waits without limit. */
const PATIENCE_MILLISECONDS = 10_000
/** Milliseconds to wait for the queue at the end of a worker. */
const ANSWER_MILLISECONDS = 2000
/** The longest time between two looks for lost workers. */
const STALLED_MILLISECONDS = 5000

/** Failures after which a queue job is given up whose job no ledger has. They take more than an hour. */
const MISSED = 1000

/** Options of each queue job. Its name is free again once it ends. Crashes are counted by the ledger, so it may always fail. */
const QUEUE_JOB: JobsOptions = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 1e9,
  backoff: {type: 'fixed', delay: 5000, jitter: 0.5},
  stackTraceLimit: 1,
}

/** The data of a queue job. */
export interface QueueJobData {
  /** The `id` of a job in the ledger. */
  readonly job: string
}

/** The part of a `Queue` of BullMQ that is used. */
export interface JobQueue {
  /** Adds queue jobs. One whose name is taken stays as it is. */
  addBulk(jobs: {name: string; data: QueueJobData; opts: JobsOptions}[]): Promise<unknown>
}

/** Options of `enqueueJob`. */
export interface EnqueueJobOptions {
  /**
   * The number of queue jobs, and so the most workers that the job gets at once.
   *
   * @defaultValue 1
   */
  readonly workers?: number | undefined
  /**
   * Milliseconds to wait for the queue.
   *
   * @defaultValue 10,000
   */
  readonly timeout?: number | undefined
}

/** Thrown where the queue did not answer in time. It may still do the call: BullMQ repeats it after it has connected again. */
export class QueueTimeoutError extends Error {
  /** The name of the class, the same in every copy of the package. */
  override readonly name = 'QueueTimeoutError'
  /** The `id` of the job in the ledger. */
  readonly job: string

  /** @internal */
  constructor(job: string, milliseconds: number) {
    super(
      `The queue did not answer for ${milliseconds} ms: the job ${job} was maybe added; add it again, it is never there twice`,
    )
    this.job = job
  }
}

const ENQUEUE_OPTIONS: Rules<EnqueueJobOptions> = {workers: NUMBER, timeout: NUMBER}

/**
 * Wakes workers for a job of the ledger. Those that the job already has stay: the same call again changes nothing.
 *
 * @param queue - A `Queue` of BullMQ. Give it a listener of its event `error`.
 * @throws {@link QueueTimeoutError} TypeError or RangeError for a wrong option. Errors of BullMQ.
 * @example
 * ```ts
 * const queue = new Queue('multistatus', {connection: {host: 'redis.internal'}})
 * const job = await createJob(ledger, {kind: 'delete', tree: 'archive/'}, dav)
 * await enqueueJob(queue, job, {workers: 4})
 * ```
 */
export async function enqueueJob(
  queue: JobQueue,
  job: Job | string,
  options: EnqueueJobOptions = {},
): Promise<void> {
  const given = readOptions('enqueueJob', options, ENQUEUE_OPTIONS)
  const {workers = 1, timeout = PATIENCE_MILLISECONDS} = given
  assertWhole('enqueueJob: workers', workers, 1)
  assertWhole('enqueueJob: timeout', timeout, 1)
  const id = typeof job === 'string' ? job : job.id
  // BullMQ ignores a job whose id it stores. It refuses ids with a colon and whole numbers; an id of the ledger has no colon.
  const jobs = Array.from({length: workers}, (_, number) => ({
    name: 'work',
    data: {job: id},
    opts: {...QUEUE_JOB, jobId: `${id}.${number}`},
  }))
  if (!(await isDone(queue.addBulk(jobs), timeout))) throw new QueueTimeoutError(id, timeout)
}

/** Options of `superviseJobs`. */
export interface SuperviseJobsOptions extends EnqueueJobOptions {
  /**
   * Milliseconds between two looks into the ledger.
   *
   * @defaultValue 30,000
   */
  readonly every?: number | undefined
  /** Called with each error of the ledger or the queue. The next look comes all the same. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** A supervisor at work. */
export interface JobSupervisor extends AsyncDisposing {
  /** Ends the supervisor. Queue jobs and workers stay. */
  close(): Promise<void>
}

const SUPERVISE_OPTIONS: Rules<SuperviseJobsOptions> = {
  ...ENQUEUE_OPTIONS,
  every: NUMBER,
  onError: callback('the error'),
}

/**
 * Wakes workers for each open job of the ledger, now and at regular times. A Redis without an append-only file forgets its jobs
 * when it restarts. Any number of supervisors may run.
 *
 * @throws TypeError or RangeError for a wrong option.
 * @example
 * ```ts
 * await using supervisor = superviseJobs(queue, ledger, {workers: 4, onError: console.error})
 * ```
 */
export function superviseJobs(
  queue: JobQueue,
  ledger: Ledger,
  options: SuperviseJobsOptions = {},
): JobSupervisor {
  const given = readOptions('superviseJobs', options, SUPERVISE_OPTIONS)
  const {every = 30_000, onError, ...how} = given
  assertWhole('superviseJobs: every', every, 1)
  assertWhole('superviseJobs: workers', how.workers ?? 1, 1)
  storeOf(ledger)
  const stop = new AbortController()
  const {signal} = stop
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve))
  const look = async (): Promise<void> => {
    for (const job of await listJobs(ledger))
      if (job.state === 'open' && !signal.aborted) await enqueueJob(queue, job, how)
  }
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await look().catch((error: unknown) => tell(onError, error))
      await isDone(stopped, every)
    }
  }
  const ended = loop()
  const close = (): Promise<void> => {
    stop.abort()
    return ended
  }
  return {close, [Symbol.asyncDispose]: close}
}

/** Options of `jobWorker`: those of `runJob`, and those of the queue. */
export interface JobWorkerOptions<Connection = ConnectionOptions> extends Omit<
  RunJobOptions,
  'signal' | 'name'
> {
  /** The connection of BullMQ, such as `{host, port}` of Redis, or what the `backend` takes. */
  readonly connection: Connection
  /** The store of BullMQ: `createPostgresBackend` of the package `bullmq`. Redis without it. */
  readonly backend?: BackendFactory<IQueueBackend, Connection> | undefined
  /**
   * The name of the queue.
   *
   * @defaultValue `multistatus`
   */
  readonly queue?: string | undefined
  /**
   * The prefix of the keys in Redis, as the `Queue` has it.
   *
   * @defaultValue `bull`
   */
  readonly prefix?: string | undefined
  /**
   * The most jobs that this worker works on at once.
   *
   * @defaultValue 1
   */
  readonly jobs?: number | undefined
}

/** A worker of a queue. */
export interface JobWorker<Connection = ConnectionOptions> extends AsyncDisposing {
  /** The worker of BullMQ. Listen to its events `error` and `failed`. */
  readonly worker: Worker<QueueJobData, void, string, IQueueBackend, never, Connection>
  /** Ends the worker. Requests under way end first, and their verdicts are stored. Its jobs go to other workers at once. */
  close(): Promise<void>
}

const WORKER_OPTIONS: Rules<JobWorkerOptions> = {
  connection: ANY,
  backend: callback('createPostgresBackend of bullmq'),
  queue: TEXT,
  prefix: TEXT,
  jobs: NUMBER,
  concurrency: NUMBER,
  lease: NUMBER,
  onProgress: callback('the report'),
  telemetry: ANY,
}

/**
 * Starts a worker of the queue, which calls `runJob` for each queue job. Start as many as you like, on any machine. The work of
 * one that is killed goes on in another after `lease` and at most 5 seconds.
 *
 * A queue job that fails goes back to the queue for some seconds, and the worker has the event `failed`. So another worker gets it
 * if this one has the client of another URL, or another ledger. A job that no ledger has is given up after 1000 failures.
 *
 * @param dav - The client, or a function that gives one with the URL of a job. The policy of retries is the job's own.
 * @throws TypeError without the package `bullmq`, and for a wrong option. RangeError for a number out of range.
 * @example
 * ```ts
 * await using worker = await jobWorker(ledger, dav, {connection: {host: 'redis.internal'}})
 * worker.worker.on('failed', (_, error) => console.error(error))
 * ```
 */
export async function jobWorker<Connection = ConnectionOptions>(
  ledger: Ledger,
  dav: DavClient | ((job: ListedJob) => DavClient | Promise<DavClient>),
  options: JobWorkerOptions<Connection>,
): Promise<JobWorker<Connection>> {
  const given = readOptions('jobWorker', options, WORKER_OPTIONS as Rules<typeof options>)
  const {connection, backend, queue = QUEUE, prefix, jobs = 1, ...how} = given
  const {lease = 30_000, concurrency = 1} = how
  assertWhole('jobWorker: jobs', jobs, 1)
  assertWhole('jobWorker: lease', lease, 1000, LONGEST_LEASE_MILLISECONDS)
  assertWhole('jobWorker: concurrency', concurrency, 1)
  storeOf(ledger)
  const bullmq = await import('bullmq').catch((error: unknown) => {
    throw new TypeError('jobWorker needs the package bullmq: npm install bullmq', {cause: error})
  })
  const stop = new AbortController()
  const running = new Set<Promise<void>>()

  const work = async ({job: id}: QueueJobData, signal: AbortSignal): Promise<void> => {
    const job = (await listJobs(ledger)).find((one) => one.id === id)
    if (job === undefined) throw new LedgerError('missing', `The ledger has no job ${id}`)
    if (job.state === 'done' || job.state === 'cancelled') return
    await runJob(ledger, job, typeof dav === 'function' ? await dav(job) : dav, {...how, signal})
  }

  const worker: JobWorker<Connection>['worker'] = new bullmq.Worker(
    queue,
    // BullMQ gives no signal to a function with fewer parameters.
    async (queued, token, signal) => {
      const ends = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])])
      const run = work(queued.data, ends)
      running.add(run)
      try {
        await run
      } catch (error) {
        // So the next worker need not wait for the end of the lock. If the queue is down, it does.
        if (stop.signal.aborted) await answers(queued.moveToWait(token))
        // The queue job is not ours any more.
        if (ends.aborted) throw new bullmq.WaitingError()
        // Another worker may have the right client or ledger, so the queue job goes back to the queue. A removed job has none.
        const isMissing = error instanceof LedgerError && error.reason === 'missing'
        const isRemoved = isMissing && queued.attemptsMade + 1 >= MISSED
        throw isRemoved ? new bullmq.UnrecoverableError(error.message) : error
      } finally {
        running.delete(run)
      }
    },
    {
      connection,
      ...(prefix !== undefined && {prefix}),
      concurrency: jobs,
      lockDuration: lease,
      stalledInterval: Math.min(STALLED_MILLISECONDS, lease / 2),
      // The default fails a job whose workers were killed twice.
      maxStalledCount: 1000,
    },
    backend as BackendFactory<IQueueBackend, Connection>,
  )
  // Without a listener, a lost connection would end the process.
  worker.on('error', () => {})
  worker.on('lockRenewalFailed', (lost) => {
    for (const id of lost) worker.cancelJob(id, 'the lock was lost')
  })

  const close = async (): Promise<void> => {
    stop.abort(new Error('The worker was closed'))
    // Takes no further queue job, such as one that was just given back.
    await worker.pause(true)
    await Promise.allSettled(running)
    // While its server is down, `close()` of BullMQ waits for it without limit, and `close(true)` does not.
    const isThere = await answers(worker.backend.getQueueMetaField('paused'))
    await isDone(worker.close(!isThere), PATIENCE_MILLISECONDS)
  }
  return {worker, close, [Symbol.asyncDispose]: close}
}

/** Tells if the queue does a call soon. */
function answers(call: Promise<unknown>): Promise<boolean> {
  return isDone(call, ANSWER_MILLISECONDS).catch(() => false)
}

function assertWhole(
  name: string,
  value: number,
  least: number,
  most: number = LONGEST_TIMER_MILLISECONDS,
): void {
  if (!isWholeNumber(value, least) || value > most)
    throw new RangeError(`${name} is a whole number from ${least} to ${most}`)
}

/** Waits for a promise, but not longer than some milliseconds. */
async function isDone(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const {promise: late, resolve} = Promise.withResolvers<false>()
  const timer = setTimeout(() => resolve(false), milliseconds)
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
