// The file of a ledger that cannot be used: each time a LedgerError with its reason and a sentence, and nothing is lost.

import {execFile, execFileSync} from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {createJob, inspectJob, listJobs, sqliteLedger} from 'multistatus/jobs'
import {fakeServer} from 'multistatus/testing'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {startFaultServer} from '../support/fault-server.ts'
import {clientOf, verdictsOf} from './support/bench.ts'
import type {LedgerProcessOptions, LedgerProcessOutcome} from './support/ledger-process.ts'

const PROGRAM = fileURLToPath(new URL('support/ledger-process.ts', import.meta.url))
// Root may write anywhere.
const UNPRIVILEGED = process.getuid?.() === 0 ? {uid: 65_534, gid: 65_534} : {}

/** Takes a step with the ledger in processes of their own, at once. */
async function takeStep(
  options: LedgerProcessOptions,
  processes: number,
  user: {readonly uid?: number; readonly gid?: number},
): Promise<readonly LedgerProcessOutcome[]> {
  const runs = Array.from({length: processes}, () =>
    promisify(execFile)(process.execPath, [PROGRAM, JSON.stringify(options)], user),
  )
  return (await Promise.all(runs)).map(({stdout}): LedgerProcessOutcome => JSON.parse(stdout))
}

/** Opens the ledger in processes that have no rights of root. */
function openElsewhere(path: string, processes = 2): Promise<readonly LedgerProcessOutcome[]> {
  return takeStep({file: path, id: 'nightly', step: 'cancel'}, processes, UNPRIVILEGED)
}

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multistatus-ledger-'))
  chmodSync(folder, 0o777)
  file = join(folder, 'ledger.sqlite')
})

afterEach(() => {
  chmodSync(folder, 0o777)
  rmSync(folder, {recursive: true})
})

const server = fakeServer()
const dav = clientOf(server)

async function makeLedger(): Promise<void> {
  await using ledger = await sqliteLedger(file)
  const targets = Array.from({length: 2000}, (_, index) => `a/${index}`)
  await createJob(ledger, {kind: 'delete', id: 'nightly', targets}, dav)
}

async function stateOf(id: string): Promise<string> {
  await using ledger = await sqliteLedger(file)
  return (await inspectJob(ledger, id)).state
}

