// What grows and what does not: walks and bulk deletes behind a delaying proxy, trees of a thousand to a million resources, and a
// thousand clients in one process. Run by `npm run bench:scale`; `--only latency,trees,clients`, `--rounds 3`, `--requests 320`,
// `--delays 0,20,100` and `--concurrency 8,32` change it. It measures `dist`: build first.
//
// Behind the proxy stand nginx and Apache. A delay is that of a round trip. The handshake of a connection is not delayed. The other
// sides are a bare loop of undici, which knows all paths before, and `rclone`. Of the programs of Node the time of the job counts;
// beside `rclone` our whole process does, as its own. Up to 1.62 `rclone` sends at most one request each 10 ms and cannot be told
// otherwise, so that it has one round only.

import {execFileSync, fork, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'

import {apache} from '../servers/apache.ts'
import {nginx} from '../servers/nginx.ts'
import {giveToServer} from '../servers/support/account.ts'
import {findMissing, findProgram} from '../servers/support/recipe.ts'
import {Server} from '../servers/support/server.ts'
import {startLatencyProxy} from '../support/latency-proxy.ts'
import type {Weights} from './clients-memory.ts'
import type {Reading} from './scale-worker.ts'

const TOP = 20
const FILES = 12
/** Files that a client lists, and KB that it may then hold. */
const LISTED = 100
const CLIENT_TARGET = 50

const {values} = parseArgs({
  options: {
    only: {type: 'string', default: 'latency,trees,clients'},
    rounds: {type: 'string', default: '3'},
    requests: {type: 'string', default: '320'},
    delays: {type: 'string', default: '0,20,100'},
    concurrency: {type: 'string', default: '8,32'},
  },
})
const only = values.only.split(',')
const rounds = Number(values.rounds)
const requests = Number(values.requests)
const rclone = findProgram('rclone')
if (rclone === undefined) throw new Error('rclone is not installed')
const isPaced = !execFileSync(rclone, ['help', 'flags'], {encoding: 'utf8'}).includes(
  '--webdav-pacer-min-sleep',
)

if (only.includes('latency')) await measureLatency()
if (only.includes('trees')) await measureTrees()
if (only.includes('clients')) await measureClients()

/** A job, as its three programs do it. */
interface Job {
  readonly title: string
  /** The number of requests that the bare loop sends. */
  readonly requests: number
  readonly prepare: () => Promise<void>
  readonly command: (contender: 'ours' | 'bare', url: string, concurrency: string) => string[]
  /** The command of rclone. */
  readonly verb: readonly string[]
  /** Throws if the job is not done. */
  readonly check: (output: string) => void
}

/** One run: milliseconds of the whole process, and of the job if the program tells them. */
interface Run {
  readonly whole: number
  readonly job: number
}

async function measureLatency(): Promise<void> {
  for (const recipe of [nginx, apache]) {
    const missing = findMissing(recipe)
    if (missing.length > 0)
      throw new Error(`${recipe.name} is not installed: ${missing.join(', ')}`)
    const server = new Server(recipe)
    await server.start()
    try {
      for (const job of [await walkOf(server), deletionOf(server)]) {
        console.log(
          `\n${recipe.name}, ${job.title}. Median of ${rounds} rounds; rclone ${isPaced ? 'of one, at most 100 requests/s' : 'without its pacer'}.`,
        )
        console.log(
          'round trip  at once      ours  under way      bare  ours/bare    rclone  ours/rclone',
        )
        for (const delay of values.delays.split(',').map(Number)) {
          await using proxy = await startLatencyProxy(server.port, delay / 2)
          for (const concurrency of values.concurrency.split(','))
            await compare(job, `http://127.0.0.1:${proxy.port}/tree/`, delay, concurrency)
        }
      }
    } finally {
      await server.remove()
    }
  }
}

/** Prints the line of one delay and one concurrency. */
async function compare(job: Job, url: string, delay: number, concurrency: string): Promise<void> {
  const ours: Run[] = []
  const bare: Run[] = []
  const others: Run[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await run(job, [process.execPath, ...job.command('ours', url, concurrency)]))
    bare.push(await run(job, [process.execPath, ...job.command('bare', url, concurrency)]))
    if (round === 0 || !isPaced) others.push(await run(job, rcloneOf(job, url, concurrency)))
  }
  const ratio = ours.map((one, round) => one.job / (bare[round]?.job ?? Number.NaN))
  const ratioOfWhole = others.map(
    (other, round) => (ours[round]?.whole ?? Number.NaN) / other.whole,
  )
  const time = median(ours.map((one) => one.job))
  const underWay = delay === 0 ? '-' : ((job.requests * delay) / time).toFixed(1)
  console.log(
    [
      `${delay} ms`.padStart(10),
      concurrency.padStart(7),
      `${time.toFixed(0)} ms`.padStart(8),
      underWay.padStart(9),
      `${median(bare.map((one) => one.job)).toFixed(0)} ms`.padStart(8),
      median(ratio).toFixed(2).padStart(9),
      `${median(others.map((other) => other.whole)).toFixed(0)} ms`.padStart(8),
      median(ratioOfWhole).toFixed(2).padStart(11),
    ].join('  '),
  )
}

