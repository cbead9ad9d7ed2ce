// States the faults of the fake server: by rules, and by a seed.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient} from 'multistatus'
import {type FakeServer, fakeServer} from 'multistatus/testing'
import {beforeEach, describe, expect, it} from 'vitest'

let server: FakeServer
let dav: DavClient

beforeEach(() => {
  server = fakeServer({files: {'a.txt': 'one', 'b.txt': 'two'}})
  dav = new DavClient({url: server.url, transport: server.transport})
})

describe('a rule', () => {
  it('answers with a status, headers and a body, and nothing is done', async () => {
    server.fault({
      method: 'DELETE',
      path: 'a.txt',
      status: 503,
      headers: {'retry-after': '7', 'content-type': 'text/plain'},
      body: 'busy',
    })
    expect(await dav.delete('a.txt')).toMatchObject({
      status: 503,
      retryAfter: 7000,
      description: 'busy',
    })
    expect(await dav.delete('b.txt')).toMatchObject({ok: true})
    expect(server.list()).toEqual(['a.txt'])
    expect(server.requests.map(({status}) => status)).toEqual([0, 204])
  })

  it('answers with a status after the deed', async () => {
    server.fault({method: 'DELETE', status: 504, obeyed: true})
    expect(await dav.delete('a.txt')).toMatchObject({ok: false, status: 504})
    expect(server.list()).toEqual(['b.txt'])
    expect(server.requests[0]?.status).toBe(204)
  })

  it('breaks the connection before the deed or after it', async () => {
    server.fault({path: 'a.txt', reset: true})
    server.fault({path: 'b.txt', reset: true, obeyed: true})
    await expect(dav.delete('a.txt')).rejects.toMatchObject({name: 'DavNetworkError'})
    await expect(dav.delete('b.txt')).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(server.list()).toEqual(['a.txt'])
  })

  it('holds for so many requests, after so many others', async () => {
    const fault = server.fault({method: 'GET', after: 1, times: 2, status: 500})
    const statuses: number[] = []
    for (let count = 0; count < 4; count++) statuses.push((await dav.get('a.txt')).status)
    expect(statuses).toEqual([200, 500, 500, 200])
    expect(fault.met).toBe(2)
  })

  it('counts a request once, and a member below a refused one not at all', async () => {
    const second = server.fault({method: 'DELETE', path: 'a.txt', status: 503, after: 1, times: 1})
    expect(await dav.delete('a.txt')).toMatchObject({ok: true, status: 204})
    expect(second.met).toBe(0)
    server.put('a.txt')
    expect(await dav.delete('a.txt')).toMatchObject({ok: false, status: 503})
    expect(second.met).toBe(1)

    server.put('c/d/1.txt')
    const member = server.fault({method: 'DELETE', path: /^c\/d/, status: 403, times: 2})
    expect(await dav.delete('c/')).toMatchObject({ok: false, members: [{status: 403}]})
    expect(member.met).toBe(1)
  })

  it('is the first one that fits, until it is removed', async () => {
    const first = server.fault({path: /^a/, status: 500})
    server.fault({status: 503})
    expect((await dav.get('a.txt')).status).toBe(500)
    first.remove()
    expect((await dav.get('a.txt')).status).toBe(503)
  })

  it('cuts a body', async () => {
    server.fault({method: 'GET', cut: 2})
    server.fault({method: 'PROPFIND', cut: 0.5})
    const answer = await dav.get('a.txt')
    if (!answer.ok) throw new Error('no body')
    expect(answer.length).toBe(3)
    await expect(answer.text()).rejects.toMatchObject({name: 'DavNetworkError'})
    await expect(dav.propfind('').collect()).rejects.toMatchObject({name: 'DavNetworkError'})
  })

  it('lets the client go on with a body that was cut once', async () => {
    server.fault({method: 'GET', cut: 2, times: 1})
    const answer = await dav.get('a.txt', {resume: true, retry: {attempts: 2, minDelay: 1}})
    if (!answer.ok) throw new Error('no body')
    expect(await answer.text()).toBe('one')
    expect(server.requests.map(({headers}) => headers['range'])).toEqual([undefined, 'bytes=2-2'])
  })

  it('lies: the answers are those of a success, and nothing changes', async () => {
    server.fault({lie: true})
    expect(await dav.put('new.txt', '1')).toMatchObject({ok: true, status: 201})
    expect(await dav.delete('a.txt')).toMatchObject({ok: true, status: 204})
    expect(await dav.move('b.txt', 'c.txt')).toMatchObject({ok: true, status: 201})
    expect(await dav.proppatch('a.txt', {set: {displayname: 'A'}})).toMatchObject({ok: true})
    expect(await dav.lock('a.txt')).toMatchObject({ok: true})
    expect(server.files).toEqual({'a.txt': 'one', 'b.txt': 'two'})
    expect(server.get('a.txt')?.properties).toEqual({})
    expect(server.locks).toEqual([])
  })

  it('delays an answer, and a signal ends the wait before the deed', async () => {
    server.fault({path: 'a.txt', latency: 60_000})
    const controller = new AbortController()
    const deleted = dav.delete('a.txt', {signal: controller.signal})
    await delay(5)
    controller.abort(new Error('enough'))
    await expect(deleted).rejects.toThrow('enough')
    expect(server.list()).toEqual(['a.txt', 'b.txt'])
    server.fault({path: 'b.txt', latency: 1})
    expect(await dav.delete('b.txt')).toMatchObject({ok: true})
  })

  it('lets somebody else change the tree before a request is obeyed', async () => {
    server.fault({method: 'PUT', times: 1, meanwhile: () => server.put('a.txt', 'other')})
    const ifMatch = server.get('a.txt')?.etag
    expect(await dav.put('a.txt', 'new', {ifMatch})).toMatchObject({ok: false, status: 412})
    expect(server.get('a.txt')?.text).toBe('other')
  })

  it('never answers, and the time limit of the client ends the wait', async () => {
    server.fault({method: 'DELETE', stall: true, obeyed: true})
    const hasty = new DavClient({
      url: server.url,
      transport: server.transport,
      timeout: {headers: 20},
    })
    await expect(hasty.delete('a.txt')).rejects.toMatchObject({
      name: 'DavTimeoutError',
    })
    expect(server.list()).toEqual(['b.txt'])
  })

  it.each<[object, string]>([
    [{}, 'fault: give one of status, reset, stall, cut, lie, or latency or meanwhile'],
    [
      {status: 500, reset: true},
      'fault: give one of status, reset, stall, cut, lie, or latency or meanwhile',
    ],
    [{path: 5, reset: true}, 'fault: path is a string or a RegExp'],
    [{staus: 500}, 'fault: there is no option "staus"; the nearest is status'],
  ])('%j is refused', (rule, message) => {
    expect(() => server.fault(rule)).toThrow(new TypeError(message))
  })

  it.each<[object, string]>([
    [{headers: {a: 'b'}, reset: true}, 'fault: headers and body go with a status'],
    [{body: 'b', cut: 1}, 'fault: headers and body go with a status'],
    [{obeyed: true, lie: true}, 'fault: obeyed goes with status, reset or stall'],
    [{obeyed: true, latency: 1}, 'fault: obeyed goes with status, reset or stall'],
    [{method: 'delete', reset: true}, 'fault: method is in capitals, such as DELETE'],
    [{method: '', reset: true}, 'fault: method is in capitals, such as DELETE'],
  ])('%j is refused, because a part of it has no effect', (rule, message) => {
    expect(() => server.fault(rule)).toThrow(new TypeError(message))
  })

  it.each<[object, string]>([
    [{status: 42}, 'fault: status is a whole number from 200 to 599'],
    [{status: 404.5}, 'fault: status is a whole number from 200 to 599'],
    [{reset: true, times: -1}, 'fault: times is 0 or more'],
    [{reset: true, after: -1}, 'fault: after is 0 or more'],
    [{cut: -1}, 'fault: cut is 0 or more'],
    [{latency: Number.NaN}, 'fault: latency is 0 or more'],
  ])('%j is refused as out of range', (rule, message) => {
    expect(() => server.fault(rule)).toThrow(new RangeError(message))
  })
})

