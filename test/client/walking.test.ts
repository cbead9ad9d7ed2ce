// States the listing of a tree on servers that refuse Depth infinity or cut it short: the requests, and each resource once. Memory,
// requests and circular links have bounds. RFC 4918, section 9.1.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type DavResult, type Depth, type ListingStream, type Walk} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, describe, expect, it, vi} from 'vitest'

import {type Answer, NEVER} from '../support/fault-server.ts'
import {
  collectionsOf,
  line,
  linesOf,
  refusalInside,
  regular,
  type Sequence,
  startTreeServer,
  type Tree,
  type TreeOptions,
  type TreeServer,
  written,
} from '../support/tree-server.ts'

vi.setConfig({testTimeout: 4000})

const transport = undiciTransport()
let server: TreeServer
let dav: DavClient

const tree = written({
  '': ['a.txt', 'b/', 'empty/', 'ö 100%/', 'x&y#1?.txt'],
  'b/': ['c/', 'd.txt', 'a/b', 'b/'],
  'b/c/': ['only/'],
  'b/c/only/': ['deep.txt'],
  'b/b/': ['b/', 'z.txt'],
  'b/b/b/': [],
  'empty/': [],
  'ö 100%/': ['é.txt', 'empty too/'],
  'ö 100%/empty too/': [],
})
const finite = '<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>'
const html = '<!DOCTYPE html>\n<html><body><h1>Forbidden</h1><br><hr></body></html>'
const refused: Answer = {status: 403, headers: {'content-type': 'text/html'}, body: html}

async function serve(served: Tree, options: TreeOptions = {}): Promise<void> {
  server = await startTreeServer(served, options)
  dav = new DavClient({url: server.url, transport})
}

afterEach(() => server.close())

function list(depth: Depth | Walk = 'infinity', concurrency?: number): ListingStream {
  return dav.propfind('docs/', {depth, concurrency})
}

describe('walk', () => {
  it('lists everything by requests with Depth 1', async () => {
    await serve(tree)
    const walked = await linesGiven(dav.walk('docs/'))
    expect(server.requests.every(({headers}) => headers['depth'] === '1')).toBe(true)
    expect(server.requests).toHaveLength(collectionsOf(tree).length)
    expect(walked).toEqual(await linesGiven(list({walk: true})))
  })

  it('stops at a level, and is incomplete as shallow', async () => {
    await serve(tree)
    const {summary} = await dav.walk('docs/', {levels: 1}).collect()
    expect(summary.incomplete.map(({href, reason}) => `${reason} ${href}`).toSorted()).toEqual([
      `shallow ${server.url}docs/%C3%B6%20100%25/empty%20too/`,
      `shallow ${server.url}docs/b/b/`,
      `shallow ${server.url}docs/b/c/`,
    ])
  })

  it('continues from its checkpoint, which has the levels', async () => {
    await serve(tree)
    const begun = dav.walk('docs/', {levels: 7})
    for await (const result of begun) if (result.relation === 'member') break
    const resume = begun.checkpoint()
    expect(resume.depth).toEqual({walk: true, levels: 7})
    expect((await dav.walk('docs/', {resume}).collect()).summary.complete).toBe(true)
    expect((await dav.walk('docs/', {resume, levels: 7}).collect()).summary.complete).toBe(true)
    expect(() => dav.walk('docs/', {resume, levels: 2})).toThrow(TypeError)
  })

  it('refuses a checkpoint of another depth, a bad level and an unknown option', async () => {
    await serve(tree)
    const resume = dav.propfind('docs/', {depth: 'infinity'}).checkpoint()
    expect(() => dav.walk('docs/', {resume})).toThrow(TypeError)
    expect(() => dav.walk('docs/', {levels: 0})).toThrow(RangeError)
    const options: object = {depth: 1}
    expect(() => dav.walk('docs/', options)).toThrow(TypeError)
    expect(server.requests).toEqual([])
  })
})

async function linesGiven(stream: AsyncIterable<DavResult<unknown>>): Promise<string[]> {
  return (await Array.fromAsync(stream, line)).toSorted()
}

const each = (depth: Depth, paths: readonly string[]): string[] =>
  paths.map((path) => `${depth} ${path}`)

