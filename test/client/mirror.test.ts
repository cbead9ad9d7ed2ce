// States the truth of the example mirror, whose process is killed at any request, while users of both sides change files, in the
// dialect of Nextcloud's files.

import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {Random} from '../fuzz/random.ts'
import {CLOUD_ROOT, CloudFiles} from '../support/cloud-files.ts'
import {CLOSE, type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {LocalSide, type MirrorRun, startMirror} from '../support/mirror-process.ts'
import {MirrorUsers} from '../support/mirror-users.ts'

const KILLS = 20

let server: FaultServer
let cloud: CloudFiles
let work: string
let folder: string
let here: LocalSide

beforeEach(async () => {
  server = await startFaultServer()
  cloud = new CloudFiles()
  server.script((request) => cloud.answer(request))
  work = await mkdtemp(join(tmpdir(), 'multistatus-mirror-'))
  folder = join(work, 'mirror')
  await mkdir(folder)
  here = new LocalSide(folder)
})

afterEach(async () => {
  await server.close()
  await rm(work, {recursive: true})
})

const run = (...flags: readonly string[]): Promise<MirrorRun> =>
  startMirror(folder, new URL(CLOUD_ROOT, server.url).href, ...flags).ended

const sorted = (files: ReadonlyMap<string, string>): readonly (readonly [string, string])[] =>
  [...files].toSorted(([one], [other]) => (one < other ? -1 : 1))

describe('the example mirror', {timeout: 600_000}, () => {
  it('is equal on both sides, and lost no text of a user, after 20 kills', async () => {
    const random = new Random(1)
    const users = new MirrorUsers([here, cloud], random, (number) => `text ${number}`, {
      folders: ['', 'p/', 'p/q r/', 's/'],
      extension: '.txt',
    })
    let kills = 0
    let most = 20
    for (let runs = 0; kills < KILLS && runs < 4 * KILLS; runs++) {
      for (let changes = 1 + random.below(6); changes > 0; changes--) await users.act()
      const mirror = startMirror(folder, new URL(CLOUD_ROOT, server.url).href)
      const end = 1 + random.below(most)
      const isAnswered = random.oneIn(2)
      let requests = 0
      server.script(async (request) => {
        requests++
        // Others change files while the mirror runs.
        if (random.oneIn(4)) await users.act()
        if (requests === end && !isAnswered) mirror.kill()
        const answer = cloud.answer(request)
        if (requests === end && isAnswered) setTimeout(() => mirror.kill(), random.below(20))
        return random.oneIn(25) ? CLOSE : answer
      })
      const {isKilled} = await mirror.ended
      if (isKilled) kills++
      else most = Math.max(10, requests)
    }
    expect(kills).toBe(KILLS)

    server.script((request) => cloud.answer(request))
    let last = await run()
    for (let runs = 0; runs < 6 && last.lines.at(-1) !== '0 files differ'; runs++)
      last = await run()
    if (last.code !== 0) {
      console.log(last.lines.join('\n'))
      console.log(JSON.stringify([...((cloud as any)['_']?.() ?? [])]))
      const {cpSync} = await import('node:fs')
      cpSync(folder, '/tmp/xx/dump', {recursive: true})
      console.log(
        server.requests
          .slice(-8)
          .map(
            (r) =>
              r.method +
              ' ' +
              r.url +
              ' ' +
              JSON.stringify(r.headers['if-match'] ?? r.headers['if-none-match'] ?? '') +
              cloud.answer(r).status +
              String(cloud.answer(r).body).slice(0, 3000),
          )
          .join('\n'),
      )
    }
    expect(last).toMatchObject({code: 0, lines: ['0 files differ']})
    const files = await here.read()
    expect(sorted(files)).toEqual(sorted(cloud.files))
    expect([...users.kept].filter((text) => ![...files.values()].includes(text))).toEqual([])
    expect([...users.met.keys()].toSorted()).toEqual(['change', 'create', 'create twice', 'delete'])
  })
})
