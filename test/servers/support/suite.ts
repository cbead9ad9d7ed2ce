/**
 * The same facts about every server: a `describe` for each one, in which it runs. A server that is not installed has
 * a skipped test that names it, or under `CI` a failing one.
 */
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {servers} from '../servers.ts'
import {describeMissing, isEveryServerRequired} from './missing.ts'
import type {ServerRecipe} from './recipe.ts'
import {Server} from './server.ts'

/** Declares tests for each server. `server` is started when they run, not yet while they are declared. */
export function describeServers(
  facts: (server: Server) => void,
  recipes: readonly ServerRecipe[] = servers,
): void {
  for (const recipe of recipes) {
    describe(recipe.name, () => {
      const missing = describeMissing(recipe)
      if (missing !== undefined) {
        it.skipIf(!isEveryServerRequired)(missing, () => expect.fail(missing))
        return
      }
      const server = new Server(recipe)
      beforeAll(() => server.start())
      afterAll(() => server.remove())
      facts(server)
    })
  }
}
