/**
 * What is on the server's disk, read without the server. Paths are bytes on the way, because a name need not be UTF-8.
 */
import {chmod, lstat, readdir, rm} from 'node:fs/promises'

export interface DiskFile {
  readonly path: Buffer
  readonly isFolder: boolean
  /** In bytes. */
  readonly size: number
}

/** A file, or a folder before all that is in it. Nothing where there is none. */
export async function readTree(path: string | Buffer): Promise<readonly DiskFile[]> {
  const bytes = Buffer.from(path)
  const stats = await lstat(bytes).catch(ifMissing)
  if (stats === undefined) return []
  const own: DiskFile = {path: bytes, isFolder: stats.isDirectory(), size: stats.size}
  if (!own.isFolder) return [own]
  const names = await readdir(bytes, {encoding: 'buffer'})
  const below = names.map((name) => readTree(Buffer.concat([bytes, Buffer.from('/'), name])))
  return [own, ...(await Promise.all(below)).flat()]
}

/** What is below a folder: a file's size, or `'collection'`, by plain path. */
export async function readCollection(folder: string): Promise<Map<string, number | 'collection'>> {
  const [, ...below] = await readTree(folder)
  return new Map(
    below.map(({path, isFolder, size}) => [
      path.toString().slice(folder.length + 1),
      isFolder ? 'collection' : size,
    ]),
  )
}

/** Plain paths of all that is below a folder, sorted; empty where the folder is gone. */
export async function readPaths(folder: string): Promise<readonly string[]> {
  return [...(await readCollection(folder)).keys()].toSorted()
}

/** Removes a folder, also where a test took the permission away. */
export async function removeFolder(folder: string): Promise<void> {
  for (const {path, isFolder} of await readTree(folder)) if (isFolder) await chmod(path, 0o755)
  await rm(folder, {recursive: true, force: true, maxRetries: 3})
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