/** Runs a program to its end. Throws if it fails, or has not done its job. */
async function run({prepare, check}: Job, [program = '', ...parameters]: string[]): Promise<Run> {
  await prepare()
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
  const [code] = await once(child, 'close')
  const whole = performance.now() - begin
  if (code !== 0) throw new Error(`${program} ${parameters.join(' ')} failed: ${errors}`)
  check(output)
  const [, job] = /(?:^job |"milliseconds":)(\d+)/m.exec(output + errors) ?? []
  return {whole, job: Number(job)}
}

function rcloneOf({verb}: Job, url: string, concurrency: string): string[] {
  const pacer = isPaced ? [] : ['--webdav-pacer-min-sleep', '0']
  const atOnce = ['--checkers', concurrency, '--transfers', concurrency]
  const remote = ['--config', '/dev/null', '--webdav-url', url, ':webdav:']
  return [rclone ?? '', ...verb, ...pacer, ...atOnce, ...remote]
}

async function walkOf(server: Server): Promise<Job> {
  const root = join(server.root, 'tree')
  const paths = join(server.root, '..', 'paths.txt')
  const all = ['']
  for (let top = 0; top < TOP; top++)
    for (let inner = 0; inner < requests / TOP; inner++) {
      const folder = join(root, `${top}`, inner === 0 ? '' : `${inner}`)
      mkdirSync(folder, {recursive: true})
      all.push(`${relative(root, folder)}/`)
      for (let file = 0; file < FILES; file++) writeFileSync(join(folder, `IMG_${file}.jpg`), 'x')
    }
  writeFileSync(paths, all.join('\n'))
  await giveToServer(root)
  const resources = (all.length - 1) * (FILES + 1)
  return {
    title: `walk of ${resources} resources in ${all.length} collections`,
    requests: all.length,
    prepare: async () => {},
    command: (contender, url, concurrency) => [
      scriptOf('walk-worker.ts'),
      contender === 'ours' ? 'walk' : 'bare',
      url,
      concurrency,
      paths,
    ],
    verb: ['lsf', '-R'],
    check(output) {
      const lines = output.trim().split('\n').length
      if (lines !== resources && !output.endsWith(' bytes\n'))
        throw new Error(`${lines} are listed`)
    },
  }
}

