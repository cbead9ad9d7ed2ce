/** Facts about jobs that copy, move and upload. */

import {mkdir, mkdtemp, rename, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {encodePath} from 'multistatus'
import {createJob, listJobs, retryJob, runJob} from 'multistatus/jobs'
import {describe, expect, it} from 'vitest'

import {linesOf, ONCE, sentTo, SOON, statusesOf, type Using, verdictsOf} from '../support/bench.ts'

const RETRIED = {attempts: 3, ...SOON} as const

export function describeTransferring(using: Using): void {
  describe('a copy', () => {
    it(
      'copies pairs, also of one source',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'one')
        server.put('b/2', 'two')
        const pairs = [
          {from: 'a/1', to: 'x'},
          {from: 'a/1', to: 'y'},
          {from: 'a/', to: 'z/'},
          {from: 'b/2', to: 'w'},
        ]
        const job = await createJob(ledger, {kind: 'copy', pairs}, dav)
        expect(server.requests).toHaveLength(0)
        const report = await runJob(ledger, job, dav)

        const copies = {w: 'two', x: 'one', y: 'one', 'z/1': 'one'}
        expect(server.files).toEqual({'a/1': 'one', 'b/2': 'two', ...copies})
        expect(report).toMatchObject({total: 4, successes: 4, requests: 4})
        const hrefs = (await linesOf(ledger, job)).map(({href}) => href)
        expect(hrefs.toSorted()).toEqual(['/a/', '/a/1', '/a/1', '/b/2'])
      }),
    )

    it(
      'has a Failure 412 for a destination that is there, and replaces it on demand',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'new')
        server.put('b', 'old')
        const pairs = [{from: 'a', to: 'b'}]
        const job = await createJob(ledger, {kind: 'copy', pairs}, dav)
        await runJob(ledger, job, dav)
        expect(await statusesOf(ledger, job)).toEqual({'/a': 412})
        expect(server.files).toEqual({a: 'new', b: 'old'})

        const over = await createJob(ledger, {kind: 'copy', pairs, overwrite: true}, dav)
        await runJob(ledger, over, dav)
        expect(server.files).toEqual({a: 'new', b: 'new'})
      }),
    )

    it(
      'makes the collections around a destination on demand',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        const pairs = [{from: 'a', to: 'b/c/d'}]
        const strict = await createJob(ledger, {kind: 'copy', pairs}, dav)
        await runJob(ledger, strict, dav)
        expect(await statusesOf(ledger, strict)).toEqual({'/a': 409})
        const lenient = await createJob(ledger, {kind: 'copy', pairs, parents: true}, dav)
        await runJob(ledger, lenient, dav)
        expect(server.files).toEqual({a: 'x', 'b/c/d': 'x'})
      }),
    )

    it(
      'has a Failure for an invalid pair, and the rest go on',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        const pairs = [
          {from: 'a', to: 'b'},
          {from: 'a', to: 'a'},
          {from: 'a', to: 'https://other.example/c'},
          {from: 'c#d', to: 'e'},
          {from: 'c#d', to: 'f'},
        ]
        const job = await createJob(ledger, {kind: 'copy', pairs}, dav)
        const report = await runJob(ledger, job, dav)
        expect(server.files).toEqual({a: 'x', b: 'x'})
        expect(report).toMatchObject({total: 5, successes: 1, reasons: {'refused 0': 4}})
      }),
    )
  })

  describe('the pairs of a copy or move', () => {
    const overlaps = [
      [
        'copy',
        'a destination in a source',
        [
          ['a/', 'x/'],
          ['b', 'a/b'],
        ],
        ['/a/b', '/a'],
      ],
      [
        'copy',
        'a source in a destination',
        [
          ['a', 'x'],
          ['x/b', 'c'],
        ],
        ['/x/b', '/x'],
      ],
      [
        'copy',
        'a destination in a destination',
        [
          ['a/', 'x/'],
          ['b', 'x/b'],
        ],
        ['/x/b', '/x'],
      ],
      [
        'copy',
        'a source at a destination',
        [
          ['a', 'b'],
          ['b', 'c'],
        ],
        ['/b', '/b'],
      ],
      [
        'copy',
        'two equal destinations',
        [
          ['a', 'x'],
          ['b', 'x'],
        ],
        ['/x', '/x'],
      ],
      [
        'move',
        'two equal sources',
        [
          ['a', 'x'],
          ['a', 'y'],
        ],
        ['/a', '/a'],
      ],
      [
        'move',
        'two equal sources in two spellings',
        [
          ['a', 'x'],
          ['%61', 'y'],
        ],
        ['/a', '/a'],
      ],
      [
        'move',
        'two equal destinations',
        [
          ['a', 'x'],
          ['b', 'x'],
        ],
        ['/x', '/x'],
      ],
      [
        'move',
        'a source in a source',
        [
          ['a/', 'x/'],
          ['a/b', 'y'],
        ],
        ['/a/b', '/a'],
      ],
      [
        'move',
        'a chain',
        [
          ['a', 'b'],
          ['b', 'c'],
        ],
        ['/b', '/b'],
      ],
    ] as const

    it.for(overlaps)('are refused: %s, %s', ([kind, , list, named]) =>
      using(async ({ledger, server, dav}) => {
        const pairs = [...list.map(([from, to]) => ({from, to})), {from: 'p', to: 'q'}]
        for (const unitSize of [1, 500]) {
          const error: unknown = await createJob(ledger, {kind, pairs, unitSize}, dav).catch(
            (thrown: unknown) => thrown,
          )
          expect(error).toBeInstanceOf(TypeError)
          for (const path of named) expect(String(error)).toContain(`${path} of `)
        }
        expect(await listJobs(ledger)).toEqual([])
        expect(server.requests).toHaveLength(0)
      })(),
    )

    it(
      'count once if they are equal, and may be beside one another',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'x')
        server.put('a/10', 'y')
        const pairs = [
          {from: 'a/1', to: 'b'},
          {from: 'a/1', to: 'b'},
          {from: 'a/10', to: 'bc'},
        ]
        const job = await createJob(ledger, {kind: 'move', pairs}, dav)
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({total: 2, successes: 2})
        expect(server.files).toEqual({'a/': '', b: 'x', bc: 'y'})
      }),
    )
  })

  describe('a move', () => {
    it(
      'moves pairs, and finds after a lost answer that it was done',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'one')
        server.put('b', 'two')
        server.put('c', 'three')
        server.fault({method: 'MOVE', path: 'a', reset: true, obeyed: true, times: 1})
        server.fault({method: 'MOVE', path: 'b', status: 503, times: 1})
        const pairs = ['a', 'b', 'c'].map((name) => ({from: name, to: `to-${name}`}))
        const job = await createJob(ledger, {kind: 'move', pairs, retry: RETRIED}, dav)
        const report = await runJob(ledger, job, dav)

        expect(server.files).toEqual({'to-a': 'one', 'to-b': 'two', 'to-c': 'three'})
        expect(report).toMatchObject({successes: 3, failures: 0})
        const hrefs = Object.keys(await verdictsOf(ledger, job))
        expect(hrefs.toSorted()).toEqual(['/a', '/b', '/c'])
      }),
    )

    it(
      'is in doubt if its only answer was lost',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'one')
        server.put('b', 'two')
        server.fault({method: 'MOVE', path: 'a', reset: true, obeyed: true, times: 1})
        const pairs = ['a', 'b'].map((name) => ({from: name, to: `to-${name}`}))
        const job = await createJob(ledger, {kind: 'move', pairs, retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)

        expect(report).toMatchObject({successes: 2, failures: 0, inDoubt: 1})
        expect(await linesOf(ledger, job, {failuresOnly: true})).toMatchObject([
          {href: '/a', ok: true, status: 404, inDoubt: true},
        ])
      }),
    )

    it(
      'of a missing resource is a Failure 404',
      using(async ({ledger, dav}) => {
        const pairs = [{from: 'a', to: 'b'}]
        const job = await createJob(ledger, {kind: 'move', pairs}, dav)
        await runJob(ledger, job, dav)
        expect(await statusesOf(ledger, job)).toEqual({'/a': 404})
      }),
    )
  })

  describe('a put', () => {
    const inFolder =
      (run: (folder: string) => ReturnType<Using>): (() => Promise<void>) =>
      async () => {
        const folder = await mkdtemp(join(tmpdir(), 'multistatus-put-'))
        try {
          await run(folder)()
        } finally {
          await rm(folder, {recursive: true})
        }
      }

    it(
      'uploads a folder with everything in it, under names of all kinds',
      inFolder((folder) =>
        using(async ({ledger, server, dav}) => {
          const names = [
            'a.txt',
            'sub/b.txt',
            'sub/deep/c.txt',
            '100% #1?.txt',
            'caf\u00E9 \u6587.txt',
            "it's (a) [b] {c};d=e&f,g+h@i!.txt",
            '%41.txt',
            'a b/ c',
            'a:b/c:d',
            '~tilde/"q"<>|^`.txt',
          ]
          for (const name of names) {
            await mkdir(join(folder, name, '..'), {recursive: true})
            await writeFile(join(folder, name), `content of ${name}`)
          }
          await mkdir(join(folder, 'empty'))
          const job = await createJob(ledger, {kind: 'put', folder, to: 'x/', unitSize: 2}, dav)
          expect(server.requests).toHaveLength(0)
          const report = await runJob(ledger, job, dav)

          const expected = names.map((name) => [`x/${name}`, `content of ${name}`])
          expect(server.files).toEqual({...Object.fromEntries(expected), 'x/empty/': ''})
          expect(report).toMatchObject({complete: true, failures: 0})
          const urls = (await linesOf(ledger, job)).map(({url}) => url)
          const resources = ['x/', ...server.list('x')]
          const shown = resources.map((path) => new URL(encodePath(path), server.url).href)
          expect(urls.map((url) => decodeURI(url)).toSorted()).toEqual(
            shown.map((url) => decodeURI(url)).toSorted(),
          )
          expect(report.total).toBe(resources.length)
          expect(sentTo(server, 'PUT')).toHaveLength(names.length)
        }),
      ),
    )

    it(
      'refuses symbolic links, and goes on',
      inFolder((folder) =>
        using(async ({ledger, server, dav}) => {
          await writeFile(join(folder, 'a'), 'x')
          await symlink('a', join(folder, 'link'))
          await symlink('/etc', join(folder, 'outside'))
          const job = await createJob(ledger, {kind: 'put', folder, to: ''}, dav)
          await runJob(ledger, job, dav)
          expect(server.files).toEqual({a: 'x'})
          expect(await verdictsOf(ledger, job)).toMatchObject({
            '/a': {ok: true},
            '/link': {ok: false, reason: 'refused'},
            '/outside': {ok: false, reason: 'refused'},
          })
        }),
      ),
    )

    it(
      'goes on in collections that are there, and replaces files',
      inFolder((folder) =>
        using(async ({ledger, server, dav}) => {
          await mkdir(join(folder, 'sub'))
          await writeFile(join(folder, 'sub', 'a'), 'new')
          server.put('x/sub/a', 'old')
          server.put('x/sub/b', 'kept')
          // The question if the collection is there breaks once too.
          server.fault({method: 'PROPFIND', reset: true, times: 1})
          const options = {kind: 'put', folder, to: 'x/', retry: RETRIED} as const
          const job = await createJob(ledger, options, dav)
          const report = await runJob(ledger, job, dav)
          expect(server.files).toEqual({'x/sub/a': 'new', 'x/sub/b': 'kept'})
          expect(report).toMatchObject({total: 3, successes: 3, failures: 0})
        }),
      ),
    )

    it(
      'has Failures for a file in the place of a collection, and for what is below',
      inFolder((folder) =>
        using(async ({ledger, server, dav}) => {
          await mkdir(join(folder, 'sub'))
          await writeFile(join(folder, 'sub', 'a'), 'x')
          await writeFile(join(folder, 'b'), 'x')
          server.put('x/sub', 'a file')
          const job = await createJob(ledger, {kind: 'put', folder, to: 'x/', retry: ONCE}, dav)
          await runJob(ledger, job, dav)
          expect(server.files).toEqual({'x/sub': 'a file', 'x/b': 'x'})
          expect(await verdictsOf(ledger, job)).toMatchObject({
            '/x/': {ok: true},
            '/x/b': {ok: true},
            '/x/sub/': {ok: false, status: 405},
            '/x/sub/a': {ok: false},
          })
        }),
      ),
    )

    it(
      'with create has a Failure 412 for a file that is there',
      inFolder((folder) =>
        using(async ({ledger, server, dav}) => {
          await writeFile(join(folder, 'a'), 'new')
          await writeFile(join(folder, 'b'), 'new')
          server.put('a', 'old')
          server.fault({method: 'PUT', path: 'b', reset: true, obeyed: true, times: 1})
          const options = {kind: 'put', folder, to: '', create: true, retry: RETRIED} as const
          const job = await createJob(ledger, options, dav)
          await runJob(ledger, job, dav)
          expect(server.files).toEqual({a: 'old', b: 'new'})
          // After the lost answer the file that is there may be its own.
          expect(await verdictsOf(ledger, job)).toMatchObject({
            '/a': {ok: false, status: 412},
            '/b': {ok: false, status: 0, reason: 'no-answer'},
          })
        }),
      ),
    )

    it(
      'has a Failure for a local file that went away, and the rest go on',
      inFolder((folder) =>
        using(async ({ledger, server, dav}) => {
          for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), name)
          const job = await createJob(ledger, {kind: 'put', folder, to: '', retry: RETRIED}, dav)
          await rm(join(folder, 'b'))
          const report = await runJob(ledger, job, dav)
          expect(server.files).toEqual({a: 'a', c: 'c'})
          expect(report).toMatchObject({state: 'done', successes: 2, failures: 1})
          const {'/b': found} = await verdictsOf(ledger, job)
          expect(found).toMatchObject({ok: false, status: 0})
          expect(found?.description).toContain('ENOENT')
        }),
      ),
    )

    it(
      'sends files again whose folder was away for a moment, on demand',
      inFolder((folder) =>
        using(async ({ledger, server, dav}) => {
          const local = join(folder, 'disk')
          await mkdir(local)
          for (const name of ['a', 'b']) await writeFile(join(local, name), name)
          await symlink('a', join(local, 'link'))
          const job = await createJob(ledger, {kind: 'put', folder: local, to: ''}, dav)
          await rename(local, join(folder, 'away'))
          expect(await runJob(ledger, job, dav)).toMatchObject({reasons: {'refused 0': 3}})
          const [lost] = await linesOf(ledger, job)
          expect(lost).toMatchObject({reason: 'refused', request: {method: 'PUT', attempts: 0}})
          await rename(join(folder, 'away'), local)
          // A symbolic link is refused for good.
          expect(await retryJob(ledger, job)).toBe(2)
          const report = await runJob(ledger, job, dav)
          expect(report).toMatchObject({successes: 2, reasons: {'refused 0': 1}})
          expect(server.files).toEqual({a: 'a', b: 'b'})
        }),
      ),
    )

    it(
      'sends the content of a file as it is when it is sent, and again after a failure',
      inFolder((folder) =>
        using(async ({ledger, server, dav}) => {
          await writeFile(join(folder, 'a'), 'old')
          const fault = server.fault({method: 'PUT', path: 'a', status: 507})
          const options = {kind: 'put', folder, to: '', retry: ONCE, verify: true} as const
          const job = await createJob(ledger, options, dav)
          await runJob(ledger, job, dav)
          expect(await statusesOf(ledger, job)).toEqual({'/a': 507})
          fault.remove()
          await writeFile(join(folder, 'a'), 'changed')
          await retryJob(ledger, job)
          await runJob(ledger, job, dav)
          expect(server.files).toEqual({a: 'changed'})
        }),
      ),
    )

    it(
      'refuses a folder that is none',
      using(async ({ledger, dav}) => {
        const folder = join(tmpdir(), 'multistatus-nowhere')
        await expect(createJob(ledger, {kind: 'put', folder, to: ''}, dav)).rejects.toThrow(
          'is no folder that can be read',
        )
      }),
    )
  })
}