describe('two processes with a ledger', () => {
  it('that may not be written are told so, may read it, and change nothing', async () => {
    await makeLedger()
    chmodSync(file, 0o444)
    for (const outcome of await openElsewhere(file)) {
      expect(outcome).toMatchObject({name: 'LedgerError', reason: 'read-only'})
      expect(outcome.steps).toEqual(['open', 'list'])
      expect(outcome.message).toContain(`${file} cannot be written`)
    }
    chmodSync(file, 0o644)
    expect(await stateOf('nightly')).toBe('open')
  })

  it('in a folder that may not be written are told so', async () => {
    await makeLedger()
    chmodSync(file, 0o666)
    chmodSync(folder, 0o555)
    for (const outcome of await openElsewhere(file)) {
      expect(outcome).toMatchObject({name: 'LedgerError', reason: 'read-only'})
      expect(outcome.message).toContain('folder')
    }
    chmodSync(folder, 0o777)
    expect(await stateOf('nightly')).toBe('open')
  })

  it('that is new, in a folder that may not be written, are told so', async () => {
    chmodSync(folder, 0o555)
    for (const outcome of await openElsewhere(file))
      expect(outcome).toMatchObject({name: 'LedgerError', reason: 'unreachable', steps: []})
  })

  it('that is new make one ledger', async () => {
    for (const outcome of await openElsewhere(file, 3))
      expect(outcome).toMatchObject({reason: 'missing', steps: ['open', 'list']})
  })

  it('that is no database are told so', async () => {
    const text = 'This is a letter to a friend. '.repeat(500)
    writeFileSync(file, text, {mode: 0o666})
    for (const outcome of await openElsewhere(file)) {
      expect(outcome).toMatchObject({name: 'LedgerError', reason: 'corrupt', steps: []})
      expect(outcome.message).toContain(file)
    }
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('that is damaged are told so', async () => {
    await makeLedger()
    const descriptor = openSync(file, 'r+')
    const {size} = statSync(file)
    for (let page = 4096; page < size; page += 4096)
      writeSync(descriptor, Buffer.alloc(4096, 0x5a), 0, 4096, page)
    closeSync(descriptor)
    chmodSync(file, 0o666)
    for (const outcome of await openElsewhere(file)) {
      expect(outcome).toMatchObject({name: 'LedgerError', reason: 'corrupt'})
      expect(outcome.message).toContain('damaged')
    }
  })

  it.for([0, 1])(
    'that is the database of another program, version %i, leave it as it is',
    async (version) => {
      {
        using database = new DatabaseSync(file)
        database.exec(`create table notes (text text); insert into notes values ('x')`)
        database.exec(`pragma user_version = ${version}`)
      }
      chmodSync(file, 0o666)
      const before = readFileSync(file)
      for (const outcome of await openElsewhere(file)) {
        expect(outcome).toMatchObject({name: 'LedgerError', reason: 'corrupt', steps: []})
        expect(outcome.message).toContain('no ledger')
      }
      expect(readFileSync(file).equals(before)).toBe(true)
    },
  )

  it.for([
    ['of the same names', 0, /is a database, but no ledger$/],
    ['of the same names', 1, /has a table job .*: no such column: kind; use another file$/],
    ['of an older ledger', 1, /has a table unit .*: no such column: crashes; use another file$/],
  ] as const)(
    'that has tables %s, version %i, are left as they are',
    async ([, version, words]) => {
      if (words.source.includes('unit')) {
        await makeLedger()
        using database = new DatabaseSync(file)
        database.exec('alter table unit drop column crashes; pragma journal_mode = delete')
      } else {
        using database = new DatabaseSync(file)
        database.exec('create table job (id text); create table verdict (case_number text)')
        database.exec(`pragma user_version = ${version}`)
      }
      chmodSync(file, 0o666)
      const before = readFileSync(file)
      for (const outcome of await openElsewhere(file)) {
        expect(outcome).toMatchObject({name: 'LedgerError', reason: 'corrupt', steps: []})
        expect(outcome.message).toMatch(words)
      }
      expect(readFileSync(file).equals(before)).toBe(true)
    },
  )

  it('of a later version are told so', async () => {
    await makeLedger()
    {
      using database = new DatabaseSync(file)
      database.exec('pragma user_version = 99')
    }
    chmodSync(file, 0o666)
    for (const outcome of await openElsewhere(file)) {
      expect(outcome).toMatchObject({name: 'LedgerError', reason: 'version', steps: []})
      expect(outcome.message).toContain('99')
    }
    {
      using database = new DatabaseSync(file)
      database.exec('pragma user_version = 1')
    }
    expect(await stateOf('nightly')).toBe('open')
  })
})

describe('a ledger', () => {
  it('whose folder is missing, or is no path, is refused', async () => {
    const nowhere = join(folder, 'none', 'ledger.sqlite')
    await expect(sqliteLedger(nowhere)).rejects.toMatchObject({reason: 'unreachable'})
    await expect(sqliteLedger(folder)).rejects.toMatchObject({reason: 'unreachable'})
    for (const wrong of ['', ':memory:', 1])
      await expect(sqliteLedger(wrong as never)).rejects.toThrow(TypeError)
  })

  it('that another process holds for some seconds is waited for', async () => {
    await makeLedger()
    await using ledger = await sqliteLedger(file)
    const database = new DatabaseSync(file)
    database.exec('begin immediate')
    setTimeout(() => {
      database.exec('commit')
      database.close()
    }, 50)
    await createJob(ledger, {kind: 'delete', id: 'second', targets: ['x']}, dav)
    expect(await listJobs(ledger)).toHaveLength(2)
  })
})

/** Mounts a small file system. Returns false where only root could, and this is not root. */
function mountSmall(path: string): boolean {
  mkdirSync(path)
  try {
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0777', 'tmpfs', path], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}

describe('a full disk', () => {
  it('is told to two processes, and their job goes on once there is space', async ({skip}) => {
    const small = join(folder, 'small')
    if (!mountSmall(small)) skip('NOT TESTED: a small file system can be mounted by root only')
    const own = await startFaultServer()
    try {
      const ballast = join(small, 'ballast')
      const path = join(small, 'ledger.sqlite')
      const told = {file: path, id: 'nightly', url: own.url, targets: 3000}
      const both = (step: 'create' | 'run'): Promise<readonly LedgerProcessOutcome[]> =>
        takeStep({...told, step}, 2, {})
      const full = {
        name: 'LedgerError',
        reason: 'full',
        message: expect.stringContaining(`${path} has no space left`),
      }
      await (await sqliteLedger(path)).close()

      fillUp(ballast, 0)
      for (const outcome of await both('create')) expect(outcome).toEqual({...full, steps: []})
      rmSync(ballast)

      await using ledger = await sqliteLedger(path)
      fillUp(ballast, 100_000)
      for (const outcome of await both('create'))
        expect(outcome).toEqual({...full, steps: ['open', 'list']})
      expect((await inspectJob(ledger, 'nightly')).state).toBe('filling')
      rmSync(ballast)
      for (const outcome of await both('create'))
        expect(outcome).toEqual({steps: ['open', 'list', 'create']})
      expect(await inspectJob(ledger, 'nightly')).toMatchObject({state: 'open', total: 3000})

      // The answers of the server to each href are its record. The disk is full while both processes wait for some.
      const record = new Map<string, number[]>()
      const workers = new Set<string | undefined>()
      const areBothAtWork = Promise.withResolvers<void>()
      let isFull = false
      own.script(async ({url, headers}) => {
        const answers = record.get(url) ?? []
        record.set(url, answers)
        const status = answers.length === 0 ? 204 : 404
        answers.push(status)
        workers.add(headers['user-agent'])
        if (workers.size === 2) areBothAtWork.resolve()
        await areBothAtWork.promise
        if (!isFull && record.size >= 500) {
          fillUp(ballast, 0)
          isFull = true
        }
        return {status}
      })
      for (const outcome of await both('run'))
        expect(outcome).toEqual({...full, steps: ['open', 'list']})
      const stored = await verdictsOf(ledger, 'nightly')
      const done = Object.keys(stored).length
      expect(done).toBeLessThan(record.size)
      expect(record.size).toBeLessThan(3000)
      expect(await inspectJob(ledger, 'nightly')).toMatchObject({state: 'open', done})
      rmSync(ballast)

      for (const outcome of await both('run'))
        expect(outcome).toEqual({steps: ['open', 'list', 'run']})
      expect(await inspectJob(ledger, 'nightly')).toMatchObject({state: 'done', done: 3000})
      const verdicts = await verdictsOf(ledger, 'nightly')
      expect(verdicts).toMatchObject(stored)
      const outcomes = Object.values(verdicts).map(({href, ok, status, inDoubt = false}) => ({
        href,
        ok,
        status,
        inDoubt,
      }))
      // What was sent again, and that alone, is in doubt.
      const expected = [...record].map(([href, answers]) => ({
        href,
        ok: true,
        status: answers.at(-1),
        inDoubt: answers.length > 1,
      }))
      const byHref = (one: {href: string}, other: {href: string}): number =>
        one.href < other.href ? -1 : 1
      expect(outcomes.toSorted(byHref)).toEqual(expected.toSorted(byHref))
      expect(outcomes).toHaveLength(3000)
    } finally {
      await own.close()
      execFileSync('/usr/bin/umount', ['-l', small])
    }
  }, 60_000)
})

/** Fills a file system up to some bytes. */
function fillUp(path: string, rest: number): void {
  writeFileSync(path, Buffer.alloc(0))
  const descriptor = openSync(path, 'r+')
  const free = Number(
    execFileSync('df', ['--output=avail', '-B1', path], {encoding: 'utf8'}).split('\n')[1],
  )
  writeSync(descriptor, Buffer.alloc(Math.max(0, free - rest)))
  closeSync(descriptor)
}
