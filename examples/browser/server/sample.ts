// A WebDAV server with something to see: folders, odd names, and a file that another program has locked.

import {mkdir, writeFile} from 'node:fs/promises'
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
  for (const [index, path] of FILES.entries()) {
    const file = join(server.folder, path)
    await mkdir(dirname(file), {recursive: true})
    await writeFile(file, 'All is well.\n'.repeat(10 ** (index % 5)))
  }
  for (let number = 1; number <= 200; number++) {
    const file = join(server.folder, 'Logs', `log-${`${number}`.padStart(3, '0')}.txt`)
    await mkdir(dirname(file), {recursive: true})
    await writeFile(file, `${number}\n`)
  }
  await lock(new URL(encodePath(LOCKED), server.url).href)
  return server
}
