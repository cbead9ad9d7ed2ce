// Compares the verdicts of a client with the truth of an unruly server. No verdict may be lost, doubled or untrue, and
// each member comes before its target. Each problem is one line of text. RFC 4918, sections 9.6.1 and 13.

import type {DavResult, Failure} from 'multistatus'

import {ancestorsOf, type Resource, type Tree} from './unruly-tree.ts'

/** The targets of a call, and the client's own record of its requests. */
export interface Asked {
  readonly tree: Tree
  /** Resources to delete, each once. */
  readonly targets: ReadonlySet<Resource>
  /** Paths of requests that the client gave up. The server may never have seen them. */
  readonly givenUp: Set<string>
}

/** Finds the problems in the results of a call. */
export function problemsOf(results: readonly DavResult[], asked: Asked): string[] {
  const {tree, targets} = asked
  const problems: string[] = []
  const decided = new Set<Resource>()
  for (const result of results) {
    const {relation} = result
    const resource = tree.find(pathOf(result))
    const report = (problem: string): void => void problems.push(`${problem}: ${wordsOf(result)}`)
    if (relation === 'outside') {
      if (!result.ok && result.request !== undefined) report('a request for a resource outside')
      continue
    }
    if (resource === undefined) {
      report('an unknown resource')
      continue
    }
    if (relation === 'self') {
      if (!targets.has(resource)) report('a verdict on no target')
      if (decided.has(resource)) report('a second verdict')
      decided.add(resource)
      // A collection that is a target too may still delete it.
      const isWaiting = ancestorsOf(resource).some((one) => targets.has(one) && !decided.has(one))
      const wrong = untruth(result, resource, isWaiting) ?? miscount(result, resource, asked)
      if (wrong !== undefined) report(wrong)
      continue
    }
    const owner = ancestorsOf(resource).find((one) => targets.has(one))
    if (owner === undefined) report('a member of no target')
    else if (decided.has(owner)) report('a member after its target')
    // A member that is a target too may be deleted by its own DELETE.
    const wrong = targets.has(resource) ? undefined : untruth(result, resource)
    if (wrong !== undefined) report(wrong)
  }
  for (const target of targets)
    if (!decided.has(target)) problems.push(`no verdict: ${target.path}`)
  return problems
}

/** The decoded path of a result. */
export function pathOf({url}: {readonly url: string}): string {
  return decodeURIComponent(new URL(url).pathname).replace(/\/+$/, '')
}

/** Finds a contradiction between a result and the truth. A waiting resource may be deleted since. */
function untruth(
  result: DavResult,
  {fate, goneAt, deletes}: Resource,
  isWaiting = false,
): string | undefined {
  const isGone = goneAt !== undefined
  if (result.ok) {
    if (!isGone) return 'it stands'
    return fate === 'missing' && deletes < 2 ? 'it never existed' : undefined
  }
  // The outcome is unknown: the exchange broke, or its 207 could not be read.
  if (result.reason === 'no-answer' || (result.reason === 'malformed' && result.status === 207))
    return undefined
  if (result.status === 404 || result.status === 410)
    return fate === 'missing' ? undefined : 'this client deleted it'
  return isGone && !isWaiting ? 'it is gone' : undefined
}

/** Finds a difference between the attempts of a verdict and those that the server saw. */
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

/** Number of times that a target was sent, if its verdict has it. */
function attemptsOf(result: DavResult): number | undefined {
  if (!result.ok) return result.request?.attempts
  return 'attempts' in result && typeof result.attempts === 'number' ? result.attempts : undefined
}

// Statuses that the default policy retries.
const PASSING: ReadonlySet<number> = new Set([423, 424, 425, 429, 500, 502, 503, 504, 507])

/** Finds the problems in the results of a retry of failures. */
export function problemsOfRetry(
  failures: readonly Failure[],
  results: readonly DavResult[],
  asked: Asked,
): string[] {
  const problems: string[] = []
  const kept = new Map<string, number>()
  // The last failure of a target counts.
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
    const report = (problem: string): void => void problems.push(`${problem}: ${wordsOf(result)}`)
    if (result.relation === 'outside') {
      if (!result.ok && result.request !== undefined) report('a request for a resource outside')
      continue
    }
    if (result.relation === 'self') count(verdicts, path)
    if (result.relation === 'self' && !sent.has(path)) report('a verdict on an unsent resource')
    if (result.relation !== 'self' && sent.has(path)) report('a verdict beside its own')
    const wrong =
      resource === undefined
        ? 'a result for no failure'
        : (untruth(result, resource, ancestorsOf(resource).some(isUndecided)) ??
          miscount(result, resource, asked))
    if (wrong !== undefined) report(wrong)
  }
  for (const [failure, lost] of kept) if (lost > 0) problems.push(`lost: ${failure}`)
  for (const path of sent) {
    const number = verdicts.get(path) ?? 0
    if (number !== 1) problems.push(`${number} verdicts: ${path}`)
  }
  return problems
}

/** Adds to a count, which never falls below zero. */
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
