// Runs the operations of a seed against a model server, and retries of their failures. Returns the problems, each with the
// numbers that run it again.

import type {Failure} from 'multistatus'

import {type Answered, clientOf, retry, run} from './model-caller.ts'
import {drawOperation, type ModelTarget, type Operation, retryOf} from './model-operations.ts'
import {type Lane, type ModelServer, pathOf, startModelServer} from './model-server.ts'
import {isSentAgain, problemsOf, problemsOfRetry} from './model-verdicts.ts'

/** Lanes of a server, with one operation at a time each. */
const LANES = 8
/** One seed in this many is run over sockets. */
const SOCKETS_EVERY = 10

/** The outcome of a seed. */
export interface Campaign {
  readonly problems: readonly string[]
  /** Faults by method and name. */
  readonly met: ReadonlySet<string>
  /** Verdicts by verb and kind. */
  readonly verdicts: ReadonlySet<string>
}

/** Runs this many operations of a seed. */
export async function runCampaign(seed: number, operations: number): Promise<Campaign> {
  const server = await startModelServer(seed, {lanes: LANES, isLocal: seed % SOCKETS_EVERY !== 0})
  const verdicts = new Set<string>()
  try {
    const found = await Promise.all(
      server.lanes.map((lane) =>
        runLane(server, lane, {seed, count: operations / LANES, verdicts}),
      ),
    )
    return {problems: found.flat(), met: server.met, verdicts}
  } finally {
    await server.close()
  }
}

/** Runs the operations of a lane one after another. */
async function runLane(
  server: ModelServer,
  lane: Lane,
  {seed, count, verdicts}: {seed: number; count: number; verdicts: Set<string>},
): Promise<readonly string[]> {
  const connect = (): ReturnType<typeof clientOf> => clientOf(server.url, lane, server.transport)
  const dav = connect()
  const problems: string[] = []
  for (let number = 1; number <= count; number++) {
    const operation = drawOperation(seed, lane, number)
    lane.begin(operation)
    const before = lane.tree
    const answered = await run(dav, lane, operation)
    const found = problemsOf(operation, answered, lane, before)
    problems.push(...found.map((problem) => `${wordsOf(seed, lane, operation)}: ${problem}`))
    for (const kind of kindsOf(operation, answered, lane)) verdicts.add(kind)

    const failures = answered.results.filter((result) => !result.ok)
    if (number % 2 === 0 || !failures.some(isSentAgain)) continue
    const again = retryOf(operation, requestsOf(failures.filter(isSentAgain), lane))
    lane.begin(again)
    const left = lane.tree
    const retried = await retry(connect(), lane, again, failures)
    const foundAgain = problemsOfRetry(again, failures, retried, lane, left)
    problems.push(...foundAgain.map((problem) => `${wordsOf(seed, lane, again)}: ${problem}`))
    for (const kind of kindsOf(again, retried, lane)) verdicts.add(kind)
  }
  return problems
}

/** Returns the targets of requests, each once. */
function requestsOf(
  failures: readonly Failure[],
  lane: Lane,
): readonly Pick<ModelTarget, 'path' | 'to'>[] {
  const requests = new Map<string, Pick<ModelTarget, 'path' | 'to'>>()
  for (const {request} of failures) {
    if (request === undefined) continue
    const {url, destination} = request
    const to = destination === undefined ? undefined : pathOf({url: destination}, lane)
    const path = pathOf({url}, lane)
    requests.set(`${path.join('/')} ${to?.join('/')}`, {path, ...(to !== undefined && {to})})
  }
  return [...requests.values()]
}

/** Names the verdicts of a call, with and without faults, so that a test can ask for each kind. */
function kindsOf(
  {verb, isRetry}: Operation,
  {results, error}: Answered,
  {faults}: Lane,
): readonly string[] {
  const name = `${isRetry ? 'retry of ' : ''}${verb}`
  const when = faults.length > 0 ? ' after a fault' : ''
  if (error !== undefined) return [`${name}: error`]
  return results.map((result) => `${name}: ${result.ok ? 'success' : result.reason}${when}`)
}

function wordsOf(seed: number, lane: Lane, {number, verb, isMany, targets}: Operation): string {
  const named = targets.map(({path, to}) => `/${path.join('/')}${to ? ` to /${to.join('/')}` : ''}`)
  const place = `seed ${seed}, lane ${lane.number}, operation ${number}`
  return `${place}: ${verb}${isMany ? 'Many' : ''} ${named.join(', ')} [${lane.faults.join(', ')}]`
}
