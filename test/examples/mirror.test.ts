// States the truth of the example mirror, whose process is killed at any request, while users of both sides change files, in the
// dialect of Nextcloud's files.

import {mkdir, mkdtemp, readdir, readFile, rename, rm, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {multistatusBody} from 'multistatus/testing'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {Random} from '../fuzz/random.ts'
import {CLOUD_ROOT, CloudFiles} from '../support/cloud-files.ts'
import {answer207, CLOSE, type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {isSettled, LocalSide, type MirrorRun, startMirror} from '../support/mirror-process.ts'
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
      textOf: (file) => file,
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
    for (let runs = 0; runs < 6 && !isSettled(last); runs++) last = await run()
    expect(last).toMatchObject({code: 0, lines: ['0 files differ']})
    const files = await here.read()
    const texts = new Set(files.values())
    expect(sorted(files)).toEqual(sorted(cloud.files))
    expect([...users.kept].filter((text) => !texts.has(text))).toEqual([])
    expect([...users.met.keys()].toSorted()).toEqual(['change', 'create', 'create twice', 'delete'])
  })

  it('prints the plan of a dry run, and changes nothing', async () => {
    await here.create('a.txt', 'here')
    await cloud.create('b/c.txt', 'there')
    expect(await run('--dry-run')).toMatchObject({
      code: 0,
      lines: ['to do: upload a.txt', 'to do: download b/c.txt', '2 files differ'],
    })
    expect(new Set(server.requests.map(({method}) => method))).toEqual(
      new Set(['PROPFIND', 'REPORT']),
    )
    expect(await readdir(folder)).toEqual(['a.txt'])
  })

  it('keeps both versions of a file that changed on both sides', async () => {
    await cloud.create('a.txt', 'one')
    await run()
    await here.change('a.txt', () => 'here')
    await cloud.change('a.txt', () => 'there')
    const {lines} = await run()
    const copy = [...cloud.files.keys()].find((path) => path !== 'a.txt') ?? ''
    expect(copy).toMatch(/^a \(conflict [\da-f]{8}\)\.txt$/)
    expect(lines).toEqual(['compare a.txt', `upload ${copy}`, '1 files differ'])
    expect(await here.read()).toEqual(
      new Map([
        ['a.txt', 'there'],
        [copy, 'here'],
      ]),
    )
    expect(cloud.files).toEqual(await here.read())
  })

  it.each([
    [255, `${'ü'.repeat(125)}.text`],
    [237, `${'n'.repeat(233)}.txt`],
    [255, `n.${'e'.repeat(253)}`],
  ])('keeps both versions, and deletes, with a name of %i bytes', async (bytes, name) => {
    expect(Buffer.byteLength(name)).toBe(bytes)
    await cloud.create(name, 'one')
    await run()
    await here.change(name, () => 'here')
    await cloud.change(name, () => 'there')
    expect(await run()).toMatchObject({code: 0})
    expect([...cloud.files.values()].toSorted()).toEqual(['here', 'there'])
    expect(cloud.files).toEqual(await here.read())
    await cloud.change(name, () => undefined)
    expect((await run()).lines).toEqual([`delete here ${name}`, '1 files differ'])
    expect([...(await here.read()).values()]).toEqual(['here'])
  })

  it('keeps a change that was not sent, though the ETag of the other version was weak at first', async () => {
    await cloud.create('a.txt', 'one')
    await run()
    await here.change('a.txt', () => 'here')
    server.script((request) =>
      request.method === 'PUT' && request.body === 'here' ? {status: 507} : cloud.answer(request),
    )
    expect((await run()).code).toBe(1)
    server.script((request) => cloud.answer(request))
    await cloud.change('a.txt', () => 'there')
    cloud.isFresh = true
    expect((await run()).lines).toContain('0 files differ')
    cloud.isFresh = false
    // The ETag of the folder changes, so that it is listed again.
    await cloud.create('b.txt', 'b')
    await run()
    expect(new Set((await here.read()).values())).toEqual(new Set(['here', 'there', 'b']))
    expect(cloud.files).toEqual(await here.read())
  })

  it('downloads a file that was deleted and is there again as it was once uploaded', async () => {
    await here.create('a.txt', 'one')
    await run()
    await run()
    const version = cloud.versionOf('a.txt')
    await cloud.change('a.txt', () => undefined)
    expect((await run()).lines).toEqual(['delete here a.txt', '1 files differ'])
    cloud.putBack('a.txt', 'one', version)
    expect((await run()).lines).toEqual(['download a.txt', '1 files differ'])
    expect(await here.read()).toEqual(new Map([['a.txt', 'one']]))
  })

  it('downloads an earlier version that somebody has put back', async () => {
    await here.create('a.txt', 'one')
    await run()
    await run()
    const version = cloud.versionOf('a.txt')
    await cloud.change('a.txt', () => 'two')
    await run()
    cloud.putBack('a.txt', 'one', version)
    expect((await run()).lines).toEqual(['download a.txt', '1 files differ'])
    expect(cloud.files).toEqual(new Map([['a.txt', 'one']]))
  })

  it('takes an upload whose answer was lost for its own, though the file has changed since', async () => {
    await here.create('a.txt', 'one')
    server.script((request) => {
      const answer = cloud.answer(request)
      return request.method === 'PUT' && request.body === 'one' ? CLOSE : answer
    })
    expect((await run()).code).toBe(1)
    expect(cloud.files).toEqual(new Map([['a.txt', 'one']]))
    await here.change('a.txt', () => 'two')
    expect((await run()).lines).toEqual(['compare a.txt', 'upload a.txt', '1 files differ'])
    expect(cloud.files).toEqual(new Map([['a.txt', 'two']]))
  })

  it('deletes no file of a collection that was not listed', async () => {
    await cloud.create('a.txt', 'one')
    await cloud.create('b/c.txt', 'two')
    await run()
    await cloud.change('a.txt', () => undefined)
    await cloud.change('b/c.txt', () => 'three')
    server.script((request) =>
      request.url.endsWith('/b/') ? {status: 403} : cloud.answer(request),
    )
    const {code, lines} = await run()
    expect(code).toBe(1)
    expect(lines).toContainEqual(expect.stringMatching(/^Nothing is deleted here: .*"status":403/))
    expect(lines.at(-1)).toBe('0 files differ')
    expect(await here.read()).toEqual(
      new Map([
        ['a.txt', 'one'],
        ['b/c.txt', 'two'],
      ]),
    )

    server.script((request) => cloud.answer(request))
    expect((await run()).lines).toEqual(['delete here a.txt', 'download b/c.txt', '2 files differ'])
  })

  it('deletes no file that a report with gaps calls gone', async () => {
    await cloud.create('a.txt', 'one')
    await cloud.create('b.txt', 'two')
    const href = (name: string): string => CLOUD_ROOT + name
    const found = ['a.txt', 'b.txt'].map((name) => ({
      href: href(name),
      properties: {getetag: `"${name}"`, resourcetype: []},
    }))
    const gone = {href: href('a.txt'), status: 404}
    const reports = [
      multistatusBody(found, {syncToken: 't1'}),
      multistatusBody([gone, {href: href('b.txt'), status: 500}], {syncToken: 't2'}),
      multistatusBody([gone], {syncToken: 't2'}),
    ]
    server.script((request) =>
      request.method === 'REPORT' ? answer207(reports.shift() ?? '') : cloud.answer(request),
    )
    await run()
    expect((await run()).lines).toEqual([
      expect.stringMatching(/^skipped .*b\.txt 500 status$/),
      expect.stringMatching(/^Nothing is deleted here: /),
      '0 files differ',
    ])
    expect((await run()).lines).toEqual(['delete here a.txt', '1 files differ'])
  })

  it('keeps a file that the server took and does not list', async () => {
    await here.create('.hidden', 'one')
    server.script((request) => {
      const answer = cloud.answer(request)
      const row = /<D:response><D:href>[^<]*hidden.*?<\/D:response>/s
      const {body} = answer
      return typeof body === 'string' ? {...answer, body: body.replace(row, '')} : answer
    })
    await run()
    await run()
    expect(cloud.files).toEqual(new Map([['.hidden', 'one']]))
    expect(await here.read()).toEqual(new Map([['.hidden', 'one']]))
  })

  it('leaves files alone that became links, and names of its own', async () => {
    await cloud.create('a/b.txt', 'one')
    await cloud.create('.mirror/journal.jsonl', 'two')
    await run()
    await rename(join(folder, 'a'), join(work, 'a'))
    await symlink(join(work, 'a'), join(folder, 'a'))
    await cloud.change('a/b.txt', () => 'three')
    expect(await run()).toMatchObject({lines: ['0 files differ']})
    expect(cloud.files.get('a/b.txt')).toBe('three')
    expect(await readFile(join(work, 'a/b.txt'), 'utf8')).toBe('one')
    expect(await readFile(join(folder, '.mirror/journal.jsonl'), 'utf8')).not.toBe('two')
  })

  it('changes nothing if the server ignores If-Match', async () => {
    await here.create('a.txt', 'one')
    server.script((request) =>
      cloud.answer({...request, headers: {...request.headers, 'if-match': undefined}}),
    )
    expect(await run()).toMatchObject({
      code: 1,
      lines: [
        'Nothing is done: the server ignores If-Match, or refuses to be tested',
        '1 files differ',
      ],
    })
    expect(cloud.files).toEqual(new Map())
  })

  it('uploads no new file if the server ignores If-None-Match alone', async () => {
    await here.create('a.txt', 'one')
    server.script((request) =>
      cloud.answer({...request, headers: {...request.headers, 'if-none-match': undefined}}),
    )
    const {lines} = await run()
    expect(lines[0]).toMatch(/^not done: upload a\.txt 0 .* the server ignores If-None-Match/)
    expect(cloud.files).toEqual(new Map())
  })
})
