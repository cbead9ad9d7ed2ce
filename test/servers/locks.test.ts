/**
 * Locks on real servers: each verb by the client that holds the lock, and by another client without it; LOCK and UNLOCK; and the end
 * of locks. The table of all outcomes is part of the guide. RFC 4918, sections 7, 9.10, 9.11 and 10.4.
 */
import {unwrap} from 'multistatus'
import {expect, it} from 'vitest'
import {apache} from './apache.ts'
import {runHeld} from './locks/holding.ts'
import {isHeldRow, lockRows} from './locks/rows.ts'
import {makeLockScene, put, release} from './locks/scene.ts'
import {taking} from './locks/taking.ts'
import {lockServers, verbServers} from './servers.ts'
import type {ServerRecipe} from './support/recipe.ts'
import {describeServers} from './support/suite.ts'
import {describeTable} from './support/table.ts'

describeTable({
  name: 'locks',
  rows: lockRows,
  servers: lockServers,
  traitsOf: ({locks}) => locks,
  run: async (row, server) =>
    isHeldRow(row) ? runHeld(row, server) : taking[row](await makeLockScene(server)),
})

/** Apache with `DavLockDiscovery Off`, which shows no locks. */
const hiding: ServerRecipe = {
  ...apache,
  name: 'Apache 2.4 that hides its locks',
  files: (site) => ({
    ...apache.files(site),
    'httpd.conf': (apache.files(site)['httpd.conf'] ?? '').replace(
      '  Dav On\n',
      '  Dav On\n  DavLockDiscovery Off\n',
    ),
  }),
}

describeServers([hiding], (server) => {
  it('a lock is lost only if its refresh is refused', async () => {
    const scene = await makeLockScene(server)
    const {dav} = scene
    const lock = unwrap(await dav.lock('old.txt', {depth: 0}))
    const {properties} = unwrap(await dav.stat('old.txt', {properties: ['lockdiscovery']}))
    expect(properties.lockdiscovery).toBe('')
    expect(await lock.refresh()).toMatchObject({ok: true, status: 200})
    const kept = await dav.put('old.txt', 'new', {ifMatch: '"stale"'})
    expect(kept).toMatchObject({ok: false, status: 412})
    expect(kept).not.toHaveProperty('lostLocks')
    await release(scene, [lock])
    const lost = await put(scene, dav, 'old.txt')
    expect(lost).toMatchObject({status: 412, lostLocks: [lock.token]})
  })
})

// rclone and x/net know a token for one request at a time.
describeServers(verbServers, (server) => {
  it('40 files arrive and go, 8 at once, under one lock of their collection', async () => {
    const {dav} = await makeLockScene(server)
    const lock = unwrap(await dav.lock(unwrap(await dav.mkcol('many/'))))
    const uploads = Array.from({length: 40}, (_, number) => ({
      href: `many/${number}.txt`,
      body: new Uint8Array(100_000),
    }))
    const stored = await dav.putMany(uploads, {concurrency: 8}).collect()
    expect(stored.failures).toEqual([])
    const gone = await dav.deleteMany(stored.successes, {concurrency: 8}).collect()
    expect(gone.failures).toEqual([])
    expect(lock.signal.aborted).toBe(false)
    expect(await lock.unlock()).toMatchObject({ok: true})
  })
})
