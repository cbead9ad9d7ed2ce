// A process of its own that opens a ledger, lists its jobs and cancels one. It writes what came of it as JSON.

import {cancelJob} from '../../../src/jobs/again.ts'
import {listJobs} from '../../../src/jobs/inspect.ts'
import {sqliteLedger} from '../../../src/jobs/sqlite.ts'

const [, , file = '', id = ''] = process.argv
const steps: string[] = []
try {
  await using ledger = await sqliteLedger(file)
  steps.push('open')
  await listJobs(ledger)
  steps.push('list')
  await cancelJob(ledger, id)
  steps.push('cancel')
  console.log(JSON.stringify({steps}))
} catch (error) {
  const {name, message} = error instanceof Error ? error : {name: '', message: String(error)}
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined
  console.log(JSON.stringify({steps, name, reason, message}))
}
