/**
 * Bulk deletions on real servers: 5,000 files in 300 collections with nasty names. Some may be deleted by root only, and
 * some are locked by another user. After each call the verdicts are compared with the disk, file by file. A Success is
 * gone, a remaining file is at or below a reported Failure, and nothing deletable remains.
 */
import {lutimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {collections, DavClient, encodePath, isFailure, isSuccess, members} from 'multistatus'
import {expect, it} from 'vitest'
import {apache} from './apache.ts'
import {sabredav} from './sabredav.ts'
import {bulkServers, bulkTraitsOf} from './support/bulk-servers.ts'
import {
  again,
  clientOf,
  collect,
  everyName,
  queued,
  retryAllowed,
  upwards,
  ways,
} from './support/bulk-runs.ts'
import {makeBulkTree} from './support/bulk-tree.ts'
import {
  expectedMembers,
  expectedStanding,
  expectTruth,
  isVerdict,
  pathsOf,
  readListed,
  readResources,
  readStanding,
  servedPathOf,
  statusesOf,
  withoutDeletedAbove,
} from './support/bulk-truth.ts'
import {readPaths, readTree} from './support/disk.ts'
import {takeLock} from './support/lock-token.ts'
import {describeServers} from './support/suite.ts'
import {makeCollection, numbered} from './support/trees.ts'

describeServers(bulkServers, (server) => {
  const traits = bulkTraitsOf(server)

  it.for(ways)('$of: the verdicts equal the state of the disk', async ({name, run}) => {
    const tree = await makeBulkTree(server, name, {collections: 75, files: 1250})
    const before = await readStanding(server, name)
    const {dav, sent} = clientOf(server)

    const {targets, results} = await run({dav, server, name, verify: traits.lies})

    const standing = await readStanding(server, name)
    expectTruth(results, {targets, standing})
    expect([...standing.keys()].toSorted()).toEqual(
      [...expectedStanding(server, tree, before)].toSorted(),
    )
    const asked = name === 'downwards' ? withoutDeletedAbove(results) : targets
    expect(pathsOf(sent.map((url) => ({url}))).toSorted()).toEqual(asked.toSorted())
    await retryAllowed(server, tree, results)
  })

  it('300 collections with 5,000 files have one verdict each, and the named members', async () => {
    const tree = await makeBulkTree(server, 'whole', {collections: 300, files: 5000})
    const targets = (await readListed(server, 'whole'))
      .filter(({relation, content}) => relation === 'member' && content === 'collection')
      .map(({path}) => path)
    const before = [...(await readStanding(server, 'whole')).values()]
    expect(targets).toHaveLength(300)
    expect(before.filter((kind) => kind === 'file').length).toBeGreaterThanOrEqual(5000)
    const {dav} = clientOf(server)

    const listing = dav.propfind('whole/', {depth: 1, properties: ['resourcetype']})
    const options = {...everyName, verify: traits.lies, concurrency: 16}
    const results = await collect(dav.deleteMany(collections(members(listing)), options))

    const standing = await readStanding(server, 'whole')
    expectTruth(results, {targets, standing})
    const failures = results.filter(isFailure)
    const {blocked, locked} = traits
    expect(statusesOf(failures.filter(isVerdict))).toEqual(
      new Map([
        [tree.blocked.collection, blocked.target],
        ...tree.locked.flatMap(({collection}): [string, number][] =>
          locked === undefined ? [] : [[collection, locked.target]],
        ),
      ]),
    )
    const named = failures.filter((failure) => !isVerdict(failure))
    expect(statusesOf(named)).toEqual(expectedMembers(server, tree, standing))
    expect(named.length).toBe(statusesOf(named).size)
    await retryAllowed(server, tree, results)
  })

  it('a locked file is deleted with its token and with no other', async () => {
    const file = 'locked 100% #1? [é].txt'
    const folder = await makeCollection(server, 'tokens', [file, 'free.txt'])
    const href = encodePath(`tokens/${file}`)
    const {token: lockToken} = await takeLock(server, href)
    const {dav} = clientOf(server)
    const other = `urn:uuid:${crypto.randomUUID()}`

    const without = await collect(dav.deleteMany([href, 'tokens/free.txt']))
    const wrong = await collect(dav.deleteMany([{href, lockToken: other}]))
    expect(await readResources(server, folder)).toEqual([file])
    const right = await collect(dav.deleteMany([{href, lockToken}]))

    expect(statusesOf(without)).toEqual(
      new Map([
        [servedPathOf(`tokens/${file}`), 423],
        ['/tokens/free.txt', 204],
      ]),
    )
    // Servers answer either: locked, or a false condition.
    expect(wrong.filter(isVerdict).map(({status}) => status)).toEqual([
      expect.toBeOneOf([412, 423]),
    ])
    expect(right).toMatchObject([{ok: true, relation: 'self', status: 204}])
    expect(await readResources(server, folder)).toEqual([])
  })

  it('a locked collection is deleted with its token', async () => {
    const name = 'all locked 100% #1?'
    const folder = await makeCollection(server, name, ['in/1.txt', '2.txt'])
    const href = `${encodePath(name)}/`
    const {token: lockToken} = await takeLock(server, href)
    const {dav} = clientOf(server)

    const without = await collect(dav.deleteMany([href, `${href}2.txt`]))
    expect(await readResources(server, folder)).toEqual(['2.txt', 'in', 'in/1.txt'])
    const right = await collect(dav.deleteMany([{href, lockToken}]))

    expect(without.filter(isVerdict)).toMatchObject([{status: 423}, {status: 423}])
    expect(right).toMatchObject([{ok: true, relation: 'self', status: 204}])
    expect(await readTree(folder)).toEqual([])
  })

  it('a failed DELETE with a lock token is retried with it, in another process too', async () => {
    const folder = await makeCollection(server, 'later', ['locked 100% #1?.txt'])
    const href = encodePath('later/locked 100% #1?.txt')
    const {token: lockToken} = await takeLock(server, href)
    // The request never arrives: Apache forgets the lock of a file that it could not delete.
    const transport = (): Promise<never> => Promise.reject(new Error('connection reset'))
    const broken = new DavClient({url: server.url(), transport})
    const results = await collect(broken.deleteMany([{href, lockToken}]))
    expect(results).toMatchObject([{ok: false, relation: 'self', reason: 'no-answer'}])
    const {dav} = clientOf(server)

    const without = await collect(dav.deleteMany([href]))
    const retried = await collect(dav.retry(queued(results), again))

    expect(without).toMatchObject([{ok: false, relation: 'self', status: 423}])
    expect(retried).toMatchObject([{ok: true, relation: 'self', status: 204}])
    expect(await readResources(server, folder)).toEqual([])
  })

  it('with ifUnchanged a changed file is kept, if the server checks If-Match', async () => {
    const names = [...numbered(20), 'changed 100% #1?.txt', 'in/collection.txt']
    const folder = await makeCollection(server, 'unchanged', names)
    // Apache's ETags of files younger than a second are weak, and match nothing.
    for (const name of names) await lutimes(join(folder, name), 1e9, 1e9)
    const {dav, sent} = clientOf(server)
    const {successes} = await dav.propfind('unchanged/', {depth: 1}).collect()
    await writeFile(join(folder, 'changed 100% #1?.txt'), 'another text')

    const targets = successes.filter(({relation}) => relation === 'member')
    const results = await collect(dav.deleteMany(targets, {ifUnchanged: true}))

    const verdict = {refused: [204, 412], ignored: [204, 204], impossible: [0, 0]}[traits.ifMatch]
    expect(statusesOf(results)).toEqual(
      new Map([
        ...numbered(20).map((name): [string, number | undefined] => [
          `/unchanged/${name}`,
          verdict[0],
        ]),
        [servedPathOf('unchanged/changed 100% #1?.txt'), verdict[1]],
        // The ETag of a collection does not change with its members.
        ['/unchanged/in', 0],
      ]),
    )
    const unsent = results.filter(({status}) => status === 0)
    expect(unsent.map((result) => isFailure(result) && result.reason)).toEqual(
      unsent.map(() => 'refused'),
    )
    expect(sent).toHaveLength(results.length - unsent.length)
    const gone = new Set(pathsOf(results.filter(isSuccess)))
    expect(await readPaths(folder)).toEqual(
      [...names, 'in'].filter((name) => !gone.has(servedPathOf(`unchanged/${name}`))).toSorted(),
    )
  })
})

describeServers([sabredav], (server) => {
  it('answers 204 for files that remain: without verify the blocked ones are false successes', async () => {
    const tree = await makeBulkTree(server, 'false', {collections: 75, files: 1250})
    const before = await readStanding(server, 'false')
    const {dav} = clientOf(server)

    const {results} = await upwards.run({dav, server, name: 'false', verify: false})

    const standing = await readStanding(server, 'false')
    const untrue = pathsOf(results.filter(isSuccess)).filter((path) => standing.has(path))
    const blocked = [...before.keys()].filter(
      (path) => path === tree.blocked.collection || path.startsWith(tree.blocked.folder),
    )
    expect(untrue.toSorted()).toEqual(blocked.toSorted())
  })
})

describeServers([apache], (server) => {
  it('with ifUnchanged a file that was just written is kept, because a weak ETag matches nothing', async () => {
    const folder = await makeCollection(server, 'weak', ['1.txt'])
    // Apache's ETag is weak for a file that changed less than a second ago, or in the future.
    const tomorrow = Date.now() / 1000 + 86_400
    await lutimes(join(folder, '1.txt'), tomorrow, tomorrow)
    const {dav} = clientOf(server)
    const {successes} = await dav.propfind('weak/1.txt', {depth: 0}).collect()
    expect(successes).toMatchObject([{properties: {getetag: expect.stringMatching(/^W\//)}}])

    const results = await collect(dav.deleteMany(successes, {ifUnchanged: true}))

    expect(results).toMatchObject([{ok: false, relation: 'self', status: 0, reason: 'refused'}])
    expect(await readPaths(folder)).toEqual(['1.txt'])
  })
})
