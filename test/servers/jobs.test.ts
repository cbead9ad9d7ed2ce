/** Jobs on PostgreSQL 15: the facts that hold on SQLite too, and those of a server that ends. */
import {randomUUID} from 'node:crypto'
import {createJob, postgresLedger, runJob} from 'multistatus/jobs'
import {fakeServer} from 'multistatus/testing'
import pg from 'pg'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {describeJobs} from '../jobs/suite.ts'
import {clientOf, fill, verdictsOf} from '../jobs/support/bench.ts'
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

  it.for(['restart', 'kill'] as const)(
    'a job goes on after a %s of PostgreSQL, and has one verdict for each href',
    async (way) => {
      const schema = `jobs_${randomUUID().replaceAll('-', '')}`
      await using ledger = await postgresLedger(postgres.url, {schema})
      await using other = await postgresLedger(postgres.url, {schema})
      const server = fakeServer()
      const targets = fill(server, 'a/', 300)
      const options = {kind: 'delete', targets, unitSize: 20} as const
      const job = await createJob(ledger, options, clientOf(server))
      let ends: Promise<void> | undefined
      const dav = clientOf({
        url: server.url,
        async transport(request) {
          if (server.requests.length === 100)
            ends ??=
              way === 'kill' ? postgres.kill().then(() => postgres.restart()) : postgres.restart()
          return server.transport(request)
        },
      })
      const reports = await Promise.all([runJob(ledger, job, dav), runJob(other, job, dav)])
      await ends
      expect(ends).toBeDefined()
      for (const report of reports)
        expect(report).toMatchObject({state: 'done', done: 300, successes: 300, failures: 0})
      expect(Object.keys(await verdictsOf(ledger, job))).toHaveLength(300)
      expect(server.files).toEqual({'a/': ''})
    },
  )

  it('a schema of a later version is refused, and so is a name that is none', async () => {
    const schema = `jobs_${randomUUID().replaceAll('-', '')}`
    await (await postgresLedger(postgres.url, {schema})).close()
    const client = new pg.Client({connectionString: postgres.url})
    await client.connect()
    await client.query(`insert into ${schema}.version values (99)`)
    await client.end()
    await expect(postgresLedger(postgres.url, {schema})).rejects.toMatchObject({
      name: 'LedgerError',
      reason: 'version',
      message: expect.stringContaining('99'),
    })
    for (const wrong of ['', 'A', 'a b', 'a;b'])
      await expect(postgresLedger(postgres.url, {schema: wrong})).rejects.toThrow(TypeError)
    await expect(postgresLedger({} as never)).rejects.toThrow(TypeError)
  })

  it.for([
    ['create table version (major text)', 'version', 'column "schema" does not exist'],
    ['create table job (id text)', 'job', 'column "kind" does not exist'],
    ['create table unit (width bigint)', 'unit', 'column "id" does not exist'],
    ['create sequence worker', 'worker', 'column "job" does not exist'],
    ['alter table unit drop column crashes', 'unit', 'column "crashes" does not exist'],
  ] as const)('a schema with other tables is refused: %s', async ([change, table, words]) => {
    const schema = `jobs_${randomUUID().replaceAll('-', '')}`
    const isOlder = change.startsWith('alter')
    if (isOlder) await (await postgresLedger(postgres.url, {schema})).close()
    const client = new pg.Client({connectionString: postgres.url})
    await client.connect()
    await client.query(
      `create schema if not exists ${schema}; set search_path to ${schema}; ${change}`,
    )
    const count = 'select count(*) from pg_class where relnamespace = $1::regnamespace'
    const before = (await client.query(count, [schema])).rows
    await expect(postgresLedger(postgres.url, {schema})).rejects.toMatchObject({
      name: 'LedgerError',
      reason: 'corrupt',
      message: `The schema ${schema} has a table ${table} that is not one of this ledger: ${words}; use another schema`,
    })
    // Nothing was added to it.
    expect((await client.query(count, [schema])).rows).toEqual(before)
    await client.end()
  })

  it('a role that may not create anything uses a ledger that is there', async () => {
    const schema = `jobs_${randomUUID().replaceAll('-', '')}`
    await using owner = await postgresLedger(postgres.url, {schema})
    const server = fakeServer()
    const targets = fill(server, 'a/', 3)
    const job = await createJob(owner, {kind: 'delete', targets}, clientOf(server))
    const client = new pg.Client({connectionString: postgres.url})
    await client.connect()
    await client.query(
      `create role plain login; grant usage on schema ${schema} to plain; create schema own_${schema};
        grant select, insert, update, delete on all tables in schema ${schema} to plain;
        grant usage, create on schema own_${schema} to plain`,
    )
    await client.end()
    const url = new URL(postgres.url)
    url.username = 'plain'
    await using ledger = await postgresLedger(url.href, {schema})
    expect(await runJob(ledger, job, clientOf(server))).toMatchObject({successes: 3})
    // Tables can be made in a schema that is there.
    await (await postgresLedger(url.href, {schema: `own_${schema}`})).close()
    await expect(postgresLedger(url.href, {schema: 'never'})).rejects.toMatchObject({
      name: 'LedgerError',
      reason: 'read-only',
      message: expect.stringContaining('permission denied'),
    })
  })

  it('a database that takes no changes is told as read-only', async () => {
    const pool = new pg.Pool({
      connectionString: postgres.url,
      options: '-c default_transaction_read_only=on',
    })
    await expect(postgresLedger(pool, {schema: 'never'})).rejects.toMatchObject({
      name: 'LedgerError',
      reason: 'read-only',
    })
    await pool.end()
  })

  it('a database that is not there is told as unreachable', async () => {
    const url = new URL(postgres.url)
    url.pathname = '/nowhere'
    await expect(postgresLedger(url.href)).rejects.toMatchObject({
      name: 'LedgerError',
      reason: 'unreachable',
      message: expect.stringContaining('nowhere'),
    })
  })

  it('a pool of the caller stays open', async () => {
    const pool = new pg.Pool({connectionString: postgres.url})
    await (await postgresLedger(pool, {schema: 'shared'})).close()
    expect((await pool.query('select 1 as one')).rows).toEqual([{one: 1}])
    await pool.end()
  })
})

it.skipIf(hasPostgres || !isEveryServerRequired)('PostgreSQL 15 was not tested', () => {
  expect.fail('NOT TESTED: PostgreSQL 15 not found (Debian: postgresql-15)')
})
