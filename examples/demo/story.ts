// The story of the demo: list, lock, bulk-delete, unlock, retry the failures. It runs on a real server in this process. Every
// verdict, and the disk behind the server, is compared with the expected outcome.

import {mkdir, readdir, writeFile} from 'node:fs/promises'
import type {IncomingMessage, Server} from 'node:http'
import {dirname, join} from 'node:path'

import {
  DavClient,
  decodePath,
  encodePath,
  type Failure,
  isFailure,
  isSuccess,
  partition,
  type Success,
} from 'multistatus'

import {type EmbeddedServer, startEmbeddedServer} from '../../test/support/embedded-server.ts'
import {check, judge} from './check.ts'
import {lock, unlock} from './lock.ts'
import {listed, note, summarized, title, verdict} from './terminal.ts'

// Names with a special meaning in a URL, a document, a terminal or an object.
const NASTY = [
  '100% #1?.txt',
  '<b> &amp; .txt',
  '%2e%2e%2f.txt',
  'café ☕.txt',
  'a;v=2.txt',
  '__proto__',
]
const LOCKED = 'projects/2026/contract.txt'
const FILES = [...NASTY, 'projects/budget.txt', LOCKED]

/** Runs all steps, from an empty folder to an empty folder. Throws at the first wrong verdict. */
export async function tellStory(signal: AbortSignal): Promise<void> {
  const server = await startEmbeddedServer()
  try {
    title(`A WebDAV server (nephele) at ${server.url} on ${server.folder}`)
    for (const file of FILES) await store(join(server.folder, 'inbox', file))
    note(`${FILES.length} files are in inbox/`)
    await emptyInbox(server, signal)
  } finally {
    await server.close()
  }
  title('Every verdict was the right one. The server is stopped, its folder removed.')
}

async function emptyInbox({url, folder, http}: EmbeddedServer, signal: AbortSignal): Promise<void> {
  const dav = new DavClient({url, signal})

  title('1. List inbox/ (PROPFIND, Depth 1), one line a result as it arrives')
  const members: Success[] = []
  const listing = dav.propfind('inbox/', {depth: 1})
  for await (const result of listing) {
    listed(result)
    if (isSuccess(result) && result.relation === 'member') members.push(result)
  }
  summarized(await listing.summary)
  check(
    'nothing on the disk is missing',
    members.length,
    (await readdir(join(folder, 'inbox'))).length,
  )

  title(`2. Another program locks inbox/${LOCKED}`)
  const locked = new URL(encodePath(`inbox/${LOCKED}`), url).href
  const token = await lock(locked)
  note(`LOCK answered ${token}`)

  title(`3. Delete the ${members.length} members in bulk`)
  const expected = new Map([
    ...NASTY.map((name): [string, string] => [`/inbox/${name}`, '204']),
    ['/inbox/projects/2026/contract.txt', '423 status'],
    ['/inbox/projects/2026/', '500 status'],
    ['/inbox/projects/', '424 member'],
  ])
  const failures: Failure[] = []
  const deletion = dav.deleteMany(members)
  for await (const result of deletion) {
    verdict(result)
    judge(result, expected)
    if (isFailure(result)) failures.push(result)
  }
  summarized(await deletion.summary)
  check('no verdict is missing', [...expected], [])
  check('the disk holds what failed and nothing else', await stored(folder), [
    'inbox',
    'inbox/projects',
    'inbox/projects/2026',
    'inbox/projects/2026/contract.txt',
  ])

  title('4. The other program unlocks it')
  await unlock(locked, token)
  note('UNLOCK answered 204')

  title(
    `5. Retry the ${failures.length} failures and nothing else, members before their collections`,
  )
  const attempts = countAttempts(http, url, failures)
  const again = new Map(failures.map((failure) => [decodePath(failure) ?? '', '204']))
  const retry = dav.retry(failures, {attempts: 3, minDelay: 100, maxDelay: 1000})
  for await (const result of retry) {
    verdict(result, `attempt ${attempts.get(result.url)}`)
    judge(result, again)
  }
  summarized(await retry.summary)
  check('no verdict is missing', [...again], [])
  check(
    'the server was asked once more for each failure, and for nothing else',
    [...attempts.values()],
    [2, 2, 2],
  )

  title('6. List inbox/ again, with all that is in it (Depth infinity)')
  const {successes, failures: none} = await partition(dav.propfind('inbox/', {depth: 'infinity'}))
  for (const result of [...successes, ...none]) listed(result)
  check(
    'only the collection itself is left',
    successes.map(({relation}) => relation),
    ['self'],
  )
  check('the disk says so too', await stored(folder), ['inbox'])
}

/** Counts the requests for each URL: the attempts that the failures report, and the requests that the server sees from now on. */
function countAttempts(
  http: Server,
  base: string,
  failures: readonly Failure[],
): Map<string, number> {
  const attempts = new Map(failures.map(({url, request}) => [url, request?.attempts ?? 0]))
  http.on('request', ({url = ''}: IncomingMessage) => {
    const {href} = new URL(url, base)
    attempts.set(href, (attempts.get(href) ?? 0) + 1)
  })
  return attempts
}

async function store(file: string): Promise<void> {
  await mkdir(dirname(file), {recursive: true})
  await writeFile(file, 'Hello.')
}

/** Lists the folder without the files in which nephele keeps its locks. */
async function stored(folder: string): Promise<string[]> {
  const names = await readdir(folder, {recursive: true})
  return names.filter((name) => !name.endsWith('.nephelemeta')).toSorted()
}
