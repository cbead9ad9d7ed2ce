/**
 * Steps of a sync. After each one, the mirror has to be equal to a raw listing, ETags included, and each change has to be told once.
 * RFC 6578, section 3.
 */
import {isDeepStrictEqual} from 'node:util'
import {makeCalendar, putMember, removeMember, renameMember} from '../support/calendars.ts'
import {readMembers} from '../support/raw-listing.ts'
import type {Server} from '../support/server.ts'
import {Mirror} from './mirror.ts'
import type {SyncRow} from './rows.ts'

const NAMES = ['a.ics', 'b.ics', 'c.ics', 'd.ics', 'e.ics']
const all = NAMES.map((name) => `changed ${name}`)

interface Scene {
  readonly server: Server
  /** The name of the collection. */
  readonly name: string
  readonly mirror: Mirror
}

let scenes = 0

/** Makes a collection with five members, and a new mirror of it. */
async function makeScene(server: Server): Promise<Scene> {
  const name = `mirrored-${scenes++}`
  await makeCalendar(server, name, NAMES)
  return {server, name, mirror: new Mirror(server)}
}

/**
 * Syncs, and compares.
 *
 * @returns `right` after one request, the number of more requests, or the differences.
 */
async function sync(
  {server, name, mirror}: Scene,
  expected: readonly string[],
  limit?: number,
): Promise<string | number> {
  const {changes, requests} = await mirror.sync(`${name}/`, limit)
  const listed = await readMembers(server.url(name), server.credentials)
  if (!isDeepStrictEqual(mirror.members, listed))
    return `mirror ${mirror.names.join(', ')}; server ${[...listed.keys()].join(', ')}`
  if (!isDeepStrictEqual(changes, expected)) return `told ${changes.join(', ')}`
  return requests === 1 ? 'right' : requests
}

/** Does the first sync. Throws unless it is right. */
async function syncFirst(scene: Scene): Promise<void> {
  const outcome = await sync(scene, all)
  if (outcome !== 'right') throw new Error(`The first sync: ${outcome}`)
}

/** Changes a member, adds one, and deletes one. Returns the news. */
async function change({server, name}: Scene): Promise<readonly string[]> {
  await putMember(server, `${name}/b.ics`, {summary: 'changed'})
  await putMember(server, `${name}/new.ics`)
  await removeMember(server, `${name}/d.ics`)
  return ['404 d.ics', 'changed b.ics', 'changed new.ics']
}

const steps: Readonly<Record<SyncRow, (scene: Scene) => Promise<string | number>>> = {
  'the first sync': (scene) => sync(scene, all),
  'no change': async (scene) => {
    await syncFirst(scene)
    return sync(scene, [])
  },
  'a changed, a new and a deleted member': async (scene) => {
    await syncFirst(scene)
    return sync(scene, await change(scene))
  },
  'a renamed member': async (scene) => {
    await syncFirst(scene)
    await renameMember(scene.server, `${scene.name}/a.ics`, `${scene.name}/moved.ics`)
    return sync(scene, ['404 a.ics', 'changed moved.ics'])
  },
  'changes behind an unknown token': async (scene) => {
    await syncFirst(scene)
    const news = await change(scene)
    scene.mirror.loseToken()
    return sync(scene, news)
  },
  'no change behind an unknown token': async (scene) => {
    await syncFirst(scene)
    scene.mirror.loseToken()
    const outcome = await sync(scene, [])
    const after = await sync(scene, [])
    return after === 'right' ? outcome : `then ${after}`
  },
  'five members in pages of two': (scene) => sync(scene, all, 2),
  'three changes in pages of two': async (scene) => {
    await syncFirst(scene)
    return sync(scene, await change(scene), 2)
  },
  'a change after a restart of the server': async (scene) => {
    await syncFirst(scene)
    await scene.server.whileStopped(() => Promise.resolve())
    const {server, name} = scene
    await putMember(server, `${name}/e.ics`, {summary: 'changed'})
    return sync(scene, ['changed e.ics'])
  },
}

/** Does a step with a collection of its own. */
export async function runSync(row: SyncRow, server: Server): Promise<string | number> {
  return steps[row](await makeScene(server))
}
