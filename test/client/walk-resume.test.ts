// States how another process continues a stopped listing. Nothing is lost at any stop. Only members of collections under way come
// twice. An invalid checkpoint sends nothing. RFC 4918, section 9.1.

import {type Checkpoint, DavClient, DavHttpError, type Depth, type Walk} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {answer207, listed, OPEN} from '../support/fault-server.ts'
import {
  collectionsOf,
  line,
  linesOf,
  regular,
  startTreeServer,
  type Tree,
  type TreeServer,
} from '../support/tree-server.ts'

vi.setConfig({testTimeout: 4000})

const transport = undiciTransport()
const walk: Walk = {walk: true}
// 40 collections, and a file in each third one.
const full = regular(3, 3)
const tree: Tree = (names) => {
  const members = full(names)
  return members === undefined || names.at(-1) === 'c0' ? members : {...members, files: []}
}
const all = linesOf(tree)

let server: TreeServer

beforeEach(async () => {
  server = await startTreeServer(tree)
})

afterEach(() => server.close())

function connect(): DavClient {
  return new DavClient({url: server.url, transport})
}

function written(checkpoint: Checkpoint): Checkpoint {
  const text = JSON.stringify(checkpoint)
  return JSON.parse(text) as Checkpoint
}

interface Stopped {
  readonly lines: readonly string[]
  readonly inLoop: Checkpoint
  readonly afterwards: Checkpoint
}

/** Reads a number of results and stops. */
async function stopAfter(
  count: number,
  depth: Depth | Walk,
  concurrency: number,
): Promise<Stopped> {
  const stream = connect().propfind('docs/', {depth, concurrency})
  const lines: string[] = []
  let inLoop = written(stream.checkpoint())
  if (count > 0) {
    for await (const result of stream) {
      lines.push(line(result))
      if (lines.length < count) continue
      inLoop = written(stream.checkpoint())
      break
    }
  }
  return {lines, inLoop, afterwards: written(stream.checkpoint())}
}

/** The results of the rest, by a new client. */
async function goOn(
  resume: Checkpoint,
  depth: Depth | Walk,
  concurrency = 4,
): Promise<readonly string[]> {
  const stream = connect().propfind('docs/', {depth, resume, concurrency})
  const {successes, failures, summary} = await stream.collect()
  expect(failures).toEqual([])
  expect(summary).toMatchObject({complete: true, incomplete: []})
  return successes.map(line)
}

/** Lists the collections with members that came twice. The root's own result counts as a member of the root. */
function listedTwice(first: readonly string[], second: readonly string[]): ReadonlySet<string> {
  const again = first.filter((text) => second.includes(text))
  return new Set(
    again.map((text) => {
      const [relation, path = ''] = text.split(' ')
      return relation === 'self' ? path : path.replace(/[^/]+\/?$/, '')
    }),
  )
}

