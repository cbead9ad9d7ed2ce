/**
 * Sends the requests of units. All of them are marked as perhaps sent before the first one is sent. A repeated request is thus
 * known as one, whoever sent it before. Verdicts are stored in rounds. A request that was not sent after all loses its mark.
 */

import {join} from 'node:path'

import type {RetryOptions} from '../engine/retry.ts'
import {isUnclear} from '../engine/verdict.ts'
import {createFailure} from '../multistatus/failure.ts'
import type {DavResult, FailedRequest, Failure} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import {ancestorsOf} from '../protocol/href.ts'
import {decodePath} from '../protocol/path.ts'
import {isMissingStatus, isSuccessStatus} from '../protocol/status.ts'
import type {LocalFile} from '../transfer/upload.ts'
import type {Item} from './items.ts'
import {keyOfUrl, noteAttempts, readItems} from './items.ts'
import type {StoredJob} from './job.ts'
import {shorten} from './shorten.ts'
import type {Sql} from './store.ts'
import {placeholders, textOf} from './store.ts'
import {cooldownOf, noteBegin, noteProgress} from './units.ts'
import type {VerdictRow} from './verdicts.ts'
import {block, count, recordVerdicts, verdictRow} from './verdicts.ts'
import type {Holding, Rest, Work} from './work.ts'
import {asksForRest, coolDown, restOf, TIMEOUT, waitAfter, whileHeld} from './work.ts'

/** The outcome of some requests. */
interface Round {
  /** Items with a verdict, each with its row. */
  readonly decided: readonly {
    readonly item: Item
    readonly row: VerdictRow
    /** True after a refusal, if no request is left whose outcome is unknown. */
    readonly isKnown: boolean
  }[]
  /** Items that failed in a way that must keep the collections around them. */
  readonly blocking: readonly Item[]
  /** Items without a verdict, with what is known about their requests now. */
  readonly left: readonly Item[]
  /** Milliseconds until the next attempt, by unit. */
  readonly waits: ReadonlyMap<number, number>
  /** Milliseconds for which the server asked all to wait. */
  readonly cooldown: number
  readonly requests: number
}

/** Sends each request of the units once. */
export async function sendUnits(work: Work): Promise<Rest> {
  const {store, job, units, slots, rhythm, signal} = work
  const ids = units.map(({id}) => id)
  const items = await store.read((sql) => readItems(sql, ids, job))
  const {origin} = job
  const {cooldown, sent} = await whileHeld(work, async (sql, holding) => {
    const held = await cooldownOf(sql, origin)
    const isReady = held === 0 && holding.isOpen && ids.every((id) => holding.isHeld(id))
    return {cooldown: held, sent: isReady ? await mark(sql, work, items, holding) : []}
  })
  if (cooldown > 0) return restOf(units, cooldown)
  await store.flush()
  const rest = new Map<number, number>()
  for (let at = 0; at < sent.length;) {
    const round = await slots.use(sent.length - at, async (concurrency) => {
      // After a loss, progress is stored in small steps, so that few of them set a unit aside.
      const isSuspect = units.some(({crashes}) => crashes > 0)
      const size = isSuspect ? concurrency : Math.max(rhythm.size, concurrency)
      const next = sent.slice(at, at + size)
      at += next.length
      const begun = performance.now()
      const outcome = await send(work, next, concurrency)
      rhythm.note(next.length, performance.now() - begun)
      return outcome
    })
    const isEnding = signal.aborted
    const held = await whileHeld(work, async (sql, holding) => {
      await record(sql, work, round, holding)
      const longest = await cooldownOf(sql, origin)
      const isLost = !ids.every((id) => holding.isHeld(id))
      if (isEnding || isLost || !holding.isOpen || longest > 0)
        await noteAttempts(
          sql,
          sent.slice(at).filter(({unit}) => holding.isHeld(unit)),
        )
      return longest
    })
    if (isEnding) signal.throwIfAborted()
    for (const {unit} of round.left)
      rest.set(unit, Math.max(rest.get(unit) ?? 0, round.waits.get(unit) ?? 0))
    if (held === 0) continue
    for (const {unit} of sent.slice(at)) rest.set(unit, Math.max(rest.get(unit) ?? 0, held))
    break
  }
  return rest
}

