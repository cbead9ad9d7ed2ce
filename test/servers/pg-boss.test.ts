// The example job-pg-boss.ts on PostgreSQL 15: workers of which one is killed.

import {execFile, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {exportVerdicts, inspectJob, postgresLedger} from 'multistatus/jobs'
import {expect, it, onTestFinished, vi} from 'vitest'

import {startEmbeddedServer} from '../support/embedded-server.ts'
import {isEveryServerRequired} from './support/missing.ts'
import {hasPostgres, startPostgres} from './support/postgres.ts'

const PROGRAM = fileURLToPath(new URL('../../examples/job-pg-boss.ts', import.meta.url))
const WITHIN = {timeout: 90_000, interval: 100}

it.skipIf(!hasPostgres && !isEveryServerRequired)(
  'job-pg-boss.ts ends a job of which a worker was killed',
  async () => {
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    const server = await startEmbeddedServer()
    onTestFinished(() => server.close())
    const {DAV_USERNAME: _, DAV_PASSWORD: __, ...inherited} = process.env
    const env = {...inherited, DAV_URL: server.url, DATABASE_URL: postgres.url}
    await fill(server.folder, 2000)
    const {stdout} = await promisify(execFile)(process.execPath, [PROGRAM, 'old/'], {env})
    const [, id = ''] = /^added (.+)$/m.exec(stdout) ?? []

    const ledger = await postgresLedger(postgres.url)
    onTestFinished(() => ledger.close())
    const start = (): ReturnType<typeof spawn> => {
      const child = spawn(process.execPath, [PROGRAM], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      return child
    }
    const killed = start()
    await vi.waitFor(async () => {
      expect((await inspectJob(ledger, id)).done).toBeGreaterThan(100)
    }, WITHIN)
    killed.kill('SIGKILL')
    const workers = [start(), start()]
    await vi.waitFor(async () => {
      expect((await inspectJob(ledger, id)).state).toBe('done')
    }, WITHIN)
    const codes = workers.map(async (worker) => {
      worker.kill('SIGTERM')
      await once(worker, 'exit')
      return worker.exitCode
    })
    expect(await Promise.all(codes)).toEqual([0, 0])
    const urls = new Set<string>()
    for await (const line of exportVerdicts(ledger, id)) urls.add(JSON.parse(line).url)
    const report = await inspectJob(ledger, id)
    expect(report).toMatchObject({done: 2021, successes: 2021, failures: 0, complete: true})
    expect(urls.size).toBe(2021)
    expect(await readdir(server.folder)).not.toContain('old')
  },
  180_000,
)

/** Makes files in 20 collections. */
async function fill(folder: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const parent = join(folder, 'old', `c ${n % 20}`)
    if (n < 20) await mkdir(parent, {recursive: true})
    await writeFile(join(parent, `${n}.txt`), 'x')
  }
}