describe('a walk that is stopped after any number of results', () => {
  it.each([
    {concurrency: 1, when: 'inLoop', step: 1},
    {concurrency: 4, when: 'inLoop', step: 9},
    {concurrency: 4, when: 'afterwards', step: 1},
  ] as const)(
    'goes on: $concurrency at once, checkpoint $when',
    {timeout: 60_000},
    async ({concurrency, when, step}) => {
      for (let count = 0; count <= all.length; count += step) {
        const stopped = await stopAfter(count, walk, concurrency)
        expect(stopped.lines).toHaveLength(count)
        const rest = await goOn(stopped[when], walk, concurrency)

        expect([...new Set([...stopped.lines, ...rest])].toSorted()).toEqual(all)
        expect(new Set(rest).size).toBe(rest.length)
        const twice = listedTwice(stopped.lines, rest)
        expect(twice.size).toBeLessThanOrEqual(concurrency)
        const left = new Set(stopped[when].left.map(({url}) => new URL(url).pathname))
        expect([...twice].filter((path) => !left.has(path))).toEqual([])
      }
    },
  )

  it.each([0, 1, 2, 4, 5, 17, 40, 52, 53])('does so if infinity is cut: %i', async (count) => {
    server.set({infinity: 'cut'})
    const {lines, afterwards} = await stopAfter(count, 'infinity', 4)
    const rest = await goOn(afterwards, 'infinity')
    expect([...new Set([...lines, ...rest])].toSorted()).toEqual(all)
  })

  it('requests no collection that was listed', async () => {
    const {afterwards} = await stopAfter(40, walk, 1)
    const before = server.asked.length
    await goOn(afterwards, walk)
    const [earlier, later] = [server.asked.slice(0, before), server.asked.slice(before)]
    // The collection under way.
    expect(later.filter((asked) => earlier.includes(asked))).toHaveLength(1)
    expect(new Set(server.asked)).toEqual(new Set(collectionsOf(tree).map((path) => `1 ${path}`)))
  })

  it('needs no depth: the checkpoint has it', async () => {
    const {lines, afterwards} = await stopAfter(30, walk, 1)
    const stream = connect().propfind('docs/', {resume: afterwards})
    const rest = (await stream.collect()).successes.map(line)
    expect([...new Set([...lines, ...rest])].toSorted()).toEqual(all)
  })
})

describe('a walk that ended otherwise', () => {
  it.each([1, 4])('goes on after a signal, %i at once', async (concurrency) => {
    for (const count of [1, 5, 20, 50]) {
      const controller = new AbortController()
      const {signal} = controller
      const stream = connect().propfind('docs/', {depth: walk, concurrency, signal})
      const lines: string[] = []
      const reading = (async () => {
        for await (const result of stream) {
          lines.push(line(result))
          if (lines.length === count) controller.abort(new Error('enough'))
        }
      })()
      await expect(reading).rejects.toThrow('enough')
      const rest = await goOn(written(stream.checkpoint()), walk, concurrency)
      expect([...new Set([...lines, ...rest])].toSorted()).toEqual(all)
      expect(listedTwice(lines, rest).size).toBeLessThanOrEqual(concurrency)
    }
  })

  it.each<[string, number | ReturnType<typeof answer207>]>([
    ['is not there', 404],
    ['breaks off', answer207(OPEN + listed('/docs/'))],
  ])('continues after an error: a collection is listed %s', async (_, fault) => {
    server.set({faults: {'/docs/': [fault, 207]}})
    for (const concurrency of [1, 4]) {
      const stream = connect().propfind('docs/', {depth: walk, concurrency})
      const error: unknown = await stream.collect().catch((reason: unknown) => reason)
      expect(error instanceof DavHttpError).toBe(fault === 404)
      const checkpoint = written(stream.checkpoint())
      expect(checkpoint.left).toEqual([{url: `${server.url}docs/`, depth: 1}])
      expect((await goOn(checkpoint, walk, concurrency)).toSorted()).toEqual(all)
      server.set({faults: {'/docs/': [fault, 207]}})
    }
  })

  it('has no results after the end, and is complete', async () => {
    const stream = connect().propfind('docs/', {depth: walk})
    await stream.collect()
    const checkpoint = written(stream.checkpoint())
    expect(checkpoint.left).toEqual([])
    const before = server.asked.length
    expect(await goOn(checkpoint, walk)).toEqual([])
    expect(server.asked).toHaveLength(before)
  })

  it('is not complete after a failure before the stop', async () => {
    server.set({faults: {'/docs/c0/': [403]}})
    const refused = [{href: `${server.url}docs/c0/`, reason: 'refused', status: 403}]
    const stream = connect().propfind('docs/', {depth: walk, concurrency: 1})
    for await (const {relation} of stream) if (relation === 'descendant') break
    const checkpoint = written(stream.checkpoint())
    expect(checkpoint.incomplete).toEqual(refused)
    const {successes, summary} = await connect()
      .propfind('docs/', {depth: walk, resume: checkpoint})
      .collect()
    expect(successes.length).toBeGreaterThan(20)
    expect(summary).toMatchObject({complete: false, incomplete: refused})
  })

  it('continues by an href without the slash', async () => {
    server.set({addsSlash: true})
    const stream = connect().propfind('docs', {depth: walk, concurrency: 1})
    const lines: string[] = []
    for await (const result of stream) if (lines.push(line(result)) === 20) break
    const resume = written(stream.checkpoint())
    const {successes, summary} = await connect().propfind('docs', {depth: walk, resume}).collect()
    expect(summary.complete).toBe(true)
    expect([...new Set([...lines, ...successes.map(line)])].toSorted()).toEqual(all)
  })

  it('does not continue if the href leads to another collection', async () => {
    const location = '/docs/'
    server.set({faults: {'/alias/': [{status: 302, headers: {location}}]}})
    const stream = connect().propfind('alias/', {depth: walk, concurrency: 1})
    const {successes, summary} = await stream.collect()
    expect(successes.map(line)).toEqual([
      'outside /docs/',
      'outside /docs/c0/',
      'outside /docs/c1/',
      'outside /docs/c2/',
    ])
    expect(summary.incomplete).toEqual([{href: `${server.url}alias/`, reason: 'self'}])
    expect(stream.checkpoint().left).toEqual([])
  })
})

