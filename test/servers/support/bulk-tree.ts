/**
 * The tree for a bulk deletion: many files with nasty names in many collections with nasty names. One collection holds a
 * folder owned by root, and two others hold locked files. The tree is written to the disk, without the server.
 */
import {isUtf8} from 'node:buffer'
import {chmod, lchown, mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {encodePath} from 'multistatus'
import {giveToServer, serverAccount} from './account.ts'
import {bulkTraitsOf} from './bulk-servers.ts'
import {readTree} from './disk.ts'
import {takeLock, type Lock} from './lock-token.ts'
import type {Server} from './server.ts'
import {nastyNames} from './trees.ts'

export interface BulkTree {
  readonly folder: string
  /** Served paths, in bytes: a folder that only root may delete from, and its collection. */
  readonly blocked: {readonly collection: string; readonly folder: string}
  /** Locked files and their collections; each is in another collection of the tree. */
  readonly locked: readonly {readonly collection: string; readonly file: string}[]
  /** Gives the root-owned folder to the server and releases the locks. */
  allow(): Promise<void>
}

interface TakenLock {
  /** Path on the disk. */
  readonly file: string
  readonly lock: Lock
}

/** Indexes of the special collections. Each collection with an index divisible by 3 has a collection in it. */
const BLOCKED = 1
const LOCKED = 4
const LOCKED_BELOW = 6
const OTHER_BYTES = 7

/** Writes the tree: this many `collections` directly in it, and this many `files` in them and in their collections. */
export async function makeBulkTree(
  server: Server,
  name: string,
  {collections, files}: {readonly collections: number; readonly files: number},
): Promise<BulkTree> {
  const folder = join(server.root, name)
  const nasty = namesOf(server)
  const {tops, inners} = collectionNames(server, nasty, collections)
  const top = (index: number): string => tops[index] ?? ''
  const inner = (index: number): string => inners[index] ?? ''
  const blocked = `${top(BLOCKED)}/kept by "root" & more`
  const locked = [
    {collection: top(LOCKED), file: `${top(LOCKED)}/locked 100% #1?.txt`},
    {
      collection: top(LOCKED_BELOW),
      file: `${top(LOCKED_BELOW)}/${inner(LOCKED_BELOW)}/lock\u00E9d;a=b.txt`,
    },
  ]
  const special = nasty.slice(0, 3).map((file) => `${blocked}/${file}`)
  special.push(...locked.map(({file}) => file))
  const all = Array.from({length: files - special.length}, (_, index) => {
    const place = index % collections
    const turn = Math.floor(index / collections)
    const file = nasty[(place * 7 + turn) % nasty.length]
    const isBelow = place % 3 === 0 && turn % 3 === 0
    return isBelow ? `${top(place)}/${inner(place)}/${file}` : `${top(place)}/${file}`
  })
  await writeAll(folder, [...all, ...special])
  if (server.traits.otherBytes) await writeOtherBytes(`${folder}/${top(OTHER_BYTES)}`)
  await giveToServer(folder)
  const locks: TakenLock[] = []
  // One after the other: of two at once SabreDAV's file of locks keeps one.
  for (const {file} of locked) {
    const lock = await takeLock(server, encodePath(`${name}/${file}`))
    locks.push({file: `${folder}/${file}`, lock})
  }
  await giveToRoot(join(folder, blocked))
  const served = (path: string): string => servedPath(server, Buffer.from(`${folder}/${path}`))
  return {
    folder,
    blocked: {collection: served(top(BLOCKED)), folder: served(blocked)},
    locked: locked.map(({collection, file}) => ({
      collection: served(collection),
      file: served(file),
    })),
    allow: () => allow(join(folder, blocked), locks),
  }
}

/** Maps a file on the disk to its served path, in bytes, each as one character. */
export function servedPath({root, traits}: Server, path: Buffer): string {
  const onDisk = path.subarray(Buffer.byteLength(root)).toString('latin1')
  return onDisk
    .split('/')
    .map((name) => {
      const bytes = Buffer.from(name, 'latin1')
      if (!isUtf8(bytes)) return name
      return Buffer.from(traits.nameOf(bytes.toString())).toString('latin1')
    })
    .join('/')
}

/** Escapes a served path for the client. Bytes that are not UTF-8 are escaped here, because they fit no plain path. */
export function referenceTo(path: string): string {
  const names = path.slice(1).split('/')
  return names
    .map((name) => {
      const bytes = Buffer.from(name, 'latin1')
      return isUtf8(bytes)
        ? encodePath(bytes.toString())
        : bytes.toString('hex').replace(/../g, '%$&')
    })
    .join('/')
}

/** Makes the content of a folder deletable by root only. If the tests are not root, the mode alone forbids it. */
async function giveToRoot(folder: string): Promise<void> {
  if (serverAccount() !== undefined)
    for (const {path} of await readTree(folder)) await lchown(path, 0, 0)
  await chmod(folder, 0o555)
}

/** Gives the content back to the server. */
async function takeFromRoot(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  await giveToServer(folder)
}

/** Names that the server can list and delete one by one. */
function namesOf(server: Server): readonly string[] {
  const {cannotDelete} = bulkTraitsOf(server)
  return nastyNames.filter(
    (name) => server.traits.refusal(name) === undefined && !cannotDelete(name),
  )
}

/** Names of this many collections, the plain nasty ones first, and of one collection inside each. */
function collectionNames(
  {traits}: Server,
  nasty: readonly string[],
  count: number,
): {readonly tops: readonly string[]; readonly inners: readonly string[]} {
  const names = nasty.filter(
    (name) => !traits.hasNamelessMembers(name) && (traits.dotNames || !name.startsWith('.')),
  )
  const short = names.map((name) => name.slice(0, 200))
  const indexes = Array.from({length: count}, (_, index) => index)
  const at = (index: number): string => short[index % short.length] ?? ''
  return {
    tops: indexes.map((index) => names[index] ?? `${at(index)}-${index}`),
    inners: indexes.map((index) => `in ${at(index)}`),
  }
}

async function writeAll(folder: string, files: readonly string[]): Promise<void> {
  const paths = files.map((file) => `${folder}/${file}`)
  for (const collection of new Set(paths.map((path) => dirname(path))))
    await mkdir(collection, {recursive: true})
  await Promise.all(paths.map((path) => writeFile(path, 'x')))
}

async function writeOtherBytes(collection: string): Promise<void> {
  const bytes = (name: string): Buffer =>
    Buffer.concat([Buffer.from(`${collection}/`), Buffer.from(name, 'latin1')])
  await writeFile(bytes('caf\xE9'), 'x')
  await mkdir(bytes('cr\xE8me'))
  await writeFile(bytes('cr\xE8me/vid\xE9'), 'x')
}

async function allow(blocked: string, locks: readonly TakenLock[]): Promise<void> {
  await takeFromRoot(blocked)
  // nginx and rclone keep the lock of a file that was deleted with its collection, and lighttpd does not.
  for (const {file, lock} of locks)
    await lock.release({isGone: (await readTree(file)).length === 0})
}
