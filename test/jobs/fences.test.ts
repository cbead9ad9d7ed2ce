// Workers that lose a part of their work, callers at the same moment, and collections that must stay: nothing is lost or told wrongly.

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'

import {members} from 'multistatus'
import {
  cancelJob,
  createJob,
  inspectJob,
  type Ledger,
  removeJob,
  retryJob,
  runJob,
} from 'multistatus/jobs'
import type {FakeServer} from 'multistatus/testing'
import {describe, expect, it, onTestFinished} from 'vitest'

import {storeOf} from '../../src/jobs/ledger.ts'
import type {Row, Sql} from '../../src/jobs/store.ts'
import {
  benches,
  clientOf,
  fill,
  linesOf,
  ONCE,
  sentTo,
  SOON,
  statusesOf,
  verdictsOf,
} from './support/bench.ts'
import {makeSqliteStore} from './support/sqlite-store.ts'

const using = benches(makeSqliteStore)

/** Reads the tables, as another process sees them. */
function rowsOf(ledger: Ledger, sql: string): Promise<readonly Row[]> {
  return storeOf(ledger).read(({all}) => all(sql))
}

/** A moment at which a process stands still until it is let go. */
interface Freeze {
  readonly reached: Promise<void>
  /** Stands still. */
  stand(): Promise<void>
  letGo(): void
}

function freeze(): Freeze {
  const {promise: reached, resolve: reach} = Promise.withResolvers<void>()
  const {promise: gate, resolve: letGo} = Promise.withResolvers<void>()
  return {
    reached,
    stand() {
      reach()
      return gate
    },
    letGo,
  }
}

/** Calls a function after each read of a ledger, with what was read. */
function afterReads(ledger: Ledger, then: (result: unknown) => Promise<void>): void {
  const store = storeOf(ledger)
  const read = store.read.bind(store)
  store.read = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const result = await read(work)
    await then(result)
    return result
  }
}

/** Calls a function before the second transaction of a ledger from now on. */
function beforeSecondTransaction(ledger: Ledger, then: () => Promise<void>): void {
  const store = storeOf(ledger)
  const transact = store.transaction.bind(store)
  let count = 0
  store.transaction = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    count++
    if (count === 2) await then()
    return transact(work)
  }
}

/** A path of a collection that is too long to be stored as it is. */
const OVERLONG = `a/${Array.from({length: 13}, () => 'd'.repeat(200)).join('/')}`

