/**
 * Whole trees on real servers, by Depth infinity and by walks of Depth 1 requests. A listing equals the disk: each
 * resource once, with its relation to the requested collection. Names that a server hides, renames or does not find
 * again are computed from the disk too. A collection that cannot be listed is a Failure.
 */
import {DavClient, type DavResult, type Summary} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {beforeAll, expect, it} from 'vitest'
import {apache, apacheWithInfinity} from './apache.ts'
import {lighttpd, lighttpdWithInfinity} from './lighttpd.ts'
import {nginx} from './nginx.ts'
import {sabredav} from './sabredav.ts'
import {servers} from './servers.ts'
import type {ServerTraits} from './support/recipe.ts'
import type {Server} from './support/server.ts'
import {pathOfReference, readShown, type Shown} from './support/shown.ts'
import {describeServers} from './support/suite.ts'
import {makeClosedCollection, makeCollection, makeTree, numbered} from './support/trees.ts'

type Depth = 0 | 1 | 'infinity' | {readonly walk: true}

const properties = ['resourcetype', 'getcontentlength'] as const

const listings = (
  [
    ['Depth 0', 0],
    ['Depth 1', 1],
    ['Depth infinity', 'infinity'],
    ['a walk', {walk: true}],
  ] as const
).flatMap(([name, depth]) => [1, 8].map((concurrency) => ({name, depth, concurrency})))

describeServers(servers, (server) => {
  beforeAll(async () => {
    await makeTree(server, 'tree')
  })

  it('has a tree of more than 2,000 resources in more than 200 collections', async () => {
    const shown = await readShown(server, 'tree')

    expect(shown.length).toBeGreaterThan(2000)
    expect(shown.filter(({content}) => content === 'collection').length).toBeGreaterThan(200)
  })

  it.for(listings)(
    '$name, concurrency $concurrency, lists the resources on the disk, each once',
    async ({depth, concurrency}) => {
      const expected = expectedOf(await readShown(server, 'tree'), depth, server.traits)

      const listed = await list(server, 'tree/', depth, concurrency)

      expect(listed.repeated).toEqual([])
      expect(listed.resources).toEqual(expected.resources)
      expect(listed.failures).toEqual(expected.failures)
      expect(listed.incomplete).toEqual(expected.incomplete)
      expect(listed.summary).toMatchObject({
        complete: expected.incomplete.size === 0,
        successes: expected.resources.size,
        failures: expected.failures.size,
        requests: expected.requests,
      })
    },
  )

  it('a walk of a collection without a slash in its target lists the same', async () => {
    const expected = expectedOf(await readShown(server, 'tree'), {walk: true}, server.traits)

    const listed = await list(server, 'tree', {walk: true}, 8)

    expect(listed.repeated).toEqual([])
    expect(listed.resources).toEqual(expected.resources)
    expect(listed.failures).toEqual(expected.failures)
  })
})

describeServers([apache, apacheWithInfinity, nginx, lighttpd, lighttpdWithInfinity], (server) => {
  it('a collection that the server may not read is a Failure, and the walk is not complete', async () => {
    const {failures, summary} = await listClosed(server)

    expect([...failures.keys()]).toEqual(['/closed/closed'])
    expect(summary.complete).toBe(false)
  })
})

describeServers([lighttpdWithInfinity], (server) => {
  it('Depth infinity lists all of 121 collections, although one answer shows 100', async () => {
    const members = numbered(120).map((name) => `${name}/member.txt`)
    await makeCollection(server, 'cut', members)
    const shown = await readShown(server, 'cut')

    const {resources, summary} = await list(server, 'cut/', 'infinity', 1)

    expect(resources.size).toBe(shown.length)
    expect(summary.complete).toBe(true)
  })
})

describeServers([sabredav], (server) => {
  it('a walk is not complete if the members of a collection are listed as the collection itself', async () => {
    await makeCollection(server, 'nameless', ['line\nfeed/member.txt'])

    const {incomplete} = await list(server, 'nameless/', {walk: true}, 1)

    expect([...incomplete]).toEqual([['/nameless/line\nfeed', 'self undefined']])
  })
})