describe('Depth infinity that is refused', () => {
  const withStatus = [400, 403, 405, 501, 507].flatMap((status): [string, Answer][] => [
    [`${status} with the condition`, {status, body: finite}],
    [`${status} with a page`, {status, body: html}],
    [`${status} without a body`, {status}],
  ])
  it.each<[string, Answer]>([
    ...withStatus,
    ['a page with status 200', {status: 200, body: html}],
    ['a page without a doctype', {status: 200, body: '<html><p>Log in<br></html>'}],
    ['a page with a doctype in lower case', {status: 200, body: '<!doctype html><title>x</title>'}],
    ['the condition in a 207, for the collection itself', refusalInside('/docs/')],
  ])('is followed by a walk: %s', async (_, infinity) => {
    await serve(tree, {infinity})
    const stream = list()
    expect(await linesGiven(stream)).toEqual(linesOf(tree))
    expect(await stream.summary).toMatchObject({complete: true, incomplete: []})
    expect(server.asked[0]).toBe('infinity /docs/')
    expect(server.asked.slice(1).toSorted()).toEqual(each(1, collectionsOf(tree)).toSorted())
  })

  it('gives the same results as one answer does', async () => {
    await serve(tree)
    const one = await list().collect()
    server.set({infinity: refused})
    const many = await list().collect()
    const byUrl = (a: {url: string}, b: {url: string}): number => (a.url < b.url ? -1 : 1)
    expect(one.successes).toHaveLength(linesOf(tree).length)
    expect(many.successes.toSorted(byUrl)).toEqual(one.successes.toSorted(byUrl))
  })

  it('is not sent with {walk: true}', async () => {
    await serve(tree)
    expect(await linesGiven(list({walk: true}))).toEqual(linesOf(tree))
    expect(server.asked.toSorted()).toEqual(each(1, collectionsOf(tree)).toSorted())
  })

  it('is remembered by the client', async () => {
    await serve(tree, {infinity: refused})
    await list().collect()
    expect(await linesGiven(list())).toEqual(linesOf(tree))
    await dav.propfind('docs/b/', {depth: 'infinity'}).collect()
    expect(server.asked.filter((asked) => asked.startsWith('infinity'))).toHaveLength(1)
  })

  it('is not remembered if Depth 1 is refused as well, and that error is thrown', async () => {
    await serve(tree, {infinity: refused, faults: {'/docs/': [403, 207]}})
    await expect(list().collect()).rejects.toMatchObject({
      name: 'DavHttpError',
      status: 403,
      message: `PROPFIND ${server.url}docs/ (Depth: 1) answered 403`,
    })
    server.set({})
    expect((await list().collect()).summary).toMatchObject({complete: true})
    expect(server.asked).toEqual([
      'infinity /docs/',
      '1 /docs/',
      'infinity /docs/',
      ...each(1, collectionsOf(tree, 'empty')),
    ])
  })

  it.each<[string, TreeOptions, string]>([
    ['first', {}, '/docs/'],
    ['last', {self: 'last'}, '/docs/'],
    ['without its slash', {self: 'bare'}, '/docs'],
    ['with another host', {self: 'absolute'}, 'http://inner.example:8080/docs/'],
    ['with escapes that are not needed', {self: 'escaped'}, '/d%6fcs/'],
    ['without slashes, as all collections', {isBare: true}, '/docs'],
  ])('gives each resource once, the collection itself written %s', async (_, options, self) => {
    await serve(tree, {...options, infinity: refused})
    const given = await linesGiven(list())
    const others = linesOf(tree, [], options).filter((text) => !text.startsWith('self '))
    expect(given).toEqual([...others, `self ${self}`].toSorted())
    expect(server.asked.slice(1).toSorted()).toEqual(each(1, collectionsOf(tree)).toSorted())
  })

  it('is sent to the URL with the slash if the server adds it', async () => {
    await serve(tree, {infinity: refused, addsSlash: true})
    const {successes, summary} = await dav.propfind('docs', {depth: 'infinity'}).collect()
    expect(successes.map(line).toSorted()).toEqual(linesOf(tree))
    expect(summary.complete).toBe(true)
    expect(server.asked.slice(0, 2)).toEqual(['infinity /docs', 'infinity /docs/'])
  })
})

