// The speed of listing a whole tree from a real server: this package's walk beside a bare loop of undici that only downloads the
// same answers, `rclone lsf -R` and the deep listing of `webdav`. Each has a process of its own, whose start counts, in rounds that
// take turns. Run by `npm run bench:walk`; `--rounds 3`, `--concurrency 8` and `--collections 2000` change it. It measures `dist`: build first.

import {execFileSync, spawn} from 'node:child_process'
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'

import {apache, apacheWithInfinity} from '../servers/apache.ts'
import {nginx} from '../servers/nginx.ts'
import {giveToServer} from '../servers/support/account.ts'
import {findMissing, findProgram} from '../servers/support/recipe.ts'
import {Server} from '../servers/support/server.ts'

const FILES = 24
const TOP = 40

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '3'},
    concurrency: {type: 'string', default: '8'},
    collections: {type: 'string', default: '2000'},
  },
})
const rounds = Number(values.rounds)
const collections = Number(values.collections)
const worker = fileURLToPath(new URL('walk-worker.ts', import.meta.url))

interface Contender {
  readonly title: string
  /** @param paths - A file with the paths of all collections. */
  command(url: string, paths: string): readonly [string, ...string[]]
}

/** One listing: its time, the resources it named, and the largest resident set. */
interface Run {
  readonly milliseconds: number
  readonly resources: number
  readonly megabytes: number
  /** Milliseconds of CPU time, of the programs of Node. */
  readonly cpu: number
}

const node = (kind: string): Contender['command'] => {
  return (url, paths) => [process.execPath, worker, kind, url, values.concurrency, paths]
}
const CONTENDERS: readonly Contender[] = [
  {title: `ours, {walk: true}, concurrency ${values.concurrency}`, command: node('walk')},
  {title: `bare undici, the same answers unread`, command: node('bare')},
  {title: "ours, 'infinity'", command: node('infinity')},
  {title: 'webdav 5.11, getDirectoryContents deep', command: node('webdav')},
  {
    title: `rclone lsf -R, ${values.concurrency} checkers`,
    command: (url) => [
      findProgram('rclone') ?? 'rclone',
      'lsf',
      '-R',
      '--checkers',
      values.concurrency,
      '--config',
      '/dev/null',
      ':webdav:',
      '--webdav-url',
      url,
    ],
  },
]

for (const recipe of [apache, apacheWithInfinity, nginx]) {
  const missing = findMissing(recipe)
  if (missing.length > 0) throw new Error(`${recipe.name} is not installed: ${missing.join(', ')}`)
  const server = new Server(recipe)
  await server.start()
  try {
    for (const many of [collections / 2, collections]) {
      const name = `tree${many}`
      const paths = join(server.root, '..', `${name}.txt`)
      writeFileSync(paths, makeTree(join(server.root, name), many).join('\n'))
      await giveToServer(join(server.root, name))
      await compare(
        `${recipe.name}, ${many} collections, ${many * (FILES + 1)} resources`,
        server.url(name),
        paths,
      )
    }
  } finally {
    await server.remove()
  }
}

/** Prints a line for each contender: the best of the rounds. */
async function compare(title: string, url: string, paths: string): Promise<void> {
  const best = new Map<Contender, Run | string>()
  for (let round = 0; round < rounds; round++) {
    for (const contender of CONTENDERS) {
      const known = best.get(contender)
      if (typeof known === 'string') continue
      const run = await measure(contender.command(url, paths))
      const isBetter =
        known === undefined || typeof run === 'string' || run.milliseconds < known.milliseconds
      if (isBetter) best.set(contender, run)
    }
  }
  console.log(`\n${title}. Best of ${rounds} rounds.`)
  const [ours] = CONTENDERS
  const first = ours === undefined ? undefined : best.get(ours)
  for (const [contender, run] of best) {
    const label = contender.title.padEnd(42)
    if (typeof run === 'string') {
      console.log(`${label}  cannot: ${run}`)
      continue
    }
    const ratio = typeof first === 'object' ? run.milliseconds / first.milliseconds : Number.NaN
    const speed = Math.round((run.resources / run.milliseconds) * 1000)
    console.log(
      `${label}  ${run.milliseconds.toFixed(0).padStart(6)} ms  ${`${speed}`.padStart(7)} resources/s  ${run.resources} named  peak ${run.megabytes.toFixed(0)} MB  ${run.cpu} ms of CPU  takes ${ratio.toFixed(2)} of our walk's time`,
    )
  }
}

/** Runs a program that prints a line for each resource. If it fails, the last line of its output is the reason. */
function measure([program, ...parameters]: readonly [string, ...string[]]): Promise<Run | string> {
  const begin = performance.now()
  const child = spawn(program, parameters, {stdio: ['ignore', 'pipe', 'pipe']})
  let resources = 0
  let megabytes = 0
  let errors = ''
  const look = setInterval(() => {
    megabytes = Math.max(megabytes, residentSet(child.pid))
  }, 10)
  child.stdout.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 0x0a) resources++
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearInterval(look)
      const milliseconds = performance.now() - begin
      resolve(
        code === 0
          ? {milliseconds, resources, megabytes, cpu: Number(/^cpu (\d+)$/m.exec(errors)?.[1] ?? 0)}
          : (/^\w*Error.*$/m.exec(errors)?.[0] ?? `it ended with ${code}: ${errors.trim()}`),
      )
    })
  })
}

/** The largest resident set of a process so far, in MB; 0 if it has ended. */
function residentSet(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Makes a tree of collections, and returns their paths. */
function makeTree(root: string, many: number): string[] {
  const paths = ['']
  const inner = many / TOP - 1
  for (let top = 0; top < TOP; top++) {
    for (let index = -1; index < inner; index++) {
      const folder =
        index === -1 ? join(root, `year ${top}`) : join(root, `year ${top}`, `album ${index}`)
      mkdirSync(folder, {recursive: true})
      paths.push(`${encodeURI(relative(root, folder))}/`)
      for (let file = 0; file < FILES; file++) writeFileSync(join(folder, `IMG_${file}.jpg`), 'x')
    }
  }
  // Fresh files must not be flushed during a measurement.
  execFileSync('sync')
  return paths
}
