/** Reads the state of a job from the ledger: counts, failures by reason, gaps, and the workers. */

import type {Failure} from '../multistatus/result.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {Job, JobKind, JobState, StoredJob} from './job.ts'
import {readJob} from './job.ts'
import type {Ledger} from './ledger.ts'
import {storeOf} from './ledger.ts'
import type {Row, Sql} from './store.ts'
import {numberOf, textOf} from './store.ts'
import {cooldownOf, SET_ASIDE} from './units.ts'

/** Milliseconds without a sign of a worker after which it counts as gone. */
const SILENT_MILLISECONDS = 10_000
/** The most gaps in a report. */
const REPORTED_GAPS = 100

/** A collection that a job could not list as a whole. */
export interface JobGap extends Incomplete {
  /** The words of the failure, such as the fault of a certificate and its remedy. */
  readonly description?: string
}

/** The state of a job. */
export interface JobReport {
  /** The name of the job. */
  readonly id: string
  /** Its kind. */
  readonly kind: JobKind
  /** Its state. */
  readonly state: JobState
  /** The time at which it was created. */
  readonly created: Date
  /** The time at which it was done or cancelled. */
  readonly ended?: Date
  /** The number of targets, once it is known: a tree is listed before. Of a `list` and a `diff` there are none. */
  readonly total?: number
  /** Targets with a verdict. */
  readonly done: number
  /** Targets with a Success, those in doubt included. */
  readonly successes: number
  /** Targets with a Failure. */
  readonly failures: number
  /**
   * Successes without an answer that tells of one, such as a 404 to a repeated DELETE. A request whose answer was lost may have done
   * it, or somebody else.
   */
  readonly inDoubt: number
  /** Failures by their reason and status, such as `status 423`. */
  readonly reasons: Readonly<Record<string, number>>
  /** Requests that were answered or broke, repeated ones included. Those of a killed worker may be missing. */
  readonly requests: number
  /** Resources that were listed into the ledger, by a `list` or a `diff`. */
  readonly resources: number
  /** Collections that were listed, those with gaps included. */
  readonly listings: number
  /** Differences of a `diff`, by their kind. */
  readonly differences: Readonly<Record<string, number>>
  /**
   * True once the job is done, if each resource of its source was seen. It says nothing about failures. Of an incomplete `diff`
   * nothing was compared.
   */
  readonly complete: boolean
  /** The gaps, at most 100. */
  readonly incomplete: readonly JobGap[]
  /** Units that were set aside, because three workers ended in them. Their targets are Failures `no-answer`. */
  readonly setAside: number
  /** Verdicts or listings per second of all workers. */
  readonly rate: number
  /** Milliseconds until the end at this rate, once the total is known. */
  readonly timeLeft?: number
  /** Milliseconds for which no worker sends anything, by a Retry-After. */
  readonly cooldown: number
  /** The workers that ever began, the latest last. */
  readonly workers: readonly WorkerReport[]
}

/** A worker of a job. */
export interface WorkerReport {
  /** Its name. */
  readonly name: string
  /** Its host. */
  readonly host: string
  /** Its process. */
  readonly pid: number
  /** The time at which it began. */
  readonly started: Date
  /** Milliseconds since its last sign; 0 if that is in the future, because the clock of the ledger was set back. */
  readonly silence: number
  /** True if it gave a sign in the last 10 seconds. */
  readonly isLive: boolean
  /** Verdicts or listings per second. */
  readonly rate: number
  /** Its verdicts and listings. */
  readonly done: number
}

/**
 * Reads the state of a job.
 *
 * @throws {@link LedgerError} without such a job.
 * @example
 * ```ts
 * const {state, done, total, reasons} = await inspectJob(ledger, 'nightly')
 * ```
 */
export function inspectJob(ledger: Ledger, job: Job | string): Promise<JobReport> {
  return storeOf(ledger).read((sql) => report(sql, job))
}

/** A job in a list. */
export interface ListedJob extends Job {
  /** Its state. */
  readonly state: JobState
  /** The URL of the client that it was created with. */
  readonly url: string
  /** The time at which it was created. */
  readonly created: Date
}

/** Lists all jobs of a ledger, the oldest first. */
export async function listJobs(ledger: Ledger): Promise<readonly ListedJob[]> {
  const rows = await storeOf(ledger).read(({all}) =>
    all('select id, kind, base, state, created from job order by created, id'),
  )
  return rows.map((row) => ({
    id: textOf(row, 'id'),
    kind: textOf(row, 'kind') as JobKind,
    state: textOf(row, 'state') as JobState,
    url: textOf(row, 'base'),
    created: new Date(numberOf(row, 'created')),
  }))
}

