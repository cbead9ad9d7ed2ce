/** Reads the names of a local folder for a `put` job. Follows no symbolic links. */

import {opendir} from 'node:fs/promises'
import {join} from 'node:path'

/** One name in the folder. */
export interface FolderEntry {
  /** Names from the folder down. */
  readonly names: readonly string[]
  readonly kind: 'file' | 'folder' | 'other'
}

/** Lists everything in a folder. A folder comes before its content. */
export async function* readFolder(
  folder: string,
  above: readonly string[] = [],
): AsyncGenerator<FolderEntry> {
  const folders: string[] = []
  for await (const entry of await opendir(join(folder, ...above))) {
    const names = [...above, entry.name]
    if (entry.isDirectory()) folders.push(entry.name)
    else yield {names, kind: entry.isFile() ? 'file' : 'other'}
  }
  for (const name of folders) {
    const names = [...above, name]
    yield {names, kind: 'folder'}
    yield* readFolder(folder, names)
  }
}
