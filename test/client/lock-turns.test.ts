// States how requests with the token of one lock take turns on servers that know a token for one request at a time, as rclone 1.60 and
// x/net 0.7 do. The server here is a model: each answer takes some milliseconds, and no lock is shown.

import {setTimeout as wait} from 'node:timers/promises'

import {DavClient, type DavResult, type Transport, unwrap} from 'multistatus'
import {type FakeServer, fakeServer, multistatusBody} from 'multistatus/testing'
import {beforeEach, describe, expect, it, vi} from 'vitest'

const names = Array.from({length: 20}, (_, number) => `c/${number}.txt`)
const uploads = names.map((href) => ({href, body: 'text'}))

let server: FakeServer
let dav: DavClient
/** The tokens of requests under way, and the most of them at once with one token. */
let held: string[]
let refusals = 0
let most = 0
/** Requests under way with any token, at the most. */
let mostBeside = 0

/** Answers 412 to a token of a request that is under way, and 500 to its refresh. */
function oneByOne(send: Transport): Transport {
  return async (request) => {
    const {method, url, headers, body} = request
    if (method === 'PROPFIND' && typeof body === 'string' && body.includes('lockdiscovery'))
      return answer(
        207,
        multistatusBody([
          {href: new URL(url).pathname, propstats: [{status: 404, properties: ['lockdiscovery']}]},
        ]),
      )
    const tokens = Array.from(
      (headers['if'] ?? '').matchAll(/<(urn:[^>]+|opaque[^>]+)>/g),
      ([, one]) => one ?? '',
    )
    if (tokens.some((token) => held.includes(token))) {
      refusals++
      return answer(method === 'LOCK' ? 500 : 412, '')
    }
    held.push(...tokens)
    mostBeside = Math.max(mostBeside, held.length)
    for (const token of tokens) most = Math.max(most, held.filter((one) => one === token).length)
    try {
      await wait(3)
      return await send(request)
    } finally {
      held = held.filter((token) => !tokens.includes(token))
    }
  }
}

function answer(status: number, body: string): Awaited<ReturnType<Transport>> {
  const {headers} = new Response(body, {headers: {'content-type': 'application/xml'}})
  return {status, headers, body: new Response(body).body}
}

beforeEach(() => {
  server = fakeServer({files: {'c/old.txt': 'old', 'd/old.txt': 'old'}})
  ;[held, refusals, most, mostBeside] = [[], 0, 0, 0]
  dav = new DavClient({url: server.url, transport: oneByOne(server.transport)})
})

const line = (result: DavResult): string =>
  `${result.status} ${result.ok ? (result.attempts ?? 1) : result.request?.attempts}`

