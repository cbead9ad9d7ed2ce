/**
 * The same facts about several servers: one `describe` for each, with its own run. A server that is not installed has a
 * skipped test with its name, or a failing one under `CI`.
 */
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {describeMissing, isEveryServerRequired} from './missing.ts'
import type {ServerRecipe} from './recipe.ts'
import {Server} from './server.ts'

type Facts = (server: Server) => void

/** Declares tests for each of some servers. `server` is started when they run, and not yet at their declaration. */
export function describeServers(recipes: readonly ServerRecipe[], facts: Facts): void {
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
