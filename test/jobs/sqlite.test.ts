import {describeJobs} from './suite.ts'
import {makeSqliteStore} from './support/sqlite-store.ts'

describeJobs('jobs in SQLite', makeSqliteStore)
