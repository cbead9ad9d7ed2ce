/**
 * The place of one step: a few files in a collection of their own, a client for it, and a look at the disk.
 */
import {readFile, utimes} from 'node:fs/promises'
import {join} from 'node:path'
import {DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {readTree} from '../support/disk.ts'
import {send} from '../support/http.ts'
import type {Server} from '../support/server.ts'
import {makeCollection} from '../support/trees.ts'
import type {State} from './rows.ts'

/** The files of a scene. The text of each is its path. */
const FILES = ['old.txt', 'other.txt', 'c/1.txt', 'c/d/2.txt', 'e/3.txt'] as const

/** Files by path, each with its text; a collection has `/`. */
export type Files = Readonly<Record<string, string>>

/** Changes of files. `undefined` means removed. */
export type Changes = Readonly<Record<string, string | undefined>>

export interface Scene {
  readonly server: Server
  /** Name of the collection below the root. */
  readonly name: string
  /** The collection on the disk. */
  readonly folder: string
  /** URL of the collection, and the base of the client. */
  readonly url: string
  readonly dav: DavClient
  /** The content before the step. */
  readonly before: Files
}

let scenes = 0

/** Makes a file old, because Apache has weak ETags for new ones. */
export function makeOld(file: string): Promise<void> {
  const old = Date.UTC(2001, 1, 3, 4, 5, 6) / 1000
  return utimes(file, old, old)
}

/** Makes a scene with old files. */
export async function makeScene(server: Server): Promise<Scene> {
  const name = `scene-${scenes++}`
  const folder = await makeCollection(server, name, FILES)
  for (const file of FILES) await makeOld(join(folder, file))
  const url = server.url(name)
  const dav = new DavClient({url, transport: undiciTransport()})
  return {server, name, folder, url, dav, before: await readFiles(server, folder)}
}

/** Reads the files of a folder with their texts. The server's own notes are left out. */
export async function readFiles({recipe}: Server, folder: string): Promise<Files> {
  const [, ...below] = await readTree(folder)
  const files: Record<string, string> = {}
  for (const {path, isFolder} of below) {
    const name = path.toString().slice(folder.length + 1)
    if (recipe.verbs?.isNote?.(name) === true) continue
    files[name] = isFolder ? '/' : await readFile(path, 'utf8')
  }
  return files
}

/** Compares the disk with the files before the step and their changes. */
export async function compare({server, folder, before}: Scene, changes: Changes): Promise<State> {
  const files = await readFiles(server, folder)
  const changed = {...before, ...changes}
  const done = Object.entries(changed).filter(([, text]) => text !== undefined)
  if (isSame(files, Object.fromEntries(done))) return 'done'
  return isSame(files, before) ? 'untouched' : 'partly done'
}

function isSame(one: Readonly<Record<string, unknown>>, other: Changes): boolean {
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
  )
}

/** Reads the ETag of a file without the client: the header of a HEAD, which all servers have that have ETags. */
export async function readEtag({url}: Scene, path: string): Promise<string | undefined> {
  return (await send(url + path, {method: 'HEAD'})).headers.etag
}
