/**
 * Local files on platforms without any: browsers and workers. Each function rejects with a TypeError. package.json picks
 * files.node.ts instead under Node, Bun and Deno.
 */

/** A new file beside a path. It replaces the file at the path only when it is whole. */
export interface Draft {
  /** Adds bytes at the end. */
  write(bytes: Uint8Array): Promise<void>
  /** Waits until the bytes are on the disk, and replaces the file at the path. */
  publish(): Promise<void>
  /** Removes the new file. The file at the path stays as it was. */
  discard(): Promise<void>
}

/** Opens a file as a Blob, which is read in pieces. */
export async function openFile(_path: string): Promise<Blob> {
  throw noFiles()
}

/** Creates a new file beside a path. */
export async function createDraft(_path: string): Promise<Draft> {
  throw noFiles()
}

function noFiles(): TypeError {
  return new TypeError('A file by its path needs Node, Bun or Deno')
}