function deletionOf(server: Server): Job {
  const folder = join(server.root, 'tree')
  return {
    title: `${requests} files deleted`,
    requests,
    async prepare() {
      rmSync(folder, {recursive: true, force: true})
      mkdirSync(folder)
      for (let file = 0; file < requests; file++) writeFileSync(join(folder, `${file}.txt`), 'x')
      await giveToServer(folder)
    },
    command: (contender, url, concurrency) => [
      scriptOf('delete-worker.ts'),
      contender,
      url,
      `${requests}`,
      concurrency,
    ],
    verb: ['delete'],
    check() {
      const left = readdirSync(folder).length
      if (left > 0) throw new Error(`${left} files are left`)
    },
  }
}

/** Prints the curves of CPU time and memory. */
async function measureTrees(): Promise<void> {
  const shapes = {
    'one collection': ['1000/0/', '10000/0/', '100000/0/', '1000000/0/'],
    'collections of 24 files, two levels deep': ['24/6/', '24/20/', '24/63/', '24/200/'],
  }
  const server = fork(scriptOf('scale-server.ts'))
  try {
    const [port] = await once(server, 'message')
    for (const [title, trees] of Object.entries(shapes)) {
      const readAll = (contender: string, measured: string): Promise<readonly Reading[]> =>
        runScript('scale-worker.ts', [contender, measured, `http://127.0.0.1:${port}/`, ...trees])
      const ours = await readAll('ours', 'cpu')
      const bare = await readAll('bare', 'cpu')
      const memory = await readAll('ours', 'memory')
      console.log(
        `\n${title}, made by a server of ours in the markup of Apache, concurrency 8. In use: above that before all sizes.`,
      )
      console.log(' resources  CPU of each  ours/bare  resident  of bare    in use')
      for (const [index, {resources, cpu, peak}] of ours.entries()) {
        const {cpu: bareCpu = 0, peak: barePeak = 0} = bare[index] ?? {}
        console.log(
          [
            `${resources}`.padStart(10),
            `${cpu.toFixed(2)} µs`.padStart(11),
            (cpu / bareCpu).toFixed(2).padStart(9),
            `${peak.toFixed(0)} MB`.padStart(8),
            `${barePeak.toFixed(0)} MB`.padStart(7),
            `${memory[index]?.growth.toFixed(1)} MB`.padStart(8),
          ].join('  '),
        )
      }
    }
  } finally {
    server.disconnect()
  }
}

/** Prints the memory of an idle client. */
async function measureClients(): Promise<void> {
  const server = new Server(nginx)
  await server.start()
  try {
    const folder = join(server.root, 'tree')
    mkdirSync(folder)
    for (let file = 0; file < LISTED; file++) writeFileSync(join(folder, `IMG ${file}.jpg`), 'x')
    await giveToServer(folder)
    for (const contender of ['ours', 'bare']) {
      const url = server.url('tree')
      const [weights] = await runScript<Weights>('clients-memory.ts', [contender, url])
      if (weights === undefined) throw new Error('no weights')
      const {clients, connections, made, connected, idle} = weights
      console.log(
        `\n${clients} ${contender === 'ours' ? 'clients' : 'Agents of undici'}, each after a listing of ${LISTED} files of ${nginx.name}. KB for each (of the resident set):`,
      )
      const target =
        contender === 'ours'
          ? ` (${CLIENT_TARGET}: ${idle.used < CLIENT_TARGET ? 'yes' : 'NO'})`
          : ''
      console.log(
        `made ${format(made)}; ${connections} connections open ${format(connected)}; closed ${format(idle)}${target}`,
      )
    }
  } finally {
    await server.remove()
  }
}

function format({used, resident}: Weights['idle']): string {
  return `${used.toFixed(1)} (${resident.toFixed(0)})`
}

/** Runs a script of Node, and reads its lines of JSON. */
async function runScript<Line>(name: string, parameters: readonly string[]): Promise<Line[]> {
  const child = spawn(process.execPath, [scriptOf(name), ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    output += more
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${name} ended with ${code}`)
  return output
    .trim()
    .split('\n')
    .map((line): Line => JSON.parse(line))
}

function scriptOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
