/**
 * Locks on real servers: each verb by the client that holds the lock, and by another client without it. The disk shows whether it
 * was done. The exceptions are listed with each verb. RFC 4918, sections 7 and 10.4.
 */
import {DavClient, type DavResult, type Lock, unwrap} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {apache} from './apache.ts'
import {verbServers} from './servers.ts'
import {send} from './support/http.ts'
import type {ServerRecipe} from './support/recipe.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {makeScene, readFiles, type Scene} from './verbs/scene.ts'

type Heading =
  | 'Apache'
  | 'nginx'
  | 'lighttpd'
  | 'rclone'
  | 'nephele'
  | 'SabreDAV'
  | 'Tomcat'
  | 'x/net'

interface Row {
  readonly name: string
  /** The resources to lock; one with `/*` for Depth infinity. */
  readonly locks: readonly string[]
  readonly run: (dav: DavClient) => Promise<DavResult>
  /** Servers on which the holder of the lock fails, with the status. */
  readonly fails?: Partial<Record<Heading, number>>
  /** Servers on which another client succeeds without the lock. */
  readonly unprotected?: readonly Heading[]
}

const put = (dav: DavClient, path: string): Promise<DavResult> => dav.put(path, 'new')

const rows: readonly Row[] = [
  {name: 'PUT over a locked file', locks: ['old.txt'], run: (dav) => put(dav, 'old.txt')},
  {
    name: 'PUT into a locked collection',
    locks: ['c/*'],
    run: (dav) => put(dav, 'c/new.txt'),
  },
  {
    name: 'PUT into a collection locked with Depth 0',
    locks: ['c/'],
    run: (dav) => put(dav, 'c/new.txt'),
    unprotected: ['lighttpd', 'rclone', 'SabreDAV', 'Tomcat', 'x/net'],
  },
  {
    name: 'PUT of a locked file in a locked collection',
    locks: ['c/', 'c/1.txt'],
    run: (dav) => put(dav, 'c/1.txt'),
  },
  {
    name: 'MKCOL in a locked collection',
    locks: ['c/*'],
    run: (dav) => dav.mkcol('c/new/'),
    unprotected: ['lighttpd'],
  },
  {
    name: 'DELETE of a locked file',
    locks: ['old.txt'],
    run: (dav) => dav.delete('old.txt'),
  },
  {
    name: 'DELETE of a member of a locked collection',
    locks: ['c/*'],
    run: (dav) => dav.delete('c/1.txt'),
  },
  {
    name: 'DELETE of a member of a collection locked with Depth 0',
    locks: ['c/'],
    run: (dav) => dav.delete('c/1.txt'),
    unprotected: ['lighttpd', 'rclone', 'SabreDAV', 'Tomcat', 'x/net'],
  },
  {name: 'DELETE of a locked collection', locks: ['c/*'], run: (dav) => dav.delete('c/')},
  {
    name: 'DELETE of a collection with a locked member',
    locks: ['c/d/2.txt'],
    run: (dav) => dav.delete('c/'),
    unprotected: ['nginx', 'lighttpd', 'rclone', 'x/net'],
  },
  {
    name: 'DELETE of a collection with two locked members',
    locks: ['c/1.txt', 'c/d/2.txt'],
    run: (dav) => dav.delete('c/'),
    fails: {SabreDAV: 423},
    unprotected: ['nginx', 'lighttpd', 'rclone', 'x/net'],
  },
  {
    name: 'COPY onto a locked file',
    locks: ['old.txt'],
    run: (dav) => dav.copy('other.txt', 'old.txt', {overwrite: true}),
  },
  {
    name: 'COPY into a locked collection',
    locks: ['c/*'],
    run: (dav) => dav.copy('other.txt', 'c/new.txt'),
  },
  {
    name: 'MOVE onto a locked file',
    locks: ['old.txt'],
    run: (dav) => dav.move('other.txt', 'old.txt', {overwrite: true}),
    fails: {lighttpd: 412},
  },
  {
    name: 'MOVE into a locked collection',
    locks: ['c/*'],
    run: (dav) => dav.move('other.txt', 'c/new.txt'),
    fails: {lighttpd: 412},
  },
  {
    name: 'MOVE out of a locked collection',
    locks: ['c/*'],
    run: (dav) => dav.move('c/1.txt', 'new.txt'),
    fails: {rclone: 412, 'x/net': 412},
  },
  {
    name: 'MOVE in a collection locked with Depth 0',
    locks: ['c/'],
    run: (dav) => dav.move('c/1.txt', 'c/new.txt'),
    unprotected: ['lighttpd', 'rclone', 'SabreDAV', 'Tomcat', 'x/net'],
  },
  {
    name: 'MOVE of a locked file',
    locks: ['old.txt'],
    run: (dav) => dav.move('old.txt', 'new.txt'),
  },
  {
    name: 'MOVE of a locked file onto another one',
    locks: ['old.txt'],
    run: (dav) => dav.move('old.txt', 'other.txt', {overwrite: true}),
  },
  {
    name: 'MOVE of a locked file onto another locked one',
    locks: ['old.txt', 'other.txt'],
    run: (dav) => dav.move('old.txt', 'other.txt', {overwrite: true}),
  },
  {
    name: 'MOVE of a locked collection',
    locks: ['c/*'],
    run: (dav) => dav.move('c/', 'new/'),
  },
  {
    name: 'MOVE of a collection with a locked member',
    locks: ['c/1.txt'],
    run: (dav) => dav.move('c/', 'new/'),
    unprotected: ['nginx', 'lighttpd', 'rclone', 'x/net'],
  },
]

