// Saves a download as a file, once its content is whole. It waits on the browser's own disk (OPFS), or in memory without one.

import type {Download} from 'multistatus'

const PREFIX = 'multistatus-'
// Each page has a folder of its own, and holds a lock of its name as long as it lives.
const FOLDER = `${PREFIX}${crypto.getRandomValues(new Uint32Array(2)).join('-')}`

let saved = 0

/** Removes what pages left behind that are not open any more. */
export async function removeLeftovers(): Promise<void> {
  const disk = await openDisk()
  if (disk === undefined) return
  void navigator.locks.request(FOLDER, () => new Promise(() => {}))
  const {held = []} = await navigator.locks.query()
  const open = new Set([FOLDER, ...held.map(({name}) => name)])
  const names: string[] = []
  for await (const name of disk.keys()) names.push(name)
  const left = names.filter((name) => name.startsWith(PREFIX) && !open.has(name))
  // Another page may remove them too.
  await Promise.allSettled(left.map((name) => disk.removeEntry(name, {recursive: true})))
}

/** Reads a download to its end, and hands the file to the browser. Throws what the body throws. */
export async function save(download: Download, name: string): Promise<void> {
  const content = await collect(download)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  // The browser has no event for the end of the copy. A minute is enough to open it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

async function collect({body}: Download): Promise<Blob> {
  const disk = await openDisk()
  if (disk === undefined) return new Response(body).blob()
  const folder = await disk.getDirectoryHandle(FOLDER, {create: true})
  const handle = await folder.getFileHandle(`${saved++}`, {create: true})
  await body.pipeTo(await handle.createWritable())
  return handle.getFile()
}

/** Opens the disk of this origin. Pages over plain http and private windows may have none. */
async function openDisk(): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await navigator.storage.getDirectory()
  } catch {
    return undefined
  }
}
