// The examples that hand a job over, run on the built package against a real server (nephele). SIGKILL ends
// delete-job.ts in the middle, and finish-job.ts does the rest. The final journal is compared with the disk.

import {type ChildProcess, execFile, spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {type DavResult, decodePath, encodePath} from 'multistatus'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {lock, unlock} from '../../examples/demo/lock.ts'
import {type EmbeddedServer, startEmbeddedServer} from '../support/embedded-server.ts'

type Program = 'delete-job' | 'finish-job'

// Locked during the first program, and unlocked before the second.
const FREED = ['freed.txt', 'freed/in it.txt']
// Locked all the time.
const KEPT = ['kept.txt', 'kept/in it.txt']
const NASTY = ['100% #1?.txt', "it's [1] {2} ^`|.txt", 'café 😀.txt', '<b> &amp;.txt', '%41+~']
const PLAIN = Array.from({length: 100}, (_, number) => `plain/${number}.txt`)
const FILES = [...FREED, ...KEPT, ...NASTY, ...PLAIN, 'freed/other.txt', 'kept/other.txt']
const MISSING = 'missing.txt'
const SPECIAL = ['freed.txt', 'freed', 'kept.txt', 'kept', MISSING, ...NASTY]
const TARGETS = [...PLAIN.slice(0, 50), ...SPECIAL, ...PLAIN.slice(50)]

const run = promisify(execFile)
let server: EmbeddedServer
let folder: string
let targets: string
let journal: string
let sent: string[]
let tokens: Map<string, string>
let child: ChildProcess | undefined

beforeEach(async () => {
  server = await startEmbeddedServer()
  for (const name of ['plain', 'freed', 'kept']) await mkdir(join(server.folder, name))
  for (const file of FILES) await writeFile(join(server.folder, file), file)
  tokens = new Map()
  for (const file of [...FREED, ...KEPT]) tokens.set(file, await lock(at(file)))

  folder = await mkdtemp(join(tmpdir(), 'multistatus-job-'))
  targets = join(folder, 'targets.txt')
  journal = join(folder, 'journal.jsonl')
  // Two are repeated: one as before, one in another spelling.
  const references = [...TARGETS.map(encodePath), 'plain/3.txt', 'plain/%34.txt']
  await writeFile(targets, `${references.join('\n')}\n`)

  sent = []
  server.http.on('request', ({method, url = ''}: IncomingMessage) => {
    if (method === 'DELETE') sent.push(plain(url))
  })
})

afterEach(async () => {
  child?.kill('SIGKILL')
  await server.close()
  await rm(folder, {recursive: true})
})

/** Formats a plain path on the server as an absolute URL. */
function at(path: string): string {
  return server.url + encodePath(path)
}

/** Decodes a URL or its path to a plain path, the same for all its spellings. */
function plain(url: string): string {
  return decodePath(url)?.replaceAll(/^\/|\/$/g, '') ?? url
}

function commandOf(program: Program): readonly [string[], {env: NodeJS.ProcessEnv}] {
  const {DAV_USERNAME: _, DAV_PASSWORD: __, ...inherited} = process.env
  const file = fileURLToPath(new URL(`../../examples/${program}.ts`, import.meta.url))
  return [[file, targets, journal], {env: {...inherited, DAV_URL: server.url}}]
}

/** Starts a program and ends it by SIGKILL after this many answers. */
async function runUntilKilled(program: Program, answers: number): Promise<void> {
  const [parameters, options] = commandOf(program)
  const started = spawn(process.execPath, parameters, {...options, stdio: 'ignore'})
  child = started
  let answered = 0
  const onRequest = (_request: IncomingMessage, response: ServerResponse): void => {
    response.once('finish', () => {
      if (++answered === answers) started.kill('SIGKILL')
    })
  }
  server.http.on('request', onRequest)
  expect(await once(started, 'exit')).toEqual([null, 'SIGKILL'])
  server.http.off('request', onRequest)
}

/** Unlocks the files of `FREED` and runs the second program to its end. Returns its output. */
async function finish(): Promise<string> {
  for (const file of FREED) await unlock(at(file), tokens.get(file) ?? '')
  return finishAgain()
}

/** Runs the second program. Its exit status is 1 because locked files stand. Returns its output. */
async function finishAgain(): Promise<string> {
  const [parameters, options] = commandOf('finish-job')
  const ended = run(process.execPath, parameters, options)
  const {code, stdout} = await ended.then(
    (output) => ({code: 0, ...output}),
    (error: {code: number; stdout: string}) => error,
  )
  expect(code).toBe(1)
  return stdout
}

/** Reads the results of each target itself from the journal, in order. */
async function readJournal(): Promise<Map<string, DavResult[]>> {
  const text = existsSync(journal) ? await readFile(journal, 'utf8') : ''
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  const results: DavResult[] = lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  const own = results.filter(({relation}) => relation === 'self')
  return Map.groupBy(own, ({url}) => plain(url))
}

/** Lists the served folder, without nephele's own files for locks. */
async function stored(): Promise<readonly string[]> {
  const names = await readdir(server.folder, {recursive: true})
  return names.filter((name) => !name.endsWith('.nephelemeta')).toSorted()
}

function isUndecided(result: DavResult | undefined): boolean {
  return result === undefined || (!result.ok && result.reason === 'no-answer')
}

/** Checks that each target has one final verdict, which equals its state on the disk. */
async function expectVerdicts(): Promise<void> {
  const entries = [...(await readJournal())]
  expect(entries.map(([path]) => path).toSorted()).toEqual(TARGETS.toSorted())
  expect(entries.filter(([, results]) => isUndecided(results.at(-1)))).toEqual([])
  // A deletion is final: the journal has no later line for its target.
  expect(entries.filter(([, results]) => results.slice(0, -1).some(({ok}) => ok))).toEqual([])

  const disk = await stored()
  expect(disk).toEqual(['kept', 'kept.txt', 'kept/in it.txt', 'plain'])
  const verdicts = new Map(entries.map(([path, results]) => [path, results.at(-1)]))
  const deleted = TARGETS.filter((path) => verdicts.get(path)?.ok === true || path === MISSING)
  expect(deleted).toEqual(TARGETS.filter((path) => !disk.includes(path)))
  expect(verdicts.get('kept.txt')).toMatchObject({status: 423, reason: 'status'})
  expect(verdicts.get('kept')).toMatchObject({status: 424, reason: 'member'})
}

describe('a job that is ended by SIGKILL', () => {
  it.each([1, 54, 90])(
    'after %i answers is finished by another process, with one verdict for each target that the disk confirms',
    async (answers) => {
      await runUntilKilled('delete-job', answers)
      const before = await readJournal()
      const undecided = [...before.keys()].filter((path) => isUndecided(before.get(path)?.at(-1)))
      const deleted = new Set([...before.keys()].filter((path) => before.get(path)?.at(-1)?.ok))
      expect(undecided).not.toEqual([])
      expect(before.size).toBeLessThan(TARGETS.length)
      expect(sent.filter((path) => !before.has(path))).toEqual([])
      expect((await stored()).filter((path) => deleted.has(path))).toEqual([])

      sent.length = 0
      await finish()
      await expectVerdicts()
      expect(sent.filter((path) => deleted.has(path))).toEqual([])
      // The file never existed. A 404 is a success only if an earlier DELETE may have arrived.
      const missing = (await readJournal()).get(MISSING)?.at(-1)
      expect(missing).toMatchObject({ok: undecided.includes(MISSING), status: 404})
    },
  )

  it('is finished even if SIGKILL ended the second program too', async () => {
    await runUntilKilled('delete-job', 40)
    await runUntilKilled('finish-job', 5)
    await runUntilKilled('finish-job', 60)
    await finish()
    await expectVerdicts()
  })

  it('is finished even if the last line of its journal breaks off inside a character', async () => {
    await runUntilKilled('delete-job', 40)
    const torn = Buffer.from(`{"ok":true,"description":"é`)
    await appendFile(journal, torn.subarray(0, -1))
    await finish()
    await expectVerdicts()
  })

  it('is finished from an empty journal, and again sends only the locked targets', async () => {
    await writeFile(journal, '')
    expect(await finish()).toContain(`${TARGETS.length - 3} of ${TARGETS.length} deleted`)
    await expectVerdicts()
    sent.length = 0
    await finishAgain()
    expect([...new Set(sent)].toSorted()).toEqual(['kept', 'kept.txt', 'kept/in it.txt'])
    await expectVerdicts()
  })
})

describe('a job with names in its journal that no local path can have', () => {
  it.each([
    ['plain//3.txt', 'plain/3.txt'],
    ['plain///3.txt', 'plain/3.txt'],
    ['plain//7.txt/', 'plain/7.txt'],
  ])('is finished: %s', async (reference, path) => {
    await writeFile(targets, `${reference}\nplain/4.txt\n`)
    const undecided = {status: 0, reason: 'no-answer', conditions: [], missing: []} as const
    const url = server.url + reference
    const request = {method: 'DELETE', url, depth: 'infinity', attempts: 1}
    const line = {ok: false, href: `/${reference}`, url, relation: 'self', ...undecided, request}
    await writeFile(journal, `${JSON.stringify(line)}\n`)
    expect(await finishClean()).toContain('2 of 2 deleted')
    expect((await stored()).filter((name) => name === path || name === 'plain/4.txt')).toEqual([])

    sent.length = 0
    expect(await finishClean()).toContain('2 of 2 deleted')
    expect(sent).toEqual([])
  })

  it.each(['a%00b', '%2e%2e%2fx', 'caf%E9', 'C:', '../beside', 'con', 'a%2Fb'])(
    'is finished, and reports that the target stands: %s',
    async (reference) => {
      await writeFile(targets, 'plain/4.txt\n')
      const refused = {status: 403, reason: 'status', conditions: [], missing: []} as const
      const url = server.url + reference
      const line = {ok: false, href: `/${reference}`, url, relation: 'self', ...refused}
      await writeFile(journal, `${JSON.stringify(line)}\n`)
      const printed = await finishAgain()
      expect(printed).toContain(`failed ${url} 403`)
      expect(printed).toContain('1 of 2 deleted')
    },
  )

  /** Runs the second program and expects that it deletes everything. */
  async function finishClean(): Promise<string> {
    const [parameters, options] = commandOf('finish-job')
    return (await run(process.execPath, parameters, options)).stdout
  }
})

describe('a job', () => {
  it('sends nothing if a line names no target', async () => {
    await appendFile(targets, '100% #1?.txt\n')
    const [parameters, options] = commandOf('delete-job')
    await expect(run(process.execPath, parameters, options)).rejects.toThrow('encodePath')
    expect(sent).toEqual([])
    expect(existsSync(journal)).toBe(false)
  })

  it('sends nothing if its journal belongs to another job', async () => {
    await writeFile(journal, '')
    const [parameters, options] = commandOf('delete-job')
    await expect(run(process.execPath, parameters, options)).rejects.toThrow('EEXIST')
    expect(sent).toEqual([])
  })
})
