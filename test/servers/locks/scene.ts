/**
 * The place of one step of the table of locks: a few files in a collection of their own, a client that takes locks, and another one.
 * Files are on the disk of a file server. A server with a database gets them by plain requests, and shows them by raw listings.
 */
import {basicAuth, DavClient, type DavResult, type Lock} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {contentOf, kindOf, makeCalendar} from '../support/calendars.ts'
import {type Answer, send} from '../support/http.ts'
import {readMembers} from '../support/raw-listing.ts'
import type {Server} from '../support/server.ts'
import {makeScene, readFiles, type Files} from '../verbs/scene.ts'

export interface LockScene {
  readonly server: Server
  readonly url: string
  /** The client that takes locks. */
  readonly dav: DavClient
  /** A client without locks. */
  readonly other: DavClient
  /** Reads the files without a client: path, and text or ETag. */
  readonly read: () => Promise<Files>
}

let scenes = 0

/** Makes a scene. */
export async function makeLockScene(server: Server): Promise<LockScene> {
  const {calendars, groupware} = server.recipe
  if (calendars === undefined && groupware === undefined) {
    const scene = await makeScene(server)
    const {url, dav, folder} = scene
    const other = new DavClient({url, transport: undiciTransport()})
    return {server, url, dav, other, read: () => readFiles(server, folder)}
  }
  const name = `locks-${scenes++}`
  await makeCalendar(server, name, ['old.txt', 'other.txt'])
  if (kindOf(server) === 'folder') {
    await makeCalendar(server, `${name}/c`, ['1.txt'])
    await makeCalendar(server, `${name}/c/d`, ['2.txt'])
  }
  const url = server.url(name)
  const auth = groupware && basicAuth(groupware.account.user, groupware.account.password)
  const open = (): DavClient => new DavClient({url, transport: undiciTransport(), auth})
  return {server, url, dav: open(), other: open(), read: () => readBelow(server, url)}
}

async function readBelow(server: Server, url: string, prefix = ''): Promise<Files> {
  const files: Record<string, string> = {}
  for (const [name, found] of await readMembers(url + prefix, server.credentials)) {
    files[prefix + name] = found
    if (found === '/') Object.assign(files, await readBelow(server, url, `${prefix}${name}/`))
  }
  return files
}

/** Writes a file with a client. */
export function put({server}: LockScene, dav: DavClient, path: string): Promise<DavResult> {
  const {type, body} = contentOf(kindOf(server), path, 'new')
  return dav.put(path, body, {type})
}

/** Sends a plain request of somebody else. */
export function sendPlain(
  {server, url}: LockScene,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const {type, body} = contentOf(kindOf(server), path, 'plain')
  return send(url + path, {
    method,
    headers: {...server.credentials, ...headers, ...(method === 'PUT' && {'content-type': type})},
    ...(method === 'PUT' && {body}),
  })
}

/** Tells if a plain PUT without a token is refused because of a lock. DAViCal says so in a 207. */
export async function isLocked(scene: LockScene, path: string): Promise<boolean> {
  const {status, text} = await sendPlain(scene, 'PUT', path)
  if (status === 423 || (status === 207 && text.includes(' 423 '))) return true
  if (status > 204) throw new Error(`PUT ${path} answered ${status}: ${text}`)
  return false
}

/** Removes locks by plain requests. Returns the statuses. */
export async function release(
  {server}: LockScene,
  locks: readonly Lock[],
): Promise<readonly number[]> {
  const statuses: number[] = []
  for (const {lockRoot, token} of locks) {
    const headers = {...server.credentials, 'lock-token': `<${token}>`}
    statuses.push((await send(lockRoot, {method: 'UNLOCK', headers})).status)
  }
  return statuses
}
