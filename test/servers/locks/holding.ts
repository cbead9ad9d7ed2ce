/** Steps of a client that holds locks. Another client does each of them too, without the locks. RFC 4918, sections 7 and 10.4. */
import {isDeepStrictEqual} from 'node:util'
import type {DavClient, DavResult, Lock} from 'multistatus'
import type {Server} from '../support/server.ts'
import type {HeldRow} from './rows.ts'
import {type LockScene, makeLockScene, put, release} from './scene.ts'

interface Step {
  /** The resources to lock; one with `/*` for Depth infinity. */
  readonly locks: readonly string[]
  readonly call: (dav: DavClient, scene: LockScene) => Promise<DavResult>
  /** True for a step that changes no file. */
  readonly isUnseen?: boolean
}

const putTo =
  (path: string): Step['call'] =>
  (dav, scene) =>
    put(scene, dav, path)

const overwrite = {overwrite: true} as const

const steps: Readonly<Record<HeldRow, Step>> = {
  'PUT over a locked file': {locks: ['old.txt'], call: putTo('old.txt')},
  'PUT into a locked collection': {locks: ['c/*'], call: putTo('c/new.txt')},
  'PUT into a collection locked with Depth 0': {locks: ['c/'], call: putTo('c/new.txt')},
  'PUT of a locked file in a locked collection': {
    locks: ['c/', 'c/1.txt'],
    call: putTo('c/1.txt'),
  },
  'MKCOL in a locked collection': {locks: ['c/*'], call: (dav) => dav.mkcol('c/new/')},
  'PROPPATCH of a locked file': {
    locks: ['old.txt'],
    call: (dav) => dav.proppatch('old.txt', {set: {'{urn:x}colour': 'blue'}}),
    isUnseen: true,
  },
  'DELETE of a locked file': {locks: ['old.txt'], call: (dav) => dav.delete('old.txt')},
  'DELETE of a member of a locked collection': {
    locks: ['c/*'],
    call: (dav) => dav.delete('c/1.txt'),
  },
  'DELETE of a member of a collection locked with Depth 0': {
    locks: ['c/'],
    call: (dav) => dav.delete('c/1.txt'),
  },
  'DELETE of a locked collection': {locks: ['c/*'], call: (dav) => dav.delete('c/')},
  'DELETE of a collection with a locked member': {
    locks: ['c/d/2.txt'],
    call: (dav) => dav.delete('c/'),
  },
  'DELETE of a collection with two locked members': {
    locks: ['c/1.txt', 'c/d/2.txt'],
    call: (dav) => dav.delete('c/'),
  },
  'COPY onto a locked file': {
    locks: ['old.txt'],
    call: (dav) => dav.copy('other.txt', 'old.txt', overwrite),
  },
  'COPY into a locked collection': {
    locks: ['c/*'],
    call: (dav) => dav.copy('other.txt', 'c/new.txt'),
  },
  'MOVE onto a locked file': {
    locks: ['old.txt'],
    call: (dav) => dav.move('other.txt', 'old.txt', overwrite),
  },
  'MOVE into a locked collection': {
    locks: ['c/*'],
    call: (dav) => dav.move('other.txt', 'c/new.txt'),
  },
  'MOVE out of a locked collection': {
    locks: ['c/*'],
    call: (dav) => dav.move('c/1.txt', 'new.txt'),
  },
  'MOVE in a collection locked with Depth 0': {
    locks: ['c/'],
    call: (dav) => dav.move('c/1.txt', 'c/new.txt'),
  },
  'MOVE of a locked file': {locks: ['old.txt'], call: (dav) => dav.move('old.txt', 'new.txt')},
  'MOVE of a locked file onto another one': {
    locks: ['old.txt'],
    call: (dav) => dav.move('old.txt', 'other.txt', overwrite),
  },
  'MOVE of a locked file onto another locked one': {
    locks: ['old.txt', 'other.txt'],
    call: (dav) => dav.move('old.txt', 'other.txt', overwrite),
  },
  'MOVE of a locked collection': {locks: ['c/*'], call: (dav) => dav.move('c/', 'new/')},
  'MOVE of a collection with a locked member': {
    locks: ['c/1.txt'],
    call: (dav) => dav.move('c/', 'new/'),
  },
}

/**
 * Takes locks; `undefined` if the server refuses one. Tomcat refuses to lock a member of a collection that is locked with Depth 0;
 * nginx and nephele refuse to lock a collection with a locked member.
 */
async function takeAll(
  {dav, server}: LockScene,
  paths: readonly string[],
): Promise<Lock[] | undefined> {
  const locks: Lock[] = []
  const isInwards = server.recipe.locks?.heading === 'Tomcat'
  for (const path of isInwards ? paths.toReversed() : paths) {
    const depth = path.endsWith('*') ? 'infinity' : 0
    const lock = await dav.lock(path.replace('*', ''), {depth, timeout: 60_000})
    if (!lock.ok) return undefined
    locks.push(lock)
  }
  return locks
}

/**
 * Does a step by the holder of the locks, and in another scene by a client without them.
 *
 * @returns `right` if the holder did it and the other one was refused; `open` if both did it; a status if both were refused.
 */
export async function runHeld(row: HeldRow, server: Server): Promise<string | number> {
  const holder = await runByHolder(steps[row], await makeLockScene(server))
  if (holder === 'no lock') return holder
  const other = await runByOther(steps[row], await makeLockScene(server))
  if (other === 'refused') return holder
  return holder === 'right' && other === 'done' ? 'open' : `holder ${holder}, other ${other}`
}

async function runByHolder(
  {locks: paths, call, isUnseen = false}: Step,
  scene: LockScene,
): Promise<string | number> {
  const before = await scene.read()
  const locks = await takeAll(scene, paths)
  if (locks === undefined) return 'no lock'
  try {
    const result = await call(scene.dav, scene)
    if (!result.ok && result.lostLocks !== undefined) return 'told lost'
    const isChanged = !isDeepStrictEqual(before, await scene.read())
    if (result.ok) return isChanged || isUnseen ? 'right' : 'success, untouched'
    return isChanged ? 'failure, changed' : result.status
  } finally {
    await release(scene, locks)
  }
}

async function runByOther({locks: paths, call}: Step, scene: LockScene): Promise<string> {
  const before = await scene.read()
  const locks = (await takeAll(scene, paths)) ?? []
  try {
    if ((await call(scene.other, scene)).ok) return 'done'
    // nephele and Tomcat delete and move the other members of a collection.
    const after = await scene.read()
    const roots = paths.map((path) => path.replace(/\/\*?$/, ''))
    return roots.every((root) => after[root] === before[root]) ? 'refused' : 'failure, changed'
  } finally {
    await release(scene, locks)
  }
}
