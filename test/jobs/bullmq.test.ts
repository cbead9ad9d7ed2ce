// The adapter for BullMQ without a queue server: its options, and its errors.

import {registerHooks} from 'node:module'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {DavClient} from 'multistatus'
import {createJob, type Ledger, sqliteLedger} from 'multistatus/jobs'
import {
  enqueueJob,
  type JobQueue,
  jobWorker,
  QueueTimeoutError,
  superviseJobs,
} from 'multistatus/jobs/bullmq'
import {expect, it, onTestFinished, vi} from 'vitest'

const dav = new DavClient({url: 'https://dav.example/'})

async function openLedger(): Promise<Ledger> {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-'))
  onTestFinished(() => rm(folder, {recursive: true}))
  const ledger = await sqliteLedger(join(folder, 'job.sqlite'))
  onTestFinished(() => ledger.close())
  return ledger
}

it('enqueueJob adds one queue job for each worker, with no more than the name of the job', async () => {
  const addBulk = vi.fn<JobQueue['addBulk']>(async () => [])
  await enqueueJob({addBulk}, 'night', {workers: 2})
  const settings = {removeOnComplete: true, removeOnFail: true, attempts: 1e9}
  expect(addBulk.mock.calls).toMatchObject([
    [
      [
        {name: 'work', data: {job: 'night'}, opts: {...settings, jobId: 'night.0'}},
        {name: 'work', data: {job: 'night'}, opts: {...settings, jobId: 'night.1'}},
      ],
    ],
  ])
})

it('enqueueJob does not wait without limit for a queue that is down', async () => {
  const down = {addBulk: () => new Promise(() => {})}
  const added = enqueueJob(down, 'night', {timeout: 20})
  await expect(added).rejects.toThrow(QueueTimeoutError)
  await expect(added).rejects.toThrow(
    /^The queue did not answer for 20 ms: the job night was maybe/,
  )
})

it('superviseJobs goes on after an error, and ends at close()', async () => {
  const ledger = await openLedger()
  await createJob(ledger, {kind: 'list', id: 'night', tree: ''}, dav)
  const errors: unknown[] = []
  let looks = 0
  const addBulk = async (): Promise<void> => {
    if (++looks < 3) throw new Error(`look ${looks}`)
  }
  const supervisor = superviseJobs({addBulk}, ledger, {
    every: 5,
    onError: (error) => errors.push(error),
  })
  await vi.waitFor(() => expect(looks).toBeGreaterThan(4))
  await supervisor.close()
  const last = looks
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(looks).toBe(last)
  expect(errors).toEqual([new Error('look 1'), new Error('look 2')])
})

it('superviseJobs goes on after a listener that throws', async () => {
  const errors: unknown[] = []
  const queue = globalThis.queueMicrotask
  vi.stubGlobal('queueMicrotask', (run: () => void) =>
    queue(() => {
      try {
        run()
      } catch (error) {
        errors.push(error)
      }
    }),
  )
  onTestFinished(() => void vi.unstubAllGlobals())
  const ledger = await openLedger()
  await createJob(ledger, {kind: 'list', id: 'night', tree: ''}, dav)
  const addBulk = (): Promise<never> => Promise.reject(new Error('the queue is down'))
  const onError = (): never => {
    throw new Error('no disk')
  }
  const supervisor = superviseJobs({addBulk}, ledger, {every: 5, onError})
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1))
  await supervisor.close()
  expect(errors[0]).toEqual(new Error('no disk'))
})

it('refuses wrong options at the door', async () => {
  const ledger = await openLedger()
  const queue = {addBulk: async () => []}
  const connection = {port: 1}
  await expect(enqueueJob(queue, 'night', {workers: 0})).rejects.toThrow(
    new RangeError('enqueueJob: workers is a whole number from 1 to 2147483647'),
  )
  // A timer of more than 2,147,483,647 milliseconds would end at once.
  for (const every of [0, 30 * 86_400_000])
    expect(() => superviseJobs(queue, ledger, {every})).toThrow(RangeError)
  for (const timeout of [-5, Number.NaN, 2 ** 31])
    await expect(enqueueJob(queue, 'night', {timeout})).rejects.toThrow(RangeError)
  await expect(jobWorker(ledger, dav, {connection, lease: 4_000_000})).rejects.toThrow(RangeError)
  expect(() => superviseJobs(queue, {} as Ledger)).toThrow('Give a ledger')
  await expect(jobWorker(ledger, dav, {connection, lease: 10})).rejects.toThrow(
    new RangeError('jobWorker: lease is a whole number from 1000 to 3600000'),
  )
  await expect(jobWorker(ledger, dav, {connection, jobs: 1.5})).rejects.toThrow(RangeError)
  const misspelt = {connection, worker: 2}
  await expect(jobWorker(ledger, dav, misspelt)).rejects.toThrow(TypeError)
})

it('says which package is missing', async () => {
  const hooks = registerHooks({
    resolve(name, context, next) {
      if (name === 'bullmq') throw new Error(`Cannot find package '${name}'`)
      return next(name, context)
    },
  })
  onTestFinished(() => hooks.deregister())
  const ledger = await openLedger()
  await expect(jobWorker(ledger, dav, {connection: {port: 1}})).rejects.toThrow(
    new TypeError('jobWorker needs the package bullmq: npm install bullmq'),
  )
})
