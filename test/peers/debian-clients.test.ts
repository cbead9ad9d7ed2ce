// Clients of Debian in the situations of guide/other-clients.md, each run once as its users run it, with its defaults. Needs
// cadaver, curl, lftp, nd, rclone, python3-caldav, python3-easywebdav and python3-webdavclient.

import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {afterAll, beforeAll, describe, expect, it} from 'vitest'

import {startFaultServer} from '../support/fault-server.ts'
import {isEveryServerRequired} from '../servers/support/missing.ts'
import {startMirror} from '../support/mirror-process.ts'
import type {Said} from './situations.ts'
import {answerPlainly, GAPS, SITUATIONS} from './situations.ts'
import type {Client} from './tables.ts'
import {formatTable, guideTable, meet} from './tables.ts'

const PYTHON = '/usr/lib/python3/dist-packages/'
const missing = [
  ...['cadaver', 'curl', 'lftp', 'nd', 'rclone', 'python3'].map((name) => `/usr/bin/${name}`),
  ...['caldav', 'easywebdav', 'webdav3'].map((name) => PYTHON + name),
].filter((path) => !existsSync(path))

// A machine without them skips these tests, and fails under `CI`.
const isSkipped = missing.length > 0 && !isEveryServerRequired
it.skipIf(!isEveryServerRequired)('all clients are installed', () => {
  expect(missing).toEqual([])
})

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'multistatus-peers-'))
  await writeFile(join(home, 'new.txt'), 'hello')
})
afterAll(() => rm(home, {recursive: true}))

/** Runs a program in an empty home. Its exit status, or a word of failure in its output, makes an error. */
function run(program: string, args: readonly string[], input = ''): Promise<Said> {
  const env = {PATH: process.env['PATH'], HOME: home, LC_ALL: 'C.UTF-8', NO_COLOR: '1'}
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, {cwd: home, env, timeout: 30_000}, (error, out, err) => {
      const text = out + err
      if (error !== null && typeof error.code === 'string') return reject(error)
      resolve({failed: error !== null || /\bfailed\b|\berror\b/i.test(text), text})
    })
    child.stdin?.end(input)
  })
}

const cadaver = (commands: string) => (url: string) =>
  run('cadaver', [], `open ${url}\n${commands}\nquit\n`)

const curl =
  (path: string, ...args: readonly string[]) =>
  (url: string) =>
    run('curl', ['-sS', '-f', ...args.map((arg) => arg.replace('URL/', url)), `${url}${path}`])

const lftp = (commands: string) => (url: string) =>
  run('lftp', [
    '-c',
    `set net:max-retries 2; set net:reconnect-interval-base 1; open ${url}; ${commands}`,
  ])

const rclone =
  (...args: readonly string[]) =>
  (url: string) =>
    run('rclone', [...args, '--webdav-url', url, '--config', '/dev/null'])

const python = (program: string) => (url: string) => run('/usr/bin/python3', ['-c', program, url])

const WEBDAV3 =
  'import sys\nfrom webdav3.client import Client\nc = Client({"webdav_hostname": sys.argv[1]})\n'
const EASY =
  'import sys, easywebdav\nh, p = sys.argv[1][7:-1].split(":")\nc = easywebdav.connect(h, port=int(p))\n'
const CALDAV =
  'import sys, caldav\nc = caldav.DAVClient(sys.argv[1])\nd = lambda p: caldav.objects.DAVObject(c, url=c.url.join(p))\n'

