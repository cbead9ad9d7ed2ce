// Measures the memory of a process while it deletes a million targets of a generator. The server has a process of its own and
// answers at once. Run with --expose-gc; `--targets 1000000`, `--concurrency 16`, `--after 10000`
// change it, and `--contender bare` is a loop over `undici.request` instead, to tell Node's share from ours: V8 lets its
// new space grow to three times --max-semi-space-size before it has to, so that the flag tells that part. It measures
// `dist`.

import {fork} from 'node:child_process'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'
import {getHeapSpaceStatistics} from 'node:v8'

import {DavClient} from 'multistatus'
import {Agent, request} from 'undici'

const TARGET = 64
const LOOK_EVERY = 1000

const {values} = parseArgs({
  options: {
    targets: {type: 'string', default: '1000000'},
    concurrency: {type: 'string', default: '16'},
    after: {type: 'string', default: '10000'},
    contender: {type: 'string', default: 'ours'},
  },
})
const targets = Number(values.targets)
const after = Number(values.after)
if (after > targets) throw new RangeError('--after is no more than --targets')

const server = fork(fileURLToPath(new URL('delete-server.ts', import.meta.url)))
const [port] = await once(server, 'message')
const concurrency = Number(values.concurrency)
const url = `http://127.0.0.1:${port}/files/`

const heapBefore = heapInUse()
const before = process.memoryUsage.rss()
let early = before
let peak = before
let newSpace = 0
let verdicts = 0
const begin = performance.now()
await (values.contender === 'bare' ? deleteBare() : deleteOurs())
const seconds = (performance.now() - begin) / 1000
// The operating system has seen each moment; in kilobytes.
const highest = Math.max(peak, process.resourceUsage().maxRSS * 1024)
const heapAfter = heapInUse()
server.disconnect()
if (verdicts !== targets) throw new Error(`${verdicts} verdicts on ${targets} targets`)

const growth = highest - before
console.log(
  `${verdicts} targets, concurrency ${concurrency}, ${values.contender}: ${rate()} targets/s`,
)
console.log(`resident set: ${mb(before)} before, ${mb(early)} after ${after} targets`)
console.log(
  `at its peak: ${mb(peak)} as looked at, ${mb(highest)} as the system says; new space of V8 ${mb(newSpace)}`,
)
console.log(`heap in use: ${mb(heapBefore)} before, ${mb(heapAfter)} at the end`)
console.log(
  `growth: ${mb(growth)}, of it after ${after} targets ${mb(highest - early)} (${TARGET} MB: ${growth < TARGET * 1e6 ? 'yes' : 'NO'})`,
)

async function deleteOurs(): Promise<void> {
  const stream = new DavClient({url}).deleteMany(names(), {concurrency})
  for await (const result of stream) {
    if (!result.ok) throw new Error(`unexpected ${JSON.stringify(result)}`)
    if (result.relation === 'self') see()
  }
}

/** As many loops as requests may be under way, on one generator. */
async function deleteBare(): Promise<void> {
  const dispatcher = new Agent({headersTimeout: 0, bodyTimeout: 0, connect: {timeout: 10_000}})
  const all = names()
  const loop = async (): Promise<void> => {
    for (const name of {[Symbol.iterator]: () => ({next: () => all.next()})}) {
      const {statusCode, body} = await request(url + name, {method: 'DELETE', dispatcher})
      await body.dump()
      if (statusCode !== 204) throw new Error(`${name} answered ${statusCode}`)
      see()
    }
  }
  await Promise.all(Array.from({length: concurrency}, loop))
}

/** Counts a verdict, and looks at the memory now and then. */
function see(): void {
  verdicts++
  if (verdicts % LOOK_EVERY !== 0) return
  const now = process.memoryUsage.rss()
  if (verdicts <= after) early = Math.max(early, now)
  if (now <= peak) return
  peak = now
  newSpace =
    getHeapSpaceStatistics().find(({space_name}) => space_name === 'new_space')
      ?.physical_space_size ?? 0
}

function* names(): Generator<string> {
  for (let index = 0; index < targets; index++) yield `${index}.txt`
}

function heapInUse(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

function rate(): number {
  return Math.round(verdicts / seconds)
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
