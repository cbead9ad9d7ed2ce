import {existsSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'

import {sqliteLedger} from 'multistatus/jobs'

import {describeJobs} from './suite.ts'

/** A folder in memory, where there is one: thousands of small transactions need no disk to be tested. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

describeJobs('jobs in SQLite', async () => {
  const folder = mkdtempSync(join(MEMORY, 'multistatus-jobs-'))
  const file = join(folder, 'ledger.sqlite')
  return {
    open: () => sqliteLedger(file),
    async run(sql) {
      using database = new DatabaseSync(file, {timeout: 5000})
      database.exec(sql)
    },
    async close() {
      rmSync(folder, {recursive: true})
    },
  }
})
