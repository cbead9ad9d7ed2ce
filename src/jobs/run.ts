/** The worker: it claims unit after unit of one job until nothing is left, in this process, beside any number of others. */

import {hostname} from 'node:os'
import {setTimeout as pause} from 'node:timers/promises'

import type {DavClient} from '../client/dav-client.ts'
import {isWholeNumber, memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, callback, NUMBER, readOptions, SIGNAL, TEXT} from '../protocol/options.ts'
import {setAside} from './aside.ts'
import {compareUnits} from './compare.ts'
import type {JobReport} from './inspect.ts'
import {isOfWork, report} from './inspect.ts'
import type {Job, StoredJob} from './job.ts'
import {readJob} from './job.ts'
import type {Ledger} from './ledger.ts'
import {LedgerError, storeOf} from './ledger.ts'
import {listUnits} from './list.ts'
import {sendUnits} from './send.ts'
import type {Store} from './store.ts'
import {numberOf, textOf} from './store.ts'
import type {Telemetry} from './telemetry.ts'
import {Trace} from './telemetry.ts'
import type {Claim, Unit} from './units.ts'
import {
  claim,
  DONE,
  followClock,
  giveUp,
  heldOf,
  LostUnitError,
  MOST_CRASHES,
  OPEN,
  release,
} from './units.ts'
import type {Rest, Work} from './work.ts'
import {CancelledError, restOf, Rhythm, Slots} from './work.ts'

/** The longest lease: an hour. */
export const LONGEST_LEASE_MILLISECONDS = 3_600_000
/** Units that one worker has at a time: the second one keeps it busy during the last requests of the first. */
const LANES = 2
/** The longest wait before a worker looks again for work that another one left. */
const LOOK_MILLISECONDS = 1000
/** The shortest wait, so that waiting workers cost little. */
const REST_MILLISECONDS = 20
/** Milliseconds between two signs of a worker, and between two reports of progress. */
const SIGN_MILLISECONDS = 1000
/** Signs over which the rate is measured. */
const RATE_SIGNS = 5

/** Options of `runJob`. */
export interface RunJobOptions {
  /** Ends the worker. Requests under way end first, and their verdicts are stored. `runJob` then rejects with the reason. */
  readonly signal?: AbortSignal | undefined
  /** Called with the state of the whole job, about once a second and at the end. An error that it throws ends the worker. */
  readonly onProgress?: ((report: JobReport) => void) | undefined
  /**
   * The most requests at once of this worker.
   *
   * @defaultValue 8
   */
  readonly concurrency?: number | undefined
  /**
   * Milliseconds after which another worker gets a unit whose worker is silent. It is renewed at a third. From
   * 1000 to 3,600,000.
   *
   * @defaultValue 30,000
   */
  readonly lease?: number | undefined
  /**
   * The name of the worker in the ledger. Each run of a job needs another one.
   *
   * @defaultValue the host, the process id and a random part
   */
  readonly name?: string | undefined
  /** Spans and counters: the module `@opentelemetry/api`. Nothing is measured without it. */
  readonly telemetry?: Telemetry | undefined
}

const RUN_OPTIONS: Rules<RunJobOptions> = {
  signal: SIGNAL,
  onProgress: callback('the report'),
  concurrency: NUMBER,
  lease: NUMBER,
  name: TEXT,
  telemetry: ANY,
}

/**
 * Works on a job until all of it is done, the units of other workers too. Call it in as many processes as you like, and again
 * after a crash: nothing that has a verdict is sent again.
 *
 * Each href gets exactly one verdict. Its request is sent once or, after a crash, more often. A 404 to a repeated DELETE is a
 * Success in doubt: the earlier request may have deleted the resource, or somebody else.
 *
 * @param job - The job, or its `id`.
 * @param dav - A client with the URL of the job. The policy of retries is the job's own.
 * @returns The report at the end of the job. A cancelled job ends early.
 * @throws {@link LedgerError} for a missing job, for one whose targets are not all stored, and for one on which `retryJob` is at
 *   work. LedgerError too for a store that fails. TypeError for a client with another URL. The signal's reason.
 * @example
 * ```ts
 * const {failures} = await runJob(ledger, job, dav, {onProgress: ({done, total}) => console.log(done, total)})
 * ```
 */
