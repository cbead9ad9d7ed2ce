/**
 * The servers that the client is tested against. To add one: write its small file beside this one, saying what it
 * needs, how it is configured and what it answers where servers differ, and list it here.
 */
import {apache, apacheWithInfinity} from './apache.ts'
import {lighttpd, lighttpdWithInfinity} from './lighttpd.ts'
import {nephele} from './nephele.ts'
import {nginx} from './nginx.ts'
import {radicale} from './radicale.ts'
import {rclone} from './rclone.ts'
import {sabredav} from './sabredav.ts'
import type {ServerRecipe} from './support/recipe.ts'
import {tomcat} from './tomcat.ts'
import {xandikos} from './xandikos.ts'

/** Those that serve a folder with whatever is in it. */
export const servers: readonly ServerRecipe[] = [
  apache,
  apacheWithInfinity,
  nginx,
  lighttpd,
  lighttpdWithInfinity,
  rclone,
  sabredav,
  nephele,
  tomcat,
]

/** Those that store calendars and address books alone. */
export const calendarServers: readonly ServerRecipe[] = [radicale, xandikos]

export const allServers: readonly ServerRecipe[] = [...servers, ...calendarServers]

/** Those that ask for a password. */
export const protectedServers: readonly ServerRecipe[] = servers.filter(
  ({traits}) => traits.basicAuth,
)

/** Those whose answers to a DELETE are known. */
export const deletingServers: readonly ServerRecipe[] = servers.filter(
  ({deleting}) => deleting !== undefined,
)
