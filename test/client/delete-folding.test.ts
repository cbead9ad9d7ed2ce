// States the folding of targets: equal ones have one verdict, and nothing is sent for a member of a deleted collection.
// RFC 4918, section 9.6.1; RFC 3986, section 6.2.2.

import {setTimeout as delay} from 'node:timers/promises'

import {
  DavClient,
  type DavResult,
  encodePath,
  members,
  type Progress,
  type Transport,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listing,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {generate, verdict} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

function sent(): string[] {
  return server.requests.map(({url}) => url)
}

function lines(results: readonly DavResult[]): string[] {
  return results.map(line).toSorted()
}

describe('a repeated target', () => {
  it.each([
    ['a', 'a'],
    ['a', '%61'],
    ['a', 'a/'],
    ['a/', './a'],
    ['%C3%A9', '%c3%a9'],
    ['%C3%A9', 'é'],
    ['%E9', '%e9'],
    ['a%2Fb', 'a%2fb'],
    ['x/../a', 'a'],
    ['(a)', '%28a%29'],
  ])('has one result: %s and %s', async (one, other) => {
    const told: Progress[] = []
    const onProgress = (progress: Progress): void => void told.push(progress)
    for (const concurrency of [1, 4]) {
      const before = server.requests.length
      const stream = dav.deleteMany([one, other, 'z', other], {concurrency, onProgress})
      const results = await Array.fromAsync(stream)
      expect(results).toHaveLength(2)
      expect(server.requests).toHaveLength(before + 2)
      expect(told.at(-1)).toMatchObject({done: 4, failed: 0, inFlight: 0, total: 4})
    }
  })

  it.each([
    ['a', 'A'],
    ['a%2Fb', 'a/b'],
    ['a', 'a%20'],
    ['%C3%A9', 'e%CC%81'],
    ['a%252F', 'a%2F'],
  ])('is not folded with a similar name: %s and %s', async (one, other) => {
    expect((await dav.deleteMany([one, other]).collect()).successes).toHaveLength(2)
    expect(server.requests).toHaveLength(2)
  })

  it('with another query is distinct and contains no target', async () => {
    const urls = ['a?1', 'a?2', 'a', 'a/x?1', 'a?1'].map((path) => new URL(path, server.url))
    const {successes} = await dav.deleteMany(urls, {concurrency: 1}).collect()
    expect(successes).toHaveLength(4)
    expect(sent().slice(0, 3)).toEqual(['/a?1', '/a?2', '/a'])
  })

  it('may be a string, a URL or a result', async () => {
    const url = `${server.url}a`
    const targets = ['a', new URL(url), {url}, {href: 'a/'}, {href: new URL(url)}]
    expect((await dav.deleteMany(generate(targets)).collect()).successes).toHaveLength(1)
    expect(sent()).toEqual(['/a'])
  })

  it('has one Failure if it fails', async () => {
    server.answers({status: 423})
    const {failures} = await dav.deleteMany(['a', 'a/', 'a'], {concurrency: 1}).collect()
    expect(failures.map(line)).toEqual(['423 status self /a'])
  })

  it('has one result even 5,000 targets later', async () => {
    const names = Array.from({length: 5000}, (_, number) => `n${number}`)
    const {successes} = await dav.deleteMany(['a', ...names, 'a'], {concurrency: 32}).collect()
    expect(successes).toHaveLength(5001)
    expect(sent().filter((url) => url === '/a')).toHaveLength(1)
  }, 30_000)
})

describe('a target inside an earlier target', () => {
  it.each([1, 2, 8])(
    'succeeds unsent if that one is deleted: concurrency %i',
    async (concurrency) => {
      const targets = generate(['a/', 'a/x', 'a/b/', 'a/b/y', 'b', '%61/z'])
      const results = await Array.fromAsync(dav.deleteMany(targets, {concurrency}))
      expect(lines(results)).toEqual([
        '204 self /%61/z',
        '204 self /a/',
        '204 self /a/b/',
        '204 self /a/b/y',
        '204 self /a/x',
        '204 self /b',
      ])
      expect(results.every(({ok}) => ok)).toBe(true)
      expect(sent().toSorted()).toEqual(['/a/', '/b'])
    },
  )

  it.each<[string, Answer | typeof RESET, string]>([
    ['423', {status: 423}, '423 status self /a/'],
    ['412', {status: 412}, '412 status self /a/'],
    ['a reset', RESET, '0 no-answer self /a/'],
  ])('is sent if that one fails: %s', async (_, bad, expected) => {
    server.script(({url}) => (url === '/a/' ? bad : {status: 204}))
    const results = await Array.fromAsync(dav.deleteMany(['a/', 'a/x', 'a/y']))
    expect(lines(results)).toEqual([expected, '204 self /a/x', '204 self /a/y'].toSorted())
    expect(sent()[0]).toBe('/a/')
  })

  it('has its own verdict, even if the answer for the collection names it', async () => {
    server.script(({url}) =>
      url === '/a/'
        ? answer207(verdicts({'/a/x': '423 Locked'}))
        : {status: url === '/a/x' ? 423 : 404},
    )
    const results = await Array.fromAsync(dav.deleteMany(['a/', 'a/x', 'a/y']))
    const selves = results.filter(({relation}) => relation === 'self')
    // A member that was deleted with the collection answers 404.
    expect(lines(selves)).toEqual(['404 self /a/y', '423 status self /a/x', '424 member self /a/'])
  })

  it('waits for a retry of the collection and succeeds unsent', async () => {
    let left = 2
    server.script(({url}) => ({status: url === '/a/' && left-- > 0 ? 503 : 204}))
    const retry = {attempts: 4, minDelay: 20, maxDelay: 20}
    const {successes} = await dav.deleteMany(['a/', 'a/x'], {retry}).collect()
    expect(lines(successes)).toEqual(['204 self /a/', '204 self /a/x'])
    expect(sent()).toEqual(['/a/', '/a/', '/a/'])
  })

  it('fails with 404 like its collection, or succeeds unsent with ifMissing', async () => {
    server.answers({status: 404})
    const options = {ifMissing: 'success', concurrency: 1} as const
    const {successes} = await dav.deleteMany(['a/', 'a/x'], options).collect()
    expect(lines(successes)).toEqual(['404 self /a/', '404 self /a/x'])
    expect(sent()).toEqual(['/a/'])
    const results = await Array.fromAsync(dav.deleteMany(['b/', 'b/x', 'c'], {concurrency: 1}))
    // The DELETE of b/ removed nothing, so b/x was missing before.
    expect(lines(results)).toEqual([
      '404 status self /b/',
      '404 status self /b/x',
      '404 status self /c',
    ])
  })
})

describe('the memory of a call', () => {
  it('holds the last 10,000 targets and all open ones', async () => {
    const seen: string[] = []
    const {promise: gate, resolve: open} = Promise.withResolvers<void>()
    const answered: Transport = async ({url}) => {
      const name = url.slice(server.url.length)
      seen.push(name)
      if (name === 'slow') await gate
      return {status: 204, headers: new Headers(), body: null}
    }
    const many = new DavClient({url: server.url, transport: answered})
    const targets = function* (): Generator<string> {
      yield* ['slow', 'first', 'in/']
      for (let number = 0; number < 9990; number++) yield `n${number}`
      // Still remembered.
      yield* ['first', 'in/x', 'n0']
      for (let number = 0; number < 20_000; number++) yield `m${number}`
      yield* ['slow', 'm19000']
      open()
      yield* ['first', 'in/y']
    }
    const hrefs: string[] = []
    for await (const {href} of many.deleteMany(targets())) hrefs.push(href)
    expect(hrefs).toHaveLength(3 + 9990 + 1 + 20_000 + 2)
    expect(new Set(hrefs).size).toBe(hrefs.length - 1)
    expect(seen.filter((name) => name === 'slow')).toHaveLength(1)
    expect(seen.filter((name) => name === 'first')).toHaveLength(2)
    expect(seen.filter((name) => name.startsWith('in/'))).toEqual(['in/', 'in/y'])
  })
})

describe('50 targets that wait for their collection', () => {
  it.each([1, 4])('do not block others: concurrency %i', async (concurrency) => {
    const {promise: gate, resolve: open} = Promise.withResolvers<void>()
    server.script(async ({url}) => {
      if (url === '/slow/') await gate
      return {status: 204}
    })
    const inside = Array.from({length: 50}, (_, number) => `slow/${number}`)
    const others = Array.from({length: 20}, (_, number) => `other/${number}`)
    const targets =
      concurrency === 1 ? [...others, 'slow/', ...inside] : ['slow/', ...inside, ...others]
    const seen: string[] = []
    for await (const {href} of dav.deleteMany(targets, {concurrency})) {
      seen.push(href)
      if (seen.length === 20) open()
    }
    expect(seen.slice(0, 20).toSorted()).toEqual(others.map((name) => `/${name}`).toSorted())
    expect(seen).toHaveLength(71)
    expect(server.requests).toHaveLength(21)
  })
})

describe('a collection after its members', () => {
  it('waits for the verdicts of open members', async () => {
    const over: string[] = []
    server.script(async ({url}) => {
      if (url !== '/a/') await delay(url === '/a/x' ? 60 : 30)
      over.push(url)
      return {status: 204}
    })
    const {successes} = await dav.deleteMany(['a/x', 'a/b/y', 'a/', 'a/z']).collect()
    expect(lines(successes)).toEqual(
      ['/a/', '/a/b/y', '/a/x', '/a/z'].map((href) => `204 self ${href}`),
    )
    expect(over).toEqual(['/a/b/y', '/a/x', '/a/'])
  })

  it('causes no deadlock at concurrency 1, in any order', async () => {
    const names = ['a/b/c', 'a/', 'a/b/', 'a/b/c/d', 'a', 'a/b/x', 'b/', 'b/c', 'b/']
    const {successes} = await dav.deleteMany(names, {concurrency: 1}).collect()
    expect(successes).toHaveLength(7)
    expect((await dav.deleteMany(names, {concurrency: 3}).collect()).successes).toHaveLength(7)
  })

  it('is not confused with a name that begins alike', async () => {
    await dav.deleteMany(['a', 'ab', 'a-b/c', 'a.b'], {concurrency: 4}).collect()
    expect(sent().toSorted()).toEqual(['/a', '/a-b/c', '/a.b', '/ab'])
  })
})

describe('each distinct target', () => {
  it('has one verdict: 400 in a tree, in any order', async () => {
    const paths: string[] = []
    for (let number = 0; number < 400; number++) {
      const [one, two, three] = [number % 7, number % 11, number % 3]
      paths.push([`t${one}/`, `t${one}/u${two}/`, `t${one}/u${two}/v${three}`][number % 3] ?? 'x')
      if (number % 5 === 0) paths.push(`%74${one}`)
    }
    server.script(({url}) => ({status: url.includes('u') && url.length % 2 === 0 ? 423 : 204}))
    const distinct = new Set(paths.map((path) => decodeURI(path).replace(/\/$/, '')))
    for (const concurrency of [1, 16]) {
      const results = await Array.fromAsync(dav.deleteMany(generate(paths), {concurrency}))
      const hrefs = results.map(({href}) => decodeURI(href).replaceAll(/^\/|\/$/g, ''))
      expect(hrefs.toSorted()).toEqual([...distinct].toSorted())
      expect(results.every(({relation}) => relation === 'self')).toBe(true)
    }
  })
})

describe('a target in a refused collection', () => {
  it.for([301, 400, 401, 404, 410, 412, 423, 429])(
    'is a Failure if it is missing: %i comes before any deletion',
    async (status) => {
      server.script(({url}) => ({status: url === '/t/' ? status : 404}))
      const {failures} = await dav.deleteMany(['t/', 't/a'], {concurrency: 1}).collect()
      expect(failures.map(line)).toEqual([`${status} status self /t/`, '404 status self /t/a'])
    },
  )

  // rclone answers 405 at the first member that it cannot delete.
  it.for([403, 405, 409, 424, 500])(
    'is a Success if it is missing: %i may come after some deletions',
    async (status) => {
      server.script(({url}) => ({status: url === '/t/' ? status : 404}))
      const {failures, successes} = await dav.deleteMany(['t/', 't/a'], {concurrency: 1}).collect()
      expect(failures.map(line)).toEqual([`${status} status self /t/`])
      expect(successes.map(line)).toEqual(['404 self /t/a'])
    },
  )

  it('is a Success if it is missing after an attempt that may have deleted members', async () => {
    const statuses = [429, 500, 423]
    let count = 0
    server.script(({url}) => ({status: url === '/t/' ? (statuses[count++] ?? 423) : 404}))
    const retry = {attempts: 3, minDelay: 1, maxDelay: 2}
    const targets = ['t/', 't/a']
    const {failures, successes} = await dav.deleteMany(targets, {retry, concurrency: 1}).collect()
    expect(failures.map(line)).toEqual(['423 status self /t/'])
    expect(successes.map(line)).toEqual(['404 self /t/a'])
  })

  it('is a Success if it is missing and the answer names another member', async () => {
    server.script(({url}) =>
      url === '/t/' ? answer207(verdicts({'/t/b': '423 Locked'})) : {status: 404},
    )
    const {successes} = await dav.deleteMany(['t/', 't/a'], {concurrency: 1}).collect()
    expect(successes.map(line)).toEqual(['404 self /t/a'])
  })
})

describe('a target in a collection that was deleted except for one member', () => {
  it('is sent, and has its own verdict', async () => {
    const named = answer207(verdicts({'/c/x': '423 Locked', '/c': '204 No Content'}))
    server.script(({url}) => (url === '/c/' ? named : {status: 423}))
    const results = (
      await Array.fromAsync(dav.deleteMany(['c/', 'c/x', 'c/y'], {concurrency: 1}))
    ).map(line)
    expect(sent()).toEqual(['/c/', '/c/x', '/c/y'])
    expect(results).toEqual([
      '423 status member /c/x',
      '204 self /c',
      '423 status self /c/x',
      '423 status self /c/y',
    ])
  })

  it('is sent if the answer does not name that member', async () => {
    const nameless = '<D:response><D:status>HTTP/1.1 423 Locked</D:status></D:response>'
    const named = answer207(OPEN + nameless + verdict('/c/', 'HTTP/1.1 204 No Content') + SHUT)
    server.script(({url}) => (url === '/c/' ? named : {status: 423}))
    const results = (await Array.fromAsync(dav.deleteMany(['c/', 'c/x'], {concurrency: 1}))).map(
      line,
    )
    expect(results.at(-1)).toBe('423 status self /c/x')
  })
})

describe('a collection from a walk', () => {
  it('has one verdict if it is deleted before it is listed', async () => {
    const gone = new Set<string>()
    server.script(({method, url}) => {
      if (method === 'DELETE') {
        gone.add(url)
        return {status: 204}
      }
      return gone.has(url)
        ? {status: 404}
        : answer207(url === '/t/' ? listing('/t/', '/t/a/', '/t/b/') : listing(url))
    })
    const listed = members(dav.propfind('t/', {depth: {walk: true}}))
    const results = (await Array.fromAsync(dav.deleteMany(listed))).map(line)
    expect(results.toSorted()).toEqual(['204 self /t/a/', '204 self /t/b/'])
    expect(gone.size).toBe(2)
  })
})

describe('a deeply nested target', () => {
  it('is deleted with its collection, even with long escaped names on the way', async () => {
    const deep = `a/${`${encodePath('あ'.repeat(85))}/`.repeat(15)}f`
    server.script(({url}) => ({status: url === '/a/' ? 204 : 404}))
    const {successes} = await dav.deleteMany(['a/', deep], {concurrency: 1}).collect()
    expect(successes).toHaveLength(2)
    expect(server.requests).toHaveLength(1)
  })
})

describe('very deep paths', () => {
  it('take less than quadratic time', async () => {
    const client = new DavClient({
      url: server.url,
      transport: () => Promise.resolve({status: 204, headers: {get: () => null}, body: null}),
    })
    const deep = Array.from({length: 200}, (_, index) => `${index}/${'a/'.repeat(8000)}`)
    const {successes} = await client.deleteMany(deep, {concurrency: 1}).collect()
    expect(successes).toHaveLength(200)
  })
})

describe('a target with a name that begins like another', () => {
  it('is not inside the other, and neither waits', async () => {
    const {promise, resolve} = Promise.withResolvers<void>()
    server.script(async ({url}) => {
      if (url === '/a') resolve()
      else await promise
      return {status: 204}
    })
    const {successes} = await dav.deleteMany(['ab', 'a'], {concurrency: 2}).collect()
    expect(lines(successes)).toEqual(['204 self /a', '204 self /ab'])
  })
})