describe('a worker that lost one unit of its batch', () => {
  it(
    'wipes nothing of a listing that another one has ended',
    using(async ({store, ledger, server, dav}) => {
      for (const path of ['t/p/x/1', 't/p/x/2', 't/q/y/1']) server.put(path, 'x')
      // Both collections are listed twice, and by one claim.
      for (const path of ['t/p/x/', 't/q/y/'])
        server.fault({method: 'PROPFIND', path, status: 503, times: 1})
      const retry = {attempts: 5, ...SOON}
      const job = await createJob(ledger, {kind: 'list', tree: 't/', retry}, dav)
      await using own = await store.open()
      const frozen = freeze()
      afterReads(own, async (result) => {
        const isSecond = Array.isArray(result) && result.length === 2
        if (isSecond && result.every(({attempts}) => attempts === 1)) await frozen.stand()
      })
      const late = runJob(own, job, dav, {concurrency: 1})
      await frozen.reached

      const unitOfX = "select unit from item where name = 'x' and role = 1"
      await store.run(`update unit set due = 1 where id in (${unitOfX})`)
      const other = runJob(ledger, job, dav)
      const states = `select state from unit where id in (${unitOfX})`
      await expect.poll(() => rowsOf(ledger, states)).toEqual([{state: 2}])
      frozen.letGo()
      await late

      expect(await other).toMatchObject({state: 'done', complete: true, resources: 8})
      const hrefs = (await linesOf(ledger, job)).map(({href}) => href)
      expect(hrefs.toSorted()).toEqual([
        '/t/',
        '/t/p/',
        '/t/p/x/',
        '/t/p/x/1',
        '/t/p/x/2',
        '/t/q/',
        '/t/q/y/',
        '/t/q/y/1',
      ])
    }),
  )

  const MISSING = Array.from({length: 20}, (_, index) => `c${index}/gone`)

  it(
    'before it sent anything leaves no mark at the others, and missing targets are no doubt',
    using(async ({store, ledger, dav}) => {
      const job = await createJob(ledger, {kind: 'delete', targets: MISSING}, dav)
      await using own = await store.open()
      let isLost = false
      afterReads(own, async (result) => {
        if (isLost || !Array.isArray(result) || result.length !== MISSING.length) return
        isLost = true
        const first = '(select min(id) from unit)'
        await store.run(`update unit set state = 0, due = 0, epoch = epoch + 1 where id = ${first}`)
      })
      const report = await runJob(own, job, dav, {concurrency: 1})
      expect(isLost).toBe(true)
      expect(report).toMatchObject({failures: 20, successes: 0, inDoubt: 0})
      expect(report).toMatchObject({reasons: {'status 404': 20}})
    }),
  )

  it(
    'between its requests leaves a mark only where a request was sent',
    using(async ({store, ledger, server, dav}) => {
      const job = await createJob(ledger, {kind: 'delete', targets: MISSING}, dav)
      await using own = await store.open()
      const frozen = freeze()
      // It stands still between its marks and its first request.
      storeOf(own).flush = () => frozen.stand()
      const late = runJob(own, job, dav, {concurrency: 1})
      await frozen.reached
      await store.run('update unit set due = 1 where id = (select min(id) from unit)')
      const held = freeze()
      const waiting = clientOf({
        url: server.url,
        async transport(request) {
          await held.stand()
          return server.transport(request)
        },
      })
      const other = runJob(ledger, job, waiting, {concurrency: 1})
      await held.reached
      frozen.letGo()
      const counts = 'select count(*) as count from verdict'
      await expect.poll(() => rowsOf(ledger, counts)).toEqual([{count: 19}])
      held.letGo()
      await late

      // Of one unit nobody knows whether the first worker has sent its request.
      expect(await other).toMatchObject({failures: 19, successes: 1, inDoubt: 1})
    }),
  )
})

