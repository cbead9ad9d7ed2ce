// States what a review of bulk DELETE and of retries has found: that no exchange outlives its call, that no failure of a
// member is lost, and that a verdict says what is. RFC 4918, sections 9.6.1 and 11.4.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type DavResult, members, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  answer207,
  type FaultServer,
  RESET,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {failedDelete, line} from '../support/results.ts'

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const retry = {attempts: 2, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

describe('an abort while some members are sent again and others are held', () => {
  it('waits for the answers to what was sent, and takes them', async () => {
    const stop = new AbortController()
    const names = ['a', 'b', 'c', 'd', 'e'].map((name) => [`/t/${name}`, '423 Locked'] as const)
    server.script(async ({url}) => {
      if (url === '/t/') return answer207(verdicts(Object.fromEntries(names)))
      if (url === '/t/b') return {status: 429, headers: {'retry-after': '3'}}
      await delay(150)
      if (url === '/t/a') stop.abort('enough')
      await delay(150)
      return {status: 204}
    })
    const results: DavResult[] = []
    const read = async (): Promise<void> => {
      const stream = dav.deleteMany(['t/'], {retry, concurrency: 4, signal: stop.signal})
      for await (const result of stream) results.push(result)
    }
    await expect(read()).rejects.toBe('enough')
    const failed = results.filter(({ok}) => !ok).map(({href}) => href)
    // What was answered 204 in time is no failure.
    expect(failed).not.toContain('/t/a')
    expect(failed).toContain('/t/e')
    expect(failed.at(-1)).toBe('/t/')
  })
})

describe('a body that breaks before it is read', () => {
  it('is the Failure of its target, and no exception of the process', async () => {
    server.answers({status: 200, headers: {'content-length': '100'}, body: ['x', 20, RESET]})
    const slow: Transport = async (request) => {
      const answer = await transport(request)
      await delay(100)
      return answer
    }
    const client = new DavClient({url: server.url, transport: slow})
    const {failures} = await client.deleteMany(['a']).collect()
    expect(failures.map(line)).toEqual(['0 no-answer self /a'])
  })
})

describe('failures of members', () => {
  it.each([
    [{status: 429}, ['403 status member /t/a', '429 status self /t/']],
    [{status: 503}, ['0 no-answer member /t/a', '503 status self /t/']],
    [RESET, ['0 no-answer member /t/a', '0 no-answer self /t/']],
  ] as const)('are kept where the last attempt names none', async (last, expected) => {
    let count = 0
    server.script(({url}) => {
      if (url !== '/t/') return {status: 204}
      return count++ === 0
        ? answer207(verdicts({'/t/a': '403 Forbidden', '/t/b': '423 Locked'}))
        : last
    })
    const results = await Array.fromAsync(dav.deleteMany(['t/'], {retry}))
    expect(results.map(line)).toEqual(expected)
  })

  it('that went with a collection named beside them are neither sent again nor told', async () => {
    let count = 0
    const named = {'/t/c/x': '423 Locked', '/t/c': '424 Failed Dependency', '/t/y': '423 Locked'}
    server.script(({url}) => {
      if (url === '/t/') return count++ === 0 ? answer207(verdicts(named)) : {status: 503}
      return {status: url === '/t/c' ? 204 : 423}
    })
    const results = await Array.fromAsync(dav.deleteMany(['t/'], {retry: {...retry, attempts: 3}}))
    const sent = server.requests.map(({url}) => url)
    expect(sent.filter((url) => url.startsWith('/t/c'))).toEqual(['/t/c/x', '/t/c'])
    expect(sent.filter((url) => url === '/t/y')).toHaveLength(2)
    // The target was sent again after it had failed, and nobody says what that came to.
    expect(results.map(line)).toEqual(['0 no-answer member /t/y', '503 status self /t/'])
  })

  it('that a member names are kept too', async () => {
    let count = 0
    server.script(({url}) => {
      if (url === '/t/c/') return answer207(verdicts({'/t/c/x': '423 Locked'}))
      return count++ === 0 ? answer207(verdicts({'/t/c/': '423 Locked'})) : {status: 503}
    })
    const results = await Array.fromAsync(dav.deleteMany(['t/'], {retry}))
    expect(results.map(line).toSorted()).toEqual([
      '0 no-answer descendant /t/c/x',
      '0 no-answer member /t/c/',
      '503 status self /t/',
    ])
  })
})

describe('a target in one that was refused', () => {
  it.for([301, 400, 401, 404, 410, 412, 423, 429])(
    'with %i, before it was begun, and is not there is a Failure',
    async (status) => {
      server.script(({url}) => ({status: url === '/t/' ? status : 404}))
      const {failures} = await dav.deleteMany(['t/', 't/a'], {concurrency: 1}).collect()
      expect(failures.map(line)).toEqual([`${status} status self /t/`, '404 status self /t/a'])
    },
  )

  // rclone answers 405 at the first member that it cannot delete.
  it.for([403, 405, 409, 424, 500])(
    'with %i, perhaps in the middle of it, and is gone is deleted',
    async (status) => {
      server.script(({url}) => ({status: url === '/t/' ? status : 404}))
      const {failures, successes} = await dav.deleteMany(['t/', 't/a'], {concurrency: 1}).collect()
      expect(failures.map(line)).toEqual([`${status} status self /t/`])
      expect(successes.map(line)).toEqual(['404 self /t/a'])
    },
  )

  it('and is gone with others of it is deleted', async () => {
    server.script(({url}) =>
      url === '/t/' ? answer207(verdicts({'/t/b': '423 Locked'})) : {status: 404},
    )
    const {successes} = await dav.deleteMany(['t/', 't/a'], {concurrency: 1}).collect()
    expect(successes.map(line)).toEqual(['404 self /t/a'])
  })
})

describe('maxElapsed', () => {
  it('holds for what Retry-After of another target holds back', async () => {
    server.script(({url}) => (url === '/r' ? RESET : {status: 503, headers: {'retry-after': '60'}}))
    const options = {retry: {...retry, maxElapsed: 300}, concurrency: 1}
    const {failures} = await dav.deleteMany(['other', 'r'], {...options, concurrency: 2}).collect()
    expect(failures.map(line).toSorted()).toEqual(['0 no-answer self /r', '503 status self /other'])
    expect(server.requests.length).toBeLessThanOrEqual(3)
  })
})

describe('dav.retry of a target that failed twice', () => {
  it.each([
    [[403, 503], ['204 self /x']],
    [[503, 403], ['403 status self /x']],
  ])('goes by the last time: %j', async (statuses, expected) => {
    server.answers({status: 204})
    const failures = statuses.map((status) => failedDelete(server.url, 'x', status))
    const results = await Array.fromAsync(dav.retry(failures, retry))
    expect(results.map(line)).toEqual(expected)
  })
})

describe('a target of a stream that is null', () => {
  it('is a Failure that says what a target is', async () => {
    // @ts-expect-error -- what a caller without types may write
    const [result] = await Array.fromAsync(dav.deleteMany([null].values()))
    expect(result).toMatchObject({ok: false, description: expect.stringMatching(/^A target is/)})
  })
})

describe('a listing that was cut off', () => {
  it('does not make the collection a target', async () => {
    const cut = verdicts({'/t/': '507 Insufficient Storage', '/t/b': '403 Forbidden'})
    server.script(({method}) => (method === 'PROPFIND' ? answer207(cut) : {status: 204}))
    const results = await Array.fromAsync(dav.deleteMany(members(dav.propfind('t/'))))
    expect(results.map(line)).toEqual(['0 malformed self /t/', '0 malformed self /t/b'])
    expect(server.requests.map(({method}) => method)).toEqual(['PROPFIND'])
  })
})
