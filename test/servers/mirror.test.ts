/**
 * The example mirror against real servers: its process is killed at random, and users of both sides change files in between. Nothing
 * that they wrote is lost, and both sides are equal at the end.
 */
import {mkdir, mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as wait} from 'node:timers/promises'
import {expect, it} from 'vitest'
import {Random} from '../fuzz/random.ts'
import {isSettled, LocalSide, type Side, startMirror} from '../support/mirror-process.ts'
import {type Author, MirrorUsers} from '../support/mirror-users.ts'
import {apache} from './apache.ts'
import {radicale} from './radicale.ts'
import {makeCalendar, urlOf} from './support/calendars.ts'
import {readTree} from './support/disk.ts'
import {send} from './support/http.ts'
import {startKillProxy} from './support/kill-proxy.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'

const KILLS = 20

/** A collection of a server. It is read from the disk and written by plain requests. */
class ServerSide implements Side {
  readonly #server: Server
  readonly #collection: string

  constructor(server: Server, collection: string) {
    this.#server = server
    this.#collection = collection
  }

  async read(): Promise<Map<string, string>> {
    const folder = join(this.#server.root, this.#collection)
    const found = new Map<string, string>()
    for (const {path, isFolder} of await readTree(folder)) {
      const name = path.toString().slice(folder.length + 1)
      const isNote = name.split('/').some((one) => /^\.(Radicale|DAV)/.test(one))
      if (!isFolder && !isNote) found.set(name, await readFile(path, 'utf8'))
    }
    return found
  }

  async create(path: string, text: string): Promise<boolean> {
    const folders = path.split('/').slice(0, -1)
    for (const [index] of folders.entries())
      await this.#send('MKCOL', folders.slice(0, index + 1).join('/'))
    return (await this.#send('PUT', path, text, {'if-none-match': '*'})) === 201
  }

  async change(path: string, rewrite: (text: string) => string | undefined): Promise<boolean> {
    const before = (await this.read()).get(path)
    if (before === undefined) return false
    const text = rewrite(before)
    const status = await this.#send(text === undefined ? 'DELETE' : 'PUT', path, text)
    if (status < 200 || status > 299) throw new Error(`${path} is not changed: ${status}`)
    return text !== undefined
  }

  async #send(
    method: string,
    path: string,
    body?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const url = urlOf(this.#server, `${this.#collection}/${path}`)
    const sent = {method, headers, ...(body !== undefined && {body})}
    return (await send(url, sent)).status
  }
}

const sorted = (files: ReadonlyMap<string, string>): readonly (readonly [string, string])[] =>
  [...files].toSorted(([one], [other]) => (one < other ? -1 : 1))

interface Facts {
  readonly author: Author
  readonly folders: readonly string[]
  readonly extension: string
  readonly flags: readonly string[]
  /** Gives the part of a file that no mirror changes. */
  readonly textOf: (file: string) => string
}

/** Kills mirrors of a collection. Expects both sides to be equal then, with each text of a user. */
async function expectMirrorAfterKills(server: Server, facts: Facts): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'multistatus-mirror-'))
  const folder = join(work, 'mirror')
  await mkdir(folder)
  const [here, there] = [new LocalSide(folder), new ServerSide(server, 'mirror')]
  const random = new Random(1)
  const users = new MirrorUsers([here, there], random, facts.author, facts)
  await using proxy = await startKillProxy(server.port)
  const start = (): ReturnType<typeof startMirror> =>
    startMirror(folder, `${proxy.url}mirror/`, ...facts.flags)
  let kills = 0
  let most = 20
  for (let runs = 0; kills < KILLS && runs < 4 * KILLS; runs++) {
    for (let changes = 1 + random.below(8); changes > 0; changes--) await users.act()
    const mirror = start()
    const delay = random.below(30)
    proxy.at(1 + random.below(most), () => setTimeout(() => mirror.kill(), delay))
    const {isKilled} = await mirror.ended
    await proxy.quiet()
    if (isKilled) kills++
    else most = Math.max(10, proxy.pieces)
  }
  expect(kills).toBe(KILLS)

  let last = await start().ended
  // The ETag of a file that Apache got in the last second is weak, and no mirror takes the file before it is strong.
  for (let runs = 0; runs < 30 && !isSettled(last); runs++) {
    await wait(200)
    last = await start().ended
  }
  expect(last.lines).toEqual(['0 files differ'])
  const files = await here.read()
  expect(sorted(files)).toEqual(sorted(await there.read()))
  const texts = new Set(Array.from(files.values(), facts.textOf))
  expect([...users.kept].filter((text) => !texts.has(text))).toEqual([])
  expect([...users.met.keys()].toSorted()).toEqual(['change', 'create', 'create twice', 'delete'])
  await rm(work, {recursive: true})
}

describeServers([apache], (server) => {
  it('a mirror is equal on both sides after 20 kills, and no text of a user is lost', async () => {
    const {status} = await send(urlOf(server, 'mirror/'), {method: 'MKCOL'})
    expect(status).toBe(201)
    await expectMirrorAfterKills(server, {
      author: (number) => `text ${number}`,
      folders: ['', 'p/', 'p/q r/', 's/'],
      extension: '.txt',
      flags: [],
      textOf: (file) => file,
    })
  }, 600_000)
})

describeServers([radicale], (server) => {
  it('a mirrored calendar is equal on both sides after 20 kills, and no event of a user is lost', async () => {
    await makeCalendar(server, 'mirror', [])
    await expectMirrorAfterKills(server, {
      author: (number, before) =>
        eventOf(/^UID:(.*)$/m.exec(before ?? '')?.[1] ?? `${number}`, number),
      folders: [''],
      extension: '.ics',
      // The test of If-Match would upload something else than an event.
      flags: ['--trusted'],
      // Of two events with one UID, the conflict copy gets a UID of its own.
      textOf: (file) => file.replace(/^UID:.*\r\n/m, ''),
    })
  }, 600_000)
})

/** Formats an event as Radicale stores it. */
function eventOf(uid: string, number: number): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//multistatus//tests//EN',
    'BEGIN:VEVENT',
    `UID:${uid.trim()}`,
    'DTSTART:20260102T100000Z',
    'DTSTAMP:20260101T000000Z',
    `SUMMARY:text ${number}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return lines.map((line) => `${line}\r\n`).join('')
}