describe('requests under one lock', () => {
  it('all succeed, and go one by one from the first refusal on', async () => {
    unwrap(await dav.lock('c/'))
    const first = await dav.putMany(uploads, {concurrency: 8}).collect()
    expect(first.failures).toEqual([])
    expect(new Set(first.successes.map(line))).toEqual(new Set(['201 1', '201 2']))
    expect(refusals).toBeGreaterThan(0)
    const before = refusals
    const second = await dav.deleteMany(names, {concurrency: 8}).collect()
    expect(second.successes.map(line)).toEqual(names.map(() => '204 1'))
    expect(refusals).toBe(before)
  })

  it('go beside those under another lock', async () => {
    for (const path of ['c/', 'd/']) unwrap(await dav.lock(path))
    await dav.putMany(uploads, {concurrency: 8}).collect()
    ;[most, mostBeside] = [0, 0]
    const both = names.flatMap((href) => [href, href.replace('c', 'd')])
    const {failures} = await dav
      .putMany(
        both.map((href) => ({href, body: 'new'})),
        {concurrency: 8},
      )
      .collect()
    expect(failures).toEqual([])
    expect(most).toBe(1)
    expect(mostBeside).toBe(2)
  })

  it('a refresh and an UNLOCK wait for an upload, once that is known', async () => {
    const lock = unwrap(await dav.lock('c/'))
    await dav.putMany(uploads, {concurrency: 8}).collect()
    const [put, refreshed] = await Promise.all([dav.put('c/x.txt', 'text'), lock.refresh()])
    expect([put, refreshed]).toMatchObject([{ok: true}, {ok: true}])
    const last = dav.put('c/y.txt', 'text')
    await vi.waitFor(() => expect(held).toEqual([lock.token]), {interval: 1})
    expect([await lock.unlock(), await last]).toMatchObject([{ok: true}, {ok: true}])
  })

  it('a stream that was refused is not sent again', async () => {
    const transport = Object.assign(oneByOne(server.transport), {sendsLength: true})
    dav = new DavClient({url: server.url, transport})
    unwrap(await dav.lock('c/'))
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(4)
    }
    const results = await Promise.all(
      names.slice(0, 2).map((href) => dav.put(href, body(), {length: 4})),
    )
    expect(results.map(line).toSorted()).toEqual(['201 1', '412 1'])
  })

  it('a waiting one ends with its call, and the others go on', async () => {
    unwrap(await dav.lock('c/'))
    await dav.putMany(uploads, {concurrency: 8}).collect()
    const controller = new AbortController()
    const first = dav.put('c/a.txt', 'text')
    const second = dav.put('c/b.txt', 'text', {signal: controller.signal})
    const third = dav.put('c/c.txt', 'text')
    controller.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    expect([await first, await third].map(line)).toEqual(['201 1', '201 1'])
    expect(server.list('c')).not.toContain('c/b.txt')
  })

  it('one that was refused keeps its answer if the call ends before its turn', async () => {
    unwrap(await dav.lock('c/'))
    const gate = Promise.withResolvers<void>()
    const slow: Transport = async (request) => {
      if (request.url.endsWith('slow.txt')) await gate.promise
      return server.transport(request)
    }
    const own = new DavClient({url: server.url, transport: oneByOne(slow), locks: dav.locks})
    const controller = new AbortController()
    const files = ['c/slow.txt', 'c/b.txt'].map((href) => ({href, body: 'text'}))
    const results: DavResult[] = []
    const reading = (async () => {
      const options = {signal: controller.signal, concurrency: 2}
      for await (const result of own.putMany(files, options)) results.push(result)
    })()
    // The second upload, and the refresh that looks for the lock.
    await vi.waitFor(() => expect(refusals).toBe(2), {interval: 1})
    controller.abort(new Error('enough'))
    gate.resolve()
    await expect(reading).rejects.toThrow('enough')
    const second = results.find(({href}) => href.endsWith('b.txt'))
    expect(second).toMatchObject({ok: false, status: 412, reason: 'status'})
  })

  it('a reader of a 207 that pauses holds up no other', async () => {
    unwrap(await dav.lock('c/'))
    await dav.putMany(uploads, {concurrency: 8}).collect()
    server.fault({method: 'DELETE', path: 'c/old.txt', status: 403})
    let puts = 0
    for await (const result of dav.deleteMany(['c/'])) {
      expect(result.ok).toBe(false)
      expect(line(await dav.put(`c/new${puts++}.txt`, 'text'))).toBe('201 1')
    }
    expect(puts).toBeGreaterThan(0)
  })
})

describe('a 412 of a server that shows its locks', () => {
  it('is no reason to send again', async () => {
    const shown = new DavClient({url: server.url, transport: server.transport})
    unwrap(await shown.lock('c/'))
    await shown.putMany(uploads).collect()
    const before = server.requests.length
    const {failures} = await shown.putMany(uploads.map((one) => ({...one, create: true}))).collect()
    expect(failures.map(line)).toEqual(names.map(() => '412 1'))
    const puts = server.requests.slice(before).filter(({method}) => method === 'PUT')
    expect(puts).toHaveLength(names.length)
  })
})