/** Makes the report of a job. */
export async function report(sql: Sql, of: Job | string): Promise<JobReport> {
  const job = await readJob(sql, of)
  const {id, kind, state} = job
  const {all} = sql
  const [row] = await all('select created, ended, incomplete from job where id = ?', [id])
  const tallies = await all('select worker, name, count from tally where job = ?', [id])
  const counts = sumBy(tallies, 'name')
  const units = await all(
    'select kind, state, sum(items) as items, count(*) as units from unit where job = ? group by kind, state',
    [id],
  )
  const open = units.filter((unit) => numberOf(unit, 'state') < 2)
  const isListing = open.some((unit) => textOf(unit, 'kind') === 'list')
  const setAside = total(
    units.filter((unit) => numberOf(unit, 'state') === SET_ASIDE),
    'units',
  )
  const reasons = Object.fromEntries(
    [...counts].filter(([name, count]) => REASON.test(name) && count !== 0),
  )
  const successes = counts.get('ok') ?? 0
  const failures = Object.values(reasons).reduce((sum, count) => sum + count, 0)
  const done = successes + failures
  const listings = [...counts].reduce(
    (sum, [name, count]) => (name.startsWith('listing ') ? sum + count : sum),
    0,
  )
  const targets = total(
    units.filter((unit) => textOf(unit, 'kind') === 'send'),
    'items',
  )
  const isCounted = state !== 'filling' && !isListing && kind !== 'list' && kind !== 'diff'
  const workers = await readWorkers(sql, id, tallies)
  const rate = workers.reduce((sum, worker) => sum + (worker.isLive ? worker.rate : 0), 0)
  const incomplete = await readGaps(sql, job, textOf(row, 'incomplete'))
  const differences = [...counts].filter(([name]) => name.startsWith('difference '))
  const ended = numberOf(row, 'ended')
  const isCompared = (counts.get('not compared') ?? 0) === 0
  return {
    id,
    kind,
    state,
    created: new Date(numberOf(row, 'created')),
    ...(ended > 0 && {ended: new Date(ended)}),
    ...(isCounted && {total: targets}),
    done,
    successes,
    failures,
    inDoubt: counts.get('doubt') ?? 0,
    reasons,
    requests: counts.get('requests') ?? 0,
    resources: counts.get('resources') ?? 0,
    listings,
    differences: Object.fromEntries(
      differences.map(([name, count]) => [name.slice('difference '.length), count]),
    ),
    complete: state === 'done' && incomplete.length === 0 && setAside === 0 && isCompared,
    incomplete,
    setAside,
    rate,
    ...(isCounted && rate > 0 && {timeLeft: Math.round(((targets - done) / rate) * 1000)}),
    cooldown: await cooldownOf(sql, job.origin),
    workers,
  }
}

/** The name of the count of a failure, such as `status 423`. */
const REASON = /^(?:status|propstat|malformed|member|no-answer|refused) \d+$/

function sumBy(rows: readonly Row[], by: string): Map<string, number> {
  const sums = new Map<string, number>()
  for (const row of rows) {
    const key = textOf(row, by)
    sums.set(key, (sums.get(key) ?? 0) + numberOf(row, 'count'))
  }
  return sums
}

function total(rows: readonly Row[], column: string): number {
  return rows.reduce((sum, row) => sum + numberOf(row, column), 0)
}

/** Tells if a count is one of verdicts or listings. */
export function isOfWork(name: string): boolean {
  return name === 'ok' || REASON.test(name) || name.startsWith('listing ')
}

async function readWorkers(
  {all, now}: Sql,
  job: string,
  tallies: readonly Row[],
): Promise<readonly WorkerReport[]> {
  const done = sumBy(
    tallies.filter((row) => isOfWork(textOf(row, 'name'))),
    'worker',
  )
  const rows = await all(
    `select id, host, pid, started, rate, ${now} - seen as silence from worker where job = ? order by started, id`,
    [job],
  )
  return rows.map((row) => {
    // Below zero, it has given no sign since the clock of the ledger was set back.
    const silence = numberOf(row, 'silence')
    return {
      name: textOf(row, 'id'),
      host: textOf(row, 'host'),
      pid: numberOf(row, 'pid'),
      started: new Date(numberOf(row, 'started')),
      silence: Math.max(0, silence),
      isLive: Math.abs(silence) < SILENT_MILLISECONDS,
      rate: numberOf(row, 'rate') / 1000,
      done: done.get(textOf(row, 'id')) ?? 0,
    }
  })
}

/** Reads the gaps of the source of the targets, and the collections whose listing failed. */
async function readGaps(
  {all}: Sql,
  {id, options}: StoredJob,
  source: string,
): Promise<readonly JobGap[]> {
  const ofSource: readonly Incomplete[] = JSON.parse(source)
  const jobs = new Set([id, ...(options.sides ?? []).map(({job}) => job || id)])
  const failed: JobGap[] = []
  for (const job of jobs) {
    const [gap] = await all(
      "select count from tally where job = ? and name like 'listing %' and name <> 'listing ok' and count <> 0 limit 1",
      [job],
    )
    if (gap === undefined) continue
    const rows = await all(
      `select v.status as status, v.detail as detail from verdict v join unit u on u.id = v.unit
        where u.job = ? and u.kind = 'list' and v.ok = 0 limit ?`,
      [job, REPORTED_GAPS],
    )
    for (const row of rows) {
      const {url, description} = JSON.parse(textOf(row, 'detail')) as Failure
      const status = numberOf(row, 'status')
      const told = description !== undefined && {description}
      failed.push({href: url, reason: 'failed', status, ...told})
    }
  }
  return [...ofSource, ...failed].slice(0, REPORTED_GAPS)
}
