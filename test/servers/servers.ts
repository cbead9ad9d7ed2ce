/**
 * The servers that the client is tested against. To add one, write its file beside this one and list it here. The file
 * has the needs, the configuration and the start of the server, and its differing answers.
 */
import {apache, apacheWithDigest, apacheWithInfinity} from './apache.ts'
import {civetweb} from './civetweb.ts'
import {cyrus, cyrusFiles, cyrusWithDigest} from './cyrus.ts'
import {davical} from './davical.ts'
import {lighttpd, lighttpdWithDigest, lighttpdWithInfinity} from './lighttpd.ts'
import {nephele, nepheleApart} from './nephele.ts'
import {nginx} from './nginx.ts'
import {radicale} from './radicale.ts'
import {rclone} from './rclone.ts'
import {sabredav, sabredavWithProperties} from './sabredav.ts'
import type {ServerRecipe} from './support/recipe.ts'
import {tomcat, tomcatWithDigest} from './tomcat.ts'
import {xandikos, xandikosWithPrincipal} from './xandikos.ts'
import {xnet} from './xnet.ts'
import {xrootd} from './xrootd.ts'

/** Servers that serve a folder with any content. */
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
  xnet,
]

/** Servers that store calendars and address books only. */
export const calendarServers: readonly ServerRecipe[] = [radicale, xandikos]

export const allServers: readonly ServerRecipe[] = [
  ...servers,
  ...calendarServers,
  cyrus,
  davical,
  xrootd,
]

/** Servers with a principal for each user. */
export const principalServers: readonly ServerRecipe[] = [radicale, xandikosWithPrincipal]

/** Servers that ask for a password. */
export const protectedServers: readonly ServerRecipe[] = servers.filter(
  ({traits}) => traits.basicAuth,
)

/** Servers that ask for Digest. */
export const digestServers: readonly ServerRecipe[] = [
  apacheWithDigest,
  lighttpdWithDigest,
  tomcatWithDigest,
  civetweb,
  cyrusWithDigest,
]

/** Servers with known answers to a DELETE. */
export const deletingServers: readonly ServerRecipe[] = servers.filter(
  ({deleting}) => deleting !== undefined,
)

/** The servers of the table of verbs. */
export const verbServers: readonly ServerRecipe[] = [
  apache,
  nginx,
  lighttpd,
  rclone,
  nepheleApart,
  sabredav,
  tomcat,
  xnet,
]

/** The servers that keep dead properties. */
export const propertyServers: readonly ServerRecipe[] = [
  ...verbServers.filter(({deadProperties}) => deadProperties !== undefined),
  sabredavWithProperties,
]

/** The servers of the table of locks. */
export const lockServers: readonly ServerRecipe[] = [
  ...verbServers,
  cyrusFiles,
  davical,
  ...calendarServers,
]

/** The servers of the table of syncs. */
export const syncServers: readonly ServerRecipe[] = [...calendarServers, cyrus, davical, cyrusFiles]
