// The local side. A file is never overwritten: it steps aside under another name, and is removed only if its content is the known
// one. So a change that a user makes at the last moment survives.

import {createHash, randomUUID} from 'node:crypto'
import {constants, createReadStream} from 'node:fs'
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises'
import {dirname, join, parse, relative, sep} from 'node:path'

import {fromLocalPath} from 'multistatus'

import type {Journal} from './journal.ts'

/** The name of the mirror's own folder, with its journal and unfinished files. Never mirrored. */
const OWN = '.mirror'
// A file system's clock may stand still for two seconds.
const TICK_MILLISECONDS = 2000
const LONGEST_NAME_BYTES = 255
const LONGEST_EXTENSION = 40
const CONFLICT = / \(conflict [\da-f]{8}\)$/
// A line of iCalendar or vCard, with the lines into which it is folded.
const UID = /^UID[:;].*(?:\r?\n[ \t].*)*/gim

/** The files of a folder. */
export interface Scanned {
  /** Hashes by path. */
  readonly files: ReadonlyMap<string, string>
  /** Paths that are no plain files, such as links, or have names that no URL leads back to. They are left alone. */
  readonly barred: readonly string[]
}

/** A copy of a file. */
export interface Snapshot {
  readonly draft: string
  readonly hash: string
}

export class Folder {
  readonly #root: string
  readonly #drafts: string

  constructor(root: string) {
    this.#root = root
    this.#drafts = join(root, OWN, 'drafts')
  }

  /** Makes the mirror's own folder, without the drafts of a killed run. */
  async prepare(): Promise<void> {
    await rm(this.#drafts, {recursive: true, force: true})
    await mkdir(this.#drafts, {recursive: true})
  }

  /** The path of the journal. */
  get journal(): string {
    return join(this.#root, OWN, 'journal.jsonl')
  }

  /** Hashes all files. Throws if a folder cannot be read: its files would count as deleted. */
  async scan(journal: Journal): Promise<Scanned> {
    const files = new Map<string, string>()
    const barred: string[] = []
    for (const entry of await readdir(this.#root, {recursive: true, withFileTypes: true})) {
      const file = join(entry.parentPath, entry.name)
      const path = relative(this.#root, file).split(sep).join('/')
      if (isOwn(path) || entry.isDirectory()) continue
      const isMirrored = entry.isFile() && hasReference(path)
      const hash = isMirrored ? await ifThere(hashUnlessSeen(path, file, journal)) : undefined
      if (hash !== undefined) files.set(path, hash)
      if (!isMirrored) barred.push(path)
    }
    return {files, barred}
  }

  /** Makes the path for a new draft. */
  draft(): string {
    return join(this.#drafts, randomUUID())
  }

  /** Copies a file as it is now. An upload sends the copy, because a user may write while it is sent. */
  async snapshot(path: string): Promise<Snapshot> {
    const draft = this.draft()
    await copyFile(join(this.#root, path), draft, constants.COPYFILE_FICLONE)
    return {draft, hash: await hashOf(draft)}
  }

  /** Gives a draft its place. Throws if a file is there: a rename would replace it, and a link does not. */
  async place(draft: string, path: string): Promise<void> {
    const file = join(this.#root, path)
    await mkdir(dirname(file), {recursive: true})
    await link(draft, file)
  }

  /** Removes a file with a known content. Any other content is kept as a conflict copy, whose path is returned. */
  async remove(path: string, hash?: string): Promise<string | undefined> {
    const aside = nameAside(path)
    const file = join(this.#root, aside)
    const isThere = await ifThere(rename(join(this.#root, path), file).then(() => true))
    if (isThere !== true) return undefined
    if ((await hashOf(file)) !== hash) return aside
    await rm(file)
    return undefined
  }

  /** Replaces a conflict copy of an event or a contact by one with a UID of its own, under another name. RFC 4791, section 5.3.2.1. */
  async giveOwnUid(path: string, hash: string): Promise<void> {
    const text = await readFile(join(this.#root, path), 'latin1')
    const draft = this.draft()
    await writeFile(draft, text.replaceAll(UID, `UID:${randomUUID()}`), 'latin1')
    await this.place(draft, nameAside(path))
    await rm(draft)
    await this.remove(path, hash)
  }

  /** Removes the folders around a deleted file that are empty now. */
  async removeEmpty(path: string): Promise<void> {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      const isRemoved = await rmdir(join(this.#root, folder)).then(
        () => true,
        () => false,
      )
      if (!isRemoved) return
    }
  }
}

/** Hashes a file. */
export async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return hash.digest('hex')
}

/** Recognizes a conflict copy by its name. */
export function isConflictCopy(path: string): boolean {
  return CONFLICT.test(parse(path).name)
}

/** Makes the name of a conflict copy. A long name loses its last characters for the mark. */
function nameAside(path: string): string {
  const {dir, base, ext} = parse(path)
  const end = ext.length > LONGEST_EXTENSION ? '' : ext
  const mark = ` (conflict ${randomUUID().slice(0, 8)})${end}`
  const stem = Array.from(base.slice(0, base.length - end.length).replace(CONFLICT, ''))
  while (Buffer.byteLength(stem.join('') + mark) > LONGEST_NAME_BYTES) stem.pop()
  return join(dir, stem.join('') + mark)
    .split(sep)
    .join('/')
}

/** Recognizes a path of the mirror's own. */
export function isOwn(path: string): boolean {
  return path === OWN || path.startsWith(`${OWN}/`)
}

/** Hashes a file, unless it is as it was at its last hash. */
async function hashUnlessSeen(path: string, file: string, journal: Journal): Promise<string> {
  const {size, ino, mtimeMs, ctimeMs} = await stat(file)
  const stamp = [size, ino, mtimeMs, ctimeMs].join(' ')
  const {seen} = journal.get(path)
  if (seen?.stamp === stamp) return seen.hash
  const hash = await hashOf(file)
  // The stamp of a file that was just written may be that of its next content too.
  if (Date.now() - ctimeMs > TICK_MILLISECONDS) journal.change(path, {seen: {stamp, hash}})
  return hash
}

function hasReference(path: string): boolean {
  try {
    return fromLocalPath(path) !== ''
  } catch {
    return false
  }
}

/** Waits for the result about a file; `undefined` if the file is gone. */
async function ifThere<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
