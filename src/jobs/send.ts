/**
 * Sends the requests of a unit. The mark that a request may have been sent is stored before it is sent, and its verdict together
 * with the marks of the next ones. A repeated request is thus known as one, whoever sent it before.
 */

import {join} from 'node:path'

import {causeOf} from '../call/answer.ts'
import {createFailure} from '../multistatus/failure.ts'
import type {DavResult, FailedRequest, Failure} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import {isCollection} from '../multistatus/selection.ts'
import {DavError} from '../protocol/errors.ts'
import {ancestorsOf} from '../protocol/href.ts'
import {decodePath} from '../protocol/path.ts'
import {isMissingStatus, isSuccessStatus} from '../protocol/status.ts'
import type {LocalFile} from '../transfer/upload.ts'
import type {Item} from './items.ts'
import {keyOfUrl, readItem} from './items.ts'
import type {StoredJob} from './job.ts'
import type {Sql} from './store.ts'
import {placeholders, textOf} from './store.ts'
import {cooldownOf, FILES, noteProgress} from './units.ts'
import type {VerdictRow} from './verdicts.ts'
import {block, count, recordVerdicts, verdictRow} from './verdicts.ts'
import type {Rest, Work} from './work.ts'
import {coolAfter, waitAfter, whileHeld} from './work.ts'

/** Requests between two transactions, for each one at once. A kill leaves the outcome of so many unknown. */
const ROUNDS = 8

/** The outcome of some requests. */
interface Round {
  readonly verdicts: readonly VerdictRow[]
  /** True after a failure that must keep the collections around it. */
  readonly isBlocked: boolean
  /** Items that were not sent after all. */
  readonly unsent: readonly Item[]
  /** Failures with the milliseconds until another attempt. After some of them all workers wait. */
  readonly failures: readonly {readonly failure: Failure; readonly wait: number}[]
  /** Milliseconds until the failures that are tried again. */
  readonly wait: number
  /** True if an item is left without a verdict. */
  readonly isLeft: boolean
  readonly requests: number
}

const NOTHING: Round = {
  verdicts: [],
  isBlocked: false,
  unsent: [],
  failures: [],
  wait: 0,
  isLeft: false,
  requests: 0,
}

const UNDECIDED = `select i.n as n, i.name as name, i.request as request, i.attempts as attempts, c.path as path
  from item i join collection c on c.id = i.collection
  where i.unit = ? and not exists (select 1 from verdict v where v.unit = i.unit and v.n = i.n)
  order by i.n`

/** Sends each request of a unit once. */
export async function sendUnit(work: Work): Promise<Rest> {
  const {store, job, unit, concurrency, signal} = work
  const rows = await store.read(({all}) => all(UNDECIDED, [unit.id]))
  const items = rows.map((row) => readItem(row, job))
  const path = textOf(rows[0], 'path')
  const origin = new URL(job.base).origin
  let round = NOTHING
  let wait = 0
  let isLeft = false
  const size = concurrency * (unit.crashes > 0 ? 1 : ROUNDS)
  for (let begin = 0; ; begin += size) {
    const last = round
    const next = signal.aborted ? [] : items.slice(begin, begin + size)
    const {held, sent} = await whileHeld(work, async (sql, isOpen) => {
      await record(sql, work, last, path)
      const cooldown = await cooldownOf(sql, origin)
      const isHeld = cooldown > 0 || !isOpen || next.length === 0
      return {held: cooldown, sent: isHeld ? [] : await mark(sql, work, next, path)}
    })
    wait = Math.max(wait, last.wait)
    isLeft ||= last.isLeft
    signal.throwIfAborted()
    if (next.length === 0) break
    if (held > 0) return {wait: Math.max(held, wait)}
    round = await send(work, sent)
  }
  return isLeft ? {wait} : {isDone: true}
}

/** Marks requests that are about to be sent, and returns them. A collection in which a target failed gets its verdict instead. */
async function mark(
  sql: Sql,
  work: Work,
  items: readonly Item[],
  path: string,
): Promise<readonly Item[]> {
  const {job, unit, worker} = work
  const blocked = await blockedOf(sql, work, items)
  const kept = items.filter(({key}) => blocked.has(key))
  if (kept.length > 0) {
    const verdicts = kept.map(({n, request}) =>
      verdictRow(unit.id, n, failForMembers(request), false),
    )
    await recordVerdicts(sql, {job: job.id, worker}, verdicts)
    await block(sql, job.id, path)
  }
  const sent = items.filter(({key}) => !blocked.has(key))
  await setAttempts(sql, unit.id, sent, 1)
  return sent
}

/** Finds the collections in which a target failed. */
async function blockedOf(
  {all}: Sql,
  {job, unit}: Work,
  items: readonly Item[],
): Promise<ReadonlySet<string>> {
  if (job.kind !== 'delete' || unit.level === FILES) return new Set()
  const rows = await all(
    `select path from blocked where job = ? and path in (${placeholders(items.length)})`,
    [job.id, ...items.map(({key}) => key)],
  )
  return new Set(rows.map((row) => textOf(row, 'path')))
}

function failForMembers(request: FailedRequest): Failure {
  const description = 'Not sent: a member of it was not deleted'
  return createFailure({url: request.url, status: 424, reason: 'member', description, request})
}

/** Stores the attempts of items, as they were read and some more. The same transaction may run twice, so nothing is added there. */
async function setAttempts(
  {run}: Sql,
  unit: number,
  items: readonly Item[],
  more: number,
): Promise<void> {
  for (const attempts of new Set(items.map(({request}) => request.attempts))) {
    const numbers = items.filter(({request}) => request.attempts === attempts).map(({n}) => n)
    const listed = placeholders(numbers.length)
    await run(`update item set attempts = ? where unit = ? and n in (${listed})`, [
      attempts + more,
      unit,
      ...numbers,
    ])
  }
}

