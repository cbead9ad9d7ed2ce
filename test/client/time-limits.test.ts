// States the time limits of a call: those that each call takes in place of the client's, and `total`, which ends a call as a signal
// does, with its retries and waits.

import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, DavTimeoutError, type Failure, type Timeouts} from 'multistatus'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listed,
  NEVER,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {drain} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 10_000})

let server: FaultServer
let dav: DavClient
beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url})
})
afterEach(() => server.close())

const failed = (url: string): Failure => ({
  ok: false,
  href: '/a',
  url: `${url}a`,
  relation: 'self',
  status: 503,
  reason: 'status',
  missing: [],
  conditions: [],
  request: {method: 'DELETE', url: `${url}a`, attempts: 1},
})
const file = join(tmpdir(), 'multistatus-never-written')
const [from, to] = ['a', 'b']
const body = '<x/>'
const names = {report: '{urn:x}multiget', properties: ['getetag']} as const
const set = {displayname: 'x'}
const where = {name: 'is-collection', children: []}

type Run = (timeout: number | Timeouts) => unknown
const CALLS: Readonly<Record<string, Run>> = {
  propfind: (timeout) => dav.propfind('a/', {timeout}).collect(),
  walk: (timeout) => dav.walk('a/', {timeout}).collect(),
  stat: (timeout) => dav.stat('a', {timeout}),
  exists: (timeout) => dav.exists('a', {timeout}),
  report: (timeout) => dav.report('a/', {body, timeout}).collect(),
  search: (timeout) => dav.search('a/', {where, timeout}).collect(),
  multiget: (timeout) => dav.multiget('a/', ['a/b'], {...names, timeout}).collect(),
  sync: (timeout) => dav.sync('a/', {timeout}).collect(),
  get: (timeout) => dav.get('a', {timeout}),
  download: (timeout) => dav.download('a', file, {timeout}),
  put: (timeout) => dav.put('a', 'x', {timeout}),
  putMany: (timeout) => dav.putMany([{href: 'a', body: 'x'}], {timeout}).collect(),
  mkcol: (timeout) => dav.mkcol('a/', {timeout}),
  proppatch: (timeout) => dav.proppatch('a', {set, timeout}),
  copy: (timeout) => dav.copy('a', 'b', {timeout}),
  copyMany: (timeout) => dav.copyMany([{from, to}], {timeout}).collect(),
  move: (timeout) => dav.move('a', 'b', {timeout}),
  moveMany: (timeout) => dav.moveMany([{from, to}], {timeout}).collect(),
  delete: (timeout) => dav.delete('a', {timeout}),
  deleteMany: (timeout) => dav.deleteMany(['a'], {timeout}).collect(),
  retry: (timeout) => dav.retry([failed(server.url)], {timeout}).collect(),
  unlock: (timeout) => dav.unlock('a', {lockToken: 'urn:uuid:1', timeout}),
  options: (timeout) => dav.options('a', {timeout}),
  request: (timeout) => dav.request('GET', 'a', {timeout}),
}

/** Returns the end of a call: its result, or its error. A TypeError may be thrown at once or later. */
async function endOf(run: Run, timeout: number | Timeouts): Promise<unknown> {
  try {
    return await run(timeout)
  } catch (error) {
    return error
  }
}

describe.each(Object.entries(CALLS))('%s', (_, run) => {
  it('has time limits of its own', async () => {
    server.answers(NEVER)
    const end = await endOf(run, {headers: 60})
    // Each target of a bulk call has its verdict. A single call rejects.
    const verdict = {failures: [{reason: 'no-answer', cause: 'timeout'}]}
    expect(end).toMatchObject(end instanceof Error ? {timeout: 'headers'} : verdict)
  })

  it('may have a limit for the whole call', async () => {
    server.answers(NEVER)
    expect(await endOf(run, {total: 100})).toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'total',
      message: 'The call did not end within 100 ms: if it may take longer, raise timeout.total',
    })
  })

  it('refuses a wrong limit before anything is sent', async () => {
    expect(await endOf(run, {total: 0})).toBeInstanceOf(RangeError)
    // @ts-expect-error -- connections belong to the client
    expect(await endOf(run, {connect: 5})).toBeInstanceOf(TypeError)
    // @ts-expect-error -- a mistake
    expect(await endOf(run, '5')).toBeInstanceOf(TypeError)
    expect(server.requests).toEqual([])
  })
})

