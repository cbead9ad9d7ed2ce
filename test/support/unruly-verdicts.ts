// Holds the verdicts of a client against the truth that an unruly server keeps: none lost, none doubled, none untrue, each
// member's before its target's. Says what is wrong in words, one line each. RFC 4918, sections 9.6.1 and 13.

import type {DavResult, Failure} from 'multistatus'

import {ancestorsOf, type Resource, type Tree} from './unruly-tree.ts'

/** What was asked, and what the client itself knows of its requests. */
export interface Asked {
  readonly tree: Tree
  /** What was to be deleted, each once. */
  readonly targets: ReadonlySet<Resource>
  /** Paths of requests that the client gave up: the server may never have seen them. */
  readonly givenUp: Set<string>
}

/** What is wrong with the results of a call; nothing where all is well. */
export function problemsOf(results: readonly DavResult[], asked: Asked): string[] {
  const {tree, targets} = asked
  const problems: string[] = []
  const decided = new Set<Resource>()
  for (const result of results) {
    const {relation} = result
    const resource = tree.find(pathOf(result))
    const say = (what: string): void => void problems.push(`${what}: ${wordsOf(result)}`)
    if (relation === 'outside') {
      if (!result.ok && result.request !== undefined) say('an outsider that could be sent')
      continue
    }
    if (resource === undefined) {
      say('nothing that was asked for')
      continue
    }
    if (relation === 'self') {
      if (!targets.has(resource)) say('a verdict on no target')
      if (decided.has(resource)) say('a second verdict')
      decided.add(resource)
      // It may yet go with a collection that is a target too.
      const isWaiting = ancestorsOf(resource).some((one) => targets.has(one) && !decided.has(one))
      const wrong = untruth(result, resource, isWaiting) ?? miscount(result, resource, asked)
      if (wrong !== undefined) say(wrong)
      continue
    }
    const owner = ancestorsOf(resource).find((one) => targets.has(one))
    if (owner === undefined) say('a member of no target')
    else if (decided.has(owner)) say('a member after its target')
    // One that is a target too may have gone since, by its own DELETE.
    const wrong = targets.has(resource) ? undefined : untruth(result, resource)
    if (wrong !== undefined) say(wrong)
  }
  for (const target of targets)
    if (!decided.has(target)) problems.push(`no verdict: ${target.path}`)
  return problems
}

/** The path that a result is about, decoded. */
export function pathOf({url}: {readonly url: string}): string {
  return decodeURIComponent(new URL(url).pathname).replace(/\/+$/, '')
}

/** How a result contradicts what the server knows. One that is waiting may be gone since. */
function untruth(
  result: DavResult,
  {fate, goneAt, deletes}: Resource,
  isWaiting = false,
): string | undefined {
  const isGone = goneAt !== undefined
  if (result.ok) {
    if (!isGone) return 'it stands'
    return fate === 'missing' && deletes < 2 ? 'it never was there' : undefined
  }
  // The outcome is unknown: the exchange broke, or its 207 could not be read.
  if (result.reason === 'no-answer' || (result.reason === 'malformed' && result.status === 207))
    return undefined
  if (result.status === 404 || result.status === 410)
    return fate === 'missing' ? undefined : 'it is gone by our own doing'
  return isGone && !isWaiting ? 'it is gone' : undefined
}

/** How the attempts that a verdict speaks of differ from those that the server saw. */
function miscount(
  result: DavResult,
  {deletes, path, number}: Resource,
  {givenUp}: Asked,
): string | undefined {
  // A member was also tried with its collection.
  const attempts = number === undefined ? undefined : attemptsOf(result)
  if (attempts === undefined || attempts === deletes) return undefined
  if (givenUp.has(path) && attempts > deletes) return undefined
  return `${deletes} attempts were seen, not ${attempts}`
}

/** How often a target was sent, where its verdict says so. */
function attemptsOf(result: DavResult): number | undefined {
  if (!result.ok) return result.request?.attempts
  return 'attempts' in result && typeof result.attempts === 'number' ? result.attempts : undefined
}

// What the issue of retries calls worth another attempt.
const PASSING: ReadonlySet<number> = new Set([423, 424, 425, 429, 500, 502, 503, 504, 507])

/** What is wrong with the results of a retry of failures; nothing where all is well. */
export function problemsOfRetry(
  failures: readonly Failure[],
  results: readonly DavResult[],
  asked: Asked,
): string[] {
  const problems: string[] = []
  const kept = new Map<string, number>()
  // One that failed twice is what it was the last time.
  const latest = new Map(
    failures.map((one) => [one.request === undefined ? one : pathOf(one), one]),
  )
  for (const failure of latest.values())
    if (!isSentAgain(failure)) count(kept, JSON.stringify(failure))
  const sent = new Set(
    Array.from(latest.values())
      .filter(isSentAgain)
      .map((failure) => pathOf(failure)),
  )
  const verdicts = new Map<string, number>()
  const isUndecided = ({path}: Resource): boolean => sent.has(path) && !verdicts.has(path)
  for (const result of results) {
    if (count(kept, JSON.stringify(result), -1)) continue
    const path = pathOf(result)
    const resource = asked.tree.find(path)
    const say = (what: string): void => void problems.push(`${what}: ${wordsOf(result)}`)
    if (result.relation === 'outside') {
      if (!result.ok && result.request !== undefined) say('an outsider that could be sent')
      continue
    }
    if (result.relation === 'self') count(verdicts, path)
    if (result.relation === 'self' && !sent.has(path)) say('a verdict on what was not to be sent')
    if (result.relation !== 'self' && sent.has(path)) say('a verdict beside its own')
    const wrong =
      resource === undefined
        ? 'nothing that failed'
        : (untruth(result, resource, ancestorsOf(resource).some(isUndecided)) ??
          miscount(result, resource, asked))
    if (wrong !== undefined) say(wrong)
  }
  for (const [failure, lost] of kept) if (lost > 0) problems.push(`lost: ${failure}`)
  for (const path of sent) {
    const number = verdicts.get(path) ?? 0
    if (number !== 1) problems.push(`${number} verdicts: ${path}`)
  }
  return problems
}

/** Counts on; down only where there is something to count. */
function count(counts: Map<string, number>, key: string, by = 1): boolean {
  const number = counts.get(key) ?? 0
  if (number + by < 0) return false
  counts.set(key, number + by)
  return true
}

function isSentAgain({request, reason, status}: Failure): boolean {
  return (
    request !== undefined &&
    reason !== 'malformed' &&
    (reason === 'no-answer' || PASSING.has(status))
  )
}

function wordsOf(result: DavResult): string {
  const reason = result.ok ? [] : [result.reason]
  return [result.status, ...reason, result.relation, pathOf(result)].join(' ')
}