/** Stores the outcome of a round. */
async function record(sql: Sql, work: Work, round: Round, path: string): Promise<void> {
  const {job, unit, worker} = work
  const {verdicts, isBlocked, unsent, requests, failures} = round
  await recordVerdicts(sql, {job: job.id, worker}, verdicts)
  if (isBlocked) await block(sql, job.id, path)
  await setAttempts(sql, unit.id, unsent, 0)
  if (requests > 0) await count(sql, job.id, worker, new Map([['requests', requests]]))
  if (verdicts.length > 0) await noteProgress(sql, unit)
  for (const {failure, wait} of failures) await coolAfter(sql, work, failure, wait)
}

/** Sends marked requests once each. */
async function send(work: Work, items: readonly Item[]): Promise<Round> {
  if (items.length === 0) return NOTHING
  const {job, unit, signal} = work
  const answers = new Map<Item, DavResult>()
  let requests = 0
  try {
    for (const group of apart(items)) requests += await ask(work, group, answers)
  } catch (error) {
    // The answers of requests that were under way are recorded.
    if (!signal.aborted) throw error
  }
  const verdicts: VerdictRow[] = []
  const unsent: Item[] = []
  const failures: {failure: Failure; wait: number}[] = []
  let longest = 0
  let isBlocked = false
  for (const [item, answer] of answers) {
    const {n, request} = item
    const attempts = request.attempts + 1
    const wait = answer.ok ? 0 : waitAfter(work, attempts, answer)
    if (!answer.ok) failures.push({failure: answer, wait})
    // Without an end of the call, its client refused the request: another try would not change that.
    if (signal.aborted && isUnsent(item, answer)) {
      unsent.push(item)
    } else if (!answer.ok && isRetryable(answer) && attempts < job.options.retry.attempts) {
      longest = Math.max(longest, wait)
    } else {
      // An earlier request may have done it, whose answer nobody knows.
      const isInDoubt = answer.ok && request.attempts > 0 && !isSuccessStatus(answer.status)
      verdicts.push(verdictRow(unit.id, n, answer, isInDoubt))
      isBlocked ||= job.kind === 'delete' && !answer.ok && !isMissingStatus(answer.status)
    }
  }
  const isLeft = verdicts.length < items.length
  return {verdicts, isBlocked, unsent, failures, wait: longest, isLeft, requests}
}

/** Sorts items into groups in which each has a URL of its own. Copies may share a source. */
function apart(items: readonly Item[]): readonly (readonly Item[])[] {
  const groups: Map<string, Item>[] = []
  for (const item of items) {
    const key = item.key
    let group = groups.find((one) => !one.has(key))
    if (group === undefined) groups.push((group = new Map()))
    group.set(key, item)
  }
  return groups.map((group) => Array.from(group.values()))
}

/** Sends requests, and collects their answers by item. Returns the number of requests. */
async function ask(
  {dav, job, concurrency, signal}: Work,
  items: readonly Item[],
  answers: Map<Item, DavResult>,
): Promise<number> {
  const byKey = new Map(items.map((item) => [item.key, item]))
  const members = new Map<Item, DavResult[]>()
  const stream = dav.retry(items.map(toFailure), {
    attempts: 1,
    concurrency,
    signal,
    retryable: () => true,
    unguarded: job.options.unguarded === true,
    bodyOf: (failure) => bodyOf(job, failure),
  })
  for await (const result of stream) {
    const key = keyOfUrl(result.url)
    const own = result.relation === 'self' ? byKey.get(key) : undefined
    if (own !== undefined) {
      const others = members.get(own)
      const whole = others === undefined ? result : {...result, members: others}
      answers.set(own, await settle(whole, dav, signal))
      continue
    }
    // Results of members come before the verdict of their collection.
    const around = ancestorsOf(key).find((path) => byKey.has(path))
    const owner = around === undefined ? undefined : byKey.get(around)
    if (owner !== undefined) members.set(owner, [...(members.get(owner) ?? []), result])
  }
  return (await stream.summary).requests
}

/** Makes the Failure by which the client sends the request of an item. */
function toFailure({request}: Item): Failure {
  const cause = request.attempts === 0 ? 'not-sent' : 'unreadable'
  return createFailure({url: request.url, status: 0, reason: 'no-answer', cause, request})
}

/** Recognizes an item whose request was not sent, because the call ended before. */
function isUnsent({request}: Item, answer: DavResult): boolean {
  if (answer.ok || answer.reason !== 'no-answer') return false
  return answer.cause === 'not-sent' || answer.request?.attempts === request.attempts
}

/** Completes an answer: a MKCOL of a collection that is there has nothing to do. RFC 4918, section 9.3.1. */
async function settle(
  result: DavResult,
  dav: Work['dav'],
  signal: AbortSignal,
): Promise<DavResult> {
  if (result.ok || result.status !== 405 || result.request?.method !== 'MKCOL') return result
  const {url, request} = result
  const there = await dav
    .stat(url, {properties: ['resourcetype'], signal})
    .catch((error: unknown) => {
      if (!(error instanceof DavError)) throw error
      const cause = causeOf(error)
      return createFailure({url, status: 0, reason: 'no-answer', cause, description: error.message})
    })
  if (!there.ok) return isRetryable(there) ? {...there, request} : result
  return isCollection(there) === true
    ? {...there, properties: {}, description: 'It was there already'}
    : result
}

/** Finds the local file of an upload. */
function bodyOf({options}: StoredJob, {request}: Failure): LocalFile | undefined {
  const {root = '', folder = ''} = options
  const name = decodePath((request?.url ?? '').slice(root.length))
  return name === undefined ? undefined : {path: join(folder, name)}
}
