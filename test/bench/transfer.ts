// Measures uploads, downloads and moves on real servers: this package beside a bare loop over `undici.request` and `webdav`.
// Each has a process of its own, in rounds that take turns. The disk is compared afterwards. Run by `npm run bench:transfer`;
// `--rounds 3`, `--files 2000`, `--large 1000000000`, `--concurrency 16`, `--jobs put,get,…` and `--folder` change it. It
// measures `dist`: build first.
//
// The time of the job counts, from before the first request to the last verdict. The memory is the growth of the resident set
// from before the job to its peak.

import {spawn} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {createWriteStream} from 'node:fs'
import {mkdir, readdir, rm, stat, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'

import {apache} from '../servers/apache.ts'
import {nginx} from '../servers/nginx.ts'
import {giveToServer} from '../servers/support/account.ts'
import {findMissing} from '../servers/support/recipe.ts'
import {Server} from '../servers/support/server.ts'

const BYTES = 1024
const MEMORY_TARGET = 40e6

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '3'},
    files: {type: 'string', default: '2000'},
    large: {type: 'string', default: '1000000000'},
    concurrency: {type: 'string', default: '16'},
    jobs: {type: 'string', default: 'put,get,move,put-large,get-large,download-large'},
    folder: {type: 'string', default: tmpdir()},
  },
})
// Servers are started in folders of the system's folder for temporary files.
process.env['TMPDIR'] = values.folder
const rounds = Number(values.rounds)
const files = Number(values.files)
const large = Number(values.large)
const worker = fileURLToPath(new URL('transfer-worker.ts', import.meta.url))
const source = join(values.folder, `transfer-source-${process.pid}`)

/** One run of a job: its time and the growth of memory. */
interface Run {
  readonly milliseconds: number
  readonly growth: number
}

/** The contenders, each with the least ratio of our speed to its speed. */
const CONTENDERS = {ours: undefined, bare: 0.9, webdav: 1.3} as const
type Contender = keyof typeof CONTENDERS

/** A job: the files on the server before it, and the check of the disk after it. */
interface Job {
  prepare(root: string): Promise<void>
  check(root: string): Promise<string | undefined>
}

const names = Array.from({length: files}, (_, index) => `${index}.bin`)
const small = randomBytes(BYTES)

async function fill(folder: string): Promise<void> {
  for (const name of names) await writeFile(join(folder, name), small)
}

async function expectFiles(
  folder: string,
  count: number,
  size: number,
): Promise<string | undefined> {
  const found = await readdir(folder)
  if (found.length !== count) return `${found.length} files instead of ${count}`
  for (const name of found) {
    const {size: bytes} = await stat(join(folder, name))
    if (bytes !== size) return `${name} has ${bytes} bytes instead of ${size}`
  }
  return undefined
}

const nothing = async (): Promise<undefined> => undefined
const JOBS: Readonly<Record<string, Job>> = {
  put: {prepare: nothing, check: (root) => expectFiles(join(root, 'files'), files, BYTES)},
  get: {prepare: (root) => fill(join(root, 'files')), check: nothing},
  move: {
    prepare: (root) => fill(join(root, 'files')),
    check: async (root) =>
      (await expectFiles(join(root, 'moved'), files, BYTES)) ??
      (await expectFiles(join(root, 'files'), 0, 0)),
  },
  'put-large': {
    prepare: nothing,
    check: (root) => expectFiles(join(root, 'files'), 1, large),
  },
  'get-large': {prepare: (root) => makeLarge(join(root, 'files', 'large.bin')), check: nothing},
  'download-large': {
    prepare: (root) => makeLarge(join(root, 'files', 'large.bin')),
    async check() {
      const {size} = await stat(`${source}.copy`)
      await rm(`${source}.copy`)
      return size === large ? undefined : `the copy has ${size} bytes`
    },
  },
}

/** Writes a large file of random bytes, which nobody can compress. */
async function makeLarge(path: string): Promise<void> {
  const block = randomBytes(1_000_000)
  const blocks = (function* () {
    for (let left = large; left > 0; left -= block.length) yield block.subarray(0, left)
  })()
  await pipeline(Readable.from(blocks), createWriteStream(path))
}

await makeLarge(source)
try {
  for (const recipe of [nginx, apache]) {
    const missing = findMissing(recipe)
    if (missing.length > 0) throw new Error(`${recipe.name} is not installed: ${missing.join()}`)
    const server = new Server(recipe)
    await server.start()
    try {
      for (const job of values.jobs.split(',')) await compare(server, job)
    } finally {
      await server.remove()
    }
  }
} finally {
  await rm(source, {force: true})
}

/** Prints a line for each contender: the best of the rounds. */
async function compare(server: Server, name: string): Promise<void> {
  const job = JOBS[name]
  if (job === undefined) throw new TypeError(`there is no job ${name}`)
  const runs = new Map<Contender, Run[]>()
  const problems = new Map<Contender, string>()
  for (let round = 0; round < rounds; round++) {
    for (const contender of Object.keys(CONTENDERS) as Contender[]) {
      for (const folder of ['files', 'moved']) {
        await rm(join(server.root, folder), {recursive: true, force: true})
        await mkdir(join(server.root, folder))
      }
      await job.prepare(server.root)
      await giveToServer(server.root)
      const run = await measure([
        contender,
        name,
        server.url(),
        values.files,
        values.large,
        values.concurrency,
        source,
      ])
      const problem = typeof run === 'string' ? run : await job.check(server.root)
      if (typeof run === 'string' || problem !== undefined) {
        problems.set(contender, problem ?? '')
        continue
      }
      runs.set(contender, [...(runs.get(contender) ?? []), run])
    }
  }
  const size = name.endsWith('large')
    ? `one file of ${large} bytes`
    : `${files} files of ${BYTES} bytes`
  console.log(`\n${server.recipe.name}, ${name}, ${size}, best of ${rounds} rounds`)
  const ours = best(runs.get('ours') ?? [])
  for (const [contender, known] of runs) console.log(line(contender, best(known), ours))
  for (const [contender, problem] of problems) console.log(`CANNOT: ${contender}: ${problem}`)
}

function best(runs: readonly Run[]): Run {
  return {
    milliseconds: Math.min(...runs.map(({milliseconds}) => milliseconds)),
    growth: Math.min(...runs.map(({growth}) => growth)),
  }
}

function line(contender: Contender, run: Run, ours: Run): string {
  const target = CONTENDERS[contender]
  const ratio = run.milliseconds / ours.milliseconds
  const memory = `${(run.growth / 1e6).toFixed(0)} MB more`
  const verdict =
    target === undefined
      ? `(under ${MEMORY_TARGET / 1e6} MB: ${run.growth < MEMORY_TARGET ? 'yes' : 'NO'})`
      : `ours is ${ratio.toFixed(2)} times as fast (${target}: ${ratio >= target ? 'yes' : 'NO'})`
  return `${contender.padEnd(8)}${run.milliseconds.toFixed(0).padStart(8)} ms  ${memory.padStart(12)}  ${verdict}`
}

/** Runs a contender. If it fails, the last line of its output is the reason. */
function measure(parameters: readonly string[]): Promise<Run | string> {
  const child = spawn(process.execPath, ['--expose-gc', worker, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve(
        code === 0 ? JSON.parse(output) : (/^\w*Error.*$/m.exec(errors)?.[0] ?? errors.trim()),
      )
    })
  })
}