describe('a delete of a tree', () => {
  it(
    'has a gap to tell of a tree that was never there, because its URL may be wrong',
    using(async ({ledger, server, dav}) => {
      const job = await createJob(ledger, {kind: 'delete', tree: 'late/', retry: ONCE}, dav)
      expect(await runJob(ledger, job, dav)).toMatchObject({
        complete: false,
        incomplete: [{href: `${server.url}late/`, status: 404}],
      })
    }),
  )

  it.each(['u', 'u/d'])(
    'keeps a collection that is there, although its listing is 404: %s',
    async (path) =>
      using(async ({ledger, server, dav}) => {
        for (const name of ['u/a', 'u/d/c', 'u/d/e']) server.put(name, 'x')
        server.fault({method: 'PROPFIND', path, status: 404, times: 1})
        const job = await createJob(ledger, {kind: 'delete', tree: 'u/', retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({
          complete: false,
          incomplete: [{href: `${server.url}${path}/`}],
        })
        expect(server.list(path)).toContain('u/d/c')

        await retryJob(ledger, job)
        expect(await runJob(ledger, job, dav)).toMatchObject({complete: true})
        expect(server.list()).toEqual([])
      })(),
  )
})

describe('retryJob', () => {
  it(
    'leaves a job done that has nothing to be tried again',
    using(async ({ledger, server, dav}) => {
      server.put('c/m', 'x')
      const job = await createJob(ledger, {kind: 'delete', tree: 'c/'}, dav)
      const before = await runJob(ledger, job, dav)
      expect(await retryJob(ledger, job)).toBe(0)
      const {state, ended} = await inspectJob(ledger, job)
      expect({state, ended}).toEqual({state: 'done', ended: before.ended})
    }),
  )

  it(
    'takes the units of workers whose requests are under way, so that no failure comes behind it',
    using(async ({store, ledger, server, dav}) => {
      server.put('c/m', 'x')
      const job = await createJob(ledger, {kind: 'delete', tree: 'c/', retry: ONCE}, dav)
      server.fault({method: 'DELETE', path: 'c/m', status: 403})
      const held = freeze()
      const waiting = clientOf({
        url: server.url,
        async transport(request) {
          if (request.method === 'DELETE' && request.url.endsWith('/m')) await held.stand()
          return server.transport(request)
        },
      })
      await using own = await store.open()
      const late = runJob(own, job, waiting, {concurrency: 2})
      await held.reached
      await cancelJob(ledger, job)
      await using other = await store.open()
      beforeSecondTransaction(other, async () => {
        held.letGo()
        await late
      })
      await retryJob(other, job)

      expect(await runJob(ledger, job, dav)).toMatchObject({state: 'done', failures: 2})
      expect(await statusesOf(ledger, job)).toEqual({'/c/': 424, '/c/m': 403})
      expect(sentTo(server, 'DELETE')).not.toContain('c')
      expect(Object.keys(server.files)).toEqual(['c/m'])
    }),
  )

  it(
    'twice at once leaves no job that is done without its verdicts',
    using(async ({store, ledger, server, dav}) => {
      const targets = fill(server, 'a/', 6)
      const options = {kind: 'delete', targets, unitSize: 2, retry: ONCE} as const
      const job = await createJob(ledger, options, dav)
      server.fault({method: 'DELETE', status: 503, times: 12})
      await runJob(ledger, job, dav)
      await using other = await store.open()
      beforeSecondTransaction(other, async () => {
        expect(await retryJob(ledger, job)).toBe(6)
        expect(await runJob(ledger, job, dav)).toMatchObject({state: 'done', failures: 6})
      })
      expect(await retryJob(other, job)).toBe(0)

      expect(await inspectJob(ledger, job)).toMatchObject({state: 'done', total: 6, done: 6})
      expect(await linesOf(ledger, job)).toHaveLength(6)
      expect(await rowsOf(ledger, 'select id from unit where state < 2')).toEqual([])
      expect(await retryJob(other, job)).toBe(6)
      expect(await runJob(ledger, job, dav)).toMatchObject({state: 'done', successes: 6})
    }),
  )

  it(
    'takes no refused DELETE for one that was done',
    using(async ({ledger, server, dav}) => {
      for (const path of ['f', 'g']) server.put(path, 'x')
      const options = {kind: 'delete', targets: ['f', 'g'], retry: ONCE} as const
      const job = await createJob(ledger, options, dav)
      server.fault({method: 'DELETE', status: 423, times: 2})
      await runJob(ledger, job, dav)
      expect(await statusesOf(ledger, job)).toEqual({'/f': 423, '/g': 423})
      // Somebody else deletes one of them.
      await dav.delete('f')
      server.fault({method: 'DELETE', path: 'g', status: 403})
      await retryJob(ledger, job)
      expect(await runJob(ledger, job, dav)).toMatchObject({failures: 2, inDoubt: 0})
      expect(await statusesOf(ledger, job)).toEqual({'/f': 404, '/g': 403})
    }),
  )

  it(
    'takes no refused MOVE for one that was done',
    using(async ({ledger, server, dav}) => {
      server.put('a', 'x')
      const pairs = [{from: 'a', to: 'b'}]
      const job = await createJob(ledger, {kind: 'move', pairs, retry: ONCE}, dav)
      server.fault({method: 'MOVE', status: 423, times: 1})
      await runJob(ledger, job, dav)
      expect(await statusesOf(ledger, job)).toEqual({'/a': 423})
      // Somebody else takes it, and puts another one there.
      await dav.move('a', 'c')
      server.put('b', 'other')
      await retryJob(ledger, job)
      expect(await runJob(ledger, job, dav)).toMatchObject({failures: 1, inDoubt: 0})
      expect(await statusesOf(ledger, job)).toEqual({'/a': 404})
    }),
  )

  it(
    'takes no refused PUT for one that was done',
    using(async ({ledger, server, dav}) => {
      const folder = mkdtempSync(join(tmpdir(), 'multistatus-fences-'))
      onTestFinished(() => rmSync(folder, {recursive: true}))
      writeFileSync(join(folder, 'f'), 'mine')
      server.put('up/.keep', '')
      const options = {kind: 'put', folder, to: 'up/', create: true, retry: ONCE} as const
      const job = await createJob(ledger, options, dav)
      server.fault({method: 'PUT', path: 'up/f', status: 423, times: 1})
      await runJob(ledger, job, dav)
      expect(await statusesOf(ledger, job)).toMatchObject({'/up/f': 423})
      // Somebody else puts the same text there.
      server.put('up/f', 'mine')
      await retryJob(ledger, job)
      expect(await runJob(ledger, job, dav)).toMatchObject({failures: 1, inDoubt: 0})
      expect(await statusesOf(ledger, job)).toMatchObject({'/up/f': 412})
    }),
  )

  it(
    'of a diff keeps none of the old differences',
    using(async ({ledger, server, dav}) => {
      const list = async (id: string, tree: string): Promise<void> => {
        await createJob(ledger, {kind: 'list', id, tree}, dav)
        await runJob(ledger, id, dav)
      }
      const changes = async (): Promise<unknown> =>
        (await linesOf(ledger, 'D')).map((line) => ({...line}))
      server.put('l/1', 'x')
      server.put('r/1', 'xx')
      await list('L', 'l/')
      await list('R', 'r/')
      const sides = {before: {job: 'L'}, after: {job: 'R'}}
      await createJob(ledger, {kind: 'diff', id: 'D', ...sides}, dav)
      await runJob(ledger, 'D', dav)
      expect(await changes()).toMatchObject([{change: 'changed'}])

      await removeJob(ledger, 'R')
      server.put('r/1', 'x')
      server.put('r/2', 'x')
      await list('R', 'r/')
      await retryJob(ledger, 'D')
      const report = await runJob(ledger, 'D', dav)
      expect(await changes()).toMatchObject([{path: '2', change: 'created'}])
      expect(report).toMatchObject({complete: true, differences: {created: 1}})
    }),
  )
})

describe('a collection stays', () => {
  it.for(['a run', 'cancelJob'])(
    'that a walk could not list, as refused, also when it is tried again after %s',
    (before) =>
      using(async ({ledger, server, dav}) => {
        for (const path of ['a/x', 'a/sub/hidden']) server.put(path, 'x')
        server.fault({method: 'PROPFIND', path: 'a/sub/', status: 403})
        const targets = members(dav.propfind('a/', {depth: {walk: true}}))
        const job = await createJob(ledger, {kind: 'delete', targets, retry: ONCE}, dav)
        if (before === 'cancelJob') await cancelJob(ledger, job)
        else await runJob(ledger, job, dav)
        const refused = {'/a/sub/': {ok: false, reason: 'refused'}}
        expect(await verdictsOf(ledger, job)).toMatchObject(refused)

        await retryJob(ledger, job)
        await runJob(ledger, job, dav)
        expect(await verdictsOf(ledger, job)).toMatchObject({'/a/x': {ok: true}, ...refused})
        expect(sentTo(server, 'DELETE')).toEqual(['a/x'])
        expect(Object.keys(server.files)).toEqual(['a/sub/hidden'])
      })(),
  )

  it.for(['short', 'overlong'])(
    'around a refused member in a path that is %s, also after retryJob',
    (length) =>
      using(async ({ledger, server, dav}) => {
        const path = length === 'short' ? 'a/s' : OVERLONG
        server.put(`${path}/f`, 'x')
        server.put('a/z', 'x')
        const targets = [`${path}/x%01`, 'a/']
        const job = await createJob(ledger, {kind: 'delete', targets, retry: ONCE}, dav)
        for (let run = 0; run < 2; run++) {
          await runJob(ledger, job, dav)
          expect(await verdictsOf(ledger, job)).toMatchObject({
            [`${path}/x%01`]: {ok: false, reason: 'refused'},
            '/a/': {ok: false, status: 424, reason: 'member'},
          })
          expect(sentTo(server, 'DELETE')).toEqual([])
          await retryJob(ledger, job)
        }
      })(),
  )

  it(
    'that has a query, when a member of it failed',
    using(async ({ledger, server, dav}) => {
      server.put('a/m', 'x')
      const targets = ['a/m', new URL('a/?v=1', server.url)]
      const job = await createJob(ledger, {kind: 'delete', targets, retry: ONCE}, dav)
      server.fault({method: 'DELETE', path: 'a/m', status: 403, times: 1})
      await runJob(ledger, job, dav)
      const lines = await linesOf(ledger, job)
      expect(lines.map(({url, status}) => ({url, status}))).toEqual([
        {url: `${server.url}a/m`, status: 403},
        {url: `${server.url}a/?v=1`, status: 424},
      ])
      expect(sentTo(server, 'DELETE')).toEqual(['a/m'])
      expect(Object.keys(server.files)).toEqual(['a/m'])
    }),
  )
})

describe('a job that was removed and created again while it was filled', () => {
  it(
    'has the targets of the second createJob alone, and the first one is an error',
    using(async ({store, ledger, server, dav}) => {
      fill(server, 'a/', 10)
      await using other = await store.open()
      const first = freeze()
      const second = freeze()
      async function* some(numbers: readonly number[], moment: Freeze): AsyncGenerator<string> {
        for (const number of numbers) {
          yield `a/${number}`
          if (number % 5 === 1) await moment.stand()
        }
      }
      const options = {kind: 'delete', id: 'K', unitSize: 1} as const
      const one = createJob(ledger, {...options, targets: some([0, 1, 2], first)}, dav).catch(
        (error: unknown) => error,
      )
      await first.reached
      await removeJob(other, 'K')
      // The clock of the ledger tells the two jobs apart.
      await pause(5)
      const two = createJob(other, {...options, targets: some([5, 6, 7], second)}, dav)
      await second.reached
      first.letGo()
      expect(await one).toMatchObject({name: 'LedgerError', reason: 'state'})
      expect(await rowsOf(ledger, 'select state from job')).toEqual([{state: 'filling'}])
      second.letGo()
      await two
      expect(await runJob(ledger, 'K', dav)).toMatchObject({total: 3, done: 3, successes: 3})
      expect(await statusesOf(ledger, 'K')).toEqual({'/a/5': 204, '/a/6': 204, '/a/7': 204})
    }),
  )
})

describe('a worker', () => {
  it(
    'that a comparison ended three times is not ended again: the comparison is set aside',
    using(async ({store, ledger, server, dav}) => {
      server.put('l/1', 'x')
      server.put('r/1', 'y')
      const sides = {before: {tree: 'l/'}, after: {tree: 'r/'}}
      const job = await createJob(ledger, {kind: 'diff', ...sides}, dav)
      for (let end = 0; end < 3; end++) {
        const own = await store.open()
        // It ends at its first look at the sides, as a killed process does.
        afterReads(own, async () => {
          const begun = "select id from unit where kind = 'compare' and state = 1 and due > 1"
          if ((await rowsOf(ledger, begun)).length === 0) return
          await own.close()
          throw new Error('killed')
        })
        await expect(runJob(own, job, dav, {concurrency: 1})).rejects.toThrow('killed')
        await store.run('update unit set due = 1 where state = 1')
      }
      const own = await store.open()
      const report = await runJob(own, job, dav, {concurrency: 1})
      await own.close()
      expect(report).toMatchObject({state: 'done', complete: false, setAside: 1})
      expect(await linesOf(ledger, job)).toEqual([])
    }),
  )

  it(
    'lists other collections while the answer of a large one is not at its end',
    using(async ({ledger, server}) => {
      for (let index = 0; index < 1500; index++) server.put(`t/d${index}/f`, 'x')
      const events: string[] = []
      const {promise: other, resolve: ask} = Promise.withResolvers<void>()
      const dav = clientOf(holdEnd(server, other, ask, events))
      const job = await createJob(ledger, {kind: 'list', tree: 't/'}, dav)
      const report = await runJob(ledger, job, dav)
      expect(report).toMatchObject({complete: true, listings: 1501})
      expect(events).toEqual(['another request', 'the end of the large answer'])
    }),
    60_000,
  )
})

/** A server that sends the last part of the answer about `t/` when it is asked for another collection, or else after a while. */
function holdEnd(
  server: FakeServer,
  other: Promise<void>,
  ask: () => void,
  events: string[],
): Pick<FakeServer, 'url' | 'transport'> {
  return {
    url: server.url,
    async transport(request) {
      if (!request.url.endsWith('/t/')) {
        if (!events.includes('another request')) events.push('another request')
        ask()
        return server.transport(request)
      }
      const answer = await server.transport(request)
      const text = await new Response(answer.body as ReadableStream<Uint8Array>).bytes()
      const most = Math.floor(text.length * 0.9)
      const parts = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(text.subarray(0, most))
        },
        async pull(controller) {
          await Promise.race([other, pause(4000, undefined, {ref: false})])
          events.push('the end of the large answer')
          controller.enqueue(text.subarray(most))
          controller.close()
        },
      })
      return new Response(parts, {
        status: answer.status,
        headers: {'content-type': 'application/xml'},
      })
    },
  }
}
