/** Facts about workers: retries, cooldowns, several at once, and those that end in the middle of their work. */

import type {DavClient} from 'multistatus'
import {createJob, exportVerdicts, inspectJob, retryJob, runJob} from 'multistatus/jobs'
import type {FakeServer} from 'multistatus/testing'
import {describe, expect, it} from 'vitest'

import {
  type Bench,
  clientOf,
  fill,
  linesOf,
  ONCE,
  sentTo,
  SOON,
  statusesOf,
  type TestStore,
  type Using,
  verdictsOf,
} from '../support/bench.ts'

/** A client whose next request of a method is held at the server or behind it, until it is let go or broken. */
interface Held {
  readonly dav: DavClient
  readonly arrived: Promise<void>
  letGo(): void
  break(): void
}

/** @param obeyed - True to hold the answer back, false to hold the request back. */
function hold(server: FakeServer, method: string, obeyed: boolean, path?: string): Held {
  const {promise: arrived, resolve: arrive} = Promise.withResolvers<void>()
  const {promise: gate, resolve: open, reject} = Promise.withResolvers<void>()
  gate.catch(() => {})
  let isHeld = false
  let isBroken = false
  const dav = clientOf({
    url: server.url,
    async transport(request) {
      if (isBroken) throw new Error('broken')
      const isMeant = path === undefined || request.url === server.url + path
      if (request.method !== method || isHeld || !isMeant) return server.transport(request)
      isHeld = true
      const answer = obeyed ? await server.transport(request) : undefined
      arrive()
      await gate
      return answer ?? server.transport(request)
    },
  })
  return {
    dav,
    arrived,
    letGo: open,
    break() {
      isBroken = true
      reject(new Error('broken'))
    },
  }
}

/** Ends all leases, as time does. */
function endLeases(store: TestStore): Promise<void> {
  return store.run('update unit set due = 1 where state = 1')
}

/** Sets the clock of the store back by three hours: all times in it are later. */
function setClockBack(store: TestStore): Promise<void> {
  const times = {worker: 'seen', unit: 'due', cooldown: 'until'}
  const statements = Object.entries(times).map(
    ([table, time]) => `update ${table} set ${time} = ${time} + 10800000 where ${time} > 0`,
  )
  return store.run(statements.join('; '))
}

/** Runs a worker that ends while it waits for an answer, as a killed process does: it stores nothing any more. */
async function killWorker(
  bench: Bench,
  job: string,
  obeyed: boolean,
  path?: string,
): Promise<void> {
  const {store, server} = bench
  const own = await store.open()
  const held = hold(server, 'DELETE', obeyed, path)
  const ended = runJob(own, job, held.dav, {concurrency: 1}).catch((error: unknown) => error)
  await held.arrived
  await own.close()
  held.break()
  expect(await ended).toMatchObject({name: 'LedgerError', reason: 'closed'})
  await endLeases(store)
}

