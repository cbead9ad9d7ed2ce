// States the order of repetitions, in the call and by dav.retry: leaves before their collections, a 424 after its cause, the
// target last. There is one verdict for each in the end. RFC 4918, sections 9.6.1 and 11.4.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type Failure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {inPhases} from '../../src/engine/phases.ts'
import {
  answer207,
  type FaultServer,
  listing,
  RESET,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {failedDelete, line} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const sent = (): string[] => server.requests.map(({url}) => url)

describe('phases', () => {
  const root = 'http://127.0.0.1/'
  const phases = (...paths: readonly (readonly [string, number?])[]): string[][] =>
    phasesOf(paths, true)
  const phasesOf = (
    paths: readonly (readonly [string, number?])[],
    isLeavesFirst?: boolean,
  ): string[][] => {
    const failures = paths.map(([path, status]) => failedDelete(root, path, status))
    return inPhases(failures, isLeavesFirst).map((phase) => phase.map(({href}) => href))
  }

  it('have the deepest first', () => {
    expect(phases(['a/'], ['a/b/c'], ['d'], ['a/b/'], ['a/x'])).toEqual([
      ['/a/b/c', '/a/b/', '/a/x', '/a/', '/d'],
      [],
    ])
  })

  it('have a 424 after its cause, and the collections around it after it', () => {
    expect(phases(['a/x', 424], ['a/y', 423], ['a/', 424], ['b/c/d', 423])).toEqual([
      ['/b/c/d', '/a/y'],
      ['/a/x', '/a/'],
    ])
    expect(phases(['a/b/x', 424], ['a/', 423], ['c', 423])).toEqual([['/c'], ['/a/b/x', '/a/']])
  })

  it('have collections first for a verb that needs them, and members of a 424 after it', () => {
    const paths = [['a/b/c'], ['a/b/', 424], ['a/'], ['d/e', 423], ['d/', 423]] as const
    expect(phasesOf(paths)).toEqual([
      ['/a/', '/d/', '/d/e'],
      ['/a/b/', '/a/b/c'],
    ])
  })

  it('are none for no failure, and one for one', () => {
    expect(phases()).toEqual([[], []])
    expect(phases(['', 424])).toEqual([[], ['/']])
  })

  it('read escapes and a trailing slash as servers do', () => {
    expect(phases(['a%2Fb%2Fc'], ['%61/x/'])).toEqual([['/%61/x/', '/a%2Fb%2Fc'], []])
  })
})

const members = {
  '/a/x': '423 Locked',
  '/a/b/y': '423 Locked',
  '/a/b/': '424 Failed Dependency',
  '/a/late': '424 Failed Dependency',
  '/a/gone': '204 No Content',
  '/a/never': '403 Forbidden',
}

describe.each(['in the call', 'by dav.retry'])('a 207 that is made good %s', (how) => {
  const again = async (): Promise<string[]> => {
    let results
    if (how === 'in the call') {
      results = await Array.fromAsync(dav.deleteMany(['a/'], {retry: quick}))
    } else {
      const {failures} = await dav.deleteMany(['a/']).collect()
      const written: Failure[] = JSON.parse(JSON.stringify(failures))
      results = await Array.fromAsync(dav.retry(written, quick))
    }
    return results.map(line).toSorted()
  }

  it('is sent leaves first, the 424 after its cause, and the target last', async () => {
    const over: string[] = []
    const begun: string[] = []
    server.script(async ({url}, number) => {
      if (number === 1) return answer207(verdicts(members))
      begun.push(`${url} after ${over.length}`)
      await delay(url === '/a/x' ? 40 : 20)
      over.push(url)
      return {status: 204}
    })
    const lines = await again()
    expect(sent().slice(1).toSorted()).toEqual(['/a/', '/a/b/', '/a/b/y', '/a/late', '/a/x'])
    expect(over.at(-1)).toBe('/a/')
    expect(over.slice(0, 2)).toEqual(['/a/b/y', '/a/x'])
    // All that it may depend on was over by then.
    expect(begun.at(-1)).toBe('/a/ after 4')
    expect(lines.filter((one) => one.includes(' self /a/'))).toContain('204 self /a/')
    expect(lines.filter((one) => one.endsWith(' /a/'))).toHaveLength(1)
  })

  it('never sends a request that had succeeded or was refused for good', async () => {
    server.script((_request, number) =>
      number === 1 ? answer207(verdicts(members)) : {status: 204},
    )
    await again()
    expect(sent()).not.toContain('/a/gone')
    expect(sent()).not.toContain('/a/never')
  })
})

describe('one merged verdict', () => {
  it('has its attempts, and the members of the last answer', async () => {
    server.script(({url}) => {
      if (url !== '/a/') return {status: 423}
      return answer207(verdicts({'/a/x': '423 Locked'}))
    })
    const results = await Array.fromAsync(dav.deleteMany(['a/'], {retry: quick}))
    expect(results.map(line)).toEqual(['423 status member /a/x', '424 member self /a/'])
    expect(results.at(-1)).toMatchObject({request: {attempts: 3}})
    expect(sent()).toEqual(['/a/', '/a/x', '/a/', '/a/x', '/a/'])
  })

  it('of a success has its attempts if there were several', async () => {
    server.answers({status: 423}, {status: 503}, {status: 204}, {status: 204})
    const {successes} = await dav.deleteMany(['a', 'b'], {retry: quick, concurrency: 1}).collect()
    expect(server.requests).toHaveLength(4)
    const attempts = successes.map((success) => success.attempts ?? 1)
    expect(attempts.reduce((sum, one) => sum + one, 0)).toBe(4)
    expect(successes.every((success) => success.attempts !== 1)).toBe(true)
  })

  it('by dav.retry counts earlier attempts too', async () => {
    const {successes} = await dav
      .retry([failedDelete(server.url, 'a', 423, {attempts: 5})], quick)
      .collect()
    expect(successes).toMatchObject([{attempts: 6}])
  })

  it('by dav.retry is one for each resource, however often and however it is named', async () => {
    const failures = ['a', 'a/', '%61', 'a'].map((path) => failedDelete(server.url, path))
    const {successes} = await dav.retry(failures, quick).collect()
    expect(successes).toHaveLength(1)
    expect(server.requests).toHaveLength(1)
  })
})

describe('an href of a server', () => {
  it.each([
    '/docs/a/..%2f..%2fsecret',
    '/docs/a/x/..%5c..%5c..%5csecret',
    '/docs/a/..;/..;/secret',
  ])('may not choose the target of a DELETE: %s', async (href) => {
    dav = new DavClient({url: `${server.url}docs/`, transport})
    server.script(({url}) =>
      url === '/docs/a/' ? answer207(verdicts({[href]: '423 Locked'})) : {status: 204},
    )
    const {failures} = await dav.deleteMany(['a/'], {retry: quick}).collect()
    expect(sent().filter((url) => url !== '/docs/a/')).toEqual([])
    expect(failures.at(-1)).toMatchObject({relation: 'self', status: 424})
  })

  it('does not keep dav.retry from the others', async () => {
    dav = new DavClient({url: `${server.url}docs/`, transport})
    const named = {'/docs/a/..%2f..%2fsecret': '423 Locked', '/docs/a/x': '423 Locked'}
    server.answers(answer207(verdicts(named)))
    const {failures} = await dav.deleteMany(['a/']).collect()
    server.answers({status: 204})
    const {successes} = await dav.retry(failures, quick).collect()
    expect(successes.map(line)).toEqual(['204 self /docs/a/x', '204 self /docs/a/'])
  })
})

describe('a target that is gone before its retry', () => {
  it.each([404, 410])('counts as deleted if it was sent before: %i', async (status) => {
    server.answers({status})
    const {successes} = await dav.retry([failedDelete(server.url, 'a')], quick).collect()
    expect(successes).toMatchObject([{relation: 'self', href: '/a', status, attempts: 2}])
  })

  it('counts as deleted with ifMissing success, though it was never sent', async () => {
    const signal = AbortSignal.abort('enough')
    const failures: Failure[] = []
    const reading = async (): Promise<void> => {
      for await (const result of dav.deleteMany(['a'], {ifMissing: 'success', signal})) {
        if (!result.ok) failures.push(result)
      }
    }
    await expect(reading()).rejects.toBe('enough')
    expect(failures).toMatchObject([{reason: 'no-answer', request: {attempts: 0}}])
    server.answers({status: 404})
    const {successes} = await dav.retry(JSON.parse(JSON.stringify(failures)), quick).collect()
    expect(successes.map(line)).toEqual(['404 self /a'])
  })
})

describe('dav.retry', () => {
  it('delays only the collections around a slow leaf', async () => {
    const order: string[] = []
    server.script(async ({url}) => {
      if (url === '/a/b/c') await delay(100)
      order.push(url)
      return {status: 204}
    })
    const failures = ['a/b/c', 'a/', 'd'].map((path) => failedDelete(server.url, path))
    expect((await dav.retry(failures, quick).collect()).successes).toHaveLength(3)
    expect(order).toEqual(['/d', '/a/b/c', '/a/'])
  })

  it.each([-1, 1.5, '3', null])('refuses a request with attempts %j', async (attempts) => {
    // @ts-expect-error -- a queue may hold it
    const failure = failedDelete(server.url, 'a', 423, {attempts})
    await expect(dav.retry([failure], quick).collect()).rejects.toThrow(TypeError)
    expect(sent()).toEqual([])
  })
})

describe('a 412 for a target that an unheard attempt may have deleted', () => {
  it.each([
    [404, '404 self /a'],
    [207, '412 status self /a'],
    [500, '0 no-answer self /a'],
  ])('is settled by asking for it: %i', async (status, expected) => {
    const answer = status === 207 ? answer207(listing('/a')) : {status}
    server.script(({method}, number) => {
      if (method === 'PROPFIND') return answer
      return number === 1 ? RESET : {status: 412}
    })
    const targets = [{href: 'a', ifMatch: '"1"'}]
    const results = await Array.fromAsync(dav.deleteMany(targets, {retry: quick}))
    expect(results.map(line)).toEqual([expected])
  })
})
