// List, lock, bulk-delete, read the verdicts, unlock, retry only the failures: on a real server in this process, with
// every verdict, and the disk behind it, checked against what must have happened.

import {mkdir, readdir, writeFile} from 'node:fs/promises'
import type {IncomingMessage} from 'node:http'
import {dirname, join} from 'node:path'

import {DavClient, encodePath, type Failure, isFailure, type ResultStream, type Success} from 'multistatus'

import {type EmbeddedServer, startEmbeddedServer} from '../../test/support/embedded-server.ts'
import {check, judge} from './check.ts'
import {lock, unlock} from './lock.ts'
import {listed, note, summarized, title, verdict} from './terminal.ts'

// Names that a URL, a document, a terminal or an object would take for something else.
const NASTY = ['100% #1?.txt', '<b>&amp;</b>.txt', '%2e%2e%2f.txt', 'café ☕.txt', '\u001b[31mred.txt', '__proto__']
const LOCKED = 'projects/2026/contract.txt'
const FILES = [...NASTY, 'projects/budget.txt', LOCKED]

/** Tells the story from an empty folder to an empty folder. Throws at the first wrong verdict. */
export async function tellStory(signal: AbortSignal): Promise<void> {
  const server = await startEmbeddedServer()
  try {
    title(`A WebDAV server (nephele) at ${server.url} on ${server.folder}`)
    for (const file of FILES) await store(join(server.folder, 'inbox', file))
    note(`${FILES.length} files in inbox/`)
    await deleteInbox(server, signal)
  } finally {
    await server.close()
  }
  title('Every verdict was the right one. The server is stopped, its folder removed.')
}

async function deleteInbox({url, folder, http}: EmbeddedServer, signal: AbortSignal): Promise<void> {
  const dav = new DavClient({url, signal})

  title('1. PROPFIND inbox/ (Depth: 1): a line a result, as it arrives')
  const members: Success[] = []
  const listing = dav.propfind('inbox/', {depth: 1})
  for await (const result of listing) {
    listed(result)
    if (result.ok && result.relation === 'member') members.push(result)
  }
  summarized(await listing.summary)
  check('every name on the disk was listed', members.length, (await readdir(join(folder, 'inbox'))).length)

  title(`2. LOCK inbox/${LOCKED}`)
  const locked = new URL(encodePath(`inbox/${LOCKED}`), url).href
  const token = await lock(locked)
  note(`another program holds it: ${token}`)

  title(`3. DELETE all ${members.length} members, with what each 207 says of single ones`)
  const failures = await verdicts(dav.deleteMany(members), {
    ...Object.fromEntries(NASTY.map((name) => [`/inbox/${name}`, '204'])),
    '/inbox/projects/2026/contract.txt': '423 status',
    '/inbox/projects/2026/': '500 status',
    '/inbox/projects/': '424 member',
  })

  title('4. Retry the failures while the lock stands')
  ...

  title('5. UNLOCK, and retry the failures')
  await unlock(locked, token)
  const sent: string[] = []
  http.on('request', ({method, url}: IncomingMessage) => sent.push(`${method} ${url}`))
  ...
}