describe('an invalid checkpoint', () => {
  const leaf = (url: string, depth: unknown = 1): object => ({left: [{url, depth}]})
  it.each<[string, (root: string) => unknown]>([
    ['of another collection', (root) => ({url: `${root}other/`})],
    ['of a member of the collection', (root) => ({url: `${root}docs/c0/`})],
    ['of the collection around it', (root) => ({url: root})],
    ['of another origin', () => ({url: 'https://evil.example/docs/'})],
    ['with a relative URL', () => ({url: '/docs/'})],
    ['without a URL', () => ({url: undefined})],
    ['of another version', () => ({version: 2})],
    ['without a version', () => ({version: undefined})],
    ['without a list', () => ({left: undefined})],
    ['without its gaps', () => ({incomplete: undefined})],
    ['with nothing in its list', () => ({left: [null]})],
    ['that leads out', (root) => leaf(`${root}other/`)],
    ['that leads up', (root) => leaf(root)],
    ['that leads out by dots', (root) => leaf(`${root}docs/%2e%2e/other/`)],
    ['that leads to a namesake', (root) => leaf(`${root}docs2/`)],
    ['that leads to another origin', () => leaf('https://evil.example/docs/c0/')],
    ['with credentials', (root) => leaf(`${root.replace('//', '//ana:secret@')}docs/c0/`)],
    ['with a Depth that is none', (root) => leaf(`${root}docs/c0/`, 2)],
    ['with a walk for a Depth', (root) => leaf(`${root}docs/c0/`, walk)],
    ['that was asked for with a Depth that is none', () => ({depth: 2})],
    ['that was asked for with another Depth', () => ({depth: 0})],
  ])('is refused before anything is sent: %s', (_, change) => {
    const dav = connect()
    const good = dav.propfind('docs/', {depth: walk}).checkpoint()
    const resume = {...good, ...(change(server.url) as object)}
    const open = (): unknown => dav.propfind('docs/', {depth: walk, resume})
    expect(open).toThrow(/./)
    expect([TypeError.name, RangeError.name]).toContain(nameOfThrown(open))
    expect(server.asked).toEqual([])
  })

  it.each([null, 'text', 1, [], {}])('is refused: %j', (resume) => {
    const dav = connect()
    expect(() => dav.propfind('docs/', {depth: walk, resume: resume as never})).toThrow(TypeError)
  })
})

function nameOfThrown(run: () => unknown): string {
  try {
    run()
    return 'nothing'
  } catch (error) {
    return error instanceof Error ? error.name : 'no error'
  }
}
