/**
 * The recipe of a server: its packages, its configuration, its start, and its differing answers. Paths of results are
 * plain paths below the requested collection.
 */
import {accessSync, constants} from 'node:fs'
import {delimiter, isAbsolute, join} from 'node:path'
import type {LockRow} from '../locks/rows.ts'
import type {SyncRow} from '../syncs/rows.ts'
import type {VerbTraits} from '../verbs/rows.ts'
import type {TableTraits} from './cells.ts'

export interface ServerRecipe {
  /** Unique name in test titles and messages. */
  readonly name: string
  /** Name of the package on Debian. */
  readonly packages: string
  /** The name of a program on the PATH or in an `sbin`, or an absolute path. */
  readonly program: string
  /** Absolute paths of other required files, such as modules. */
  readonly modules: readonly string[]
  readonly traits: ServerTraits
  readonly deleting?: DeletingTraits
  /** Answers about calendars. Such a server stores calendars only, and serves no file that a test puts on its disk. */
  readonly calendars?: CalendarTraits
  /** Answers to all verbs, for the servers of the table in the guide. */
  readonly verbs?: VerbTraits
  /** Answers about locks, for the servers of their table in the guide. */
  readonly locks?: TableTraits<LockRow>
  /** Answers to syncs, for the servers of their table in the guide. */
  readonly syncs?: TableTraits<SyncRow>
  /** For the servers whose `/private/` asks for Digest. */
  readonly digest?: DigestTraits
  /** For the servers that keep dead properties. */
  readonly deadProperties?: DeadPropertyTraits
  /** The folder of the site that is served as `/`, if it cannot be `root`. */
  readonly rootFolder?: string
  /** For the servers whose collections are reached with credentials, below a path of their own, and not on the disk. */
  readonly groupware?: GroupwareTraits
  /** True if the server has the account of the tests. Else it has another one, without privileges. */
  readonly sharesAccount?: boolean
  /** Files to write into the site's folder before the start: text by file name. */
  files(site: Site): Readonly<Record<string, string>>
  /** The program's arguments. It has to stay in the foreground and to end at SIGTERM. */
  args(site: Site): readonly string[]
}

/** The place of one run of a server. */
export interface Site {
  /** Folder for its configuration, log and locks. The server may write here. */
  readonly folder: string
  /** The collection that it serves as `/`. */
  readonly root: string
  /** A free port of 127.0.0.1. */
  readonly port: number
  /** File for its output and its error log. */
  readonly log: string
  /** The account with access to `/private/`, by HTTP Basic. */
  readonly account: BasicAccount
}

export interface BasicAccount {
  readonly user: string
  readonly password: string
}

/** Expected answers that differ between servers. */
export interface ServerTraits {
  /** Effect of a PROPFIND with Depth infinity: answered, refused with 403, or a 207 of depth 1. */
  readonly infinity: 'answered' | 'refused' | 'cut'
  /** Number of collections after which an answer to Depth infinity ends without notice; `undefined` for no limit. */
  readonly mostCollections: number | undefined
  /** Number of levels that an answer to Depth infinity shows, without notice; `undefined` for no limit. */
  readonly mostLevels: number | undefined
  /** Form of the hrefs: absolute paths, or full URLs. */
  readonly hrefs: 'path' | 'url'
  /**
   * The `getetag` of a file of 3 bytes from 2001-02-03T04:05:06Z; `undefined` if the server has no ETag or no such file.
   */
  readonly etag: string | undefined
  /** The ETag in the answer to a GET of an old file. */
  readonly etagOfGet: 'strong' | 'weak' | 'none'
  /** True for a listed name whose GET is answered with 500. */
  readonly isUnreadable: (name: string) => boolean
  /** Effect of an unknown property: named in a 404 propstat, or left out without notice. */
  readonly unknownProperties: 'named' | 'left out'
  /** True if names with a leading dot are listed. They are deleted with their collection in either case. */
  readonly dotNames: boolean
  /** True if a name that is not UTF-8 is listed as its bytes, and found by them again. */
  readonly otherBytes: boolean
  /** Maps a name on the disk to its served name, the only one that finds the resource. */
  readonly nameOf: (onDisk: string) => string
  /** Status of a request for a listed name; `undefined` for a name that is found. */
  readonly refusal: (name: string) => number | undefined
  /** True for a collection with members that are all listed as the collection itself. */
  readonly hasNamelessMembers: (name: string) => boolean
  /** True if `/private/` asks for HTTP Basic. */
  readonly basicAuth: boolean
}

