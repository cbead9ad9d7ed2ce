// States that a file is replaced by a whole resource or not at all, and that nothing stays beside it. RFC 9110, section 9.3.1.

import {randomBytes} from 'node:crypto'
import {chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {DavClient, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {Agent} from 'undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {createDraft, openFile} from '../../src/transfer/files.ts'
import {
  type Answer,
  type FaultServer,
  NEVER,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {bytes} from '../support/fixtures.ts'
import {refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let folder: string
let path: string
let dav: DavClient
beforeEach(async () => {
  server = await startFaultServer()
  folder = await mkdtemp(join(tmpdir(), 'download-'))
  path = join(folder, 'a.txt')
  dav = new DavClient({url: `${server.url}files/`, retry: {attempts: 3, minDelay: 1, maxDelay: 2}})
})
afterEach(async () => {
  await server.close()
  await rm(folder, {recursive: true})
})

const whole: Answer = {
  status: 200,
  headers: {etag: '"1"', 'content-length': '10'},
  body: '0123456789',
}
const broken: Answer = {...whole, body: ['0123', 20, RESET]}

it('writes a resource into a new file', async () => {
  server.answers(whole)
  expect(await dav.download('a', path)).toEqual({
    ok: true,
    href: '/files/a',
    url: `${server.url}files/a`,
    relation: 'self',
    status: 200,
    properties: {},
    missing: [],
    etag: '"1"',
  })
  expect(await readFile(path, 'utf8')).toBe('0123456789')
  expect(await readdir(folder)).toEqual(['a.txt'])
})

it('replaces a file only when the resource is whole', async () => {
  await writeFile(path, 'old')
  const held = Promise.withResolvers<void>()
  server.answers({...whole, body: ['01234', held.promise, '56789']})
  const seen: unknown[] = []
  const downloading = dav.download('a', path, {onProgress: (progress) => void seen.push(progress)})
  await vi.waitFor(() => expect(seen).toEqual([{bytes: 5, total: 10}]))
  expect(await readFile(path, 'utf8')).toBe('old')
  expect((await readdir(folder)).toSorted()).toEqual([
    'a.txt',
    expect.stringMatching(/^a\.txt\.[\da-f]{8}\.part$/),
  ])
  held.resolve()
  expect(await downloading).toMatchObject({ok: true})
  expect(await readFile(path, 'utf8')).toBe('0123456789')
  expect(seen.at(-1)).toEqual({bytes: 10, total: 10})
})

it('goes on after a break', async () => {
  server.answers(broken, {
    status: 206,
    headers: {etag: '"1"', 'content-range': 'bytes 4-9/10'},
    body: '456789',
  })
  expect(await dav.download('a', path)).toMatchObject({ok: true, status: 200, etag: '"1"'})
  expect(await readFile(path, 'utf8')).toBe('0123456789')
  expect(server.requests[1]?.headers).toMatchObject({range: 'bytes=4-9', 'if-range': '"1"'})
})

it('writes a long resource byte by byte', async () => {
  const long = randomBytes(4_000_000)
  server.answers({status: 200, headers: {'content-length': String(long.length)}, body: long})
  expect(await dav.download('a', path)).toMatchObject({ok: true})
  expect(long.equals(await readFile(path))).toBe(true)
})

describe('a written chunk', () => {
  const chunks = (): readonly Uint8Array[] => [bytes('0123'), bytes('x4567x').subarray(1, 5)]
  const sends = (
    given: readonly Uint8Array[],
    more: Pick<Transport, 'givesChunksAway'>,
  ): DavClient => {
    const transport: Transport = async () => ({
      status: 200,
      headers: {get: () => null},
      body: new ReadableStream({
        start(controller) {
          for (const chunk of given) controller.enqueue(chunk)
          controller.close()
        },
      }),
    })
    return new DavClient({url: server.url, transport: Object.assign(transport, more)})
  }

  it('stays as it is if the transport does not give it away', async () => {
    const given = chunks()
    await sends(given, {}).download('a', path)
    expect(given).toEqual(chunks())
    expect(await readFile(path, 'utf8')).toBe('01234567')
  })

  it('is freed if it was given away, unless it is a part of other memory', async () => {
    const given = chunks()
    await sends(given, {givesChunksAway: true}).download('a', path)
    expect(given).toEqual([bytes(''), bytes('4567')])
    expect(await readFile(path, 'utf8')).toBe('01234567')
  })

  it('is given away by undici, except with a dispatcher of the caller', () => {
    expect(undiciTransport().givesChunksAway).toBe(true)
    expect(undiciTransport({dispatcher: new Agent()}).givesChunksAway).toBe(false)
  })
})

it('keeps the mode of the file that it replaces, and a symbolic link to it', async () => {
  await writeFile(path, 'old')
  await chmod(path, 0o600)
  const link = join(folder, 'link')
  await symlink(path, link)
  server.answers(whole)
  await dav.download('a', link)
  expect(await readFile(path, 'utf8')).toBe('0123456789')
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600')
  expect((await readdir(folder)).toSorted()).toEqual(['a.txt', 'link'])
})

it.each(['600', '444', '664'])('keeps the mode %s, whatever the umask', async (mode) => {
  await writeFile(path, 'old')
  await chmod(path, mode)
  server.answers(whole)
  await dav.download('a', path)
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe(mode)
})

it('writes the file that a symbolic link names, though it is missing', async () => {
  const link = join(folder, 'link')
  await symlink('a.txt', link)
  server.answers(whole)
  await dav.download('a', link)
  expect(await readFile(path, 'utf8')).toBe('0123456789')
  expect((await readdir(folder)).toSorted()).toEqual(['a.txt', 'link'])
})

it('refuses symbolic links in a circle', async () => {
  await symlink(path, path)
  await expect(dav.download('a', path)).rejects.toMatchObject({code: 'ELOOP'})
  expect(server.requests).toEqual([])
})

it('writes a name of 255 bytes', async () => {
  server.answers(whole)
  const long = join(folder, `${'ä'.repeat(127)}x`)
  expect(await dav.download('a', long)).toMatchObject({ok: true})
  expect(await readFile(long, 'utf8')).toBe('0123456789')
})

/** Expects the old file and nothing beside it. */
async function expectOld(): Promise<void> {
  expect(await readFile(path, 'utf8')).toBe('old')
  expect(await readdir(folder)).toEqual(['a.txt'])
}

describe('leaves the old file, and no other, after', () => {
  beforeEach(() => writeFile(path, 'old'))

  it.each([304, 404, 416])('a Failure %i', async (status) => {
    server.answers({status})
    expect(await dav.download('a', path, {ifNoneMatch: '"1"'})).toMatchObject({ok: false, status})
    await expectOld()
  })

  it('a Failure of a collection', async () => {
    expect(await dav.download('a/', path)).toMatchObject({ok: false, reason: 'refused'})
    await expectOld()
  })

  it('a break without a strong ETag', async () => {
    server.answers({...broken, headers: {'content-length': '10'}})
    await expect(dav.download('a', path)).rejects.toMatchObject({name: 'DavNetworkError'})
    await expectOld()
  })

  it('a change of the resource behind a break', async () => {
    server.answers(broken, {...whole, headers: {etag: '"2"'}})
    await expect(dav.download('a', path)).rejects.toThrow('the resource has changed since')
    await expectOld()
  })

  it('the end of its signal', async () => {
    server.answers({...whole, body: ['0123', NEVER]})
    const reason = new Error('enough')
    const controller = new AbortController()
    const onProgress = (): void => controller.abort(reason)
    const {signal} = controller
    await expect(dav.download('a', path, {onProgress, signal})).rejects.toBe(reason)
    expect(await server.requests[0]?.ended).toBe('closed')
    await expectOld()
  })

  it('a target that is none', async () => {
    expect(await refusalOf(() => dav.download('a#b', path))).toBeInstanceOf(TypeError)
    await expectOld()
  })
})

describe('sends nothing, and rejects, for', () => {
  it('a folder that is not there', async () => {
    const nowhere = join(folder, 'none', 'a.txt')
    await expect(dav.download('a', nowhere)).rejects.toMatchObject({code: 'ENOENT'})
    expect(server.requests).toHaveLength(0)
  })

  it('a directory, and a device, which the new file would replace', async () => {
    await expect(dav.download('a', folder)).rejects.toBeInstanceOf(TypeError)
    await expect(dav.download('a', '/dev/null')).rejects.toBeInstanceOf(TypeError)
    expect(server.requests).toHaveLength(0)
  })

  it('a path that is none, and an option of get alone', async () => {
    for (const none of ['', 1, undefined])
      expect(await refusalOf(() => dav.download('a', none as string))).toBeInstanceOf(TypeError)
    const range = {range: {start: 0}} as object
    expect(await refusalOf(() => dav.download('a', path, range))).toBeInstanceOf(TypeError)
    expect(server.requests).toHaveLength(0)
  })
})

describe('on a platform without files', () => {
  it.each([createDraft, openFile])('a path is a TypeError: %o', async (use) => {
    await expect(use(path)).rejects.toEqual(
      new TypeError('A file by its path needs Node, Bun or Deno'),
    )
  })
})