function headingOf({recipe}: Server): Heading {
  const heading = recipe.verbs?.heading
  const found = (
    ['Apache', 'nginx', 'lighttpd', 'rclone', 'nephele', 'SabreDAV', 'Tomcat', 'x/net'] as const
  ).find((one) => one === heading)
  if (found === undefined) throw new Error(`${heading} has no exceptions`)
  return found
}

/**
 * Takes locks. Tomcat refuses to lock a member of a collection that is locked with Depth 0; nginx and nephele refuse to lock a
 * collection with a locked member.
 */
async function take({dav, server}: Scene, paths: readonly string[]): Promise<Lock[]> {
  const locks: Lock[] = []
  const ordered = headingOf(server) === 'Tomcat' ? paths.toReversed() : paths
  for (const path of ordered) {
    const depth = path.endsWith('*') ? 'infinity' : 0
    locks.push(unwrap(await dav.lock(path.replace('*', ''), {depth, timeout: 60_000})))
  }
  return locks
}

/** Removes the locks that are left, so that the next scene has a free server. */
async function release(locks: readonly Lock[]): Promise<void> {
  for (const {lockRoot, token} of locks)
    await send(lockRoot, {method: 'UNLOCK', headers: {'lock-token': `<${token}>`}})
}

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
    const scene = await makeScene(server)
    const {dav} = scene
    const locks = await take(scene, ['old.txt'])
    const {properties} = unwrap(await dav.stat('old.txt', {properties: ['lockdiscovery']}))
    expect(properties.lockdiscovery).toBe('')
    const kept = await dav.put('old.txt', 'new', {ifMatch: '"stale"'})
    expect(kept).toMatchObject({ok: false, status: 412})
    expect(kept).not.toHaveProperty('lostLocks')
    await release(locks)
    const lost = await dav.put('old.txt', 'new')
    expect(lost).toMatchObject({status: 412, lostLocks: locks.map(({token}) => token)})
  })
})

describeServers(verbServers, (server) => {
  it.each(rows)('$name, by its holder', async ({locks: paths, run, fails}) => {
    const scene = await makeScene(server)
    const {folder, before, dav} = scene
    const locks = await take(scene, paths)
    try {
      const status = fails?.[headingOf(server)]
      const result = await run(dav)
      expect(result.ok ? undefined : result.status).toBe(status)
      expect(result).not.toHaveProperty('lostLocks')
      const isChanged = JSON.stringify(await readFiles(server, folder)) !== JSON.stringify(before)
      expect(isChanged).toBe(status === undefined)
    } finally {
      await release(locks)
    }
  })

  it.each(rows)('$name, by somebody else', async ({locks: paths, run, unprotected}) => {
    const scene = await makeScene(server)
    const {folder, before, url} = scene
    const locks = await take(scene, paths)
    try {
      const result = await run(new DavClient({url, transport: undiciTransport()}))
      const isDone = unprotected?.includes(headingOf(server)) === true
      expect(result.ok).toBe(isDone)
      // nephele and Tomcat delete and move the other members of a collection.
      const after = isDone ? before : await readFiles(server, folder)
      expect(paths.map((path) => after[path])).toEqual(paths.map((path) => before[path]))
    } finally {
      await release(locks)
    }
  })

  it('PROPPATCH of a locked file', async () => {
    const scene = await makeScene(server)
    const {dav, url} = scene
    const locks = await take(scene, ['old.txt'])
    try {
      const set = {'{urn:x}colour': 'blue'}
      const other = new DavClient({url, transport: undiciTransport()})
      const refused = await other.proppatch('old.txt', {set})
      // nginx has no PROPPATCH.
      expect(refused.status).toBe(headingOf(server) === 'nginx' ? 405 : 423)
      const {status} = await dav.proppatch('old.txt', {set})
      expect([412, 423]).not.toContain(status)
    } finally {
      await release(locks)
    }
  })

  it('the name of a deleted and of a moved file is free for other clients', async () => {
    const scene = await makeScene(server)
    const {dav, url} = scene
    await take(scene, ['old.txt', 'other.txt', 'c/1.txt'])
    unwrap(await dav.delete('old.txt'))
    unwrap(await dav.move('other.txt', 'moved.txt'))
    unwrap(await dav.delete('c/'))
    expect(dav.locks).toEqual([])
    const other = new DavClient({url, transport: undiciTransport()})
    unwrap(await other.mkcol('c/'))
    const uploads = ['old.txt', 'other.txt', 'moved.txt', 'c/1.txt'].map((href) => ({
      href,
      body: 'new',
    }))
    expect((await other.putMany(uploads).collect()).failures).toEqual([])
  })

  it('a lock that somebody else removed is lost, and its signal tells', async () => {
    const scene = await makeScene(server)
    const {dav, folder, before} = scene
    const locks = await take(scene, ['old.txt'])
    await release(locks)
    const {ok, lostLocks} = {lostLocks: undefined, ...(await dav.put('old.txt', 'new'))}
    // nginx takes any token of a resource without a lock.
    const isTold = headingOf(server) !== 'nginx'
    expect(ok).toBe(!isTold)
    expect(lostLocks).toEqual(isTold ? locks.map(({token}) => token) : undefined)
    expect(locks.map(({signal}) => signal.aborted)).toEqual([isTold])
    expect(dav.locks).toHaveLength(isTold ? 0 : 1)
    const after = await readFiles(server, folder)
    expect(after['old.txt']).toBe(isTold ? before['old.txt'] : 'new')
  })

  it('a 412 for another reason loses no lock', async () => {
    const scene = await makeScene(server)
    const {dav} = scene
    const locks = await take(scene, ['old.txt'])
    try {
      const result = await dav.copy('other.txt', 'old.txt')
      expect(result).toMatchObject({ok: false, status: 412})
      expect(result).not.toHaveProperty('lostLocks')
      expect(dav.locks).toHaveLength(1)
    } finally {
      await release(locks)
    }
  })
})