export function describeWorking(using: Using): void {
  describe('the retries of a job', () => {
    it(
      'end with the last attempt, and leave lasting refusals alone',
      using(async ({ledger, server, dav}) => {
        for (const name of ['once', 'always', 'never', 'fine']) server.put(name, 'x')
        server.fault({method: 'DELETE', path: 'once', status: 503, times: 1})
        server.fault({method: 'DELETE', path: 'always', status: 503})
        server.fault({method: 'DELETE', path: 'never', status: 403})
        const targets = ['once', 'always', 'never', 'fine']
        const retry = {attempts: 3, ...SOON}
        const job = await createJob(ledger, {kind: 'delete', targets, retry}, dav)
        const report = await runJob(ledger, job, dav)

        const sent = Object.groupBy(sentTo(server, 'DELETE'), (path) => path)
        const counts = Object.entries(sent).map(([path, all]) => [path, all?.length])
        expect(Object.fromEntries(counts)).toEqual({once: 2, always: 3, never: 1, fine: 1})
        expect(await verdictsOf(ledger, job)).toMatchObject({
          '/once': {ok: true, status: 204},
          '/always': {ok: false, status: 503, request: {attempts: 3}},
          '/never': {ok: false, status: 403, request: {attempts: 1}},
          '/fine': {ok: true, status: 204},
        })
        expect(report.requests).toBe(server.requests.length)
        expect(report).toMatchObject({reasons: {'status 503': 1, 'status 403': 1}})
      }),
    )

    it(
      'find after a lost answer that the resource is gone, in doubt',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        server.put('b', 'x')
        server.fault({method: 'DELETE', path: 'a', reset: true, obeyed: true, times: 1})
        const targets = ['a', 'b']
        const retry = {attempts: 2, ...SOON}
        const job = await createJob(ledger, {kind: 'delete', targets, retry}, dav)
        const report = await runJob(ledger, job, dav)
        const verdicts = await verdictsOf(ledger, job)
        expect(verdicts['/a']).toMatchObject({ok: true, status: 404, inDoubt: true})
        expect(verdicts['/b']).not.toHaveProperty('inDoubt')
        expect(report).toMatchObject({successes: 2, failures: 0, inDoubt: 1})
        expect(await linesOf(ledger, job, {failuresOnly: true})).toMatchObject([{href: '/a'}])
      }),
    )

    it.for([1, 5])('hold each worker back after a 429, with %i attempts', (attempts) =>
      using(async ({store, ledger, server, dav}) => {
        fill(server, 'a/', 3)
        const headers = {'retry-after': '3600'}
        server.fault({method: 'DELETE', status: 429, headers, times: 1})
        const targets = ['a/0', 'a/1', 'a/2']
        const options = {kind: 'delete', targets, unitSize: 1, retry: {attempts}} as const
        const job = await createJob(ledger, options, dav)
        const stop = new AbortController()
        const first = runJob(ledger, job, dav, {concurrency: 1, signal: stop.signal})
        await expect.poll(async () => (await inspectJob(ledger, job)).cooldown).toBeGreaterThan(0)
        stop.abort(new Error('enough'))
        await expect(first).rejects.toThrow('enough')
        expect(server.requests).toHaveLength(1)

        // A worker of another process knows of it by the ledger alone.
        await using other = await store.open()
        const second = runJob(other, job, clientOf(server))
        await expect.poll(async () => (await inspectJob(ledger, job)).workers.length).toBe(2)
        await new Promise((resolve) => void setTimeout(resolve, 100))
        expect(server.requests).toHaveLength(1)

        await store.run('delete from cooldown')
        await store.run('update unit set due = 0 where state = 0')
        const report = await second
        expect(report).toMatchObject({state: 'done', done: 3, failures: attempts === 1 ? 1 : 0})
      })(),
    )
  })

  describe('workers', () => {
    it(
      'of two ledgers on one store share a job, and each href has one verdict',
      using(async ({store, ledger, server, dav}) => {
        for (let index = 0; index < 10; index++) fill(server, `a/${index}-/`, 20)
        fill(server, 'a/', 20)
        const resources = server.list('a')
        const options = {kind: 'delete', tree: 'a/', unitSize: 5} as const
        const job = await createJob(ledger, options, dav)
        await using other = await store.open()
        const reports = await Promise.all([
          runJob(ledger, job, dav, {name: 'one'}),
          runJob(other, job, clientOf(server), {name: 'two'}),
        ])

        expect(server.files).toEqual({})
        const sent = sentTo(server, 'DELETE')
        expect(new Set(sent).size).toBe(sent.length)
        expect(sent).toHaveLength(resources.length + 1)
        expect(Object.keys(await verdictsOf(ledger, job))).toHaveLength(resources.length + 1)
        for (const report of reports)
          expect(report).toMatchObject({state: 'done', successes: resources.length + 1})
        const {workers, listings} = await inspectJob(ledger, job)
        expect(workers.map(({name}) => name).toSorted()).toEqual(['one', 'two'])
        const done = workers.reduce((sum, worker) => sum + worker.done, 0)
        expect(done).toBe(resources.length + 1 + listings)
      }),
    )

    it(
      'that stop by their signal store the verdicts of requests under way, and another one goes on',
      using(async ({store, ledger, server, dav}) => {
        const targets = fill(server, 'a/', 30)
        const job = await createJob(ledger, {kind: 'delete', targets, unitSize: 5}, dav)
        const held = hold(server, 'DELETE', false)
        const stop = new AbortController()
        const {signal} = stop
        const reason = new Error('the night is over')
        const first = runJob(ledger, job, held.dav, {concurrency: 1, signal})
        await held.arrived
        stop.abort(reason)
        held.letGo()
        await expect(first).rejects.toBe(reason)

        const gone = sentTo(server, 'DELETE')
        expect(gone.length).toBeGreaterThan(0)
        const report = await inspectJob(ledger, job)
        expect(report).toMatchObject({state: 'open', total: 30, successes: gone.length})
        await using other = await store.open()
        expect(await runJob(other, job, dav)).toMatchObject({done: 30, successes: 30, inDoubt: 0})
        const sent = sentTo(server, 'DELETE')
        expect(new Set(sent).size).toBe(30)
        expect(sent).toHaveLength(30)
      }),
    )

    it(
      'that begin with an aborted signal send nothing',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        const job = await createJob(ledger, {kind: 'delete', targets: ['a']}, dav)
        const signal = AbortSignal.abort(new Error('no'))
        await expect(runJob(ledger, job, dav, {signal})).rejects.toThrow('no')
        expect(server.requests).toHaveLength(0)
      }),
    )

    it(
      'end by an error of onProgress, and the job goes on with another one',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        server.put('b', 'x')
        const job = await createJob(ledger, {kind: 'delete', targets: ['a', 'b']}, dav)
        const held = hold(server, 'DELETE', false)
        const onProgress = (): void => {
          held.letGo()
          throw new Error('no display')
        }
        await expect(runJob(ledger, job, held.dav, {onProgress})).rejects.toThrow('no display')
        expect(await runJob(ledger, job, dav)).toMatchObject({successes: 2, inDoubt: 0})
      }),
    )

    it(
      'report their progress, at last the end',
      using(async ({ledger, server, dav}) => {
        const targets = fill(server, 'a/', 3)
        const job = await createJob(ledger, {kind: 'delete', targets}, dav)
        const states: unknown[] = []
        const onProgress = (report: {state: string; done: number}): void => {
          states.push([report.state, report.done])
        }
        const report = await runJob(ledger, job, dav, {onProgress})
        expect(states.at(-1)).toEqual(['done', 3])
        expect(report).toEqual(
          await inspectJob(ledger, job).then((one) => ({
            ...one,
            workers: report.workers,
            rate: report.rate,
          })),
        )
      }),
    )

    it(
      'that lost a lease write nothing any more',
      using(async ({store, ledger, server}) => {
        const targets = fill(server, 'a/', 4)
        const dav = clientOf(server)
        const job = await createJob(ledger, {kind: 'delete', targets}, dav)
        const held = hold(server, 'DELETE', false)
        const late = runJob(ledger, job, held.dav, {concurrency: 4})
        await held.arrived
        await endLeases(store)
        await using other = await store.open()
        const report = await runJob(other, job, dav)
        const before = await linesOf(other, job)
        held.letGo()
        await late

        expect(report).toMatchObject({state: 'done', done: 4, successes: 4})
        expect(await linesOf(other, job)).toEqual(before)
        expect(Object.keys(await verdictsOf(ledger, job))).toHaveLength(4)
        // The held request came last, and was answered 404.
        const [{status} = {status: 0}] = server.requests.slice(-1)
        expect(status).toBe(404)
        expect(await inspectJob(ledger, job)).toMatchObject({done: 4, successes: 4, failures: 0})
      }),
    )

    it(
      'of a removed job do not take the unit of another job for their own',
      using(async ({store, ledger, server}) => {
        fill(server, 'a/', 2)
        const dav = clientOf(server)
        const old = await createJob(ledger, {kind: 'delete', targets: ['a/0']}, dav)
        const held = hold(server, 'DELETE', false)
        const late = runJob(ledger, old, held.dav).catch((error: unknown) => error)
        await held.arrived
        await using other = await store.open()
        const {cancelJob, removeJob} = await import('multistatus/jobs')
        await cancelJob(other, old)
        await removeJob(other, old)
        const job = await createJob(other, {kind: 'delete', targets: ['a/1']}, dav)
        const second = hold(server, 'DELETE', false)
        const next = runJob(other, job, second.dav)
        await second.arrived
        held.letGo()
        expect(await late).toMatchObject({name: 'LedgerError', reason: 'missing'})
        second.letGo()
        expect(await next).toMatchObject({done: 1, successes: 1, requests: 1})
        expect(await statusesOf(other, job)).toEqual({'/a/1': 204})
      }),
    )

    it(
      'find in doubt what a killed worker had deleted',
      using(async (bench) => {
        const {ledger, server, dav} = bench
        const targets = fill(server, 'a/', 3)
        const {id} = await createJob(ledger, {kind: 'delete', targets}, dav)
        await killWorker(bench, id, true)
        expect(sentTo(server, 'DELETE')).toHaveLength(1)
        const [killed = ''] = sentTo(server, 'DELETE')
        const report = await runJob(ledger, id, dav)

        expect(report).toMatchObject({state: 'done', successes: 3, failures: 0, inDoubt: 1})
        const verdicts = await verdictsOf(ledger, id)
        expect(verdicts[`/${killed}`]).toMatchObject({ok: true, status: 404, inDoubt: true})
        const others = Object.values(verdicts).filter(({inDoubt}) => inDoubt !== true)
        expect(others.map(({status}) => status)).toEqual([204, 204])
      }),
    )

    it(
      'go on after the clock was set back, when the lease of a killed one has ended',
      using(async (bench) => {
        const {store, ledger, server, dav} = bench
        const targets = fill(server, 'a/', 3)
        const {id} = await createJob(ledger, {kind: 'delete', targets}, dav)
        await killWorker(bench, id, false)
        await store.run('update unit set due = (select max(seen) from worker) + 1000')
        await setClockBack(store)
        expect((await inspectJob(ledger, id)).workers).toMatchObject([{silence: 0, isLive: false}])
        expect(await runJob(ledger, id, dav)).toMatchObject({state: 'done', successes: 3})
      }),
    )

    it(
      'that begin after the clock was set back send no request twice',
      using(async ({store, ledger, server, dav}) => {
        const earlier = await createJob(
          ledger,
          {kind: 'delete', targets: fill(server, 'a/', 1)},
          dav,
        )
        await runJob(ledger, earlier, dav)
        await setClockBack(store)
        const targets = fill(server, 'b/', 3)
        const {id} = await createJob(ledger, {kind: 'delete', targets}, dav)
        server.fault({method: 'DELETE', path: 'b/0', latency: 3000, times: 1})
        const [report] = await Promise.all([runJob(ledger, id, dav), runJob(ledger, id, dav)])
        expect(report).toMatchObject({state: 'done', successes: 3, requests: 3, inDoubt: 0})
      }),
    )

    it(
      'that wait for a cooldown do not wait longer when the clock is set back',
      using(async ({store, ledger, server, dav}) => {
        const targets = fill(server, 'a/', 3)
        const headers = {'retry-after': '2'}
        server.fault({method: 'DELETE', path: 'a/0', status: 503, headers, times: 1})
        const {id} = await createJob(ledger, {kind: 'delete', targets}, dav)
        const done = runJob(ledger, id, dav)
        await expect.poll(async () => (await inspectJob(ledger, id)).cooldown).toBeGreaterThan(0)
        await setClockBack(store)
        expect(await done).toMatchObject({state: 'done', successes: 3, workers: [{isLive: true}]})
      }),
    )

    it(
      'that are killed in a move leave a Success to the next one',
      using(async (bench) => {
        const {store, ledger, server, dav} = bench
        server.put('a', 'x')
        const pairs = [{from: 'a', to: 'b'}]
        const job = await createJob(ledger, {kind: 'move', pairs}, dav)
        const own = await store.open()
        const held = hold(server, 'MOVE', true)
        const ended = runJob(own, job, held.dav).catch(() => {})
        await held.arrived
        await own.close()
        held.break()
        await ended
        await endLeases(store)
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({successes: 1, failures: 0})
        expect(server.files).toEqual({b: 'x'})
      }),
    )

    it(
      'that a unit has ended three times leave it aside, and retryJob tries it again',
      using(async (bench) => {
        const {ledger, server, dav} = bench
        server.put('a/poison', 'x')
        const fine = fill(server, 'b/', 3)
        const targets = ['a/poison', ...fine]
        const {id} = await createJob(ledger, {kind: 'delete', targets, unitSize: 1}, dav)
        for (let killed = 0; killed < 3; killed++) await killWorker(bench, id, false, 'a/poison')
        const report = await runJob(ledger, id, dav)

        expect(report).toMatchObject({state: 'done', setAside: 1, done: 4, successes: 3})
        expect(report.reasons).toEqual({'no-answer 0': 1})
        expect(report.complete).toBe(false)
        expect(server.files).toEqual({'a/poison': 'x', 'b/': ''})
        const [failure] = await linesOf(ledger, id, {failuresOnly: true})
        expect(failure).toMatchObject({
          ok: false,
          href: '/a/poison',
          reason: 'no-answer',
          description: expect.stringContaining('Set aside'),
          request: {method: 'DELETE', url: `${server.url}a/poison`},
        })

        expect(await retryJob(ledger, id)).toBe(1)
        const again = await runJob(ledger, id, dav)
        expect(again).toMatchObject({setAside: 0, successes: 4, failures: 0, complete: true})
        expect(server.files).toEqual({'a/': '', 'b/': ''})
      }),
    )

    it(
      'that are killed in pairs leave Failures of the sources',
      using(async ({store, ledger, server, dav}) => {
        server.put('a/1', 'x')
        const pairs = [{from: 'a/1', to: 'b'}]
        const job = await createJob(ledger, {kind: 'copy', pairs}, dav)
        await store.run('update unit set state = 1, crashes = 3, due = 1')
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({setAside: 1, failures: 1})
        expect(await linesOf(ledger, job)).toMatchObject([
          {
            href: '/a/1',
            request: {method: 'COPY', url: `${server.url}a/1`, destination: `${server.url}b`},
          },
        ])
        expect(server.requests).toHaveLength(0)
      }),
    )

    it(
      'that list what was set aside are tried again too',
      using(async ({store, ledger, server, dav}) => {
        server.put('a/1', 'x')
        const job = await createJob(ledger, {kind: 'list', tree: 'a/'}, dav)
        await store.run('update unit set state = 1, crashes = 3, due = 1')
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({state: 'done', complete: false, setAside: 1})
        expect(await linesOf(ledger, job)).toMatchObject([
          {ok: false, href: '/a/', request: {method: 'PROPFIND', depth: 1}},
        ])
        await retryJob(ledger, job)
        expect(await runJob(ledger, job, dav)).toMatchObject({complete: true, resources: 2})
      }),
    )
  })

  describe('exportVerdicts', () => {
    it(
      'writes Failures that dav.retry takes',
      using(async ({ledger, server, dav}) => {
        for (const path of ['a/1', 'a/2', 'b/1', 'c']) server.put(path, 'x')
        const faults = [
          server.fault({method: 'DELETE', path: 'a/1', status: 423}),
          server.fault({method: 'DELETE', path: 'c', reset: true}),
        ]
        const targets = ['a/', 'a/1', 'a/2', 'b/', 'c']
        const job = await createJob(ledger, {kind: 'delete', targets, retry: ONCE}, dav)
        await runJob(ledger, job, dav)
        const all = await linesOf(ledger, job)
        const failed = await linesOf(ledger, job, {failuresOnly: true})
        expect(all).toHaveLength(5)
        expect(failed).toEqual(all.filter(({ok}) => !ok))
        for (const fault of faults) fault.remove()

        const failures = failed.filter((line) => !line.ok)
        const results = await Array.fromAsync(dav.retry(failures, 1))
        expect(results.filter(({ok}) => !ok)).toEqual([])
        expect(server.files).toEqual({})
      }),
    )

    it(
      'writes more lines than fit a page, each once',
      using(async ({ledger, server, dav}) => {
        const targets = Array.from({length: 2100}, (_, index) => `a/#${index}`)
        const job = await createJob(ledger, {kind: 'delete', targets, unitSize: 1000}, dav)
        expect(Object.keys(await verdictsOf(ledger, job))).toHaveLength(2100)
        expect((await runJob(ledger, job, dav)).failures).toBe(2100)
        expect(server.requests).toHaveLength(0)
      }),
    )

    it(
      'ends its reading early without harm',
      using(async ({ledger, dav}) => {
        const job = await createJob(ledger, {kind: 'delete', targets: ['a', '#']}, dav)
        for await (const line of exportVerdicts(ledger, job)) {
          expect(line).toContain('refused')
          break
        }
        expect(await runJob(ledger, job, dav)).toMatchObject({done: 2})
      }),
    )
  })
}
