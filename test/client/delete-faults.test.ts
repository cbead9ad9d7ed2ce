// States that the verdicts of a bulk DELETE are true, even from a server with faults drawn by a seed. Each target has
// exactly one verdict, which equals its state on the server. Retries by another client finish the job.
//
// The checks run a few seeds. The full run, with 30 seeds and 20,000 targets each, is
//   DELETE_SEEDS=30 DELETE_TARGETS=20000 vitest run test/client/delete-faults.test.ts

import {env} from 'node:process'

import type {DavResult, DeleteManyOptions, Failure, Progress} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {line} from '../support/results.ts'
import {call, nameOf, numberFrom, sourceOf, withUnrulyServer} from '../support/unruly-caller.ts'
import {MISDEEDS, type UnrulyServer} from '../support/unruly-server.ts'
import {ancestorsOf, isUndeletable, type Resource} from '../support/unruly-tree.ts'
import {type Asked, pathOf, problemsOf, problemsOfRetry} from '../support/unruly-verdicts.ts'

const SEEDS = numberFrom(env['DELETE_SEEDS'], 6)
const TARGETS = numberFrom(env['DELETE_TARGETS'], 3000)

/** One seed in this many is run over sockets. */
const SOCKETS_EVERY = 3

const seeds = Array.from({length: SEEDS}, (_, index) => index + 1)
const policy = {attempts: 4, minDelay: 1, maxDelay: 5}
const concurrency = 16
const options: DeleteManyOptions = {concurrency, retry: policy}

describe('deleteMany against a server with faults', {timeout: 120_000}, () => {
  it.for(seeds)(
    'yields one true verdict for each target, and retries elsewhere finish the job: seed %i',
    (seed) =>
      withUnrulyServer(
        seed,
        {targets: TARGETS, attempts: policy.attempts, isLocal: seed % SOCKETS_EVERY !== 0},
        async (server) => {
          const {tree} = server
          const first = call(server)
          const targets = tree.targets.map((target) => nameOf(target, server))
          let last: Progress | undefined
          const onProgress = (progress: Progress): void => void (last = progress)
          const stream = first.dav.deleteMany(sourceOf(targets, seed), {...options, onProgress})
          const results = await Array.fromAsync(stream)

          const asked = {tree, targets: new Set(tree.targets), givenUp: first.givenUp}
          expect(problemsOf(results, asked)).toEqual([])
          expect(needless(server, asked)).toEqual([])
          expect([...tree.all()].filter(({deletes}) => deletes > policy.attempts)).toEqual([])
          expect(first.mostAtOnce).toBeLessThanOrEqual(concurrency)
          const failures = results.filter((result) => !result.ok)
          const failed = failures.filter(({relation}) => relation === 'self').length
          expect(last).toMatchObject({done: TARGETS, failed, inFlight: 0})
          expect(MISDEEDS.filter((name) => !server.met.has(name))).toEqual([])

          const left = await retryElsewhere(server, failures, asked)
          server.behave()
          const before = new Map([...tree.all()].map((one) => [one, one.deletes]))
          const stuck = await retryElsewhere(server, left, asked)
          expect(standing(server)).toEqual([])
          const again = [...before].filter(([one, deletes]) => one.deletes > deletes + 1)
          expect(again.filter(([{path}]) => !asked.givenUp.has(path))).toEqual([])
          expect(stuck.filter((failure) => failure.reason === 'no-answer')).toEqual([])
        },
      ),
  )

  it('yields one true verdict for each target without retries', () =>
    withUnrulyServer(31, {targets: 1000, attempts: 1}, async (server) => {
      const {tree} = server
      const {dav, givenUp} = call(server)
      const targets = tree.targets.map((target) => nameOf(target, server))
      const results = await Array.fromAsync(dav.deleteMany(targets, {concurrency}))
      const asked = {tree, targets: new Set(tree.targets), givenUp}
      expect(problemsOf(results, asked)).toEqual([])
      expect(needless(server, asked)).toEqual([])
      expect([...tree.all()].filter(({deletes}) => deletes > 1)).toEqual([])
      server.behave()
      const failures = results.filter((result) => !result.ok)
      await retryElsewhere(server, failures, asked)
      expect(standing(server)).toEqual([])
    }))

  it('yields the same outcome for the same seed', async () => {
    const runs: string[][] = []
    // No stalls: a busy machine could run into a timeout.
    const same = {targets: 400, attempts: policy.attempts, stalls: 0}
    for (const _ of [1, 2]) {
      await withUnrulyServer(32, same, async (server) => {
        const targets = server.tree.targets.map(({href}) => href)
        const results = await Array.fromAsync(call(server, 20_000).dav.deleteMany(targets, options))
        runs.push(results.map(line).toSorted())
      })
    }
    expect(runs[0]?.length).toBeGreaterThanOrEqual(400)
    expect(runs[0]).toEqual(runs[1])
  })
})

/** Retries the failures from JSON, as another process does. Returns those that failed again. */
async function retryElsewhere(
  server: UnrulyServer,
  failures: readonly Failure[],
  asked: Asked,
): Promise<readonly Failure[]> {
  const queue = JSON.stringify(failures)
  const queued = JSON.parse(queue) as readonly Failure[]
  const {dav, givenUp} = call(server)
  // Members that failed again before their collection was deleted. The failures alone do not show the deletion.
  const paths = new Set(failures.map((failure) => pathOf(failure)))
  const stale = new Set(
    [...server.tree.all()].filter((one) => isCovered(one) && paths.has(one.path)),
  )
  const retried: readonly DavResult[] = await Array.fromAsync(
    dav.retry(queued, {...policy, concurrency}),
  )
  for (const path of givenUp) asked.givenUp.add(path)
  expect(problemsOfRetry(failures, retried, asked)).toEqual([])
  expect(needless(server, asked, stale)).toEqual([])
  return retried.filter((result) => !result.ok)
}

/** True for a resource below a collection that the client knows to be gone. */
function isCovered(resource: Resource): boolean {
  return ancestorsOf(resource).some(({known}) => known === 'gone')
}

/** Paths of useless requests, except those whose answer came too late. */
function needless(
  {strange, needless: known, covered}: UnrulyServer,
  {givenUp}: Asked,
  stale: ReadonlySet<Resource> = new Set(),
): string[] {
  const paths = [
    ...known,
    ...covered.map(({resource}) => resource).filter((one) => !stale.has(one)),
  ].map(({path}) => path)
  return [...strange, ...paths.filter((path) => !givenUp.has(path))]
}

/** Paths of resources that stand although they could be deleted. */
function standing({tree}: UnrulyServer): string[] {
  return [...tree.all()]
    .filter((one) => one.goneAt === undefined && !isUndeletable(one))
    .map(({path}) => path)
}
