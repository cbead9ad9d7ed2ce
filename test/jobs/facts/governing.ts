/** Facts about the calls around a job: to create, inspect, cancel, remove and measure it. */

import {DavClient, members} from 'multistatus'
import {
  cancelJob,
  createJob,
  exportVerdicts,
  inspectJob,
  listJobs,
  removeJob,
  retryJob,
  runJob,
  type JobOptions,
} from 'multistatus/jobs'
import {describe, expect, it} from 'vitest'

import {clientOf, fill, ONCE, sentTo, type Using, verdictsOf} from '../support/bench.ts'

const FAILED = 'the source has failed'

function* broken(targets: readonly string[]): Generator<string> {
  yield* targets
  throw new Error(FAILED)
}

export function describeGoverning(using: Using): void {
  describe('cancelJob', () => {
    it(
      'ends the work, and retryJob lets it go on',
      using(async ({ledger, store, server, dav}) => {
        const targets = fill(server, 'a/', 40)
        const {id} = await createJob(ledger, {kind: 'delete', targets, unitSize: 2}, dav)
        await using other = await store.open()
        const client = new DavClient({
          url: server.url,
          async transport(request) {
            if (server.requests.length === 10) await cancelJob(other, id)
            return server.transport(request)
          },
        })
        const report = await runJob(ledger, id, client, {concurrency: 2})

        const sent = sentTo(server, 'DELETE')
        expect(report).toMatchObject({state: 'cancelled', complete: false, total: 40})
        expect(report.done).toBe(sent.length)
        expect(report.ended).toBeInstanceOf(Date)
        expect(sent.length).toBeLessThan(40)
        expect(Object.keys(await verdictsOf(ledger, id))).toHaveLength(sent.length)
        // A cancelled job has nothing to do.
        expect(await runJob(ledger, id, dav)).toMatchObject({state: 'cancelled'})
        expect(sentTo(server, 'DELETE')).toHaveLength(sent.length)

        expect(await retryJob(ledger, id)).toBe(0)
        expect(await inspectJob(ledger, id)).not.toHaveProperty('ended')
        const again = await runJob(ledger, id, dav)
        expect(again).toMatchObject({state: 'done', done: 40, successes: 40, inDoubt: 0})
        expect(new Set(sentTo(server, 'DELETE')).size).toBe(40)
        expect(sentTo(server, 'DELETE')).toHaveLength(40)
      }),
    )

    it(
      'leaves a finished job as it is, and refuses one that is not whole',
      using(async ({ledger, dav}) => {
        const job = await createJob(ledger, {kind: 'delete', targets: ['a']}, dav)
        await runJob(ledger, job, dav)
        await cancelJob(ledger, job)
        expect((await inspectJob(ledger, job)).state).toBe('done')
        const options = {kind: 'delete', id: 'half', targets: broken(['a'])} as const
        await expect(createJob(ledger, options, dav)).rejects.toThrow(FAILED)
        await expect(cancelJob(ledger, 'half')).rejects.toMatchObject({reason: 'state'})
        await expect(retryJob(ledger, 'half')).rejects.toMatchObject({reason: 'state'})
        await removeJob(ledger, 'half')
        await expect(inspectJob(ledger, 'half')).rejects.toMatchObject({reason: 'missing'})
      }),
    )
  })

  describe('removeJob', () => {
    it(
      'removes everything of one job, and nothing of another',
      using(async ({ledger, server, dav}) => {
        server.put('a/b/1', 'x')
        const jobs: JobOptions[] = [
          {kind: 'list', id: 'list', tree: 'a/'},
          {kind: 'diff', id: 'diff', before: {tree: 'a/'}, after: {tree: 'a/b/'}},
          {kind: 'copy', id: 'copy', pairs: [{from: 'a/b/1', to: 'c'}]},
          {kind: 'delete', id: 'delete', tree: 'a/b/'},
        ]
        const texts = new Map<string, string>()
        for (const options of jobs) {
          const job = await createJob(ledger, options, dav)
          await runJob(ledger, job, dav)
          texts.set(job.id, (await Array.fromAsync(exportVerdicts(ledger, job))).join(''))
        }
        await removeJob(ledger, 'list')
        await removeJob(ledger, 'copy')
        expect((await listJobs(ledger)).map(({id}) => id).toSorted()).toEqual(['delete', 'diff'])
        for (const id of ['diff', 'delete']) {
          const text = (await Array.fromAsync(exportVerdicts(ledger, id))).join('')
          expect(text).toBe(texts.get(id))
          expect(text).not.toBe('')
        }
        // The name is free again.
        await createJob(ledger, {kind: 'delete', id: 'list', targets: ['x']}, dav)
      }),
    )

    it(
      'refuses an open job',
      using(async ({ledger, dav}) => {
        const job = await createJob(ledger, {kind: 'delete', targets: ['a']}, dav)
        const error = {name: 'LedgerError', reason: 'state'}
        await expect(removeJob(ledger, job)).rejects.toMatchObject(error)
        await expect(retryJob(ledger, job)).rejects.toMatchObject(error)
        await cancelJob(ledger, job)
        await removeJob(ledger, job)
        expect(await listJobs(ledger)).toEqual([])
      }),
    )
  })

  describe('inspectJob and listJobs', () => {
    it(
      'tell of a job before, and after it ended',
      using(async ({ledger, server, dav}) => {
        for (const name of ['a', 'b', 'c']) server.put(name, 'x')
        server.fault({method: 'DELETE', path: 'b', status: 423})
        server.fault({method: 'DELETE', path: 'c', status: 403})
        const targets = ['a', 'b', 'c', 'gone', 'https://other.example/']
        const options = {kind: 'delete', id: 'nightly', targets, retry: ONCE} as const
        const job = await createJob(ledger, options, dav)
        expect(job).toEqual({id: 'nightly', kind: 'delete'})
        const open = await inspectJob(ledger, 'nightly')
        expect(open).toMatchObject({...job, state: 'open', total: 5, done: 1, failures: 1})
        expect(open).toMatchObject({complete: false, workers: [], rate: 0, requests: 0})
        expect(open).not.toHaveProperty('ended')

        await runJob(ledger, job, dav, {name: 'first'})
        const done = await inspectJob(ledger, job)
        expect(done).toMatchObject({
          state: 'done',
          total: 5,
          done: 5,
          successes: 1,
          failures: 4,
          inDoubt: 0,
          reasons: {'refused 0': 1, 'status 403': 1, 'status 404': 1, 'status 423': 1},
          requests: server.requests.length,
          resources: 0,
          listings: 0,
          differences: {},
          complete: true,
          incomplete: [],
          setAside: 0,
          cooldown: 0,
          workers: [{name: 'first', pid: process.pid, done: 4, isLive: true}],
        })
        expect(done.created).toBeInstanceOf(Date)
        expect(done.ended?.getTime()).toBeGreaterThanOrEqual(done.created.getTime())
        const second = await createJob(ledger, {kind: 'list', tree: ''}, dav)
        expect(await listJobs(ledger)).toMatchObject([
          {...job, state: 'done', url: server.url, created: done.created},
          {...second, state: 'open', url: server.url},
        ])
      }),
    )
  })

  describe('createJob', () => {
    it(
      'continues with the same id where its targets broke off',
      using(async ({ledger, server, dav}) => {
        const targets = fill(server, 'a/', 30)
        const options = {kind: 'delete', id: 'nightly', unitSize: 4} as const
        await expect(
          createJob(ledger, {...options, targets: broken(targets.slice(0, 20))}, dav),
        ).rejects.toThrow(FAILED)
        const half = await inspectJob(ledger, 'nightly')
        expect(half.state).toBe('filling')
        expect(half).not.toHaveProperty('total')
        await expect(runJob(ledger, 'nightly', dav)).rejects.toMatchObject({
          name: 'LedgerError',
          reason: 'state',
        })

        await createJob(ledger, {...options, targets}, dav)
        // Once more, as after an answer that was lost.
        await createJob(ledger, {...options, targets}, dav)
        const report = await runJob(ledger, 'nightly', dav)
        expect(report).toMatchObject({total: 30, successes: 30, failures: 0})
        expect(sentTo(server, 'DELETE')).toHaveLength(30)
        expect(server.files).toEqual({'a/': ''})
      }),
    )

    it(
      'refuses a known id with other options',
      using(async ({ledger, server, dav}) => {
        const pairs = [{from: 'a', to: 'b'}]
        const targets = ['a']
        const folder = import.meta.dirname
        const known: readonly (readonly [JobOptions, object])[] = [
          [{kind: 'delete', targets}, {ifMissing: 'success'}],
          [{kind: 'delete', targets}, {verify: true}],
          [{kind: 'delete', targets}, {unguarded: true}],
          [{kind: 'delete', targets}, {ifUnchanged: true}],
          [{kind: 'delete', targets}, {unitSize: 7}],
          [{kind: 'delete', targets}, {retry: {attempts: 2}}],
          [{kind: 'delete', tree: 'a/'}, {tree: 'b/'}],
          [{kind: 'list', tree: 'a/'}, {properties: ['getetag']}],
          [{kind: 'copy', pairs}, {kind: 'move'}],
          [{kind: 'copy', pairs}, {overwrite: true}],
          [{kind: 'copy', pairs}, {parents: true}],
          [{kind: 'put', folder, to: 'a/'}, {create: true}],
          [{kind: 'put', folder, to: 'a/'}, {to: 'b/'}],
        ]
        for (const [index, [options, other]] of known.entries()) {
          const id = `job-${index}`
          await createJob(ledger, {...options, id}, dav)
          await createJob(ledger, {...options, id}, dav)
          const again = {...options, id, ...other} as JobOptions
          await expect(createJob(ledger, again, dav)).rejects.toMatchObject({
            name: 'LedgerError',
            reason: 'state',
          })
        }
        const elsewhere = new DavClient({url: `${server.url}x/`, transport: server.transport})
        await expect(
          createJob(ledger, {kind: 'delete', targets, id: 'job-0'}, elsewhere),
        ).rejects.toMatchObject({reason: 'state'})
      }),
    )

    it(
      'of two processes at once makes one job',
      using(async ({ledger, store, server, dav}) => {
        const targets = fill(server, 'a/', 30)
        const options = {kind: 'delete', id: 'nightly', targets, unitSize: 4} as const
        await using other = await store.open()
        await Promise.all([createJob(ledger, options, dav), createJob(other, options, dav)])
        const report = await runJob(ledger, 'nightly', dav)
        expect(report).toMatchObject({total: 30, successes: 30})
        expect(sentTo(server, 'DELETE')).toHaveLength(30)
      }),
    )

    it(
      'names what is wrong with its arguments, and stores nothing',
      using(async ({ledger, dav}) => {
        const targets = ['a']
        const wrong: readonly (readonly [unknown, string])[] = [
          [{kind: 'delete', targets, ifUnchangd: true}, 'ifUnchanged'],
          [{kind: 'delete', targets, retry: {atempts: 2}}, 'attempts'],
          [{kind: 'delete'}, 'targets'],
          [{kind: 'delete', targets, tree: 'a/'}, 'tree'],
          [{kind: 'delete', targets: 'a'}, 'iterable'],
          [{kind: 'delete', tree: 'a/', ifUnchanged: true}, 'ifUnchanged'],
          [{kind: 'remove', targets}, 'delete'],
          [undefined, 'kind'],
          [{kind: 'delete', targets, id: 'a b'}, 'id'],
          [{kind: 'delete', targets, unitSize: 0}, 'unitSize'],
          [{kind: 'delete', targets, unitSize: 1001}, 'unitSize'],
          [{kind: 'delete', targets, retry: {attempts: 0}}, 'attempts'],
          [{kind: 'delete', targets, retry: {minDelay: 2, maxDelay: 1}}, 'maxDelay'],
          [{kind: 'list', tree: 'a/', properties: []}, 'properties'],
          [{kind: 'list', tree: 'https://other.example/'}, 'other.example'],
          [{kind: 'list'}, 'createJob: tree: '],
          [{kind: 'delete', tree: 5}, 'createJob: tree: '],
          [{kind: 'diff', before: {tree: null}, after: {tree: 'a/'}}, 'createJob: tree: '],
          [{kind: 'put', folder: '.'}, 'createJob: to: '],
          [{kind: 'put', to: 'a/'}, 'createJob: folder '],
          [{kind: 'put', folder: '', to: 'a/'}, 'createJob: folder '],
          [{kind: 'copy', pairs: {from: 'a', to: 'b'}}, 'iterable'],
        ]
        for (const [options, words] of wrong) {
          const error: unknown = await createJob(ledger, options as JobOptions, dav).catch(
            (thrown: unknown) => thrown,
          )
          expect(error).toSatisfy((one) => one instanceof TypeError || one instanceof RangeError)
          expect(String(error)).toContain(words)
        }
        expect(await listJobs(ledger)).toEqual([])
        await expect(
          createJob({kind: 'sqlite'} as never, {kind: 'delete', targets}, dav),
        ).rejects.toThrow(/sqliteLedger/)
      }),
    )
  })

  describe('runJob', () => {
    it(
      'names what is wrong with its arguments',
      using(async ({ledger, server, dav}) => {
        const job = await createJob(ledger, {kind: 'delete', targets: ['a']}, dav)
        await expect(runJob(ledger, job, dav, {concurency: 1} as never)).rejects.toThrow(
          /concurrency/,
        )
        for (const options of [{concurrency: 0}, {lease: 999}, {lease: 1000.5}])
          await expect(runJob(ledger, job, dav, options)).rejects.toThrow(RangeError)
        const elsewhere = new DavClient({url: `${server.url}x/`, transport: server.transport})
        await expect(runJob(ledger, job, elsewhere)).rejects.toThrow(TypeError)
        expect(server.requests).toHaveLength(0)
      }),
    )

    it(
      'and all other calls tell of a missing job',
      using(async ({ledger, dav}) => {
        const calls = [
          () => runJob(ledger, 'none', dav),
          () => inspectJob(ledger, 'none'),
          () => retryJob(ledger, 'none'),
          () => cancelJob(ledger, 'none'),
          () => removeJob(ledger, {id: 'none', kind: 'list'}),
          () => Array.fromAsync(exportVerdicts(ledger, 'none')),
        ]
        for (const call of calls)
          await expect(call()).rejects.toMatchObject({
            name: 'LedgerError',
            reason: 'missing',
            message: expect.stringContaining('none'),
          })
      }),
    )

    it(
      'refuses a job that retryJob has not opened yet',
      using(async ({ledger, store, server, dav}) => {
        server.put('a', 'x')
        const job = await createJob(ledger, {kind: 'delete', id: 'night', targets: ['a']}, dav)
        // As a call of retryJob leaves it that was interrupted.
        await store.run("update job set state = 'reopening'")
        await expect(runJob(ledger, job, dav)).rejects.toMatchObject({
          name: 'LedgerError',
          reason: 'state',
          message: expect.stringContaining('retryJob is at work on the job night'),
        })
        await retryJob(ledger, job)
        expect(await runJob(ledger, job, dav)).toMatchObject({state: 'done', successes: 1})
      }),
    )

    it(
      'of a finished job reports, and sends nothing',
      using(async ({ledger, server, dav}) => {
        const listing = members(dav.propfind('', {depth: 1}))
        const job = await createJob(ledger, {kind: 'delete', targets: listing}, dav)
        await runJob(ledger, job, dav)
        server.forget()
        expect(await runJob(ledger, job, dav)).toMatchObject({state: 'done', total: 0, done: 0})
        expect(server.requests).toHaveLength(0)
      }),
    )

    it(
      'and all other calls tell that the ledger was closed',
      using(async ({store, dav}) => {
        const own = await store.open()
        const job = await createJob(own, {kind: 'delete', targets: ['a']}, dav)
        await own.close()
        await own.close()
        const closed = {name: 'LedgerError', reason: 'closed'}
        await expect(runJob(own, job, dav)).rejects.toMatchObject(closed)
        await expect(inspectJob(own, job)).rejects.toMatchObject(closed)
        await using other = await store.open()
        expect(await runJob(other, job, dav)).toMatchObject({done: 1})
      }),
    )
  })

  describe('a client that a ledger is shared with', () => {
    it(
      'works on one job while another client works on another one',
      using(async ({ledger, server, dav}) => {
        const [one, two] = [fill(server, 'a/', 10), fill(server, 'b/', 10)]
        const jobs = [
          await createJob(ledger, {kind: 'delete', targets: one}, dav),
          await createJob(ledger, {kind: 'delete', targets: two}, dav),
        ]
        const reports = await Promise.all(jobs.map((job) => runJob(ledger, job, clientOf(server))))
        for (const report of reports) expect(report).toMatchObject({total: 10, successes: 10})
      }),
    )
  })
}