export async function runJob(
  ledger: Ledger,
  job: Job | string,
  dav: DavClient,
  options: RunJobOptions = {},
): Promise<JobReport> {
  const given = readOptions('runJob', options, RUN_OPTIONS)
  const {signal, onProgress, concurrency = 8, lease = 30_000, telemetry} = given
  const {name = `${hostname()}-${process.pid}-${crypto.randomUUID().slice(0, 8)}`} = given
  if (name === '') throw new TypeError('runJob: name is a text that is not empty')
  if (!isWholeNumber(concurrency, 1))
    throw new RangeError('runJob: concurrency is a whole number above zero')
  if (!isWholeNumber(lease, 1000) || lease > LONGEST_LEASE_MILLISECONDS)
    throw new RangeError('runJob: lease is a whole number of milliseconds from 1000 to 3,600,000')
  signal?.throwIfAborted()
  if (typeof memberOf(dav, 'url') !== 'string')
    throw new TypeError('runJob: give a DavClient as the third argument')
  const store = storeOf(ledger)
  const stored = await store.read((sql) => readJob(sql, job))
  assertRunnable(stored, dav)
  const stop = new AbortController()
  const all = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const trace = new Trace(telemetry)
  const lanes = Math.min(LANES, concurrency)
  const lane: Lane = {
    store,
    job: stored,
    dav,
    worker: name,
    lease,
    slots: new Slots(concurrency),
    signal: all,
    trace,
    bell: new Bell(),
    gate: new Gate(),
    rhythm: new Rhythm(),
  }
  await enter(lane)
  const signs = giveSigns(lane, stop, onProgress)
  try {
    await trace.job(stored, () => runLanes(lane, lanes, stop))
    await signs.end()
  } finally {
    stop.abort()
    await signs.end().catch(() => {})
  }
  return finish(lane, onProgress)
}

function assertRunnable({id, state, base}: StoredJob, dav: DavClient): void {
  if (state === 'filling') {
    const help = 'repeat createJob with this id'
    throw new LedgerError('state', `The targets of the job ${id} are not all stored; ${help}`)
  }
  if (state === 'reopening') {
    const help = 'wait for its end, or call retryJob again if it was interrupted'
    throw new LedgerError('state', `retryJob is at work on the job ${id}; ${help}`)
  }
  if (base !== dav.url)
    throw new TypeError(`runJob: the job ${id} is one of ${base}, and the client one of ${dav.url}`)
}

/** The context that the lanes of one worker share. */
interface Lane extends Omit<Work, 'units'> {
  readonly trace: Trace
  readonly bell: Bell
  readonly gate: Gate
}

/** Wakes waiting lanes when another one has given a unit back. */
class Bell {
  #ringing = new AbortController()

  /** Waits for some milliseconds, for the bell, or for the signal. */
  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    const ends = AbortSignal.any([signal, this.#ringing.signal])
    await pause(milliseconds, undefined, {signal: ends}).catch(() => {})
  }

  ring(): void {
    this.#ringing.abort()
    this.#ringing = new AbortController()
  }
}

/** Lets one lane in at a time, to claim units. It stays shut while a lane works on a unit that may end this worker. */
class Gate {
  #open: Promise<void> = Promise.resolve()

