/**
 * Compares the verdicts of a bulk deletion with the disk, file by file. Paths are the served ones, in bytes with one
 * character each, because a name may not be UTF-8.
 */
import {join} from 'node:path'
import {isFailure, isSuccess, type DavResult} from 'multistatus'
import {expect} from 'vitest'
import {bulkTraitsOf} from './bulk-servers.ts'
import {servedPath, type BulkTree} from './bulk-tree.ts'
import {readPaths, readTree} from './disk.ts'
import type {Server} from './server.ts'
import {pathOfReference, readShown, type Shown} from './shown.ts'

/** The resources that remain below a collection, by served path. */
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

/** Computes the listing of a collection, without the collection itself. */
export async function readListed(server: Server, collection: string): Promise<readonly Shown[]> {
  const {isNote} = bulkTraitsOf(server)
  const [, ...below] = await readShown(server, collection)
  return below.filter(({path}) => !isNote(path))
}

/** Checks that each target has one verdict, a Success is gone, a Failure remains, and nothing remains unreported. */
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

/** Paths that must remain after all else is deleted: the blocked and locked ones, and the collections above them. */
export function expectedStanding(
  server: Server,
  tree: BulkTree,
  before: Standing,
): readonly string[] {
  const kept = [...before.keys()].filter((path) => isIn(path, new Set([tree.blocked.folder])))
  if (bulkTraitsOf(server).locked !== undefined) kept.push(...tree.locked.map(({file}) => file))
  return [...before.keys()].filter((path) => kept.some((one) => isIn(one, new Set([path]))))
}

/** Members that a DELETE of collections names, by path and status. The remaining resources determine them. */
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

/** Targets without a deleted target above them. Each needs a request. */
export function withoutDeletedAbove(results: readonly DavResult[]): readonly string[] {
  const verdicts = results.filter(isVerdict)
  const deleted = new Set(pathsOf(verdicts.filter(isSuccess)))
  return pathsOf(verdicts).filter((path) => !isIn(parentOf(path), deleted))
}

export function isVerdict({relation}: DavResult): boolean {
  return relation === 'self'
}

/** Status of each result by path. The last of several with one path counts. */
export function statusesOf(results: readonly DavResult[]): ReadonlyMap<string, number> {
  return new Map(results.map(({url, status}) => [pathOfReference(url), status]))
}

/** Converts a plain path below the root to the form of these paths. */
export function servedPathOf(path: string): string {
  return `/${Buffer.from(path).toString('latin1')}`
}

/** Reads the sorted plain paths of the resources below a folder, without the server's own notes. */
export async function readResources(server: Server, folder: string): Promise<readonly string[]> {
  const {isNote} = bulkTraitsOf(server)
  return (await readPaths(folder)).filter((path) => !isNote(path))
}

export function pathsOf(results: readonly {readonly url: string}[]): readonly string[] {
  return results.map(({url}) => pathOfReference(url))
}

/** Picks the failures, except those of resources that were deleted with their collection later. */
function standingFailures(results: readonly DavResult[]): readonly DavResult[] {
  const deleted = new Set<string>()
  return results.toReversed().filter((result) => {
    const path = pathOfReference(result.url)
    if (result.ok) deleted.add(path)
    return !result.ok && !isIn(path, deleted)
  })
}

/** True for a path in the set, and for a path below one of them. */
function isIn(path: string, some: ReadonlySet<string>): boolean {
  for (let at = path; at !== ''; at = parentOf(at)) if (some.has(at)) return true
  return false
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