/** Marks requests, and returns them. A collection in which a target failed gets its verdict instead. */
async function mark(
  sql: Sql,
  work: Work,
  items: readonly Item[],
  {isHeld}: Holding,
): Promise<readonly Item[]> {
  const {job, units, worker} = work
  const own = items.filter(({unit}) => isHeld(unit))
  const blocked = await blockedOf(sql, job, own)
  const kept = own.filter((item) => blocked.has(pathOf(item)))
  if (kept.length > 0) {
    const verdicts = kept.map(({unit, n, request}) =>
      verdictRow(unit, n, failForMembers(request), false),
    )
    await recordVerdicts(sql, {job: job.id, worker}, verdicts)
    await block(
      sql,
      job.id,
      kept.map(({key}) => key),
    )
  }
  const sent = own.filter((item) => !blocked.has(pathOf(item)))
  await noteAttempts(
    sql,
    sent.map((item) => ({...item, isMaybe: true})),
  )
  await noteBegin(
    sql,
    units.filter(({id}) => isHeld(id)),
  )
  return sent
}

/** Finds the collections in which a target failed. */
async function blockedOf(
  {all}: Sql,
  {id, kind}: StoredJob,
  items: readonly Item[],
): Promise<ReadonlySet<string>> {
  if (kind !== 'delete' || items.length === 0) return new Set()
  const rows = await all(
    `select path from blocked where job = ? and path in (${placeholders(items.length)})`,
    [id, ...items.map(pathOf)],
  )
  return new Set(rows.map((row) => textOf(row, 'path')))
}

/** The path by which a collection is kept. */
function pathOf({key}: Item): string {
  return shorten(key.replace(/\?.*$/su, ''))
}

function failForMembers(request: FailedRequest): Failure {
  const description =
    'Not sent: a member of it was not deleted, or it could not be listed as a whole'
  return createFailure({url: request.url, status: 424, reason: 'member', description, request})
}

/** Stores the outcome of a round. */
async function record(sql: Sql, work: Work, round: Round, {isHeld}: Holding): Promise<void> {
  const {job, worker} = work
  const decided = round.decided.filter(({item}) => isHeld(item.unit))
  const rows = decided.map(({row}) => row)
  await recordVerdicts(sql, {job: job.id, worker}, rows)
  const blocking = round.blocking.filter(({unit}) => isHeld(unit))
  await block(
    sql,
    job.id,
    blocking.map(({key}) => key),
  )
  // The mark of a refused request goes too: another run of the job would take it for one that may have been done.
  const known = decided
    .filter(({isKnown}) => isKnown)
    .map(({item: {unit, n, attempts}}) => ({unit, n, attempts, isMaybe: false}))
  const left = round.left.filter(({unit}) => isHeld(unit))
  await noteAttempts(sql, [...known, ...left])
  await count(sql, job.id, worker, new Map([['requests', round.requests]]))
  await noteProgress(sql, [...new Set(decided.map(({item}) => item.unit))])
  await coolDown(sql, work, round.cooldown)
}

/** Sends marked requests once each. */
async function send(work: Work, items: readonly Item[], concurrency: number): Promise<Round> {
  const {job, signal} = work
  const answers = new Map<Item, DavResult>()
  let requests = 0
  try {
    requests =
      job.kind === 'delete'
        ? await askTogether(work, items, concurrency, answers)
        : await askEach(work, items, concurrency, answers)
  } catch (error) {
    // The answers of requests that were under way are recorded.
    if (!signal.aborted) throw error
  }
  const decided: {item: Item; row: VerdictRow; isKnown: boolean}[] = []
  const blocking: Item[] = []
  const left: Item[] = []
  const waits = new Map<number, number>()
  let cooldown = 0
  for (const item of items) {
    const {unit, n, isMaybe, request} = item
    const answer = answers.get(item) ?? unanswered(item, signal.aborted)
    const attempts = item.attempts + 1
    const wait = answer?.ok === false ? waitAfter(work, attempts, answer) : 0
    if (answer?.ok === false && asksForRest(answer)) cooldown = Math.max(cooldown, wait)
    if (answer === undefined) {
      left.push({...item, isMaybe: true})
    } else if (signal.aborted && isUnsent(item, answer)) {
      left.push(item)
    } else if (!answer.ok && mayDoBetter(answer) && attempts < job.options.retry.attempts) {
      waits.set(unit, Math.max(waits.get(unit) ?? 0, wait))
      left.push({...item, attempts, isMaybe: isMaybe || isUnclear(answer)})
    } else {
      // An earlier request may have done it, whose answer nobody knows. Of a MOVE or PUT, it may be this one.
      const mayBeDone = request.attempts > 0 || ['MOVE', 'PUT'].includes(request.method)
      const isInDoubt = answer.ok && mayBeDone && !isSuccessStatus(answer.status)
      const isKnown = !answer.ok && !isMaybe && !isUnclear(answer)
      // A refusal brings no request, and `retryJob` may send it again.
      const verdict = answer.ok ? answer : {request, ...answer}
      decided.push({item, row: verdictRow(unit, n, verdict, isInDoubt), isKnown})
      if (!answer.ok && job.kind === 'delete' && !isMissingStatus(answer.status))
        blocking.push(item)
    }
  }
  return {decided, blocking, left, waits, cooldown, requests}
}

