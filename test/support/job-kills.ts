// A job on four processes that are killed, stopped past their leases, and told a wrong time, while the server breaks exchanges and
// the ledger restarts. At the end each verdict is compared with the server's own record.

import {fork, spawn} from 'node:child_process'
import type {ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {setTimeout as delay} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'

import {DavClient} from 'multistatus'
import type {DavResult} from 'multistatus'
import type {JobReport, Ledger} from 'multistatus/jobs'
import {createJob, exportVerdicts, inspectJob} from 'multistatus/jobs'

import {Random} from '../fuzz/random.ts'
import type {JobRecord, RecordedResource} from './job-tree.ts'
import {ROOT, treeOf} from './job-tree.ts'
import type {JobStore, JobWorkerOptions} from './job-worker.ts'

const SERVER = fileURLToPath(new URL('job-server.ts', import.meta.url))
const WORKER = fileURLToPath(new URL('job-worker.ts', import.meta.url))
const WORKERS = 4
const LOG_MILLISECONDS = 2000
const HOURS = 3_600_000
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

/** The setting of a campaign. */
export interface KillCampaignOptions {
  readonly seed: number
  readonly hrefs: number
  readonly collections: number
  /** Targets that are listed by the job, or given to it. */
  readonly source: 'tree' | 'targets'
  readonly ledger: Ledger
  readonly store: JobStore
  /** The least and the most requests between two strikes. A loaded machine makes as many as an idle one. */
  readonly pause: readonly [number, number]
  /** Milliseconds after which the next strike comes in any case. */
  readonly patience: number
  /** Milliseconds of a lease. */
  readonly lease: number
  /** Requests at once of one worker. */
  readonly concurrency: number
  readonly latency: number
  readonly unitSize: number
  /** Called once when this share of the work is done, such as a third. */
  readonly events?: readonly {readonly at: number; run(): Promise<void>}[]
  /** Moves the clock of one worker by libfaketime, which its SQLite sees too. */
  readonly faketime?: boolean
  readonly log?: (line: string) => void
}

/** The outcome of a campaign. */
export interface KillCampaign {
  readonly problems: readonly string[]
  readonly verdicts: number
  readonly kills: number
  readonly stops: number
  readonly events: number
  readonly inDoubt: number
  readonly reasons: Readonly<Record<string, number>>
  readonly setAside: number
  /** Hrefs whose DELETE arrived more than once. */
  readonly twice: number
  /** Those of them that the server had not refused or broken before: repeated because of a kill, a stop or a restart. */
  readonly twiceByKills: number
  readonly arrivals: number
  readonly milliseconds: number
}

interface Worker {
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
  isStopped: boolean
  errors: string
}

/** Runs a job to its end. */
export async function runKillCampaign(options: KillCampaignOptions): Promise<KillCampaign> {
  const {seed, hrefs, collections, latency, log = () => {}} = options
  const groups = Math.ceil(collections / 20)
  const files = hrefs - collections - groups - 1
  const setting = JSON.stringify({seed, files, collections, latency})
  const server = fork(SERVER, [setting], {stdio: ['ignore', 'inherit', 'inherit', 'ipc']})
  try {
    const [{port}] = await once(server, 'message')
    const url = `http://127.0.0.1:${port}/`
    const job = await create(options, url, files)
    log(`job ${job} on ${url}`)
    const begun = performance.now()
    const crew = new Crew(options, job, url, server)
    await crew.work()
    const milliseconds = performance.now() - begun
    const answer = await fetch(`${url}record`)
    const record: JobRecord = JSON.parse(await answer.text())
    const found = await judge(options, job, record)
    const repeated = record.resources.filter(({arrivals}) => arrivals > 1)
    return {
      ...found,
      problems: [...crew.problems, ...found.problems],
      kills: crew.kills,
      stops: crew.stops,
      events: crew.events,
      twice: repeated.length,
      twiceByKills: repeated.filter(({arrivals, faults}) => arrivals - faults > 1).length,
      arrivals: record.resources.reduce((sum, {arrivals}) => sum + arrivals, 0),
      milliseconds: Math.round(milliseconds),
    }
  } finally {
    server.disconnect()
  }
}

async function create(
  {ledger, source, hrefs, collections, unitSize, seed}: KillCampaignOptions,
  url: string,
  files: number,
): Promise<string> {
  const dav = new DavClient({url})
  const retry = {attempts: 6, minDelay: 20, maxDelay: 200}
  const common = {
    kind: 'delete',
    ifMissing: 'failure',
    unitSize,
    retry,
    id: `kills-${seed}`,
  } as const
  const targets = treeOf({files, collections})
  const {id} = await (source === 'tree'
    ? createJob(ledger, {...common, tree: ROOT}, dav)
    : createJob(ledger, {...common, targets: withGhosts(targets, hrefs)}, dav))
  await dav.close()
  return id
}

/** Replaces some files by targets that were never there. Their number stays the same. */
function* withGhosts(targets: Iterable<string>, hrefs: number): Generator<string> {
  let number = 0
  const every = Math.max(2, Math.floor(hrefs / 50))
  for (const target of targets) {
    yield target
    if (++number % every === 0) yield `${ROOT}ghost${number}`
  }
}

/** The workers, and the hand that kills them. */
class Crew {
  readonly problems: string[] = []
  kills = 0
  stops = 0
  events = 0
  readonly #options: KillCampaignOptions
  readonly #job: string
  readonly #url: string
  readonly #random: Random
  readonly #workers: Worker[] = []
  readonly #resumed: Promise<void>[] = []
  #isOver = false
  #requests = 0

  constructor(options: KillCampaignOptions, job: string, url: string, server: ChildProcess) {
    this.#options = options
    this.#job = job
    this.#url = url
    this.#random = new Random(options.seed)
    server.on('message', ({requests}: {requests: number}) => {
      this.#requests = requests
    })
  }

  /** Works to the end of the job. */
  async work(): Promise<void> {
    for (let slot = 0; slot < WORKERS; slot++) this.#workers[slot] = this.#start(slot)
    try {
      await Promise.all([this.#strike(), this.#runEvents(), this.#watch()])
      await Promise.all(this.#resumed)
      await Promise.all(this.#workers.map(({ended}) => ended))
    } finally {
      for (const {child} of this.#workers) child.kill('SIGKILL')
    }
  }

  #start(slot: number): Worker {
    const {store, lease, concurrency, faketime = false} = this.#options
    const isMoved = slot === 0
    const hours = this.#random.oneIn(2) ? 5 : -5
    const told: JobWorkerOptions = {
      store,
      job: this.#job,
      url: this.#url,
      lease,
      concurrency,
      clock: isMoved && !faketime ? hours * HOURS : 0,
    }
    const moved = {
      LD_PRELOAD: FAKETIME,
      FAKETIME: `${hours > 0 ? '+' : ''}${hours}h`,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    const env = {...process.env, ...(isMoved && faketime && moved)}
    const child = spawn(process.execPath, [WORKER, JSON.stringify(told)], {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const worker: Worker = {child, ended: once(child, 'close'), isStopped: false, errors: ''}
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (worker.errors += text))
    child.once('close', (code: number | null, signal) => {
      this.#isOver ||= code === 0
      if (code !== 0 && signal !== 'SIGKILL')
        this.problems.push(`A worker ended with ${code ?? signal}: ${worker.errors}`)
      // One that ended by itself without need is replaced too, so that the job goes on.
      if (!this.#isOver && signal !== 'SIGKILL') this.#workers[slot] = this.#start(slot)
    })
    return worker
  }

  /** Kills and stops workers at random until one of them finds the job done. */
  async #strike(): Promise<void> {
    const random = this.#random
    const {pause, patience} = this.#options
    const [least, most] = pause
    for (let next = 0; ;) {
      // From the strike that was due, not from now: however fast the workers are, the requests of a job mean as many strikes.
      next += least + random.below(most - least + 1)
      const until = performance.now() + patience
      while (this.#requests < next && performance.now() < until && !this.#isOver) await delay(5)
      // Any moment between two requests, or in a transaction.
      await delay(random.below(100))
      if (this.#isOver) return
      const slot = random.below(WORKERS)
      const worker = this.#workers[slot]
      if (worker === undefined) continue
      if (random.oneIn(4)) {
        if (!worker.isStopped) this.#resumed.push(this.#stop(worker))
        continue
      }
      if (!worker.child.kill('SIGKILL')) continue
      this.kills++
      await worker.ended
      if (this.#isOver) return
      this.#workers[slot] = this.#start(slot)
    }
  }

  /** Holds a worker until its leases are lost. */
  async #stop(worker: Worker): Promise<void> {
    if (!worker.child.kill('SIGSTOP')) return
    worker.isStopped = true
    this.stops++
    const {lease} = this.#options
    await delay(lease * 1.2 + this.#random.below(lease))
    worker.child.kill('SIGCONT')
    worker.isStopped = false
  }

  /** Logs the progress. */
  async #watch(): Promise<void> {
    const {ledger, log} = this.#options
    if (log === undefined) return
    while (!this.#isOver) {
      const {done, listings, setAside} = await inspectJob(ledger, this.#job)
      log(
        `${this.kills} kills, ${this.stops} stops, ${listings} listings, ${done} verdicts, ${setAside} set aside`,
      )
      await delay(LOG_MILLISECONDS)
    }
  }

  /** Runs the events when their share of the work is done. */
  async #runEvents(): Promise<void> {
    const {events = [], ledger, hrefs, log = () => {}} = this.#options
    const left = [...events]
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      while (!this.#isOver && (await inspectJob(ledger, this.#job)).done < next.at * hrefs)
        await delay(50)
      if (this.#isOver) return
      await next.run()
      this.events++
      log(`event at ${next.at}`)
    }
  }
}

type Judged = Pick<KillCampaign, 'problems' | 'verdicts' | 'inDoubt' | 'reasons' | 'setAside'>

/** Compares the verdicts with the record of the server. */
async function judge(
  {ledger, hrefs, source}: KillCampaignOptions,
  job: string,
  {resources, problems: broken}: JobRecord,
): Promise<Judged> {
  const problems = [...broken]
  const byHref = new Map(resources.map((resource) => [resource.href, resource]))
  const verdicts = new Map<string, Verdict>()
  for await (const text of exportVerdicts(ledger, job)) {
    const verdict: Verdict = JSON.parse(text)
    const href = new URL(verdict.url).pathname
    if (verdicts.has(href)) problems.push(`${href} has two verdicts`)
    verdicts.set(href, verdict)
    const resource = byHref.get(href)
    if (resource === undefined) problems.push(`${href} was never at the server, nor sent to it`)
    else problems.push(...untrue(resource, verdict).map((words) => `${href} ${words}`))
  }
  for (const {href} of resources) if (!verdicts.has(href)) problems.push(`${href} has no verdict`)
  if (source === 'tree' && verdicts.size !== hrefs)
    problems.push(`${verdicts.size} verdicts for ${hrefs} hrefs`)
  for (const [href, {ok, reason}] of verdicts) {
    if (ok || reason !== 'member') continue
    const isKept = [...verdicts].some(
      ([one, other]) => one.startsWith(href) && one !== href && !other.ok,
    )
    if (!isKept) problems.push(`${href} was kept, and all in it was deleted`)
  }
  const report = await inspectJob(ledger, job)
  problems.push(...problemsOfReport(report, [...verdicts.values()]))
  const {inDoubt, reasons, setAside} = report
  return {problems, verdicts: verdicts.size, inDoubt, reasons, setAside}
}

interface Verdict {
  readonly ok: boolean
  readonly url: string
  readonly status: number
  readonly inDoubt?: boolean
  readonly reason?: Extract<DavResult, {ok: false}>['reason']
}

function untrue(resource: RecordedResource, verdict: Verdict): readonly string[] {
  const {isThere, arrivals, deleted, faults, isLocked, href} = resource
  const {ok, status, inDoubt = false, reason} = verdict
  const isGhost = href.includes('ghost')
  const problems: string[] = []
  const told = ok ? `Success ${status}${inDoubt ? ' in doubt' : ''}` : `Failure ${reason} ${status}`
  const words = (text: string): void =>
    void problems.push(`has a ${told}: ${text}, DELETE arrived ${arrivals} times`)
  if (ok && isThere) words('it is there')
  if (ok && !inDoubt && deleted === 0) words('no answer to its DELETE told of a deletion')
  if (ok && inDoubt && arrivals < 2 && faults === 0) words('there is nothing to doubt')
  if (deleted > 1) words(`it was deleted ${deleted} times`)
  if (!ok && reason === 'status' && status === 404 && !isGhost) words('it was there')
  if (!ok && reason === 'status' && status !== 404 && !isThere) words('it is gone')
  if (!ok && reason === 'member' && (!isThere || arrivals > 0)) words('it was sent')
  if (isLocked && (ok || (status !== 423 && reason !== 'no-answer'))) words('it is locked')
  return problems
}

/** Compares the counts of the ledger with its verdicts. */
function problemsOfReport(report: JobReport, verdicts: readonly Verdict[]): readonly string[] {
  const successes = verdicts.filter(({ok}) => ok).length
  const doubts = verdicts.filter(({inDoubt}) => inDoubt === true).length
  const counts = [
    ['state', report.state, 'done'],
    ['total', report.total, verdicts.length],
    ['done', report.done, verdicts.length],
    ['successes', report.successes, successes],
    ['in doubt', report.inDoubt, doubts],
    ['incomplete', report.incomplete.length, 0],
  ] as const
  return counts.flatMap(([name, told, right]) =>
    told === right ? [] : [`The report tells ${name} ${told}, and it is ${right}`],
  )
}
