// A process of its own that opens a ledger, lists its jobs, and takes a step: it cancels a job, creates one or runs it. It writes
// what came of it as JSON.

import {DavClient} from '../../../src/client/dav-client.ts'
import {cancelJob} from '../../../src/jobs/again.ts'
import {createJob} from '../../../src/jobs/create.ts'
import {listJobs} from '../../../src/jobs/inspect.ts'
import {runJob} from '../../../src/jobs/run.ts'
import {sqliteLedger} from '../../../src/jobs/sqlite.ts'

/** What the process is told. */
export interface LedgerProcessOptions {
  readonly file: string
  readonly id: string
  readonly step: 'cancel' | 'create' | 'run'
  /** The server, and the number of targets, which are named by their numbers. */
  readonly url?: string
  readonly targets?: number
}

/** What came of it. */
export interface LedgerProcessOutcome {
  readonly steps: readonly string[]
  readonly name?: string
  readonly reason?: string
  readonly message?: string
}

const told: LedgerProcessOptions = JSON.parse(process.argv[2] ?? '')
const {file, id, step, url = 'http://localhost/', targets: count = 0} = told
const steps: string[] = []
try {
  await using ledger = await sqliteLedger(file)
  steps.push('open')
  await listJobs(ledger)
  steps.push('list')
  const dav = new DavClient({url, userAgent: String(process.pid)})
  const targets = Array.from({length: count}, (_, index) => String(index))
  if (step === 'cancel') await cancelJob(ledger, id)
  else if (step === 'create')
    await createJob(ledger, {kind: 'delete', id, targets, unitSize: 100}, dav)
  else await runJob(ledger, id, dav, {lease: 1000})
  steps.push(step)
  await dav.close()
  end({steps})
} catch (error) {
  const {name, message} = error instanceof Error ? error : {name: '', message: String(error)}
  const reason = error instanceof Error && 'reason' in error ? String(error.reason) : undefined
  end({steps, name, ...(reason !== undefined && {reason}), message})
}

function end(outcome: LedgerProcessOutcome): void {
  console.log(JSON.stringify(outcome))
}
