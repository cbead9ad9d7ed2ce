/** Facts about jobs that compare two trees. */

import {SyncState} from 'multistatus'
import {
  createJob,
  exportVerdicts,
  type Job,
  type Ledger,
  removeJob,
  retryJob,
  runJob,
} from 'multistatus/jobs'
import {fakeServer, type FakeServer} from 'multistatus/testing'
import {describe, expect, it} from 'vitest'

import {clientOf, ONCE, type Using} from '../support/bench.ts'

interface Difference {
  readonly path: string
  readonly change: string
  readonly before?: unknown
  readonly after?: unknown
}

async function differencesOf(ledger: Ledger, job: Job): Promise<readonly Difference[]> {
  const lines = await Array.fromAsync(exportVerdicts(ledger, job))
  return lines.map((line): Difference => JSON.parse(line))
}

async function changesOf(ledger: Ledger, job: Job): Promise<Readonly<Record<string, string>>> {
  const differences = await differencesOf(ledger, job)
  const changes = Object.fromEntries(differences.map(({path, change}) => [path, change]))
  expect(Object.keys(changes)).toHaveLength(differences.length)
  return changes
}

/** Changes a tree in each way. */
function rearrange(server: FakeServer, root: string): Readonly<Record<string, string>> {
  server.put(`${root}changed`, 'another length')
  server.remove(`${root}removed`)
  server.remove(`${root}gone/`)
  server.put(`${root}new/file`, 'x')
  server.remove(`${root}file`)
  server.put(`${root}file/member`, 'x')
  server.remove(`${root}collection/`)
  server.put(`${root}collection`, 'x')
  return {
    changed: 'changed',
    removed: 'removed',
    'gone/': 'removed',
    'gone/1': 'removed',
    'new/': 'created',
    'new/file': 'created',
    'file/': 'changed',
    'file/member': 'created',
    collection: 'changed',
    'collection/member': 'removed',
  }
}

function build(server: FakeServer, root: string): void {
  for (const path of [
    'same',
    'changed',
    'removed',
    'gone/1',
    'file',
    'collection/member',
    'kept/a:b',
  ])
    server.put(root + path, 'x')
}