describe('Depth infinity that is answered in part', () => {
  it.each([1, 8])('is completed if it was cut to Depth 1, %i at once', async (concurrency) => {
    await serve(tree, {infinity: 'cut'})
    const stream = list('infinity', concurrency)
    expect(await linesGiven(stream)).toEqual(linesOf(tree))
    expect((await stream.summary).complete).toBe(true)
    expect(server.asked[0]).toBe('infinity /docs/')
    const others = collectionsOf(tree).filter((path) => path !== '/docs/')
    expect(server.asked.slice(1).toSorted()).toEqual(each(1, others).toSorted())
  })

  it.each<Sequence>(['pre', 'post', 'level', 1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'is not if it is whole: only collections without members are asked, in the order %s',
    async (sequence) => {
      await serve(tree, {sequence})
      const stream = list()
      expect(await linesGiven(stream)).toEqual(linesOf(tree))
      expect(server.asked[0]).toBe('infinity /docs/')
      const empty = collectionsOf(tree, 'empty')
      expect(server.asked.slice(1).toSorted()).toEqual(each(1, empty).toSorted())
      expect((await stream.summary).complete).toBe(true)
    },
  )
})

describe('a walk', () => {
  it.each([1, 3, 8])('has no more requests under way than %i', async (concurrency) => {
    const wide = regular(8, 2)
    await serve(wide, {pause: 3})
    expect(await linesGiven(list({walk: true}, concurrency))).toEqual(linesOf(wide))
    expect(server.mostAtOnce).toBeLessThanOrEqual(concurrency)
    expect(server.mostAtOnce).toBeGreaterThan(concurrency / 2)
  })

  it.each([1, 8])(
    'holds little of a tree of 30^4 collections, %i at once',
    async (concurrency) => {
      await serve(regular(30, 4))
      const stream = list({walk: true}, concurrency)
      let [most, count] = [0, 0]
      for await (const _ of stream) {
        if (++count % 10 === 0) most = Math.max(most, stream.checkpoint().left.length)
        if (count === 1500) break
      }
      // The collections beside the open path on each level; breadth first, it would be about as many as were seen.
      expect(most).toBeLessThanOrEqual(30 * 4 * concurrency)
    },
    30_000,
  )

  it.each([1, 4])('sends nothing more while nobody reads, %i at once', async (concurrency) => {
    await serve(regular(30, 3))
    for await (const {relation} of list({walk: true}, concurrency)) {
      if (relation !== 'descendant') continue
      await delay(150)
      break
    }
    // The root, and the collections under way when its first one was reported.
    expect(server.asked.length).toBeLessThanOrEqual(1 + concurrency + 1)
  })

  const stuck: TreeOptions = {
    faults: Object.fromEntries(
      Array.from({length: 12}, (_, number) => [`/docs/c${number}/`, [number === 0 ? 207 : NEVER]]),
    ),
  }
  const endings = async (): Promise<string[]> =>
    (await Promise.all(server.requests.map(({ended}) => ended))).toSorted()
  const untilStuck = (): Promise<void> =>
    vi.waitFor(() => expect(server.asked).toHaveLength(1 + 5), {timeout: 2000})

  it('is cancelled by break: all connections are closed, and the summary says stopped', async () => {
    await serve(regular(12, 1), stuck)
    const stream = list({walk: true}, 4)
    for await (const {relation} of stream) {
      if (relation !== 'descendant') continue
      await delay(100)
      break
    }
    expect(await stream.summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'stopped'}],
    })
    const asked = server.asked.length
    expect(await endings()).toEqual(['closed', 'closed', 'closed', 'finished', 'finished'])
    await delay(50)
    expect(server.asked).toHaveLength(asked)
  })

  it('is cancelled by a signal: all connections are closed, and reading rejects with its reason', async () => {
    await serve(regular(12, 1), stuck)
    const controller = new AbortController()
    const depth = {walk: true} as const
    const stream = dav.propfind('docs/', {depth, concurrency: 4, signal: controller.signal})
    const reading = stream.collect().catch((error: unknown) => error)
    await untilStuck()
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await reading).toBe(reason)
    await expect(stream.summary).rejects.toBe(reason)
    expect(await endings()).toEqual([...Array(4).fill('closed'), 'finished', 'finished'])
    await delay(50)
    expect(server.asked).toHaveLength(1 + 5)
  })
})

describe('a tree without end', () => {
  const endless: Tree = () => ({files: ['a.txt'], collections: ['loop']})

  it.each<[string, Depth | Walk, TreeOptions, number]>([
    ['after the levels that are given', {walk: true, levels: 5}, {}, 5],
    ['after 100 levels', {walk: true}, {}, 100],
    ['after 100 levels if infinity is refused', 'infinity', {infinity: refused}, 100],
    ['after 100 levels if infinity is cut', 'infinity', {infinity: 'cut'}, 100],
  ])('ends %s, as shallow', async (_, depth, options, levels) => {
    await serve(endless, options)
    const {successes, summary} = await list(depth).collect()
    const deepest = `${server.url}docs/${'loop/'.repeat(levels + 1)}`
    expect(summary.complete).toBe(false)
    expect(summary.incomplete).toEqual([{href: deepest, reason: 'shallow'}])
    expect(successes).toHaveLength(1 + 2 * (levels + 1))
    expect(server.asked.filter((asked) => asked.startsWith('1 '))).toHaveLength(
      levels + (options.infinity === 'cut' ? 0 : 1),
    )
  })

  it.each([
    ['up', '/docs/'],
    ['further up', '/'],
    ['up, by dots', '/docs/b/../'],
    ['to a sibling', '/docs/empty/'],
    ['to itself', '/docs/b/'],
    ['to itself, by a dot', './'],
    ['to another origin', 'https://evil.example/docs/evil/'],
    ['to another origin without a scheme', '//evil.example/docs/evil/'],
  ])('does not follow an href that points %s', async (_, href) => {
    const more = (path: string): readonly string[] => (path === '/docs/b/' ? [href] : [])
    await serve(tree, {more})
    await list({walk: true}).collect()
    expect(server.asked.toSorted()).toEqual(each(1, collectionsOf(tree)).toSorted())
  })

  it.each([
    ['itself', '/docs/b/'],
    ['the collection around it', '/docs/'],
  ])('gives each resource once if a collection lists %s', async (_, href) => {
    await serve(tree, {more: (path) => (path === '/docs/b/' ? [href] : [])})
    const {successes} = await list({walk: true}).collect()
    const inside = successes.filter(({relation}) => relation !== 'outside')
    expect(inside.map(line).toSorted()).toEqual(linesOf(tree))
  })
})
