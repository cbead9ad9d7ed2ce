/**
 * The servers that the client is tested against. To add one: write its small file beside this one, saying what it
 * needs, how it is configured and what it answers where servers differ, and list it here.
 */
import {apache, apacheWithInfinity} from './apache.ts'
import {nginx} from './nginx.ts'
import type {ServerRecipe} from './support/recipe.ts'

export const servers: readonly ServerRecipe[] = [apache, apacheWithInfinity, nginx]
