// Deletes trees as jobs that workers on any number of machines share by pg-boss. `node examples/job-pg-boss.ts old/` adds a tree.
// Without a parameter it is one of the workers, until SIGTERM. The ledger and pg-boss share the database of `DATABASE_URL`.

import {once} from 'node:events'

import {basicAuth, DavClient} from 'multistatus'
import {createJob, postgresLedger, runJob} from 'multistatus/jobs'
import {PgBoss} from 'pg-boss'

const {DATABASE_URL = 'postgres://localhost/jobs', DAV_URL = 'http://localhost:8080/'} = process.env
const {DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})
await using ledger = await postgresLedger(DATABASE_URL)

// A killed worker is noticed at the next look after its heartbeat. The defaults look only once a minute.
const looks = {superviseIntervalSeconds: 5, monitorIntervalSeconds: 5}
const boss = new PgBoss({connectionString: DATABASE_URL, ...looks})
boss.on('error', console.error)
await boss.start()
const name = 'multistatus'
await boss.createQueue(name, {
  // A key is queued or at work once.
  policy: 'exclusive',
  heartbeatSeconds: 10,
  // Each loss of a worker and each end of the time counts. The ledger sets a unit aside that ends its workers.
  retryLimit: 100_000,
  retryBackoff: true,
  retryDelayMax: 60,
  expireInSeconds: 12 * 3600,
})

const [tree] = process.argv.slice(2)
if (tree !== undefined) {
  const job = await createJob(ledger, {kind: 'delete', tree}, dav)
  // One for each worker that shall share the job. They hold its name only: the ledger is the truth.
  for (const worker of [1, 2, 3])
    await boss.send(name, {job: job.id}, {singletonKey: `${job.id}.${worker}`})
  console.log(`added ${job.id}`)
} else {
  const stop = new AbortController()
  await boss.work<{job: string}>(name, async ([queued]) => {
    if (queued === undefined) return
    const signal = AbortSignal.any([queued.signal, stop.signal])
    const {successes, failures} = await runJob(ledger, queued.data.job, dav, {signal})
    console.log(`${successes} deleted, ${failures} failed`)
  })
  await once(process, 'SIGTERM')
  stop.abort(new Error('The worker was stopped'))
}
await boss.stop()
