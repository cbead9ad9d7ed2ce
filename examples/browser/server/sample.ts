// A WebDAV server with something to see: folders, odd names, and a file that another program has locked.

import {mkdir, utimes, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'

import {encodePath} from 'multistatus'

import {type EmbeddedServer, startEmbeddedServer} from '../../../test/support/embedded-server.ts'
import {lock} from '../../demo/lock.ts'

const LOCKED = 'Projects/2026/contract.txt'
const FILES = [
  LOCKED,
  'Projects/2026/plan.txt',
  'Projects/budget.csv',
  'Photos/harbour.jpg',
  'Photos/island.jpg',
  '100% #1?.txt',
  '<b>bold<b> &amp; more.txt',
  'café ☕.txt',
  'invoice-\u202Efdp.exe',
  'minutes.md',
]

/** Starts the server on a temporary folder with files. */
export async function startSample(): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer()
  for (const [index, path] of FILES.entries()) await store(join(server.folder, path), index)
  for (let number = 1; number <= 200; number++) {
    const name = `log-${`${number}`.padStart(3, '0')}.txt`
    await store(join(server.folder, 'Logs', name), number)
  }
  await lock(new URL(encodePath(LOCKED), server.url).href)
  return server
}

/** Writes a file of some size and age. */
async function store(file: string, number: number): Promise<void> {
  await mkdir(dirname(file), {recursive: true})
  await writeFile(file, 'All is well.\n'.repeat(1 + 7 * (number % 50) ** 2))
  const day = new Date(Date.UTC(2026, number % 11, 1 + (number % 28), number % 24))
  await utimes(file, day, day)
}
