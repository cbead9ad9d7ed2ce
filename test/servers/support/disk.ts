/** The content of the server's disk, read without the server. Paths are bytes inside, because a name may not be UTF-8. */
import {chmod, lstat, readdir, rm} from 'node:fs/promises'

export interface DiskFile {
  readonly path: Buffer
  readonly isFolder: boolean
  /** Path in bytes. */
  readonly size: number
}

/** Reads a file, or a folder before its content. A missing one gives an empty list. */
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

/** Reads the content below a folder: size of a file, or `'collection'`, by plain path. */
export async function readCollection(folder: string): Promise<Map<string, number | 'collection'>> {
  const [, ...below] = await readTree(folder)
  return new Map(
    below.map(({path, isFolder, size}) => [
      path.toString().slice(folder.length + 1),
      isFolder ? 'collection' : size,
    ]),
  )
}

/** Reads the plain paths below a folder, sorted. A missing folder gives an empty list. */
export async function readPaths(folder: string): Promise<readonly string[]> {
  return [...(await readCollection(folder)).keys()].toSorted()
}

/** Removes a folder, even if a test took the permission away. */
export async function removeFolder(folder: string): Promise<void> {
  for (const {path, isFolder} of await readTree(folder)) if (isFolder) await chmod(path, 0o755)
  await rm(folder, {recursive: true, force: true, maxRetries: 3})
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
