/**
 * Holds the verdicts of a bulk deletion against the disk, file by file. Paths are those that the server serves, told
 * as bytes, each as one character, because a name need not be UTF-8.
 */
import {join} from 'node:path'
import {isFailure, isSuccess, type DavResult} from 'multistatus'
import {expect} from 'vitest'
import {bulkTraitsOf} from './bulk-servers.ts'
import {servedPath, type BulkTree} from './bulk-tree.ts'
import {readPaths, readTree} from './disk.ts'
import type {Server} from './server.ts'
import {pathOfReference, readShown, type Shown} from './shown.ts'

/** What stands below a collection, by the path that it is served by. */
export type Standing = ReadonlyMap<string, 'file' | 'collection'>

export async function readStanding(server: Server, collection: string): Promise<Standing> {
  const {isNote} = bulkTraitsOf(server)
  const [, ...below] = await readTree(join(server.root, collection))
  return new Map(
    below
      .filter(({path}) => !isNote(path.toString()))
      .map(({path, isFolder}) => [servedPath(server, path), isFolder ? 'collection' : 'file']),
  )
}

/** What a listing of a collection shows below it. */
export async function readListed(server: Server, collection: string): Promise<readonly Shown[]> {
  const {isNote} = bulkTraitsOf(server)
  const [, ...below] = await readShown(server, collection)
  return below.filter(({path}) => !isNote(path))
}

/** Each target has one verdict; what is deleted is gone, what failed stands, and nothing stands in silence. */
export function expectTruth(
  results: readonly DavResult[],
  {targets, standing}: {readonly targets: readonly string[]; readonly standing: Standing},
): void {
  expect(pathsOf(results.filter(isVerdict)).toSorted()).toEqual(targets.toSorted())
  const failed = new Set(pathsOf(results.filter(isFailure)))
  expect(pathsOf(results.filter(isSuccess)).filter((path) => standing.has(path))).toEqual([])
  expect(pathsOf(standingFailures(results)).filter((path) => !standing.has(path))).toEqual([])
  expect([...standing.keys()].filter((path) => !isIn(path, failed))).toEqual([])
}

/** What must stand where everything else was deleted: what is blocked or locked, and the collections it is in. */
export function expectedStanding(
  server: Server,
  tree: BulkTree,
  before: Standing,
): readonly string[] {
  const kept = [...before.keys()].filter((path) => isIn(path, new Set([tree.blocked.folder])))
  if (bulkTraitsOf(server).locked !== undefined) kept.push(...tree.locked.map(({file}) => file))
  return [...before.keys()].filter((path) => kept.some((one) => isIn(one, new Set([path]))))
}

/** The members that a DELETE of collections names: status by path. Which these are follows from what it left. */
export function expectedMembers(
  server: Server,
  tree: BulkTree,
  standing: Standing,
): ReadonlyMap<string, number | undefined> {
  const {blocked, locked} = bulkTraitsOf(server)
  const left = [...standing]
  const below = (collection: string): readonly (readonly [string, string])[] =>
    left.filter(([path]) => path.startsWith(`${collection}/`))
  const ofBlocked = below(tree.blocked.collection).filter(
    ([, kind]) =>
      blocked.names === 'all that stands' || (blocked.names === 'files' && kind === 'file'),
  )
  const named = ofBlocked.map(([path]): [string, number | undefined] => [path, blocked.members])
  if (locked === undefined || locked.target !== 424) return new Map(named)
  for (const {collection, file} of tree.locked) {
    named.push([file, 423])
    if (locked.members === undefined) continue
    for (const [path] of below(collection)) if (path !== file) named.push([path, locked.members])
  }
  return new Map(named)
}

/** The targets that have no deleted target above them, so that each needs a request. */
export function withoutDeletedAbove(results: readonly DavResult[]): readonly string[] {
  const verdicts = results.filter(isVerdict)
  const deleted = new Set(pathsOf(verdicts.filter(isSuccess)))
  return pathsOf(verdicts).filter((path) => !isIn(parentOf(path), deleted))
}

export function isVerdict({relation}: DavResult): boolean {
  return relation === 'self'
}

/** The status of each result by its path; of several with one path the last one's. */
export function statusesOf(results: readonly DavResult[]): ReadonlyMap<string, number> {
  return new Map(results.map(({url, status}) => [pathOfReference(url), status]))
}

/** A plain path below the root as the paths here are told. */
export function servedPathOf(path: string): string {
  return `/${Buffer.from(path).toString('latin1')}`
}

/** Plain paths of the resources below a folder, sorted: of what is there without the server's own notes. */
export async function readResources(server: Server, folder: string): Promise<readonly string[]> {
  const {isNote} = bulkTraitsOf(server)
  return (await readPaths(folder)).filter((path) => !isNote(path))
}

export function pathsOf(results: readonly {readonly url: string}[]): readonly string[] {
  return results.map(({url}) => pathOfReference(url))
}

/** The failures without those of what was deleted with its collection later on. */
function standingFailures(results: readonly DavResult[]): readonly DavResult[] {
  const deleted = new Set<string>()
  return results.toReversed().filter((result) => {
    const path = pathOfReference(result.url)
    if (result.ok) deleted.add(path)
    return !result.ok && !isIn(path, deleted)
  })
}

/** Whether a path is one of some, or below one of them. */
function isIn(path: string, some: ReadonlySet<string>): boolean {
  for (let at = path; at !== ''; at = parentOf(at)) if (some.has(at)) return true
  return false
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