/** Answers to a DELETE, for the servers of the tests about deleting. */
export interface DeletingTraits {
  /** Status of a DELETE of a collection without the trailing slash in its URL. */
  readonly withoutSlash: number
  /** The failures of a DELETE of `blockedCollection`: status by path, `''` for the collection itself. */
  readonly blocked: Readonly<Record<string, number>>
  /** True if that answer names members only, so that the collection's own Failure is derived from them. */
  readonly blockedNamesMembersAlone: boolean
  /** The failures of a DELETE of `collectionWithLock` without the token. Empty if the server does not check. */
  readonly locked: Readonly<Record<string, number>>
}

/** Digest, for the servers that ask for it. */
interface DigestTraits {
  /** The accounts of the server. Default: those of `digestAccounts`. */
  readonly accounts?: readonly BasicAccount[]
  /** The algorithms of the challenges, as the server writes them; `undefined` for a challenge without one. */
  readonly algorithms: readonly (string | undefined)[]
  /** True if a nonce lives for a second. */
  readonly isShort?: boolean
  /** True if the answers have an `rspauth`. */
  readonly proves: boolean
  /** Status of an UNLOCK without credentials. */
  readonly unlock: 401 | 404 | 405
  /** True if nobody needs credentials for a PROPFIND. */
  readonly readsAnonymously: boolean
}

/** Dead properties as a server keeps them. */
export interface DeadPropertyTraits {
  /** The collection that keeps them, if not every collection does. */
  readonly collection?: string
  /** Maps a text to the text that is read later; `undefined` for a text that is not kept. */
  readonly textOf: (sent: string) => string | undefined
  /** True if child elements are kept, with their attributes and their texts. */
  readonly keepsElements: boolean
}

/** Answers of a server for calendars and address books that differ. */
export interface CalendarTraits {
  /** Status of a successful DELETE: 204, or 200 with a multistatus of the same meaning. */
  readonly deleted: 200 | 204
  /** Status of a PROPFIND for a missing resource: 404, or a 207 with 404 for a mangled href. */
  readonly missing: 404 | 207
  /** True for a name that no member may have: a PUT is answered with 400. */
  readonly refuses: (name: string) => boolean
  /** Maps the name of a member to its listed name. A member with another listed name is found by its own name only. */
  readonly listedAs: (name: string) => string
  /** True for a member whose href is its name only, relative to its own collection. */
  readonly hasRelativeHref: (name: string) => boolean
  /** True if hrefs have single slashes although the request URL has `//`. */
  readonly foldsSlashes: boolean
  /** Answer to an unknown report: a 207 with a 403 for the collection, or with bare hrefs for its members. */
  readonly unknownReport: 'refused' | 'bare'
  /** Form of a sync token. */
  readonly syncToken: RegExp
  /** True for a file or a folder on the disk that is the server's own note and no resource. */
  readonly isNote: (name: string) => boolean
}

/** A server that keeps the collections of its users in a database of its own. */
export interface GroupwareTraits {
  /** The path of the collection around one user's calendars, or around the same user's files. */
  readonly home: string
  readonly stores: 'calendars' | 'files'
  readonly account: BasicAccount
}

/** Traits of most servers: they serve every name as it is on the disk, and list all of them. */
export const listsEverything: Pick<
  ServerTraits,
  | 'etagOfGet'
  | 'isUnreadable'
  | 'mostCollections'
  | 'mostLevels'
  | 'dotNames'
  | 'otherBytes'
  | 'nameOf'
  | 'refusal'
  | 'hasNamelessMembers'
> = {
  etagOfGet: 'strong',
  isUnreadable: () => false,
  mostCollections: undefined,
  mostLevels: undefined,
  dotNames: true,
  otherBytes: true,
  nameOf: (onDisk) => onDisk,
  refusal: () => undefined,
  hasNamelessMembers: () => false,
}

/** Dead properties that are written without `&#13;`, so that a reader takes a carriage return for a line feed. */
export const withoutReturns: DeadPropertyTraits = {
  textOf: (sent) => sent.replaceAll(/\r\n?/g, '\n'),
  keepsElements: true,
}

/** Finds the programs and files of a recipe that this machine lacks. */
export function findMissing(recipe: ServerRecipe): readonly string[] {
  const missing = recipe.modules.filter((file) => !isReadable(file))
  return findProgram(recipe.program) === undefined ? [recipe.program, ...missing] : missing
}

/** Finds a program. Distributions keep servers in an `sbin` that a user's PATH leaves out. */
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
