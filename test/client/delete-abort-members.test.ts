// States how an abort of a bulk DELETE ends a target that takes several requests: retries of its members, or the
// question of verify. Each target still has one verdict.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type DeleteManyOptions} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  NEVER,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
let controller: AbortController
const transport = undiciTransport()
const reason = {why: 'enough'}
const quick = {attempts: 3, minDelay: 1, maxDelay: 1}

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
  controller = new AbortController()
})

afterEach(() => server.close())

function run(targets: readonly string[], options: DeleteManyOptions): ReturnType<typeof readToEnd> {
  return readToEnd(dav.deleteMany(targets, {signal: controller.signal, ...options}))
}

describe('an abort during the retry of a member', () => {
  it('leaves one verdict for each target', async () => {
    server.script(({url}) => {
      if (url === '/a/') return answer207(verdicts({'/a/x': '423 Locked'}))
      if (url === '/a/x') setTimeout(() => controller.abort(reason), 30)
      return url === '/a/x' || url === '/c' ? NEVER : {status: 204}
    })
    const {results, error} = await run(['a/', 'b', 'c', 'd'], {retry: quick, concurrency: 3})
    expect(error).toBe(reason)
    const selves = results.filter(({relation}) => relation === 'self').map(({href}) => href)
    expect(selves.toSorted()).toEqual(['/a/', '/b', '/c', '/d'])
  })
})

describe('an abort after the retry of a member', () => {
  it('drops the failure of a member that the retry deleted', async () => {
    server.script(async ({url}, number) => {
      if (number === 1) return answer207(verdicts({'/a/x': '423 Locked', '/a/y': '423 Locked'}))
      if (number === 3) controller.abort(reason)
      await delay(30)
      return {status: url === '/a/x' ? 204 : 423}
    })
    const {results, error} = await run(['a/'], {retry: quick})
    expect(error).toBe(reason)
    // The server deleted /a/x, and its answer came in time.
    expect(server.requests.map(({url}) => url).toSorted()).toEqual(['/a/', '/a/x', '/a/y'])
    const failed = results.filter(({ok}) => !ok).map(({href}) => href)
    expect(failed).toEqual(['/a/y', '/a/'])
  })
})

describe('an abort with verify', () => {
  it('yields a no-answer with one attempt if it comes before the question', async () => {
    server.script(async ({method}) => {
      if (method === 'DELETE') controller.abort(reason)
      await delay(30)
      return {status: 204}
    })
    const {results, error} = await run(['a'], {verify: true})
    expect(error).toBe(reason)
    expect(results.map(line)).toEqual(['0 no-answer self /a'])
    expect(results[0]?.request).toMatchObject({attempts: 1, verify: true})
  })

  it.each(['before', 'while'])(
    'leaves one verdict for each target: %s the rest is listed',
    async (when) => {
      server.script(({method, url, headers}) => {
        if (method === 'DELETE') return url === '/c' ? NEVER : {status: 204}
        if (url !== '/a/') return {status: 404}
        if (headers['depth'] === '0') {
          if (when === 'before') controller.abort(reason)
          return answer207(listing('/a/'))
        }
        setTimeout(() => controller.abort(reason), 30)
        return NEVER
      })
      const {results, error} = await run(['a/', 'c', 'd', 'e'], {verify: true, concurrency: 3})
      expect(error).toBe(reason)
      const selves = results.filter(({relation}) => relation === 'self').map(({href}) => href)
      expect(selves.toSorted()).toEqual(['/a/', '/c', '/d', '/e'])
    },
  )
})

describe('an abort while some members are sent and others wait', () => {
  it('counts the answers to sent requests', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'].map((name) => [`/t/${name}`, '423 Locked'] as const)
    server.script(async ({url}) => {
      if (url === '/t/') return answer207(verdicts(Object.fromEntries(names)))
      if (url === '/t/b') return {status: 429, headers: {'retry-after': '3'}}
      await delay(150)
      if (url === '/t/a') controller.abort(reason)
      await delay(150)
      return {status: 204}
    })
    const retry = {...quick, attempts: 2}
    const {results, error} = await run(['t/'], {retry, concurrency: 4})
    expect(error).toBe(reason)
    const failed = results.filter(({ok}) => !ok).map(({href}) => href)
    // A 204 in time is no failure.
    expect(failed).not.toContain('/t/a')
    expect(failed).toContain('/t/e')
    expect(failed.at(-1)).toBe('/t/')
  })
})

describe('an abort while a PROPFIND checks the target of a 412', () => {
  it('leaves the 412 as the verdict', async () => {
    const answers = [{status: 503}, {status: 412}]
    server.script(({method}) => {
      if (method === 'DELETE') return answers.shift() ?? {status: 204}
      controller.abort(reason)
      return NEVER
    })
    const options = {retry: quick, signal: controller.signal}
    const stream = dav.deleteMany([{href: 'a', ifMatch: '"1"'}], options)
    const {results, error} = await readToEnd(stream)
    expect(results.map(line)).toEqual(['412 status self /a'])
    expect(error).toBe(reason)
  })
})
