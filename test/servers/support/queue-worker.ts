/** A worker of a queue as a process of its own, of the built package. Its parameter is a {@link QueueWorker}; SIGTERM ends it. */
import {createPostgresBackend} from 'bullmq'
import {DavClient, type Transport} from 'multistatus'
import {postgresLedger, sqliteLedger} from 'multistatus/jobs'
import {jobWorker} from 'multistatus/jobs/bullmq'
import {undiciTransport} from 'multistatus/undici'

export interface QueueWorker {
  /** A file for SQLite, or the URL of a PostgreSQL. */
  readonly ledger: string
  readonly lease: number
  /** The port of a Redis, or the URL of a PostgreSQL. */
  readonly engine: number | string
  /** A part of a URL: a request for it ends the process by SIGKILL. */
  readonly poison?: string
}

const ended = new Promise((resolve) => process.once('SIGTERM', resolve))
const [, , parameter = '{}'] = process.argv
const {ledger: store, lease, engine, poison}: QueueWorker = JSON.parse(parameter)
await using ledger = await (store.includes('://') ? postgresLedger(store) : sqliteLedger(store))
const undici = undiciTransport()
const transport: Transport = async (request) => {
  if (poison !== undefined && request.url.includes(poison)) process.kill(process.pid, 'SIGKILL')
  return undici(request)
}
const dav = ({url}: {readonly url: string}): DavClient => new DavClient({url, transport})
const how = {lease, concurrency: 4}
const {worker, ...started} = await (typeof engine === 'number'
  ? jobWorker(ledger, dav, {...how, connection: {port: engine}})
  : jobWorker(ledger, dav, {...how, connection: engine, backend: createPostgresBackend}))
worker.on('failed', (_, error) => console.log('failed', error.message))
worker.on('error', (error) => console.log('error', error.message))
await worker.waitUntilReady()
console.log('ready')
await ended
await started.close()
