/** Retrying on real servers: only failures are sent again, until the disk has its intended state. */
import {rename} from 'node:fs/promises'
import {join} from 'node:path'
import {DavClient, isFailure, isRetryable, type Failure, partition} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {deletingServers} from './servers.ts'
import {readPaths, readTree} from './support/disk.ts'
import {resultsOf} from '../support/results.ts'
import {statusByPath} from './support/results.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {
  makeBlockedCollection,
  makeCollection,
  makeLockedCollection,
  numbered,
  unblock,
} from './support/trees.ts'

const clientOf = (server: Server): DavClient =>
  new DavClient({url: server.url(), transport: undiciTransport()})

const quickly = {minDelay: 1, maxDelay: 5} as const

describeServers(deletingServers, (server) => {
  it('a failed collection is deleted by a retry after it is allowed', async () => {
    const folder = await makeBlockedCollection(server, 'allowed')
    const dav = clientOf(server)
    const {failures} = partition(resultsOf(await dav.delete('allowed/')))
    expect(statusByPath('allowed', failures)).toEqual(server.deleting.blocked)

    await unblock(folder)
    const retried = await dav.retry(failures, {...quickly, retryable: () => true}).collect()

    expect(retried.failures).toEqual([])
    expect(Object.keys(statusByPath('allowed', retried.successes)).toSorted()).toEqual(
      Object.keys(server.deleting.blocked).toSorted(),
    )
    expect(await readTree(folder)).toEqual([])
  })

  it('failures from JSON are retried by another client', async () => {
    const folder = await makeBlockedCollection(server, 'queue')
    const {failures} = partition(resultsOf(await clientOf(server).delete('queue/')))

    await unblock(folder)
    const queued: Failure[] = JSON.parse(JSON.stringify(failures))
    expect(queued).toEqual(failures)
    const retried = await clientOf(server)
      .retry(queued, {...quickly, retryable: () => true})
      .collect()

    expect(retried.failures).toEqual([])
    expect(await readTree(folder)).toEqual([])
  })

  it('a retry of forbidden members has one verdict for each failure, with all attempts counted', async () => {
    const folder = await makeBlockedCollection(server, 'forbidden')
    const dav = clientOf(server)
    const {failures} = partition(resultsOf(await dav.delete('forbidden/')))
    expect(failures.map(({request}) => request?.attempts)).toEqual(failures.map(() => 1))

    const policy = {...quickly, attempts: 2, retryable: () => true}
    const retried = await dav.retry(failures, policy).collect()
    const verdicts = retried.failures.filter(({relation}) => relation === 'self')

    expect(retried.successes).toEqual([])
    expect(statusByPath('forbidden', verdicts)).toEqual(server.deleting.blocked)
    expect(verdicts.map(({request}) => request?.attempts)).toEqual(failures.map(() => 3))
    expect(retried.summary).toMatchObject({requests: 2 * failures.length})
    expect(await readPaths(folder)).toEqual(['a', 'a/kept', 'a/kept/1.txt', 'a/kept/2.txt'])
  })

  it('a 403 is not retried by default and comes back unsent', async () => {
    const folder = await makeCollection(server, 'unsent', ['kept.txt'])
    const dav = clientOf(server)
    const failure: Failure = {
      ok: false,
      href: '/unsent/kept.txt',
      url: `${server.url('unsent')}kept.txt`,
      relation: 'self',
      status: 403,
      reason: 'status',
      conditions: [],
      missing: [],
      request: {method: 'DELETE', url: `${server.url('unsent')}kept.txt`, attempts: 1},
    }

    const {successes, failures, summary} = await dav.retry([failure], quickly).collect()

    expect(successes).toEqual([])
    expect(failures).toEqual([failure])
    expect(summary).toMatchObject({requests: 0})
    expect(await readPaths(folder)).toEqual(['kept.txt'])
  })

  it('targets that a stopped server did not answer are deleted after its restart', async () => {
    const folder = await makeCollection(server, 'outage', numbered(30))
    const targets = numbered(30).map((name) => `outage/${name}`)
    const dav = clientOf(server)

    const {successes, failures} = await server.whileStopped(() => dav.deleteMany(targets).collect())
    expect(successes).toEqual([])
    expect(failures.map(({reason, status}) => `${reason} ${status}`)).toEqual(
      targets.map(() => 'no-answer 0'),
    )
    expect(failures.every(isRetryable)).toBe(true)
    expect(await readPaths(folder)).toHaveLength(30)

    const retried = await dav.retry(failures, quickly).collect()

    expect(retried.failures).toEqual([])
    expect(retried.successes.map(({url}) => url).toSorted()).toEqual(
      targets.map((target) => server.url() + target).toSorted(),
    )
    expect(await readPaths(folder)).toEqual([])
  })

  it('404 on a repeated DELETE is success', async () => {
    const folder = await makeCollection(server, 'repeated', ['1.txt'])
    const dav = clientOf(server)

    const {failures} = await server.whileStopped(() => dav.deleteMany(['repeated/1.txt']).collect())
    expect(failures).toMatchObject([{relation: 'self', reason: 'no-answer', status: 0}])
    await rename(join(folder, '1.txt'), join(server.root, 'somewhere-else.txt'))
    const retried = await dav.retry(failures, quickly).collect()

    expect(retried.failures).toEqual([])
    expect(retried.successes).toMatchObject([
      {url: `${server.url('repeated')}1.txt`, relation: 'self'},
    ])
  })

  if ('a/locked.txt' in server.deleting.locked)
    it('a locked member is deleted after its unlock', async () => {
      const {folder, unlock} = await makeLockedCollection(server, 'unlocked')
      const dav = clientOf(server)
      const {failures} = partition(resultsOf(await dav.delete('unlocked/')))
      expect(statusByPath('unlocked', failures)).toEqual(server.deleting.locked)
      expect(failures.filter(isFailure).every(isRetryable)).toBe(true)

      await unlock()
      const retried = await dav.retry(failures, quickly).collect()

      expect(retried.failures).toEqual([])
      expect(await readTree(folder)).toEqual([])
    })
})