describe('total', () => {
  it('keeps the results so far of a listing', async () => {
    server.answers(answer207([OPEN, listed('/a/'), NEVER]))
    const {items, error} = await drain(dav.propfind('a/', {timeout: {total: 200}}))
    expect(items).toMatchObject([{href: '/a/'}])
    expect(error).toMatchObject({timeout: 'total'})
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('gives each target of a bulk call its verdict', async () => {
    server.script(({url}) => (url === '/b' ? NEVER : {status: 204}))
    const targets = ['a', 'b', 'c']
    const stream = dav.deleteMany(targets, {concurrency: 1, timeout: {total: 200}})
    const {items, error} = await drain(stream)
    expect(items).toMatchObject([
      {href: '/a', ok: true, status: 204},
      {href: '/b', ok: false, reason: 'no-answer', cause: 'aborted'},
      {href: '/c', ok: false, reason: 'no-answer', cause: 'not-sent'},
    ])
    expect(error).toMatchObject({timeout: 'total'})
  })

  it('counts retries and their waits, and is a listener told of no retry after it', async () => {
    server.answers({status: 503, headers: {'retry-after': '3600'}})
    const retries: number[] = []
    const retry = {attempts: 9, onRetry: ({attempt}: {attempt: number}) => retries.push(attempt)}
    const call = dav.propfind('a/', {retry, timeout: {total: 200}})
    await expect(call.collect()).rejects.toMatchObject({timeout: 'total'})
    expect(retries).toEqual([2])
    expect(server.requests).toHaveLength(1)
  })

  it('counts the time in which nobody reads the content of a get', async () => {
    server.answers({status: 200, headers: {'content-length': '10'}, body: ['01234', NEVER]})
    const found = await dav.get('a', {timeout: {total: 100}})
    if (!found.ok) throw new Error('no content')
    await delay(300)
    await expect(found.bytes()).rejects.toMatchObject({timeout: 'total'})
  })

  it('counts the question before a MKCOL with properties', async () => {
    server.script(async ({method}) => {
      await delay(300)
      return method === 'OPTIONS'
        ? {status: 200, headers: {dav: '1, extended-mkcol'}}
        : {status: 201}
    })
    const made = dav.mkcol('a/', {properties: {displayname: 'x'}, timeout: {total: 500}})
    await expect(made).rejects.toMatchObject({timeout: 'total'})
    expect(server.requests.map(({method}) => method)).toEqual(['OPTIONS', 'MKCOL'])
  })

  it('begins for a stream when it is read, and each call has its own', async () => {
    server.answers(answer207([OPEN, listed('/a/'), SHUT]))
    const limited = new DavClient({url: server.url, timeout: {total: 1000}})
    const stream = limited.propfind('a/')
    await delay(1100)
    expect((await stream.collect()).successes).toHaveLength(1)
    expect((await limited.propfind('a/').collect()).successes).toHaveLength(1)
  })

  it('of more than a timer holds does not fire at once', async () => {
    server.script(async () => {
      await delay(50)
      return {status: 204}
    })
    const verdict = await dav.delete('a', {timeout: {total: Number.MAX_SAFE_INTEGER}})
    expect(verdict).toMatchObject({ok: true, status: 204})
  })

  it('has the line of the call in its stack', async () => {
    server.answers(NEVER)
    const error: unknown = await dav.stat('a', {timeout: {total: 50}}).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(DavTimeoutError)
    expect(error instanceof Error && error.stack).toContain('time-limits.test.ts')
  })
})
