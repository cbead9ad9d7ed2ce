/** Facts about jobs that delete. */

import {members} from 'multistatus'
import {createJob, retryJob, runJob} from 'multistatus/jobs'
import {describe, expect, it} from 'vitest'

import {
  fill,
  linesOf,
  ONCE,
  sentTo,
  SOON,
  statusesOf,
  type Using,
  verdictsOf,
} from '../support/bench.ts'

export function describeDeleting(using: Using): void {
  describe('a delete of targets', () => {
    it(
      'takes strings, URLs and results',
      using(async ({ledger, server, dav}) => {
        for (const name of ['a', 'b', 'c', 'kept']) server.put(name, 'x')
        const result = await dav.stat('c')
        const targets = ['a', new URL('b', server.url), result]

        const job = await createJob(ledger, {kind: 'delete', targets}, dav)
        expect(server.requests).toHaveLength(1)
        const report = await runJob(ledger, job, dav)

        expect(server.files).toEqual({kept: 'x'})
        expect(await statusesOf(ledger, job)).toEqual({'/a': 204, '/b': 204, '/c': 204})
        expect(report).toMatchObject({total: 3, done: 3, successes: 3, failures: 0, requests: 3})
      }),
    )

    it(
      'takes the stream of a listing, and sends members before their collections',
      using(async ({ledger, server, dav}) => {
        server.put('a/b/1', 'x')
        server.put('a/2', 'x')
        server.put('a/c/')
        const targets = members(dav.propfind('a/', {depth: {walk: true}}))

        const job = await createJob(ledger, {kind: 'delete', targets}, dav)
        const report = await runJob(ledger, job, dav)

        expect(server.files).toEqual({'a/': ''})
        const sent = sentTo(server, 'DELETE')
        expect(sent.toSorted()).toEqual(['a/2', 'a/b', 'a/b/1', 'a/c'])
        expect(sent.indexOf('a/b')).toBeGreaterThan(sent.indexOf('a/b/1'))
        expect(report).toMatchObject({state: 'done', complete: true, total: 4})
      }),
    )

    it(
      'has one verdict for duplicates and for two spellings',
      using(async ({ledger, server, dav}) => {
        server.put('caf\u00E9 1', 'x')
        server.put('b', 'x')
        const targets = ['b', 'b', 'caf%C3%A9%201', '%63af%c3%a9%201', new URL('b', server.url)]

        const job = await createJob(ledger, {kind: 'delete', targets}, dav)
        const report = await runJob(ledger, job, dav)

        expect(sentTo(server, 'DELETE').toSorted()).toEqual(['b', 'caf\u00E9 1'])
        expect(await statusesOf(ledger, job)).toEqual({'/b': 204, '/caf%C3%A9%201': 204})
        expect(report.total).toBe(2)
      }),
    )

    it(
      'has a Failure `refused` for each invalid target, and the rest go on',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        server.put('b', 'x')
        const targets = [
          'a',
          'c#d',
          '100%',
          '',
          new URL('https://other.example/1'),
          new URL('https://other.example/2'),
          'https://other.example/3',
          {url: 'https://other.example/4'},
          'b',
        ]

        const job = await createJob(ledger, {kind: 'delete', targets}, dav)
        const report = await runJob(ledger, job, dav)

        expect(sentTo(server, 'DELETE').toSorted()).toEqual(['a', 'b'])
        const lines = await linesOf(ledger, job)
        const refused = lines.filter((line) => !line.ok)
        expect(refused.map((line) => line.url).toSorted()).toEqual(
          [
            `${server.url}c%23d`,
            `${server.url}100%25`,
            server.url,
            ...[1, 2, 3, 4].map((number) => `https://other.example/${number}`),
          ].toSorted(),
        )
        expect(refused.every((line) => !line.ok && line.reason === 'refused')).toBe(true)
        expect(report).toMatchObject({total: 9, successes: 2, failures: 7})
        expect(report.reasons).toEqual({'refused 0': 7})
      }),
    )

    it(
      'has a Failure for each value that names nothing, also after its creation broke off',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        const targets = [null, undefined, 42, 43, {}, 'a', 'c#d', 'c#d'] as never[]
        const options = {kind: 'delete', id: 'night', unitSize: 2} as const
        function* broken(): Generator<never> {
          yield* targets.slice(0, 4)
          throw new Error('the source has failed')
        }
        await expect(createJob(ledger, {...options, targets: broken()}, dav)).rejects.toThrow()
        await createJob(ledger, {...options, targets}, dav)
        const report = await runJob(ledger, 'night', dav)
        expect(report).toMatchObject({total: 7, successes: 1, reasons: {'refused 0': 6}})
      }),
    )

    it(
      'has a Failure 404 for a missing target by default, and a Success on demand',
      using(async ({ledger, server, dav}) => {
        const targets = ['gone']
        const strict = await createJob(ledger, {kind: 'delete', targets}, dav)
        const lenient = await createJob(
          ledger,
          {kind: 'delete', targets, ifMissing: 'success'},
          dav,
        )
        await runJob(ledger, strict, dav)
        await runJob(ledger, lenient, dav)

        expect(await verdictsOf(ledger, strict)).toMatchObject({'/gone': {ok: false, status: 404}})
        const {'/gone': found} = await verdictsOf(ledger, lenient)
        expect(found).toMatchObject({ok: true, status: 404})
        // It was sent once, so nobody else's request is in question.
        expect(found).not.toHaveProperty('inDoubt')
        expect(server.requests).toHaveLength(2)
      }),
    )

    it(
      'deletes with ifUnchanged only what still has its ETag',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'x')
        server.put('a/2', 'x')
        const targets = members(dav.propfind('a/', {depth: 1}))
        const job = await createJob(ledger, {kind: 'delete', targets, ifUnchanged: true}, dav)
        server.put('a/2', 'changed')
        await runJob(ledger, job, dav)

        expect(server.files).toEqual({'a/2': 'changed'})
        expect(await statusesOf(ledger, job)).toEqual({'/a/1': 204, '/a/2': 412})
      }),
    )

    it(
      'finds with verify what a server did not delete',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        server.put('b', 'x')
        server.fault({method: 'DELETE', path: 'a', lie: true})
        const options = {kind: 'delete', targets: ['a', 'b'], verify: true, retry: ONCE} as const
        const job = await createJob(ledger, options, dav)
        await runJob(ledger, job, dav)

        const verdicts = await verdictsOf(ledger, job)
        expect(verdicts['/a']).toMatchObject({ok: false})
        expect(verdicts['/b']).toMatchObject({ok: true})
        expect(server.files).toEqual({a: 'x'})
      }),
    )

    it(
      'is incomplete if the listing of its targets was',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'x')
        server.put('a/b/2', 'x')
        server.fault({method: 'PROPFIND', path: 'a/b', status: 403})
        const targets = members(dav.propfind('a/', {depth: {walk: true}}))
        const job = await createJob(ledger, {kind: 'delete', targets}, dav)
        const report = await runJob(ledger, job, dav)

        expect(report).toMatchObject({state: 'done', complete: false})
        expect(report.incomplete).toMatchObject([{href: expect.stringContaining('/a/b')}])
      }),
    )

    it(
      'keeps a collection for a target in it that was not deleted',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'x')
        server.put('b/1', 'x')
        server.fault({method: 'DELETE', path: 'a/1', status: 403})
        const job = await createJob(ledger, {kind: 'delete', targets: ['a/', 'a/1', 'b/']}, dav)
        await runJob(ledger, job, dav)

        expect(sentTo(server, 'DELETE').toSorted()).toEqual(['a/1', 'b'])
        const statuses = {'/a/': 424, '/a/1': 403, '/b/': 204}
        expect(await statusesOf(ledger, job)).toEqual(statuses)
      }),
    )
  })

  describe('a delete of a tree', () => {
    it(
      'deletes members before their collections, and the root last',
      using(async ({ledger, server, dav}) => {
        fill(server, 'a/b/c/', 5)
        fill(server, 'a/d/', 5)
        fill(server, 'a/', 5)
        server.put('a/empty/')
        server.put('kept', 'x')
        const everything = server.list('a').map((path) => `${server.url}${path}`)

        const job = await createJob(ledger, {kind: 'delete', tree: 'a/', unitSize: 2}, dav)
        expect(server.requests).toHaveLength(0)
        const report = await runJob(ledger, job, dav)

        expect(server.files).toEqual({kept: 'x'})
        const sent = sentTo(server, 'DELETE')
        for (const [index, path] of sent.entries())
          expect(sent.slice(0, index).filter((one) => path.startsWith(`${one}/`))).toEqual([])
        expect(sent.at(-1)).toBe('a')
        const urls = (await linesOf(ledger, job)).map(({url}) => url)
        expect(urls.toSorted()).toEqual([...everything, `${server.url}a/`].toSorted())
        expect(sent).toHaveLength(urls.length)
        const total = urls.length
        expect(report).toMatchObject({complete: true, total, successes: total, failures: 0})
      }),
    )

    it(
      'keeps the collections around a failed member, until a retry deletes it',
      using(async ({ledger, server, dav}) => {
        for (const path of ['a/b/x', 'a/b/y', 'a/c/z', 'a/w']) server.put(path, 'x')
        const fault = server.fault({method: 'DELETE', path: 'a/b/x', status: 423})
        const job = await createJob(ledger, {kind: 'delete', tree: 'a/', retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)

        expect(server.files).toEqual({'a/b/x': 'x'})
        expect(await verdictsOf(ledger, job)).toMatchObject({
          '/a/': {ok: false, status: 424, reason: 'member'},
          '/a/b/': {ok: false, status: 424, reason: 'member'},
          '/a/b/x': {ok: false, status: 423, reason: 'status'},
          '/a/b/y': {ok: true},
          '/a/c/': {ok: true},
          '/a/c/z': {ok: true},
          '/a/w': {ok: true},
        })
        expect(report.reasons).toEqual({'member 424': 2, 'status 423': 1})

        fault.remove()
        server.forget()
        expect(await retryJob(ledger, job)).toBe(3)
        const again = await runJob(ledger, job, dav)

        expect(sentTo(server, 'DELETE')).toEqual(['a/b/x', 'a/b', 'a'])
        expect(server.files).toEqual({})
        expect(again).toMatchObject({total: 7, successes: 7, failures: 0, reasons: {}})
        expect(Object.keys(await verdictsOf(ledger, job))).toHaveLength(7)
      }),
    )

    it(
      'keeps them on a retry too, if another member fails for good',
      using(async ({ledger, server, dav}) => {
        for (const path of ['a/b/x', 'a/b/y', 'a/c/z']) server.put(path, 'x')
        server.fault({method: 'DELETE', path: 'a/b/x', status: 403})
        const passing = server.fault({method: 'DELETE', path: 'a/c/z', status: 500})
        const job = await createJob(ledger, {kind: 'delete', tree: 'a/', retry: ONCE}, dav)
        await runJob(ledger, job, dav)
        passing.remove()
        await retryJob(ledger, job)
        await runJob(ledger, job, dav)

        expect(server.files).toEqual({'a/b/x': 'x'})
        expect(await statusesOf(ledger, job)).toEqual({
          '/a/': 424,
          '/a/b/': 424,
          '/a/b/x': 403,
          '/a/b/y': 204,
          '/a/c/': 204,
          '/a/c/z': 204,
        })
      }),
    )

    it(
      'counts a member that vanished as deleted',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'x')
        server.put('a/2', 'x')
        server.fault({method: 'DELETE', path: 'a/1', meanwhile: () => server.remove('a/1')})
        const job = await createJob(ledger, {kind: 'delete', tree: 'a/'}, dav)
        const report = await runJob(ledger, job, dav)

        expect(report).toMatchObject({successes: 3, failures: 0, inDoubt: 0})
        expect(await verdictsOf(ledger, job)).toMatchObject({'/a/1': {ok: true, status: 404}})
        expect(server.files).toEqual({})
      }),
    )

    it(
      'keeps a member that the guards refuse, and the collections around it',
      using(async ({ledger, server, dav}) => {
        server.put('a/b/odd\u0001', 'x')
        server.put('a/1', 'x')
        const job = await createJob(ledger, {kind: 'delete', tree: 'a/'}, dav)
        await runJob(ledger, job, dav)

        expect(server.files).toEqual({'a/b/odd\u0001': 'x'})
        expect(await verdictsOf(ledger, job)).toMatchObject({
          '/a/b/odd%01': {ok: false, reason: 'refused'},
          '/a/b/': {ok: false, status: 424},
          '/a/': {ok: false, status: 424},
          '/a/1': {ok: true},
        })

        const options = {kind: 'delete', tree: 'a/', unguarded: true} as const
        await runJob(ledger, await createJob(ledger, options, dav), dav)
        expect(server.files).toEqual({})
      }),
    )

    it(
      'refuses the own collection of the client, and one outside it',
      using(async ({ledger, dav}) => {
        for (const tree of ['', '/', 'https://other.example/a/'])
          await expect(createJob(ledger, {kind: 'delete', tree}, dav)).rejects.toThrow(TypeError)
      }),
    )

    it(
      'knows members of a 207 that a collection was answered with',
      using(async ({ledger, server, dav}) => {
        server.put('a/b/1', 'x')
        server.fault({method: 'DELETE', path: 'a/b/1', status: 423})
        const options = {kind: 'delete', targets: ['a/b/'], retry: {attempts: 2, ...SOON}} as const
        const job = await createJob(ledger, options, dav)
        await runJob(ledger, job, dav)

        expect(server.files).toEqual({'a/b/1': 'x'})
        expect(await verdictsOf(ledger, job)).toMatchObject({
          '/a/b/': {ok: false, status: 424, members: [{href: '/a/b/1', status: 423}]},
        })
      }),
    )
  })
}