export function describeComparing(using: Using): void {
  describe('a diff', () => {
    it(
      'compares paths and names of any length, and names them whole',
      using(async ({ledger, server, dav}) => {
        const deep = Array.from({length: 13}, () => 'd'.repeat(200)).join('/')
        const long = 'n'.repeat(2500)
        for (const root of ['a/', 'b/'])
          for (const path of [`${deep}/same`, `${deep}/kept/1`, long]) server.put(root + path, 'x')
        server.put(`a/${deep}/removed`, 'x')
        server.put(`a/${deep}/gone/1`, 'x')
        server.put(`b/${deep}/new/1`, 'x')
        server.put(`b/${long}`, 'another length')
        server.put(`b/${long}2`, 'x')
        const expected = {
          [`${deep}/removed`]: 'removed',
          [`${deep}/gone/`]: 'removed',
          [`${deep}/gone/1`]: 'removed',
          [`${deep}/new/`]: 'created',
          [`${deep}/new/1`]: 'created',
          [long]: 'changed',
          [`${long}2`]: 'created',
        }
        const sides = {before: {tree: 'a/'}, after: {tree: 'b/'}}
        const job = await createJob(ledger, {kind: 'diff', ...sides}, dav)
        expect(await runJob(ledger, job, dav)).toMatchObject({complete: true})
        expect(await changesOf(ledger, job)).toEqual(expected)

        const state = new SyncState()
        await Array.fromAsync(dav.sync('a/', {state, level: 'infinity'}))
        server.put(`a/${deep}/new/1`, 'x')
        const later = await createJob(
          ledger,
          {kind: 'diff', before: state, after: {tree: 'a/'}},
          dav,
        )
        await runJob(ledger, later, dav)
        expect(await changesOf(ledger, later)).toEqual({
          [`${deep}/new/`]: 'created',
          [`${deep}/new/1`]: 'created',
        })
      }),
    )

    it(
      'finds each kind of difference between two trees',
      using(async ({ledger, server, dav}) => {
        build(server, 'a/')
        build(server, 'b/')
        const expected = rearrange(server, 'b/')
        const options = {kind: 'diff', before: {tree: 'a/'}, after: {tree: 'b/'}} as const
        const job = await createJob(ledger, options, dav)
        expect(server.requests).toHaveLength(0)
        const report = await runJob(ledger, job, dav)

        expect(await changesOf(ledger, job)).toEqual(expected)
        expect(report).toMatchObject({
          state: 'done',
          complete: true,
          differences: {changed: 3, removed: 4, created: 3},
        })
        const differences = await differencesOf(ledger, job)
        const first = differences.find(({path}) => path === 'changed')
        expect(first).toMatchObject({
          before: {properties: {getcontentlength: 1}},
          after: {properties: {getcontentlength: 14}},
        })
      }),
    )

    it(
      'compares a list job before with the tree now, by ETag',
      using(async ({ledger, server, dav}) => {
        build(server, 'a/')
        const list = await createJob(ledger, {kind: 'list', tree: 'a/'}, dav)
        await runJob(ledger, list, dav)
        const expected = rearrange(server, 'a/')
        server.put('a/same', 'y')
        const options = {kind: 'diff', before: {job: list.id}, after: {tree: 'a/'}} as const
        const job = await createJob(ledger, options, dav)
        const report = await runJob(ledger, job, dav)

        expect(await changesOf(ledger, job)).toEqual({...expected, same: 'changed'})
        expect(report.complete).toBe(true)
      }),
    )

    it(
      'compares a SyncState before with the tree now',
      using(async ({ledger, server, dav}) => {
        build(server, 'a/')
        const state = new SyncState()
        await Array.fromAsync(dav.sync('a/', {state, level: 'infinity'}))
        const expected = rearrange(server, 'a/')
        const options = {kind: 'diff', before: state, after: {tree: 'a/'}} as const
        const job = await createJob(ledger, options, dav)
        await runJob(ledger, job, dav)

        // A state keeps the ETag of a file, and not that it is a file.
        expect(await changesOf(ledger, job)).toEqual({...expected, 'file/': 'unknown'})
      }),
    )

    it(
      'takes a collection with an ETag in a SyncState for no changed file',
      using(async ({ledger, server, dav}) => {
        server.put('a/b/c/1', 'x')
        const etag = server.get('a/b/c/1')?.etag ?? ''
        const lines = [
          {version: 1, url: `${server.url}a/`, level: 'infinity'},
          ['b', '"1"'],
          ['b/c', '"2"'],
          ['b/c/1', etag],
          {token: 'x'},
        ]
        const before = await SyncState.read(lines.map((line) => JSON.stringify(line)))
        const job = await createJob(ledger, {kind: 'diff', before, after: {tree: 'a/'}}, dav)
        await runJob(ledger, job, dav)
        expect(await changesOf(ledger, job)).toEqual({})
      }),
    )

    it(
      'reports files as unknown if a side lacks the property to compare by',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'x')
        server.put('a/b/2', 'x')
        const options = {kind: 'list', tree: 'a/', properties: ['resourcetype']} as const
        const list = await createJob(ledger, options, dav)
        await runJob(ledger, list, dav)
        server.put('a/b/3', 'x')
        const sides = {before: {job: list.id}, after: {tree: 'a/'}} as const
        const job = await createJob(ledger, {kind: 'diff', ...sides}, dav)
        const report = await runJob(ledger, job, dav)

        const expected = {'1': 'unknown', 'b/2': 'unknown', 'b/3': 'created'}
        expect(await changesOf(ledger, job)).toEqual(expected)
        expect(report.differences).toEqual({unknown: 2, created: 1})
      }),
    )

    it(
      'finds nothing in equal and in empty trees',
      using(async ({ledger, server, dav}) => {
        build(server, 'a/')
        build(server, 'b/')
        server.put('c/')
        server.put('d/')
        for (const [before, after] of [
          ['a/', 'b/'],
          ['c/', 'd/'],
        ] as const) {
          const sides = {before: {tree: before}, after: {tree: after}}
          const job = await createJob(ledger, {kind: 'diff', ...sides}, dav)
          expect(await runJob(ledger, job, dav)).toMatchObject({complete: true})
          expect(await differencesOf(ledger, job)).toEqual([])
        }
      }),
    )

    it.for(['a/kept', 'b/kept'])('compares nothing while %s is not listed', (path) =>
      using(async ({ledger, server, dav}) => {
        build(server, 'a/')
        build(server, 'b/')
        const expected = rearrange(server, 'b/')
        const fault = server.fault({method: 'PROPFIND', path, status: 403})
        const sides = {before: {tree: 'a/'}, after: {tree: 'b/'}}
        const job = await createJob(ledger, {kind: 'diff', ...sides, retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)

        expect(report).toMatchObject({state: 'done', complete: false})
        expect(report.incomplete).toMatchObject([{href: `${server.url}${path}/`, status: 403}])
        expect(await differencesOf(ledger, job)).toEqual([])

        fault.remove()
        await retryJob(ledger, job)
        expect(await runJob(ledger, job, dav)).toMatchObject({complete: true})
        expect(await changesOf(ledger, job)).toEqual(expected)
      })(),
    )

    it(
      'compares nothing with a list job that is not whole, or was removed meanwhile',
      using(async ({ledger, server, dav}) => {
        build(server, 'a/')
        const fault = server.fault({method: 'PROPFIND', path: 'a/kept', status: 403})
        const list = await createJob(ledger, {kind: 'list', tree: 'a/', retry: ONCE}, dav)
        await runJob(ledger, list, dav)
        fault.remove()
        for (const [before, after] of [
          [{job: list.id}, {tree: 'a/'}],
          [{tree: 'a/'}, {job: list.id}],
        ] as const) {
          const job = await createJob(ledger, {kind: 'diff', before, after}, dav)
          const report = await runJob(ledger, job, dav)
          expect(report).toMatchObject({state: 'done', complete: false})
          expect(report.incomplete).toHaveLength(1)
          expect(await differencesOf(ledger, job)).toEqual([])
        }

        await retryJob(ledger, list)
        await runJob(ledger, list, dav)
        const sides = {before: {tree: 'a/'}, after: {job: list.id}} as const
        const job = await createJob(ledger, {kind: 'diff', ...sides}, dav)
        await removeJob(ledger, list)
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({state: 'done', complete: false})
        expect(await differencesOf(ledger, job)).toEqual([])
      }),
    )

    it(
      'refuses sides that are none',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'x')
        const open = await createJob(ledger, {kind: 'list', tree: 'a/'}, dav)
        const deletion = await createJob(ledger, {kind: 'delete', targets: ['a/1']}, dav)
        const after = {tree: 'a/'}
        const flat = new SyncState()
        await Array.fromAsync(dav.sync('a/', {state: flat}))
        for (const before of [{job: open.id}, {job: deletion.id}, flat, {}, 'a/'])
          await expect(
            createJob(ledger, {kind: 'diff', before, after} as never, dav),
          ).rejects.toThrow(TypeError)
        await expect(
          createJob(ledger, {kind: 'diff', before: {job: 'none'}, after}, dav),
        ).rejects.toMatchObject({name: 'LedgerError', reason: 'missing'})
        await expect(
          createJob(ledger, {kind: 'diff', before: after, after, by: ['etag' as never]}, dav),
        ).rejects.toThrow('getetag')
      }),
    )

    it.for([0, 10, 20])(
      'never says of a resource that it is removed while it is there, seeds after %i',
      (first) =>
        using(async ({ledger}) => {
          for (let seed = first + 1; seed <= first + 10; seed++) {
            const {told, expected} = await compareAtRandom(ledger, seed)
            expect(told, `seed ${seed}`).toEqual(expected)
          }
        })(),
    )
  })
}

