// States the sources and targets that deleteMany takes: streams of any kind, listings, and objects with an href. RFC
// 4918, section 9.6.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type DeleteTarget, type DavResult, members} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listed,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {propstat} from '../support/fixtures.ts'
import {line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: `${server.url}docs/`, transport})
})

afterEach(() => server.close())

const sent = (): string[] =>
  server.requests.filter(({method}) => method === 'DELETE').map(({url}) => url)

/** Answers DELETE with 204 and PROPFIND with this body. */
function listingOf(body: string, headers = {}): void {
  server.script(({method}) => (method === 'DELETE' ? {status: 204} : answer207(body, headers)))
}

describe('a ReadableStream', () => {
  const stream = (...names: readonly DeleteTarget[]): ReadableStream<DeleteTarget> =>
    new ReadableStream({
      start(to) {
        for (const name of names) to.enqueue(name)
        to.close()
      },
    })

  it('is read to its end', async () => {
    const {successes} = await dav.deleteMany(stream('a', 'b', 'c'), {concurrency: 1}).collect()
    expect(successes.map(line)).toEqual([
      '204 self /docs/a',
      '204 self /docs/b',
      '204 self /docs/c',
    ])
  })

  it('needs no Symbol.asyncIterator, which some platforms lack', async () => {
    const bare = stream('a', 'b')
    Object.defineProperty(bare, Symbol.asyncIterator, {value: undefined})
    expect((await dav.deleteMany(bare).collect()).successes).toHaveLength(2)
    const source = stream('a', 'b')
    const reader: unknown = {getReader: () => source.getReader()}
    const minimal = reader as ReadableStream<DeleteTarget>
    expect((await dav.deleteMany(minimal).collect()).successes).toHaveLength(2)
  })

  it('is cancelled and unlocked by a break', async () => {
    let cancelled = 0
    let count = 0
    const endless = new ReadableStream<string>({
      pull: (to) => to.enqueue(`${count++}`),
      cancel: () => void cancelled++,
    })
    for await (const result of dav.deleteMany(endless, {concurrency: 2})) if (result.ok) break
    await vi.waitFor(() => expect(cancelled).toBe(1))
    await vi.waitFor(() => expect(endless.locked).toBe(false))
    expect(count).toBeLessThan(12)
  })

  it('that errors ends the call with its error, after open requests', async () => {
    const error = new Error('broken')
    const broken = new ReadableStream<string>({
      pull: (to) => (sent().length === 0 ? to.enqueue('a') : to.error(error)),
    })
    const results: DavResult[] = []
    const reading = async (): Promise<void> => {
      for await (const result of dav.deleteMany(broken, {concurrency: 1})) results.push(result)
    }
    await expect(reading()).rejects.toBe(error)
    expect(results.map(line)).toEqual(['204 self /docs/a'])
  })

  it('that is locked throws a TypeError when it is read', async () => {
    const locked = stream('a')
    locked.getReader()
    await expect(dav.deleteMany(locked).collect()).rejects.toThrow(TypeError)
  })
})