  /** Waits for the turn of a lane, and returns the function that ends it. */
  async enter(): Promise<() => void> {
    const before = this.#open
    const {promise, resolve} = Promise.withResolvers<void>()
    this.#open = promise
    await before
    return resolve
  }
}

/** Runs the lanes to their end. The first error stops all of them. */
async function runLanes(lane: Lane, lanes: number, stop: AbortController): Promise<void> {
  const running = Array.from({length: lanes}, () =>
    run(lane).catch((error: unknown) => {
      stop.abort(error)
      throw error
    }),
  )
  const ends = await Promise.allSettled(running)
  // The error of the first lane that failed. The lanes that it stopped have errors too.
  lane.signal.throwIfAborted()
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Works until nothing is left. */
async function run(lane: Lane): Promise<void> {
  const {signal} = lane
  for (;;) {
    signal.throwIfAborted()
    const open = await lane.gate.enter()
    const found = await claimUnits(lane).catch((error: unknown) => {
      open()
      throw error
    })
    const units = found !== undefined && 'units' in found ? found.units : []
    // A unit may have crashed its last worker. It runs alone, so that it does not crash other units too.
    const isSuspect = units.some(({crashes}) => crashes > 0)
    if (!isSuspect) open()
    if (found === undefined || 'isDone' in found) return
    if ('units' in found) await lane.slots.share(() => runUnits(lane, units)).finally(open)
    else {
      const wait = Math.min(Math.max(found.wait, REST_MILLISECONDS), LOOK_MILLISECONDS)
      await lane.bell.wait(wait, signal)
    }
  }
}

/** Claims units; `undefined` if the job is not open any more. */
function claimUnits({store, job, worker, lease}: Lane): Promise<Claim | undefined> {
  const {origin, options} = job
  const most = options.unitSize
  return store.transaction(async (sql) => {
    const [row] = await sql.all('select state from job where id = ?', [job.id])
    if (textOf(row, 'state') !== 'open') return undefined
    const found = await claim(sql, {job: job.id, worker, lease, origin, most})
    if (!('units' in found)) return found
    const units: Unit[] = []
    for (const unit of found.units) {
      if (unit.crashes < MOST_CRASHES) units.push(unit)
      else await setAside(sql, job, unit, worker)
    }
    return units.length > 0 ? {units} : {wait: 0}
  })
}

const RUNNERS = {send: sendUnits, list: listUnits, compare: compareUnits}

/** Works on units, and gives them back. Units that were lost meanwhile are the business of their new holders. */
async function runUnits(lane: Lane, units: readonly Unit[]): Promise<void> {
  const {store, job, lease, trace, bell} = lane
  const [first] = units
  if (first === undefined) return
  const lost = new AbortController()
  const signal = AbortSignal.any([lane.signal, lost.signal])
  const renew = async (): Promise<void> => {
    const held = await store.transaction((sql) => heldOf(sql, units, lease))
    if (held.size === 0) throw new LostUnitError('Another worker has claimed the units')
  }
  const renewal = setInterval(() => {
    renew().catch((error: unknown) => lost.abort(error))
  }, lease / 3)
  try {
    const rest = await trace.units(job, units, () => RUNNERS[first.kind]({...lane, units, signal}))
    await giveBack(store, units, rest)
  } catch (error) {
    const reason: unknown = lost.signal.aborted ? lost.signal.reason : error
    const isExpected = reason instanceof LostUnitError || reason instanceof CancelledError
    // A unit whose work breaks again and again is set aside, as one that ends its workers. Without a store, the lease ends.
    const end =
      isExpected || lane.signal.aborted ? giveBack(store, units, restOf(units, 0)) : undefined
    await (end ?? store.transaction((sql) => giveUp(sql, units))).catch(() => {})
    if (!isExpected) throw reason
  } finally {
    clearInterval(renewal)
    bell.ring()
  }
}

/** Gives units back: those that are done, and those with a rest. */
function giveBack(store: Store, units: readonly Unit[], rest: Rest): Promise<void> {
  return store.transaction(async (sql) => {
    await release(
      sql,
      units.filter(({id}) => !rest.has(id)),
      DONE,
    )
    for (const unit of units) {
      const wait = rest.get(unit.id)
      if (wait !== undefined) await release(sql, [unit], OPEN, wait)
    }
  })
}

/** Writes the worker into the ledger. */
async function enter({store, job, worker}: Lane): Promise<void> {
  await store.transaction(async (sql) => {
    const {insert, now} = sql
    await followClock(sql)
    const columns = ['job', 'id', 'host', 'pid', 'started', 'seen', 'rate']
    await insert('worker', columns, [[job.id, worker, hostname(), process.pid, 0, 0, 0]])
    await sql.run(`update worker set started = ${now}, seen = ${now} where job = ? and id = ?`, [
      job.id,
      worker,
    ])
  })
}

/** Gives a sign of life each second, counts, and reports the progress. */
function giveSigns(
  lane: Lane,
  stop: AbortController,
  onProgress: RunJobOptions['onProgress'],
): {readonly end: () => Promise<void>} {
  const {store} = lane
  const samples: {readonly at: number; readonly done: number}[] = []
  const timer = new AbortController()
  const loop = async (): Promise<void> => {
    for (;;) {
      await pause(SIGN_MILLISECONDS, undefined, {signal: timer.signal}).catch(() => {})
      await sign(lane, samples)
      if (timer.signal.aborted) return
      if (onProgress !== undefined) onProgress(await store.read((sql) => report(sql, lane.job)))
    }
  }
  const ended = loop().catch((error: unknown) => {
    stop.abort(error)
    throw error
  })
  ended.catch(() => {})
  return {
    end() {
      timer.abort()
      return ended
    },
  }
}

/** Writes the time and the rate of the worker. */
async function sign(
  {store, job, worker, trace}: Lane,
  samples: {readonly at: number; readonly done: number}[],
): Promise<void> {
  const counts = await store.transaction(async (sql) => {
    await followClock(sql)
    const rows = await sql.all('select name, count from tally where job = ? and worker = ?', [
      job.id,
      worker,
    ])
    const own = new Map(rows.map((row) => [textOf(row, 'name'), numberOf(row, 'count')]))
    const done = [...own].reduce((sum, [name, count]) => (isOfWork(name) ? sum + count : sum), 0)
    samples.push({at: performance.now(), done})
    if (samples.length > RATE_SIGNS) samples.shift()
    const [oldest] = samples
    const elapsed = performance.now() - (oldest?.at ?? 0)
    const rate = elapsed === 0 ? 0 : ((done - (oldest?.done ?? 0)) / elapsed) * 1000
    await sql.run(`update worker set seen = ${sql.now}, rate = ? where job = ? and id = ?`, [
      Math.round(rate * 1000),
      job.id,
      worker,
    ])
    return own
  })
  trace.count(job, counts)
}

/** Ends the job if nothing of it is left, and reports. */
async function finish(
  {store, job}: Lane,
  onProgress: RunJobOptions['onProgress'],
): Promise<JobReport> {
  const last = await endJob(store, job)
  onProgress?.(last)
  return last
}

async function endJob(store: Store, {id}: StoredJob): Promise<JobReport> {
  await store.transaction(({run: change, now}) =>
    change(
      `update job set state = 'done', ended = ${now} where id = ? and state = 'open'
        and not exists (select 1 from unit where job = ? and state < 2)`,
      [id, id],
    ),
  )
  return store.read((sql) => report(sql, id))
}
