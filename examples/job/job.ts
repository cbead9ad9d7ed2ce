// Deletes or lists a tree as a job that survives any crash: `npm run job -- delete https://dav.example/files/old/`. Run it again
// to continue, and at the same time in other terminals to share the work. `--ledger` names the file of the ledger, or a PostgreSQL
// database for several machines. `--engine redis` starts the workers through BullMQ; `--redis` is a URL such as
// `rediss://user:password@host:6379/0`.

import {createHash} from 'node:crypto'
import {setTimeout as pause} from 'node:timers/promises'
import {parseArgs} from 'node:util'

import {logUpdateStderr as show} from 'log-update'
import {basicAuth, DavClient} from 'multistatus'
import {
  createJob,
  exportVerdicts,
  inspectJob,
  listJobs,
  postgresLedger,
  removeJob,
  retryJob,
  runJob,
  sqliteLedger,
} from 'multistatus/jobs'
import type {Job, JobReport, Ledger} from 'multistatus/jobs'

import {draw} from './view.ts'

const {positionals, values} = parseArgs({
  allowPositionals: true,
  options: {
    ledger: {type: 'string', default: 'job.sqlite'},
    engine: {type: 'string', default: 'none'},
    redis: {type: 'string', default: 'redis://localhost:6379'},
    workers: {type: 'string', default: '4'},
    help: {type: 'boolean'},
  },
})
const [kind, url = ''] = positionals
const engine = values.engine.toLowerCase()
const isKnown = (kind === 'delete' || kind === 'list') && ['none', 'redis'].includes(engine)
if (!isKnown || !/^https?:/.test(url) || !URL.canParse(url) || !URL.canParse(values.redis)) {
  console.error(
    'Usage: npm run job -- delete|list URL [--ledger FILE|postgres://…] [--engine none|redis] [--redis redis://…] [--workers 4]',
  )
  process.exit(2)
}

const {DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const {href} = new URL(url)
const tree = href.endsWith('/') ? href : `${href}/`
const dav = new DavClient({url: new URL('../', tree), auth})

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => stop.abort(new Error('Stopped. Run it again to continue.')))

const ledger = values.ledger.startsWith('postgres')
  ? await postgresLedger(values.ledger)
  : await sqliteLedger(values.ledger)
try {
  // The same tree is the same job, so that the next run of this program continues it.
  const id = `${kind}-${createHash('sha256').update(tree).digest('hex').slice(0, 16)}`
  await open(ledger, id)
  const job = await createJob(ledger, {kind, id, tree}, dav)
  const report = engine === 'redis' ? await runOnRedis(ledger, job) : await runHere(ledger, job)
  show(draw(report))
  show.done()
  for await (const line of exportVerdicts(ledger, job, {failuresOnly: true}))
    process.stdout.write(line)
  const {successes, failures, resources, complete, incomplete} = report
  const isMissing = incomplete.some((gap) => gap.href === tree && gap.status === 404)
  if (isMissing) console.log(`Nothing is at ${tree}: check its spelling (job ${id})`)
  else console.log(`${successes} deleted, ${resources} listed, ${failures} failed (job ${id})`)
  if (failures > 0 || !complete) process.exitCode = 1
} catch (error) {
  show.done()
  if (!stop.signal.aborted) throw error
  console.error(stop.signal.reason.message)
  process.exitCode = 1
} finally {
  await ledger.close()
}

/** Tries the failures of an ended job again. One that has none to try again begins anew. */
async function open(from: Ledger, id: string): Promise<void> {
  const known = (await listJobs(from)).find((one) => one.id === id)
  if (known === undefined || known.state === 'open' || known.state === 'filling') return
  await retryJob(from, id)
  if ((await inspectJob(from, id)).state === 'done') await removeJob(from, id)
}

/** Works on the job in this process. */
function runHere(from: Ledger, job: Job): Promise<JobReport> {
  const onProgress = (report: JobReport): void => show(draw(report))
  return runJob(from, job, dav, {signal: stop.signal, onProgress})
}

/** Works on the job by workers of BullMQ, in this process and in any other one that runs this program. */
async function runOnRedis(from: Ledger, job: Job): Promise<JobReport> {
  const {Queue} = await import('bullmq')
  const {enqueueJob, jobWorker} = await import('multistatus/jobs/bullmq')
  const connection = {url: values.redis}
  const queue = new Queue('multistatus', {connection})
  queue.on('error', (error) => console.error(error.message))
  await enqueueJob(queue, job, {workers: Number(values.workers)})
  const worker = await jobWorker(from, dav, {connection})
  try {
    for (;;) {
      const report = await inspectJob(from, job)
      show(draw(report))
      if (report.state !== 'open') return report
      await pause(500, undefined, {signal: stop.signal})
    }
  } finally {
    await worker.close()
    await queue.close()
  }
}