/** Deletes 200 files once on a server with random faults. */
async function run(seed: number, concurrency: number): Promise<readonly string[]> {
  const names = Array.from({length: 200}, (_, number) => `${number}.txt`)
  const files = Object.fromEntries(names.map((name) => [name, name]))
  const faulty = fakeServer({files, random: {seed, rate: 0.3, kinds: ['refusal', 'reset', 'lost']}})
  const {successes, failures} = await new DavClient({url: faulty.url, transport: faulty.transport})
    .deleteMany(names, {concurrency})
    .collect()
  const verdicts = [...successes, ...failures].map(({href, status}) => `${href} ${status}`)
  return [...verdicts.toSorted(), ...faulty.list()]
}

describe('random faults', () => {
  it('are the same for one seed, whatever the order of the requests, and others for another seed', async () => {
    const once = await run(1, 1)
    expect(await run(1, 20)).toEqual(once)
    expect(await run(2, 1)).not.toEqual(once)
  })

  it('meet about the given part of all requests, of each kind', async () => {
    const verdicts = (await run(1, 8)).filter((one) => one.startsWith('/'))
    const failed = verdicts.filter((one) => !one.endsWith(' 204'))
    expect(failed.length).toBeGreaterThan(40)
    expect(failed.length).toBeLessThan(80)
    expect(failed.some((one) => one.endsWith(' 503'))).toBe(true)
    expect(failed.some((one) => one.endsWith(' 0'))).toBe(true)
  })

  it('leave a bulk delete that retries with nothing to do', async () => {
    const names = Array.from({length: 100}, (_, number) => `${number}.txt`)
    const faulty = fakeServer({
      files: Object.fromEntries(names.map((name) => [name, ''])),
      random: {seed: 3, rate: 0.2},
    })
    const client = new DavClient({url: faulty.url, transport: faulty.transport})
    const retry = {attempts: 8, minDelay: 1, maxDelay: 2}
    const {successes, failures} = await client.deleteMany(names, {retry}).collect()
    expect([successes.length, failures]).toEqual([100, []])
    expect(faulty.list()).toEqual([])
  })
})
