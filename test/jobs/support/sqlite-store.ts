// A ledger in SQLite for tests, in memory where the system has such a folder: thousands of small transactions need no disk.

import {existsSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'

import {sqliteLedger} from 'multistatus/jobs'

import type {TestStore} from './bench.ts'

const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export async function makeSqliteStore(): Promise<TestStore> {
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
}