const CLIENTS: readonly Client[] = [
  {
    heading: 'cadaver 0.24',
    tasks: {
      remove: cadaver('rmcol d'),
      'remove file': cadaver('cd d\ndelete a.txt'),
      list: cadaver('ls d'),
      move: cadaver('move d e'),
      upload: cadaver('put new.txt'),
    },
  },
  {
    heading: 'rclone 1.60',
    tasks: {
      remove: rclone('purge', ':webdav:d'),
      'remove file': rclone('deletefile', ':webdav:d/a.txt'),
      list: rclone('lsf', '--format', 'ps', ':webdav:d'),
      'list deep': rclone('lsf', '-R', ':webdav:d'),
      move: rclone('move', ':webdav:d', ':webdav:e'),
      upload: rclone('copy', 'new.txt', ':webdav:d', '--retries', '1'),
    },
  },
  {
    heading: 'curl 7.88',
    tasks: {
      remove: curl('d/', '-X', 'DELETE'),
      'remove file': curl('d/a.txt', '-X', 'DELETE'),
      list: curl('d/', '-X', 'PROPFIND', '-H', 'Depth: 1'),
      move: curl('d/', '-X', 'MOVE', '-H', 'Destination: URL/e/'),
      upload: curl('d/new.txt', '-T', 'new.txt'),
    },
  },
  {
    heading: 'lftp 4.9',
    tasks: {
      remove: lftp('rm -r d'),
      'remove file': lftp('rm d/a.txt'),
      move: lftp('mv d e'),
      upload: lftp('put new.txt'),
    },
  },
  {
    heading: 'nd 0.8',
    tasks: {
      remove: (url) => run('nd', ['-d', `${url}d/`]),
      'remove file': (url) => run('nd', ['-d', `${url}d/a.txt`]),
    },
  },
  {
    heading: 'webdavclient3 3.14',
    tasks: {
      remove: python(`${WEBDAV3}c.clean("d")`),
      'remove file': python(`${WEBDAV3}c.clean("d/a.txt")`),
      list: python(`${WEBDAV3}[print(i) for i in c.list("d", get_info=True)]`),
      move: python(`${WEBDAV3}c.move("d", "e")`),
      upload: python(`${WEBDAV3}c.upload_sync("d/new.txt", "new.txt")`),
    },
  },
  {
    heading: 'easywebdav 1.2',
    tasks: {
      remove: python(`${EASY}c.rmdir("d")`),
      'remove file': python(`${EASY}c.delete("d/a.txt")`),
      list: python(`${EASY}[print(i) for i in c.ls("d")]`),
      upload: python(`${EASY}c.upload("new.txt", "d/new.txt")`),
    },
  },
  {
    heading: 'caldav 0.11',
    tasks: {
      remove: python(`${CALDAV}d("d/").delete()`),
      'remove file': python(`${CALDAV}d("d/a.txt").delete()`),
      list: python(`${CALDAV}[print(i) for i in d("d/").children()]`),
    },
  },
]

const rows = new Map<string, readonly string[]>()

describe.skipIf(isSkipped).each(SITUATIONS)('$name', (situation) => {
  it('is met by each client as the guide says', async () => {
    const cells = await Promise.all(CLIENTS.map((client) => meet(client, situation)))
    rows.set(situation.name, cells)
    expect(cells).toHaveLength(CLIENTS.length)
  })
})

it.skipIf(isSkipped)('guide/other-clients.md has the table debian of this run', async () => {
  const table = formatTable(CLIENTS, rows)
  expect(await guideTable('debian', table)).toBe(table)
})

/** Programs that make a folder equal to the collection. */
const SYNCS: readonly Syncing[] = [
  {
    heading: 'rclone 1.60 sync',
    sync: (url, folder) => rclone('sync', ':webdav:d', folder, '--retries', '1')(url),
  },
  {
    heading: 'multistatus, examples/mirror.ts',
    async sync(url, folder) {
      const {lines, code} = await startMirror(folder, `${url}d/`, '--trusted').ended
      return {failed: code !== 0, text: lines.join('\n')}
    },
  },
]

interface Syncing {
  readonly heading: string
  readonly sync: (url: string, folder: string) => Promise<Said>
}

async function filesIn(folder: string): Promise<number> {
  const found = await readdir(folder, {recursive: true, withFileTypes: true})
  return found.filter((one) => one.isFile() && !one.parentPath.includes('.mirror')).length
}

/** Fills a folder, syncs it again with an odd answer, and tells how many files are left. */
async function syncAgain({sync}: Syncing, {answer}: (typeof GAPS)[number]): Promise<string> {
  const server = await startFaultServer()
  const folder = await mkdtemp(join(home, 'sync-'))
  try {
    server.script(answerPlainly)
    await sync(server.url, folder)
    const all = await filesIn(folder)
    expect(all).toBe(7)
    server.script((request) => answer(request, 1) ?? answerPlainly(request))
    const {failed} = await sync(server.url, folder)
    const kept = await filesIn(folder)
    const deed = kept === all ? 'keeps all' : `**deletes ${all - kept} of ${all}**`
    return failed ? `${deed}, error` : deed
  } finally {
    await server.close()
  }
}

const kept = new Map<string, readonly string[]>()

describe.skipIf(isSkipped).each(GAPS)('a sync while the listing has $name', (gap) => {
  it('is met by each program as the guide says', async () => {
    const cells = await Promise.all(SYNCS.map((program) => syncAgain(program, gap)))
    kept.set(gap.name, cells)
    expect(cells).toHaveLength(SYNCS.length)
  })
})

it.skipIf(isSkipped)('guide/other-clients.md has the table sync of this run', async () => {
  const table = formatTable(SYNCS, kept)
  expect(await guideTable('sync', table)).toBe(table)
})
