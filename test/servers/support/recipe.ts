/**
 * What a server's file says: what has to be installed, how the server is configured and started, and what it answers
 * where servers differ. Paths of results are told here as plain paths below the collection asked about.
 */
import {accessSync, constants} from 'node:fs'
import {delimiter, isAbsolute, join} from 'node:path'

export interface ServerRecipe {
  /** As test names and messages call it. Each recipe has another one. */
  readonly name: string
  /** What to install, as a Debian system calls it. */
  readonly packages: string
  /** The name of a program on the PATH or in an `sbin`, or an absolute path. */
  readonly program: string
  /** Files that must be there as well, such as modules. Absolute paths. */
  readonly modules: readonly string[]
  readonly traits: ServerTraits
  readonly deleting?: DeletingTraits
  /** What it does with calendars. It stores these alone, and serves no file that a test has put on its disk. */
  readonly calendars?: CalendarTraits
  /** The folder of the site that is served as `/`, where it cannot be `root`. */
  readonly rootFolder?: string
  /** Whether it runs as the tests do. Else the account is another one, without privileges. */
  readonly sharesAccount?: boolean
  /** What to write into the site's folder before the start: text by file name. */
  files(site: Site): Readonly<Record<string, string>>
  /** The program's arguments. It has to stay in the foreground and to end at SIGTERM. */
  args(site: Site): readonly string[]
}

/** Where one run of a server lives. */
export interface Site {
  /** Its own folder: configuration, log, locks. The server may write here. */
  readonly folder: string
  /** The collection that it serves as `/`. */
  readonly root: string
  /** A free port of 127.0.0.1. */
  readonly port: number
  /** Where its output goes, and its error log too. */
  readonly log: string
  /** Who may see `/private/`, with HTTP Basic. */
  readonly account: BasicAccount
}

export interface BasicAccount {
  readonly user: string
  readonly password: string
}

/** What the tests expect of a server, where servers differ. */
export interface ServerTraits {
  /** What a PROPFIND with Depth infinity becomes: answered, refused with 403, or cut to depth 1 behind a 207. */
  readonly infinity: 'answered' | 'refused' | 'cut'
  /** After how many collections an answer to Depth infinity ends without a word; `undefined` where it does not. */
  readonly mostCollections: number | undefined
  /** How many levels below its collection an answer to Depth infinity shows, without a word; `undefined` where it shows all. */
  readonly mostLevels: number | undefined
  /** How hrefs are written: as absolute paths, or as full URLs. */
  readonly hrefs: 'path' | 'url'
  /** The `getetag` of a file of 3 bytes from 2001-02-03T04:05:06Z, `undefined` where the server has no ETag, or no such file. */
  readonly etag: string | undefined
  /** What an unknown property becomes: named in a 404 propstat, or left out in silence. */
  readonly unknownProperties: 'named' | 'left out'
  /** Whether names with a leading dot are listed. They are deleted with their collection on either. */
  readonly dotNames: boolean
  /** Whether a name that is not UTF-8 is listed as its bytes, and found by them again. */
  readonly otherBytes: boolean
  /** The name that a resource is served by. It is found by no other one. */
  readonly nameOf: (onDisk: string) => string
  /** What a request for a name is answered with although it is listed; `undefined` for a name that is found. */
  readonly refusal: (name: string) => number | undefined
  /** Whether the members of a collection of this name have none: each is listed as the collection itself. */
  readonly hasNamelessMembers: (name: string) => boolean
  /** Whether `/private/` asks for HTTP Basic. */
  readonly basicAuth: boolean
}

/** What a server answers to a DELETE. Known of those servers that the tests about deleting run on. */
export interface DeletingTraits {
  /** What a DELETE of a collection answers where its URL has no trailing slash. */
  readonly withoutSlash: number
  /** The failures of a DELETE of `blockedCollection`: status by path, `''` for the collection itself. */
  readonly blocked: Readonly<Record<string, number>>
  /** Whether that answer names members alone, so that the collection's own failure is told of its members. */
  readonly blockedNamesMembersAlone: boolean
  /** The failures of a DELETE of `collectionWithLock` without the token. None: the server does not look. */
  readonly locked: Readonly<Record<string, number>>
}

/** What a server for calendars and address books answers, where these differ. */
export interface CalendarTraits {
  /** What a DELETE that was done answers: 204, or 200 with a multistatus that says the same. */
  readonly deleted: 200 | 204
  /** What a PROPFIND for what is not there answers: 404, or a 207 that says 404 of a mangled href. */
  readonly missing: 404 | 207
  /** Whether no member may have this name: a PUT is answered with 400. */
  readonly refuses: (name: string) => boolean
  /** The name that a listing tells of a member. Where it is another one, the member is found by its own name alone. */
  readonly listedAs: (name: string) => string
  /** Whether the href of a member of this name is the name alone, relative to the member's own collection. */
  readonly hasRelativeHref: (name: string) => boolean
  /** Whether hrefs have single slashes where the request URL has `//`. */
  readonly foldsSlashes: boolean
  /** The form of a sync token. */
  readonly syncToken: RegExp
  /** Whether a file or a folder on the disk is the server's own note, and no resource. */
  readonly isNote: (name: string) => boolean
}

/** What most servers do: they serve every name as it is on the disk, and list all of them. */
export const listsEverything: Pick<
  ServerTraits,
  | 'mostCollections'
  | 'mostLevels'
  | 'dotNames'
  | 'otherBytes'
  | 'nameOf'
  | 'refusal'
  | 'hasNamelessMembers'
> = {
  mostCollections: undefined,
  mostLevels: undefined,
  dotNames: true,
  otherBytes: true,
  nameOf: (onDisk) => onDisk,
  refusal: () => undefined,
  hasNamelessMembers: () => false,
}

/** What of a recipe this machine does not have, as names and paths. */
export function findMissing(recipe: ServerRecipe): readonly string[] {
  const missing = recipe.modules.filter((file) => !isReadable(file))
  return findProgram(recipe.program) === undefined ? [recipe.program, ...missing] : missing
}

/** Where a program is. Distributions keep servers in an `sbin` that a user's PATH leaves out. */
export function findProgram(program: string): string | undefined {
  if (isAbsolute(program)) return isReadable(program) ? program : undefined
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...folders, '/usr/local/sbin', '/usr/sbin', '/sbin']
    .map((folder) => join(folder, program))
    .find((file) => isReadable(file))
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return true
  } catch {
    return false
  }
}