/** Compares two states of a random tree over a server whose listings break at random. */
async function compareAtRandom(
  ledger: Ledger,
  seed: number,
): Promise<{readonly told: object; readonly expected: object}> {
  const chance = randomOf(seed)
  const kinds = ['refusal', 'reset', 'cut'] as const
  const server = fakeServer({random: {seed, rate: 0.25, kinds}})
  const dav = clientOf(server)
  const collections = ['a/']
  const pick = <T>(values: readonly T[]): T => values[Math.floor(chance() * values.length)] as T
  for (let index = 0; index < 20; index++) {
    const path = `${pick(collections)}${index}`
    if (chance() < 0.35) {
      collections.push(`${path}/`)
      server.put(`${path}/`)
    } else server.put(path, 'x')
  }
  const read = (): ReadonlyMap<string, string> =>
    new Map(server.list('a').map((path) => [path.slice(2), server.get(path)?.etag ?? '']))
  const whole = async (job: Job): Promise<void> => {
    for (let round = 0; !(await runJob(ledger, job, dav)).complete; round++) {
      expect(round).toBeLessThan(50)
      await retryJob(ledger, job)
    }
  }
  const retry = {attempts: 2, minDelay: 0, maxDelay: 0}
  const list = await createJob(ledger, {kind: 'list', tree: 'a/', id: `list-${seed}`, retry}, dav)
  await whole(list)
  const before = read()
  for (const path of [...before.keys()].filter(() => chance() < 0.2)) server.remove(`a/${path}`)
  for (const path of [...read().keys()].filter((one) => !one.endsWith('/') && chance() < 0.2))
    server.put(`a/${path}`, 'y')
  for (let index = 0; index < 3; index++) server.put(`a/new-${index}/${index}`, 'x')
  const after = read()

  const sides = {before: {job: list.id}, after: {tree: 'a/'}}
  const options = {kind: 'diff', id: `diff-${seed}`, ...sides, retry: ONCE} as const
  const job = await createJob(ledger, options, dav)
  const report = await runJob(ledger, job, dav)
  const expected: Record<string, string> = {}
  for (const path of before.keys()) if (!after.has(path)) expected[path] = 'removed'
  for (const [path, etag] of after) {
    if (!before.has(path)) expected[path] = 'created'
    else if (before.get(path) !== etag) expected[path] = 'changed'
  }
  expect(await changesOf(ledger, job)).toEqual(report.complete ? expected : {})
  if (!report.complete) {
    await retryJob(ledger, job)
    await whole(job)
  }
  return {told: await changesOf(ledger, job), expected}
}

/** Makes a function of random numbers from 0 to 1: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