async function listClosed(server: Server): Promise<Listed> {
  const open = await makeClosedCollection(server, 'closed')
  try {
    return await list(server, 'closed/', {walk: true}, 1)
  } finally {
    await open()
  }
}

interface Failed {
  readonly relation: string
  readonly status: number
  readonly reason: string
}

/** Computes the expected listing. A collection without members in an answer to Depth infinity is requested as well. */
function expectedOf(
  shown: readonly Shown[],
  depth: Depth,
  {infinity, mostCollections, mostLevels = Number.POSITIVE_INFINITY}: ServerTraits,
): {
  readonly resources: ReadonlyMap<string, string>
  readonly failures: ReadonlyMap<string, Failed>
  readonly incomplete: ReadonlyMap<string, string>
  readonly requests: number
} {
  // An answer that ends without notice after some collections is not used.
  const isUsed = infinity === 'answered' && mostCollections === undefined
  const isAnswered = depth === 'infinity' && isUsed
  const isWalked = typeof depth === 'object' || (depth === 'infinity' && !isAnswered)
  const closed = new Set(shown.filter(({showsMembers}) => !showsMembers).map(({path}) => path))
  const isInAnswer = ({level}: Shown): boolean => isAnswered && level <= mostLevels
  const reached = shown.filter((resource) => {
    const {relation, parent} = resource
    if (depth === 0) return relation === 'self'
    if (depth === 1) return relation !== 'descendant'
    return isInAnswer(resource) || !closed.has(parent)
  })
  const parents = new Set(reached.filter(isInAnswer).map(({parent}) => parent))
  const asked = reached.filter(
    ({content, path}) =>
      content === 'collection' && (isWalked || (isAnswered && !parents.has(path))),
  )
  const all = new Set(shown.map(({parent}) => parent))
  const incomplete = asked.flatMap(({path, refusal, showsMembers}): [string, string][] => {
    if (refusal !== undefined) return [[path, `refused ${refusal}`]]
    return showsMembers || !all.has(path) ? [] : [[path, 'self undefined']]
  })
  const beforehand = depth === 'infinity' && infinity !== 'cut' ? 1 : 0
  return {
    resources: new Map(
      reached.map(({path, relation, content}) => [path, `${relation} ${content}`]),
    ),
    failures: new Map(
      asked.flatMap(({path, relation, refusal: status}) =>
        status === undefined ? [] : [[path, {relation, status, reason: 'status'}]],
      ),
    ),
    incomplete: new Map(incomplete),
    requests: Math.max(1, beforehand + asked.length),
  }
}

/** The results of a listing, by path. */
interface Listed {
  /** Relation and content of each Success. */
  readonly resources: ReadonlyMap<string, string>
  readonly failures: ReadonlyMap<string, Failed>
  /** Paths with more than one Success, or more than one Failure. */
  readonly repeated: readonly string[]
  readonly incomplete: ReadonlyMap<string, string>
  readonly summary: Summary
}

async function list(
  server: Server,
  target: string,
  depth: Depth,
  concurrency: number,
): Promise<Listed> {
  const dav = new DavClient({url: server.url(), transport: undiciTransport()})
  const results = dav.propfind(target, {depth, concurrency, properties})
  const resources = new Map<string, string>()
  const failures = new Map<string, Failed>()
  const repeated: string[] = []
  for await (const result of results) {
    const path = pathOf(result)
    if ((result.ok ? resources : failures).has(path)) repeated.push(path)
    const {relation, status} = result
    if (result.ok) {
      const {resourcetype, getcontentlength} = result.properties
      const isCollection = resourcetype?.includes('collection') === true
      resources.set(path, `${relation} ${isCollection ? 'collection' : getcontentlength}`)
    } else {
      failures.set(path, {relation, status, reason: result.reason})
    }
  }
  const summary = await results.summary
  const incomplete = new Map(
    summary.incomplete.map(({href, reason, status}) => [
      pathOfReference(href),
      `${reason} ${status}`,
    ]),
  )
  return {resources, failures, repeated, incomplete, summary}
}

function pathOf({href, url}: DavResult): string {
  const path = pathOfReference(url)
  if (pathOfReference(href) !== path) throw new Error(`${href} became ${url}`)
  return path
}