/** Tells of failures that may pass. A 405 to a MKCOL is one: the question whether the collection is there may have broken. */
function mayDoBetter(failure: Failure): boolean {
  return isRetryable(failure) || (failure.status === 405 && failure.request?.method === 'MKCOL')
}

/** Makes the Failure of a request that was sent and came back without a verdict; `undefined` if the call has ended before. */
function unanswered({request}: Item, isAborted: boolean): Failure | undefined {
  if (isAborted) return undefined
  const description = 'Sent, but no answer names its resource'
  const facts = {url: request.url, status: 0, reason: 'no-answer', cause: 'unreadable'} as const
  return createFailure({...facts, description, request})
}

/** Sends requests whose answers are told apart by their URLs. Returns the number of requests. */
async function askTogether(
  work: Work,
  items: readonly Item[],
  concurrency: number,
  answers: Map<Item, DavResult>,
): Promise<number> {
  // Most results have the URL of the request. Keys begin with a slash or a question mark, and URLs do not.
  const byName = new Map(
    items.flatMap((item) => [[item.key, item] as const, [item.request.url, item] as const]),
  )
  const members = new Map<Item, DavResult[]>()
  const stream = work.dav.retry(items.map(toFailure), {...policyOf(work), concurrency})
  for await (const result of stream) {
    const {url, relation} = result
    const own = relation === 'self' ? (byName.get(url) ?? byName.get(keyOfUrl(url))) : undefined
    if (own !== undefined) {
      answers.set(own, withMembers(result, members.get(own)))
      continue
    }
    // Results of members come before the verdict of their collection.
    const around = ancestorsOf(keyOfUrl(url)).find((path) => byName.has(path))
    const owner = around === undefined ? undefined : byName.get(around)
    if (owner === undefined) continue
    const others = members.get(owner)
    if (others === undefined) members.set(owner, [result])
    else others.push(result)
  }
  return (await stream.summary).requests
}

/** Sends each request by itself: pairs may share a URL, and an upload may be redirected to another one. */
async function askEach(
  work: Work,
  items: readonly Item[],
  concurrency: number,
  answers: Map<Item, DavResult>,
): Promise<number> {
  let requests = 0
  const queue = items.values()
  const run = async (): Promise<void> => {
    for (const item of queue) {
      if (work.signal.aborted) {
        answers.set(item, toFailure(item))
        continue
      }
      const stream = work.dav.retry([toFailure(item)], policyOf(work))
      const members: DavResult[] = []
      for await (const result of stream) {
        if (result.relation === 'self') answers.set(item, result)
        else members.push(result)
      }
      const own = answers.get(item)
      if (own !== undefined && members.length > 0) answers.set(item, withMembers(own, members))
      const summary = await stream.summary
      requests += summary.requests
    }
  }
  const runs = await Promise.allSettled(Array.from({length: concurrency}, run))
  for (const end of runs) if (end.status === 'rejected') throw end.reason
  return requests
}

function policyOf({job, signal}: Work): RetryOptions {
  return {
    attempts: 1,
    signal,
    timeout: TIMEOUT,
    retryable: () => true,
    unguarded: job.options.unguarded === true,
    bodyOf: (failure) => bodyOf(job, failure),
  }
}

function withMembers(result: DavResult, members: readonly DavResult[] | undefined): DavResult {
  return members === undefined ? result : {...result, members}
}

/** Makes the Failure by which the client sends the request of an item. */
function toFailure({request, isMaybe}: Item): Failure {
  const cause = isMaybe ? 'unreadable' : 'not-sent'
  return createFailure({url: request.url, status: 0, reason: 'no-answer', cause, request})
}

/** Recognizes an item whose request was not sent, because the call ended before. */
function isUnsent({request}: Item, answer: DavResult): boolean {
  if (answer.ok || answer.reason !== 'no-answer') return false
  return answer.cause === 'not-sent' || answer.request?.attempts === request.attempts
}

/** Finds the local file of an upload. */
function bodyOf({options}: StoredJob, {request}: Failure): LocalFile | undefined {
  const {root = '', folder = ''} = options
  const name = decodePath((request?.url ?? '').slice(root.length))
  return name === undefined ? undefined : {path: join(folder, name)}
}
