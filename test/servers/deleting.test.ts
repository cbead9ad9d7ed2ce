/**
 * Deleting on real servers: the verdicts are compared with the disk. A DELETE that leaves members is a 207 or a 424 with
 * a multistatus (Apache) or a 500 (nginx), and never a success.
 */
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {DavClient, decodePath, encodePath, isSuccess, partition} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {deletingServers} from './servers.ts'
import {giveToServer} from './support/account.ts'
import {readPaths, readTree} from './support/disk.ts'
import {resultsOf} from '../support/results.ts'
import {statusByPath} from './support/results.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {
  makeBlockedCollection,
  makeCollection,
  makeLockedCollection,
  makeNastyCollection,
  nastyNames,
  numbered,
} from './support/trees.ts'

const clientOf = (server: Server, collection = ''): DavClient =>
  new DavClient({url: server.url(collection), transport: undiciTransport()})

// The guard refuses the names with control characters. All are harmless here.
const everyName = {unguarded: true} as const

describeServers(deletingServers, (server) => {
  it('a deleted file is one Success, the target itself', async () => {
    const folder = await makeCollection(server, 'single', ['1.txt', '2.txt'])

    const {successes, failures} = partition(
      resultsOf(await clientOf(server).delete('single/1.txt')),
    )

    expect(successes).toMatchObject([
      {
        url: `${server.url('single')}1.txt`,
        relation: 'self',
        status: 204,
        properties: {},
        missing: [],
      },
    ])
    expect(failures).toEqual([])
    expect(await readPaths(folder)).toEqual(['2.txt'])
  })

  it('a deleted collection is one Success, and its members are gone', async () => {
    const folder = await makeCollection(server, 'whole', [
      '.dot',
      'a/b/c/1.txt',
      'a/2.txt',
      '3.txt',
    ])

    const {successes, failures} = partition(resultsOf(await clientOf(server).delete('whole/')))

    expect(successes).toMatchObject([{url: server.url('whole'), relation: 'self', status: 204}])
    expect(failures).toEqual([])
    expect(await readTree(folder)).toEqual([])
  })

  it('a collection without a slash in its target is deleted, or a Failure and still there', async () => {
    const folder = await makeCollection(server, 'no-slash', ['1.txt'])

    const {successes, failures} = partition(resultsOf(await clientOf(server).delete('no-slash')))

    const isDeleted = server.deleting.withoutSlash === 204
    expect([...successes, ...failures]).toMatchObject([
      {ok: isDeleted, relation: 'self', status: server.deleting.withoutSlash},
    ])
    expect(await readPaths(folder)).toEqual(isDeleted ? [] : ['1.txt'])
  })

  it('every listed name that the server finds is deleted by its result', async () => {
    const folder = await makeNastyCollection(server, 'nasty')
    const dav = clientOf(server, 'nasty')
    const hidden = nastyNames.filter((name) => !server.traits.dotNames && name.startsWith('.'))

    const refused = refusalsOf(server)

    for (const of of ['files', 'collections']) {
      const listed = await dav
        .propfind(`${of}/`, {depth: 1, properties: ['resourcetype']})
        .collect()
      const targets = listed.successes.filter(({relation}) => relation === 'member')

      const {successes, failures} = await dav.deleteMany(targets, everyName).collect()

      expect(statusByPath(`nasty/${of}`, failures)).toEqual(Object.fromEntries(refused))
      const kept = new Set([...hidden, ...refused.map(([name]) => name)])
      expect(statusByPath(`nasty/${of}`, successes)).toEqual(
        Object.fromEntries(nastyNames.filter((name) => !kept.has(name)).map((name) => [name, 204])),
      )
      expect(await readPaths(join(folder, of))).toEqual(
        [...kept]
          .flatMap((name) => (of === 'files' ? [name] : [name, `${name}/${name}`]))
          .toSorted(),
      )
    }
  })

  it('every name that the server finds is deleted by its encoded path', async () => {
    const folder = await makeNastyCollection(server, 'encoded')
    const dav = clientOf(server, 'encoded')
    const targets = [
      ...nastyNames.map((name) => encodePath(`files/${name}`)),
      ...nastyNames.map((name) => `${encodePath(`collections/${name}`)}/`),
    ]

    const refused = refusalsOf(server)

    const {successes, failures} = await dav.deleteMany(targets, everyName).collect()

    const each = [...refused, ...refused]
    expect(failures.map(({status}) => status)).toEqual(each.map(([, status]) => status))
    expect(successes.length).toBe(2 * (nastyNames.length - refused.length))
    const kept = refused.flatMap(([name]) => [
      `collections/${name}`,
      `collections/${name}/${name}`,
      `files/${name}`,
    ])
    expect(await readPaths(folder)).toEqual(['collections', 'files', ...kept].toSorted())
  })

  if (server.traits.otherBytes)
    it('a listed name that is not UTF-8 is deleted by its result', async () => {
      const folder = join(server.root, 'latin')
      await mkdir(folder)
      await writeFile(Buffer.from(`${folder}/caf\xE9`, 'latin1'), 'noir')
      await giveToServer(folder)
      const dav = clientOf(server, 'latin')

      const listed = await dav.propfind('', {depth: 1, properties: ['resourcetype']}).collect()
      const targets = listed.successes.filter(({relation}) => relation === 'member')
      const {successes, failures} = await dav.deleteMany(targets).collect()

      expect(failures).toEqual([])
      expect(successes).toMatchObject([
        {url: expect.stringMatching(/\/latin\/caf%e9$/i), status: 204},
      ])
      expect(await readTree(folder)).toHaveLength(1)
    })

  it('a bulk call has one result for each of 320 targets, and all of them are gone', async () => {
    const members = numbered(20).map((name) => `collection-${name}/inner/member.txt`)
    const folder = await makeCollection(server, 'bulk', [...numbered(300), ...members])
    const dav = clientOf(server, 'bulk')
    const listed = await dav.propfind('', {depth: 1, properties: ['resourcetype']}).collect()
    const targets = listed.successes.filter(({relation}) => relation === 'member')

    const results = dav.deleteMany(targets)
    const {successes, failures, summary} = await results.collect()

    expect(failures).toEqual([])
    expect(new Set(successes.map(({relation, status}) => `${relation} ${status}`))).toEqual(
      new Set(['self 204']),
    )
    expect(successes.map(({url}) => url).toSorted()).toEqual(targets.map(({url}) => url).toSorted())
    expect(summary).toMatchObject({successes: 320, failures: 0, requests: 320})
    expect(await readPaths(folder)).toEqual([])
  })

  it('a name with `;` is deleted, and the name before the `;` is kept', async () => {
    const pairs = ['a.txt', 'a.txt;v=2', 'c/1.txt', 'c;v=2/1.txt', 'd/1.txt', 'd/1.txt;v=2']
    const folder = await makeCollection(server, 'semicolons', [...pairs, 'e', 'e;v=2'])
    const dav = clientOf(server, 'semicolons')
    const listed = await dav.propfind('', {depth: 1, properties: ['resourcetype']}).collect()
    const below = await dav.propfind('d/', {depth: 1, properties: ['resourcetype']}).collect()

    const targets = [...listed.successes, ...below.successes].filter(
      (result) => decodePath(result)?.replace(/\/$/, '').endsWith(';v=2') === true,
    )
    expect(targets).toHaveLength(4)
    const {successes, failures} = await dav.deleteMany(targets).collect()

    expect(failures).toEqual([])
    expect(statusByPath('semicolons', successes)).toEqual({
      'a.txt;v=2': 204,
      'c;v=2': 204,
      'd/1.txt;v=2': 204,
      'e;v=2': 204,
    })
    expect(await readPaths(folder)).toEqual(['a.txt', 'c', 'c/1.txt', 'd', 'd/1.txt', 'e'])
  })

  it('a name with `;` is deleted by its encoded path, and the name before the `;` is kept', async () => {
    const folder = await makeCollection(server, 'encoded-semicolons', ['a.txt', 'a.txt;v=2'])

    const {successes, failures} = partition(
      resultsOf(await clientOf(server, 'encoded-semicolons').delete(encodePath('a.txt;v=2'))),
    )

    expect(failures).toEqual([])
    expect(successes).toMatchObject([{relation: 'self', status: 204}])
    expect(await readPaths(folder)).toEqual(['a.txt'])
  })

  it('a missing target of a bulk call is a Failure 404; the others are deleted', async () => {
    const folder = await makeCollection(server, 'gaps', numbered(4))

    const {successes, failures} = await clientOf(server, 'gaps')
      .deleteMany(['0.txt', '1.txt', 'missing.txt', '2.txt', 'missing/too.txt', '3.txt'])
      .collect()

    expect(statusByPath('gaps', successes)).toEqual({
      '0.txt': 204,
      '1.txt': 204,
      '2.txt': 204,
      '3.txt': 204,
    })
    expect(statusByPath('gaps', failures)).toEqual({'missing.txt': 404, 'missing/too.txt': 404})
    expect(failures).toMatchObject([
      {relation: 'self', reason: 'status', conditions: [], request: {method: 'DELETE'}},
      {relation: 'self', reason: 'status', conditions: [], request: {method: 'DELETE'}},
    ])
    expect(await readPaths(folder)).toEqual([])
  })

  it('a collection with undeletable members is a Failure, and so is each member that the server names', async () => {
    const folder = await makeBlockedCollection(server, 'blocked')

    const results = resultsOf(await clientOf(server).delete('blocked/'))

    expect(results.filter(isSuccess)).toEqual([])
    expect(statusByPath('blocked', results)).toEqual(server.deleting.blocked)
    expect(results.map(({relation}) => relation === 'self')).toEqual([
      ...results.slice(1).map(() => false),
      true,
    ])
    expect(results.at(-1)).toMatchObject({
      url: expect.stringMatching(/\/blocked\/?$/),
      reason: server.deleting.blockedNamesMembersAlone ? 'member' : 'status',
    })
    expect(await readPaths(folder)).toEqual(['a', 'a/kept', 'a/kept/1.txt', 'a/kept/2.txt'])
  })

  it('a collection with undeletable members does not delay other targets', async () => {
    await makeBlockedCollection(server, 'mixed/blocked')
    const folder = await makeCollection(server, 'mixed', ['1.txt', '2/member.txt'])

    const {successes, failures} = await clientOf(server, 'mixed')
      .deleteMany(['1.txt', 'blocked/', '2/'])
      .collect()

    expect(statusByPath('mixed', successes)).toEqual({'1.txt': 204, '2': 204})
    expect(statusByPath('mixed/blocked', failures)).toEqual(server.deleting.blocked)
    expect([...successes, ...failures].filter(({relation}) => relation === 'self')).toHaveLength(3)
    expect(await readPaths(folder)).toEqual([
      'blocked',
      'blocked/a',
      'blocked/a/kept',
      'blocked/a/kept/1.txt',
      'blocked/a/kept/2.txt',
    ])
  })

  if (seesLocks(server))
    it('a collection with a locked member is a Failure, and so is that member', async () => {
      const {folder} = await makeLockedCollection(server, 'locked')

      const results = resultsOf(await clientOf(server).delete('locked/'))

      expect(statusByPath('locked', results)).toEqual(server.deleting.locked)
      expect(results.at(-1)).toMatchObject({
        ok: false,
        relation: 'self',
        reason: 'member',
        status: 424,
      })
      expect(await readPaths(folder)).toContain('a/locked.txt')
    })

  if (!seesLocks(server))
    it('a collection with a locked member is deleted: the server does not check', async () => {
      const {folder} = await makeLockedCollection(server, 'locked')

      const {successes, failures} = partition(resultsOf(await clientOf(server).delete('locked/')))

      expect(successes).toMatchObject([{ok: true, relation: 'self', status: 204}])
      expect(failures).toEqual([])
      expect(await readTree(folder)).toEqual([])
    })
})

function seesLocks({deleting}: Server): boolean {
  return Object.keys(deleting.locked).length > 0
}

/** Names that are listed but not found, each with the status of a request for it. */
function refusalsOf({traits}: Server): readonly (readonly [name: string, status: number])[] {
  return nastyNames.flatMap((name) => {
    const status = traits.refusal(name)
    return status === undefined ? [] : [[name, status] as const]
  })
}
