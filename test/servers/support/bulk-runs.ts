/**
 * The ways to pass the content of a collection to `deleteMany`. Around them: a client that records its requests, and a
 * retry of the failures as another process does it.
 */
import {
  collections,
  DavClient,
  members,
  type DavResult,
  type Failure,
  type Target,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect} from 'vitest'
import {referenceTo, type BulkTree} from './bulk-tree.ts'
import {isVerdict, pathsOf, readListed, readStanding} from './bulk-truth.ts'
import {readTree} from './disk.ts'
import type {Server} from './server.ts'

/** Retries soon and after any failure, because refused requests are allowed by then. */
export const again = {attempts: 2, minDelay: 1, maxDelay: 5, retryable: () => true} as const

/** The guard refuses the names with control characters. All are harmless here. */
export const everyName = {unguarded: true} as const

/** Creates a client, with the URLs of its DELETEs. */
export function clientOf(server: Server): {readonly dav: DavClient; readonly sent: string[]} {
  const transport = undiciTransport()
  const sent: string[] = []
  const dav = new DavClient({
    url: server.url(),
    transport: (request) => {
      if (request.method === 'DELETE') sent.push(request.url)
      return transport(request)
    },
  })
  return {dav, sent}
}

interface Job {
  readonly dav: DavClient
  readonly server: Server
  /** Name of the collection, directly below the root. */
  readonly name: string
  readonly verify: boolean
}

/** The targets of a call as the paths that the server serves, and all results. */
interface Done {
  readonly targets: readonly string[]
  readonly results: readonly DavResult[]
}

export interface Way {
  /** Name of the way and of its collection. */
  readonly name: string
  readonly of: string
  readonly run: (job: Job) => Promise<Done>
}

const listed = {properties: ['resourcetype']} as const

export const upwards: Way = {
  name: 'upwards',
  of: 'an array of results, members before their collections',
  run: async (job) => {
    const {results, paths} = await walk(job)
    return {targets: paths, results: await deleteAll(job, results.toReversed())}
  },
}

const downwards: Way = {
  name: 'downwards',
  of: 'an array of results, collections before their members',
  run: async (job) => {
    const {results, paths} = await walk(job)
    return {targets: paths, results: await deleteAll(job, results)}
  },
}

const streams: Way = {
  name: 'streams',
  of: 'files from the streams of listings, then their collections from another one',
  run: async (job) => {
    const {server, dav, name} = job
    const shown = await readListed(server, name)
    const files = await deleteAll(job, filesBelow(job))
    const listing = dav.propfind(`${name}/`, {depth: 1, ...listed})
    const tops = await deleteAll(job, members(listing))
    const targets = shown.filter(
      ({relation, content}) => relation === 'member' || content !== 'collection',
    )
    return {targets: targets.map(({path}) => path), results: [...files, ...tops]}
  },
}

const strings: Way = {
  name: 'strings',
  of: 'encoded paths and URLs, members before their collections',
  run: async (job) => {
    const standing = [...(await readStanding(job.server, job.name))].toReversed()
    const references = standing.map(([path, kind], index) => {
      const reference = `${referenceTo(path)}${kind === 'collection' ? '/' : ''}`
      return index % 3 === 0 ? new URL(reference, job.server.url()) : reference
    })
    return {targets: standing.map(([path]) => path), results: await deleteAll(job, references)}
  },
}

export const ways: readonly Way[] = [streams, strings, upwards, downwards]

/** Retries the failures from JSON after everything is allowed. Each target has a verdict, and all is gone. */
export async function retryAllowed(
  server: Server,
  tree: BulkTree,
  results: readonly DavResult[],
): Promise<void> {
  await tree.allow()
  const failures = queued(results)
  expect(failures.length).toBeGreaterThan(0)

  const retried = await collect(clientOf(server).dav.retry(failures, again))

  expect(retried.filter(({ok}) => !ok)).toEqual([])
  expect(pathsOf(retried.filter(isVerdict)).toSorted()).toEqual(
    [...new Set(pathsOf(failures))].toSorted(),
  )
  expect(await readTree(tree.folder)).toHaveLength(1)
}

/** Picks the failures among results, in the form that they have after a queue. */
export function queued(results: readonly DavResult[]): readonly Failure[] {
  const failures = results.filter((result) => !result.ok)
  const text = JSON.stringify(failures)
  const parsed: Failure[] = JSON.parse(text)
  expect(parsed).toEqual(failures)
  return parsed
}

/** Collects all results in order. */
export async function collect(results: AsyncIterable<DavResult>): Promise<readonly DavResult[]> {
  return await Array.fromAsync(results)
}

function deleteAll(
  {dav, verify}: Job,
  targets: Iterable<Target> | AsyncIterable<Target>,
): Promise<readonly DavResult[]> {
  return collect(dav.deleteMany(targets, {...everyName, verify}))
}

/** Lists everything below the collection by a walk: each collection before its members. */
async function walk({server, dav, name}: Job): Promise<{
  readonly results: readonly DavResult[]
  readonly paths: readonly string[]
}> {
  const listing = dav.propfind(`${name}/`, {depth: {walk: true}, ...listed})
  const results = await collect(members(listing))
  const paths = pathsOf(results)
  const shown = await readListed(server, name)
  expect(paths.toSorted()).toEqual(shown.map(({path}) => path).toSorted())
  return {results, paths}
}

/** Yields the files in each of the collections, listed while files of others are deleted. */
async function* filesBelow({dav, name}: Job): AsyncGenerator<DavResult, undefined, undefined> {
  const tops = collections(members(dav.propfind(`${name}/`, {depth: 1, ...listed})))
  for await (const top of tops) {
    for await (const result of dav.propfind(top, {depth: {walk: true}, ...listed})) {
      const isCollection = result.ok && result.properties.resourcetype?.includes('collection')
      if (isCollection !== true) yield result
    }
  }
  return undefined
}