describe('a listing as the source', () => {
  it('passes on why it is incomplete', async () => {
    const cut = `<D:response><D:href>/docs/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>`
    listingOf(OPEN + listed('/docs/a') + listed('/docs/b') + cut + SHUT)
    const whole = dav.propfind('')
    const {successes, summary} = await dav.deleteMany(whole).collect()
    expect(successes.map(({href}) => href).toSorted()).toEqual(['/docs/a', '/docs/b'])
    expect(summary.complete).toBe(false)
    expect(summary.incomplete).toEqual((await whole.summary).incomplete)
    expect(summary.incomplete).toMatchObject([{reason: 'storage', status: 507}])
  })

  it('that is complete leaves the summary complete', async () => {
    listingOf(listing('/docs/sub/', '/docs/sub/a'))
    const {summary} = await dav.deleteMany(dav.propfind('sub/')).collect()
    expect(summary).toMatchObject({complete: true, incomplete: []})
  })

  it('of the base refuses the base and deletes its members', async () => {
    listingOf(listing('/docs/', '/docs/a', '/docs/b/'))
    const {successes, failures} = await dav.deleteMany(dav.propfind('')).collect()
    expect(successes.map(line).toSorted()).toEqual(['204 self /docs/a', '204 self /docs/b/'])
    expect(failures.map(line)).toEqual(['0 refused self /docs/'])
    expect(sent().toSorted()).toEqual(['/docs/a', '/docs/b/'])
  })

  it('yields members with missing properties as targets', async () => {
    const missing = propstat('HTTP/1.1 404 Not Found', '<D:getetag/>')
    const one = `<D:response><D:href>/docs/a</D:href>${missing}</D:response>`
    listingOf(OPEN + listed('/docs/') + one + SHUT)
    const results = await Array.fromAsync(dav.propfind('', {properties: ['getetag']}))
    expect(results.at(-1)).toMatchObject({ok: true, status: 200, missing: [{name: 'getetag'}]})
    const {successes} = await dav.deleteMany(results.slice(-1)).collect()
    expect(successes.map(line)).toEqual(['204 self /docs/a'])
    const {failures} = await dav.deleteMany(results.slice(-1), {ifUnchanged: true}).collect()
    expect(failures.map(line)).toEqual(['0 refused self /docs/a'])
    expect(sent()).toEqual(['/docs/a'])
  })

  it('reaches no resource outside it, whatever the server names', async () => {
    listingOf(listing('/docs/sub/a/', '/docs/sub/a/x', '/docs/sub/', '/docs/other/'))
    const {successes, failures} = await dav
      .deleteMany(dav.propfind('sub/a/'), {concurrency: 1})
      .collect()
    expect(sent()).toEqual(['/docs/sub/a/'])
    expect(successes.map(({href}) => href)).toEqual(['/docs/sub/a/', '/docs/sub/a/x'])
    expect(failures.map(line)).toEqual(['0 refused self /docs/sub/', '0 refused self /docs/other/'])
  })

  it('that is refused ends the call with its error', async () => {
    server.answers({status: 401})
    await expect(dav.deleteMany(dav.propfind('')).collect()).rejects.toMatchObject({status: 401})
  })

  it('may be the results of another deleteMany', async () => {
    server.script((_request, number) => ({status: number <= 2 ? 423 : 204}))
    const {successes} = await dav.deleteMany(dav.deleteMany(['a', 'b'])).collect()
    expect(successes).toHaveLength(2)
    server.answers(answer207(verdicts({'/docs/c/x': '423 Locked'})), {status: 204})
    const again = await dav.deleteMany(dav.deleteMany(['c/'])).collect()
    expect(again.successes.map(line)).toEqual(['204 self /docs/c/x', '204 self /docs/c/'])
  })

  it('is cancelled by a break', async () => {
    const names = Array.from({length: 50}, (_, number) => listed(`/docs/${number}`))
    listingOf(OPEN + names.join(''))
    server.script(({method}) =>
      method === 'DELETE' ? {status: 204} : answer207([OPEN + names.join(''), 60_000]),
    )
    for await (const result of dav.deleteMany(dav.propfind(''), {concurrency: 2}))
      if (result.ok) break
    expect(await server.requests[0]?.ended).toBe('closed')
    expect(sent().length).toBeLessThan(8)
  })
})

describe('an object with an href', () => {
  it('names a resource by a reference or a URL', async () => {
    const targets = [
      {href: 'a'},
      {href: `${server.url}docs/b`},
      {href: new URL('docs/c?v=1', server.url)},
      {href: '/docs/d'},
      {href: './e/'},
    ]
    await dav.deleteMany(targets, {concurrency: 1}).collect()
    await dav.delete({href: 'f'})
    const names = ['a', 'b', 'c?v=1', 'd', 'e/', 'f']
    expect(sent()).toEqual(names.map((name) => `/docs/${name}`))
  })
})

describe('a null in a stream', () => {
  it('becomes a Failure that describes a valid target', async () => {
    // @ts-expect-error -- possible for callers without types
    const [result] = await Array.fromAsync(dav.deleteMany([null].values()))
    expect(result).toMatchObject({ok: false, description: expect.stringMatching(/^A target is/)})
  })
})

describe('a truncated listing', () => {
  it('does not make its collection a target', async () => {
    const cut = verdicts({'/docs/t/': '507 Insufficient Storage', '/docs/t/b': '403 Forbidden'})
    server.script(({method}) => (method === 'PROPFIND' ? answer207(cut) : {status: 204}))
    const results = await Array.fromAsync(dav.deleteMany(members(dav.propfind('t/'))))
    expect(results.map(line)).toEqual(['0 refused self /docs/t/', '0 refused self /docs/t/b'])
    expect(server.requests.map(({method}) => method)).toEqual(['PROPFIND'])
  })
})

describe('an error thrown by the caller', () => {
  it('ends the call despite a silent source; a later target is not sent', async () => {
    const urls: string[] = []
    const client = new DavClient({
      url: server.url,
      transport({url}) {
        urls.push(url)
        return Promise.resolve({status: 503, headers: {get: () => null}, body: null})
      },
    })
    const onRetry = (): never => {
      throw new Error('stop it')
    }
    const {promise: silence, resolve: endSilence} = Promise.withResolvers<void>()
    async function* silent(): AsyncGenerator<string> {
      yield 'a'
      await silence
      yield 'b'
    }
    const retry = {attempts: 3, minDelay: 1, maxDelay: 2, onRetry}
    const call = client.deleteMany(silent(), {retry})
    const {results, error} = await readToEnd(call)
    expect([results, error]).toEqual([[], new Error('stop it')])
    endSilence()
    await delay(50)
    expect(urls).toEqual([`${server.url}a`])
  })
})
