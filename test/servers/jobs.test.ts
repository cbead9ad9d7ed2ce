/** Jobs on PostgreSQL 15: the facts that hold on SQLite too, and those of a server that ends. */
import {randomUUID} from 'node:crypto'
import {postgresLedger} from 'multistatus/jobs'
import pg from 'pg'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {describeJobs} from '../jobs/suite.ts'
import {isEveryServerRequired} from './support/missing.ts'
import {hasPostgres, startPostgres, type Postgres} from './support/postgres.ts'

let postgres: Postgres

describe.skipIf(!hasPostgres)('with a server', () => {
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  describeJobs('jobs in PostgreSQL', async () => {
    const schema = `jobs_${randomUUID().replaceAll('-', '')}`
    return {
      open: () => postgresLedger(postgres.url, {schema}),
      async run(sql) {
        const client = new pg.Client({connectionString: postgres.url})
        await client.connect()
        await client.query(`set search_path to ${schema}; ${sql}`)
        await client.end()
      },
      async close() {},
    }
  })
})

it.skipIf(hasPostgres || !isEveryServerRequired)('PostgreSQL 15 was not tested', () => {
  expect.fail('NOT TESTED: PostgreSQL 15 not found (Debian: postgresql-15)')
})
