/**
 * The same facts about every server: a `describe` for each one, in which it runs. A server that is not installed has
 * a skipped test that names it, or under `CI` a failing one.
 */
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {servers} from '../servers.ts'
import {describeMissing, isEveryServerRequired} from './missing.ts'
import type {ServerRecipe} from './recipe.ts'
import {Server} from './server.ts'

type Facts = (server: Server) => void

/** Declares tests for each server. `server` is started when they run, not yet while they are declared. */
export function describeServers(facts: Facts, recipes: readonly ServerRecipe[] = servers): void {
  const all = recipes.map((recipe) => ({
    name: recipe.name,
    recipe,
    missing: describeMissing(recipe),
  }))

  describe.for(all.filter(({missing}) => missing === undefined))('$name', ({recipe}) => {
    const server = new Server(recipe)
    beforeAll(() => server.start())
    afterAll(() => server.remove())
    facts(server)
  })

  const absent = all.filter(({missing}) => missing !== undefined)
  it.skipIf(!isEveryServerRequired).for(absent)('$name was not tested', ({missing}) => {
    expect.fail(missing)
  })
}
