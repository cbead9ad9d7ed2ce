// States that repeated and nested targets have one true verdict each, even from a server with faults drawn by a seed.
// More seeds: DELETE_SEEDS=30 DELETE_TARGETS=20000.

import {env} from 'node:process'

import type {Target} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {call, nameOf, numberFrom, sourceOf, withUnrulyServer} from '../support/unruly-caller.ts'
import {draw} from '../support/unruly-faults.ts'
import type {UnrulyServer} from '../support/unruly-server.ts'
import type {Resource} from '../support/unruly-tree.ts'
import {problemsOf} from '../support/unruly-verdicts.ts'

const SEEDS = numberFrom(env['DELETE_SEEDS'], 3)
const TARGETS = numberFrom(env['DELETE_TARGETS'], 1000)
// Maximum distance between two related targets in the source.
const MAX_DISTANCE = 300

/** One seed in this many is run over sockets. */
const SOCKETS_EVERY = 3

const seeds = Array.from({length: SEEDS}, (_, index) => index + 101)
const policy = {attempts: 4, minDelay: 1, maxDelay: 5}

/** All targets. Some are repeated later, and some of their members come before or after them. */
function overlapping(seed: number, {tree}: UnrulyServer): readonly Resource[] {
  const places: {resource: Resource; place: number}[] = []
  for (const [place, resource] of tree.targets.entries()) {
    const dice = draw(seed, resource.path, 0)
    places.push({resource, place})
    while (dice.oneIn(10)) places.push({resource, place: place + dice.below(MAX_DISTANCE)})
    for (const member of inside(resource)) {
      if (dice.oneIn(3))
        places.push({resource: member, place: place + dice.below(MAX_DISTANCE) - MAX_DISTANCE / 2})
    }
  }
  return places.toSorted((one, other) => one.place - other.place).map(({resource}) => resource)
}

function inside({members}: Resource): Resource[] {
  return members.flatMap((member) => [member, ...inside(member)])
}

/**
 * Paths of useless requests. A member named in a collection's answer is still a target: it is sent if the collection
 * stands.
 */
function needlessOf({needless, covered}: UnrulyServer, givenUp: ReadonlySet<string>): string[] {
  const late = covered.filter(({by}) => by.number !== undefined).map(({resource}) => resource)
  return [...needless.filter(({number}) => number !== undefined), ...late]
    .map(({path}) => path)
    .filter((path) => !givenUp.has(path))
}

describe('overlapping targets', {timeout: 120_000}, () => {
  it.for(seeds)('have one true verdict each: seed %i', (seed) =>
    withUnrulyServer(
      seed,
      {targets: TARGETS, attempts: policy.attempts, isLocal: seed % SOCKETS_EVERY !== 0},
      async (server) => {
        const {tree, strange} = server
        const caller = call(server)
        const {dav, givenUp} = caller
        const named = overlapping(seed, server)
        const targets: readonly Target[] = named.map((one, number) => nameOf(one, server, number))
        const stream = dav.deleteMany(sourceOf(targets, seed), {concurrency: 16, retry: policy})
        const results = await Array.fromAsync(stream)

        expect(named.length).toBeGreaterThan(TARGETS * 1.1)
        expect(problemsOf(results, {tree, targets: new Set(named), givenUp})).toEqual([])
        expect(strange).toEqual([])
        expect(needlessOf(server, givenUp)).toEqual([])
        expect(tree.targets.filter(({deletes}) => deletes > policy.attempts)).toEqual([])
        expect(caller.mostAtOnce).toBeLessThanOrEqual(16)
      },
    ),
  )
})
