// Measures deleting many files from a real server: this package's `deleteMany` beside a bare loop over `undici.request`,
// `deleteFile` of `webdav` and `rclone delete`. Each has a process of its own, in rounds that take turns, and new files every
// time. The disk must be empty afterwards. Run by `npm run bench:delete`; `--rounds 5`,
// `--files 10000`, `--concurrency 16` and `--folder` change it. With the files in memory, as in `/dev/shm`, programs are
// compared that a disk would keep waiting alike. It measures `dist`: build first.
//
// Between the programs of Node the time of the job counts, from before the first request to the last verdict. `rclone`
// does not tell that time, so that beside it our whole process counts, its start included, as its own does. Up to 1.62 it
// sends at most one request each 10 ms to a WebDAV server, without an option, so it has a single round. A later version does not
// wait.

import {execFileSync, spawn} from 'node:child_process'
import {mkdirSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'

import {apache} from '../servers/apache.ts'
import {nginx} from '../servers/nginx.ts'
import {giveToServer} from '../servers/support/account.ts'
import {findMissing, findProgram} from '../servers/support/recipe.ts'
import {Server} from '../servers/support/server.ts'

const COLLECTION = 'files'
const BYTES = 100

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '5'},
    files: {type: 'string', default: '10000'},
    concurrency: {type: 'string', default: '16'},
    folder: {type: 'string', default: tmpdir()},
  },
})
// Servers are started in folders of the system's folder for temporary files.
process.env['TMPDIR'] = values.folder
const rounds = Number(values.rounds)
const files = Number(values.files)
const {concurrency} = values
const worker = fileURLToPath(new URL('delete-worker.ts', import.meta.url))

/** One run: the time of its whole process, and that of the job and its verdicts if it reports them. */
interface Run {
  readonly whole: number
  readonly job: number | undefined
  readonly verdicts: number | undefined
}

interface Contender {
  readonly title: string
  readonly rounds: number
  /** The least ratio of our speed to its speed. */
  readonly target: number | undefined
  command(url: string): readonly [string, ...string[]]
}

const node = (kind: string): Contender['command'] => {
  return (url) => [process.execPath, worker, kind, url, values.files, concurrency]
}
const ours: Contender = {
  title: 'ours, deleteMany',
  rounds,
  target: undefined,
  command: node('ours'),
}
const rclone = findProgram('rclone')
if (rclone === undefined) throw new Error('rclone is not installed')
const options = execFileSync(rclone, ['help', 'flags'], {encoding: 'utf8'})
const isPaced = !options.includes('--webdav-pacer-min-sleep')
const CONTENDERS: readonly Contender[] = [
  ours,
  {title: 'undici.request, p-limit', rounds, target: 0.9, command: node('bare')},
  {title: 'webdav 5.11 deleteFile, p-limit', rounds, target: 1.5, command: node('webdav')},
  {
    title: isPaced ? 'rclone delete, 10 ms a request' : 'rclone delete',
    rounds: isPaced ? 1 : rounds,
    target: 1,
    command: (url) => [
      rclone,
      'delete',
      ...(isPaced ? [] : ['--webdav-pacer-min-sleep', '0']),
      '--transfers',
      concurrency,
      '--checkers',
      concurrency,
      '--config',
      '/dev/null',
      '--webdav-url',
      url,
      ':webdav:',
    ],
  },
]

for (const recipe of [nginx, apache]) {
  const missing = findMissing(recipe)
  if (missing.length > 0) throw new Error(`${recipe.name} is not installed: ${missing.join(', ')}`)
  const server = new Server(recipe)
  await server.start()
  try {
    await compare(server)
  } finally {
    await server.remove()
  }
}

/** Prints a line for each contender: the best of the rounds. */
async function compare(server: Server): Promise<void> {
  const runs = new Map<Contender, Run[]>(CONTENDERS.map((contender) => [contender, []]))
  const problems: string[] = []
  for (let round = 0; round < rounds; round++) {
    for (const [contender, known] of runs) {
      if (round >= contender.rounds) continue
      const folder = await makeFiles(server)
      const run = await measure(contender.command(server.url(COLLECTION)))
      const left = readdirSync(folder).length
      const problem =
        typeof run === 'string' ? run : left > 0 ? `${left} files are left` : undefined
      if (typeof run !== 'string' && problem === undefined) {
        known.push(run)
        continue
      }
      problems.push(`${contender.title}: ${problem}`)
      runs.delete(contender)
    }
  }
  console.log(
    `\n${server.recipe.name}, ${files} files of ${BYTES} bytes in ${values.folder}, concurrency ${concurrency}. Best of ${rounds} rounds.`,
  )
  const best = new Map([...runs].map(([contender, known]) => [contender, bestOf(known)]))
  const first = best.get(ours)
  for (const [contender, run] of best) console.log(line(contender, run, first))
  for (const problem of problems) console.log(`CANNOT: ${problem}`)
}

/** The shortest times; those of the job and of the whole process need not be of the same run. */
function bestOf(runs: readonly Run[]): Run {
  const jobs = runs.map(({job}) => job).filter((job) => job !== undefined)
  return {
    whole: Math.min(...runs.map(({whole}) => whole)),
    job: jobs.length > 0 ? Math.min(...jobs) : undefined,
    verdicts: runs[0]?.verdicts,
  }
}

function line({title, target}: Contender, run: Run, first: Run | undefined): string {
  const time = run.job ?? run.whole
  const cells = [
    title.padEnd(32),
    `${run.job === undefined ? '-' : run.job.toFixed(0)} ms`.padStart(9),
    `whole process ${run.whole.toFixed(0)} ms`.padStart(24),
    `${Math.round((files / time) * 1000)} files/s`.padStart(14),
    run.verdicts === undefined ? '' : `${run.verdicts} verdicts`,
  ]
  if (first !== undefined && target !== undefined) {
    const ratio = run.job === undefined ? run.whole / first.whole : run.job / (first.job ?? 0)
    cells.push(
      `ours is ${ratio.toFixed(2)} times as fast (${target}: ${ratio >= target ? 'yes' : 'NO'})`,
    )
  }
  return cells.join('  ')
}

/** Runs a program. If it fails, the last line of its output is the reason. */
function measure([program, ...parameters]: readonly [string, ...string[]]): Promise<Run | string> {
  const begin = performance.now()
  const child = spawn(program, parameters, {stdio: ['ignore', 'pipe', 'pipe']})
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const whole = performance.now() - begin
      if (code !== 0) {
        resolve(/^\w*Error.*$/m.exec(errors)?.[0] ?? `it ended with ${code}: ${errors.trim()}`)
        return
      }
      const {milliseconds: job, verdicts} = output === '' ? {} : JSON.parse(output)
      resolve({whole, job, verdicts})
    })
  })
}

async function makeFiles(server: Server): Promise<string> {
  const folder = join(server.root, COLLECTION)
  rmSync(folder, {recursive: true, force: true})
  mkdirSync(folder)
  const text = 'x'.repeat(BYTES)
  for (let index = 0; index < files; index++) writeFileSync(join(folder, `${index}.txt`), text)
  await giveToServer(folder)
  // Fresh files must not be flushed during a measurement.
  execFileSync('sync')
  return folder
}
