// A worker of the job campaign: `runJob` in a process that may be killed, stopped, or told a wrong time. It ends when
// nothing of the job is left.

import type {Ledger} from 'multistatus/jobs'

/** What a worker is told. */
export interface JobWorkerOptions {
  readonly store: JobStore
  readonly job: string
  readonly url: string
  readonly lease: number
  readonly concurrency: number
  /** Milliseconds by which the clock of the process is wrong. */
  readonly clock: number
}

/** The place of a ledger: a file of SQLite, or the URL of a PostgreSQL database. */
export type JobStore = {readonly file: string} | {readonly database: string}

const {store, job, url, lease, concurrency, clock}: JobWorkerOptions = JSON.parse(
  process.argv[2] ?? '',
)
// It ends with its parent.
process.once('disconnect', () => process.exit(1))
process.channel?.unref()
if (clock !== 0) moveClock(clock)
// Loaded after the clock was moved.
const {DavClient} = await import('multistatus')
const {postgresLedger, runJob, sqliteLedger} = await import('multistatus/jobs')

const ledger: Ledger =
  'file' in store ? await sqliteLedger(store.file) : await postgresLedger(store.database)
const dav = new DavClient({url})
await runJob(ledger, job, dav, {lease, concurrency})
await dav.close()
await ledger.close()

function moveClock(milliseconds: number): void {
  const RightDate = Date
  const now = (): number => RightDate.now() + milliseconds
  globalThis.Date = new Proxy(RightDate, {
    construct: (target, parameters) =>
      Reflect.construct(target, parameters.length === 0 ? [now()] : parameters),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  })
}
