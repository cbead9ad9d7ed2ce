/** Steps of LOCK and UNLOCK, and of the time after the end of a lock. A plain PUT shows what is locked. RFC 4918, sections 7, 9.10 and 9.11. */
import {type DavResult, type Failure, isSuccess, type Lock, unwrap} from 'multistatus'
import type {EndedRow, TakenRow} from './rows.ts'
import {isLocked, type LockScene, put, release, sendPlain} from './scene.ts'

type Step = (scene: LockScene) => Promise<string | number>

const own = {depth: 0, timeout: 60_000} as const

/** Checks a lock that was taken or refused, and removes it. */
async function judge(
  scene: LockScene,
  lock: Lock | Failure,
  check: (lock: Lock) => Promise<string | number>,
): Promise<string | number> {
  if (!lock.ok) return lock.status
  try {
    return await check(lock)
  } finally {
    await release(scene, [lock])
  }
}

/** Judges a LOCK that has to be refused. */
async function judgeRefusal(
  scene: LockScene,
  lock: Lock | Failure,
  right: readonly number[],
): Promise<string | number> {
  if (!lock.ok) return right.includes(lock.status) ? 'right' : lock.status
  await release(scene, [lock])
  return 'success, locked'
}

function isOf({depth, scope, timeout}: Lock, wanted: 0 | 'infinity'): boolean {
  return depth === wanted && scope === 'exclusive' && timeout > 0
}

async function lockMissing(scene: LockScene, create: boolean): Promise<string | number> {
  return judge(scene, await scene.dav.lock('new.txt', {...own, create}), async (lock) => {
    const {status, text} = await sendPlain(scene, 'GET', 'new.txt')
    const isMade = status === 200 && text === ''
    if (!isOf(lock, 0) || !(await isLocked(scene, 'new.txt'))) return 'success, not locked'
    return isMade ? 'right' : `success, ${status}`
  })
}

async function withLock(
  scene: LockScene,
  check: (lock: Lock) => Promise<string | number>,
): Promise<string | number> {
  return judge(scene, await scene.dav.lock('old.txt', own), check)
}

const onlyFailure = (results: readonly DavResult[]): string | number =>
  results.find((result) => !isSuccess(result))?.status ?? 'right'

/** PUTs of a client without locks to names that have to be free. */
async function putAll(scene: LockScene, names: readonly string[]): Promise<string | number> {
  const results: DavResult[] = []
  for (const name of names) results.push(await put(scene, scene.other, name))
  return onlyFailure(results)
}

export const taking: Readonly<Record<EndedRow | TakenRow, Step>> = {
  'LOCK of a file': (scene) =>
    withLock(scene, async (lock) => {
      if (!isOf(lock, 0) || lock.lockRoot !== `${scene.url}old.txt`) return 'success, other facts'
      return (await isLocked(scene, 'old.txt')) ? 'right' : 'open'
    }),
  'LOCK of a file, twice by one client': (scene) =>
    withLock(scene, async () => judgeRefusal(scene, await scene.dav.lock('old.txt', own), [423])),
  'LOCK of a locked file': (scene) =>
    withLock(scene, async () => judgeRefusal(scene, await scene.other.lock('old.txt', own), [423])),
  'LOCK of a collection': async (scene) => {
    const lock = await scene.dav.lock('', {timeout: 60_000})
    return judge(scene, lock, async (held) => {
      if (!isOf(held, 'infinity')) return 'success, other facts'
      return (await isLocked(scene, 'new.txt')) ? 'right' : 'open'
    })
  },
  'LOCK of a collection with a locked member': async (scene) => {
    const member = await scene.dav.lock('c/d/2.txt', own)
    return judge(scene, member, async () => {
      const around = await scene.other.lock('c/', {timeout: 60_000})
      // 424 for a resource that was not locked because of another one. RFC 4918, section 9.10.3.
      const outcome = await judgeRefusal(scene, around, [207, 423, 424])
      return (await isLocked(scene, 'c/new.txt')) ? `${outcome}, locked` : outcome
    })
  },
  'LOCK of a missing file': (scene) => lockMissing(scene, false),
  'LOCK of a missing file, create': (scene) => lockMissing(scene, true),
  'LOCK of a file, create': async (scene) =>
    judgeRefusal(scene, await scene.dav.lock('old.txt', {...own, create: true}), [412]),
  'LOCK of a file, shared by two clients': async (scene) => {
    const shared = {...own, scope: 'shared'} as const
    return judge(scene, await scene.dav.lock('old.txt', shared), async (first) =>
      judge(scene, await scene.other.lock('old.txt', shared), async (second) => {
        if (first.scope !== 'shared' || second.scope !== 'shared') return 'success, exclusive'
        return (await isLocked(scene, 'old.txt')) ? 'right' : 'open'
      }),
    )
  },
  refresh: (scene) =>
    withLock(scene, async (lock) => {
      const refreshed = await lock.refresh({timeout: 120_000})
      if (!(await isLocked(scene, 'old.txt'))) return 'open'
      return refreshed.ok ? 'right' : refreshed.status
    }),
  UNLOCK: (scene) =>
    withLock(scene, async (lock) => {
      const unlocked = await lock.unlock()
      const isHeld = scene.dav.locks.length > 0
      if ((await isLocked(scene, 'old.txt')) !== !unlocked.ok || isHeld !== !unlocked.ok)
        return `${unlocked.status}, not as told`
      return unlocked.ok ? 'right' : unlocked.status
    }),
  'PUT to a deleted file that was locked': (scene) =>
    withLock(scene, async () => {
      unwrap(await scene.dav.delete('old.txt'))
      return scene.dav.locks.length === 0 ? putAll(scene, ['old.txt']) : 'success, locked'
    }),
  'PUT to both names of a moved file that was locked': (scene) =>
    withLock(scene, async () => {
      unwrap(await scene.dav.move('old.txt', 'moved.txt'))
      return scene.dav.locks.length === 0
        ? putAll(scene, ['old.txt', 'moved.txt'])
        : 'success, locked'
    }),
  'PUT over a file whose lock somebody else removed': (scene) =>
    withLock(scene, async (lock) => {
      const [status] = await release(scene, [lock])
      const result = await put(scene, scene.dav, 'old.txt')
      if (result.ok) return `success, UNLOCK ${status}`
      const isTold = lock.signal.aborted && scene.dav.locks.length === 0
      return isTold && result.lostLocks?.[0] === lock.token ? 'right' : result.status
    }),
  'COPY onto a locked file, no overwrite': (scene) =>
    withLock(scene, async () => {
      const result = await scene.dav.copy('other.txt', 'old.txt')
      if (result.ok) return 'success, done'
      if (result.lostLocks !== undefined || scene.dav.locks.length === 0) return 'told lost'
      return result.status === 412 ? 'right' : result.status
    }),
}
