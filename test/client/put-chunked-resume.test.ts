// States that a chunked upload of Nextcloud goes on in another process, wherever the first one was killed, and never puts
// foreign or old chunks together. docs.nextcloud.com, developer manual, WebDAV, chunked upload.

import {mkdtemp, rm, utimes, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {
  DavClient,
  type DavResult,
  type PutOptions,
  type TransferProgress,
  type UploadBody,
  type UploadState,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, RESET, startFaultServer} from '../support/fault-server.ts'
import {FILES, keepNextcloud, type Nextcloud, UPLOADS} from '../support/nextcloud-server.ts'
import {line, refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 30_000})

const CHUNK = 5_242_880
const LENGTH = 2 * CHUNK + 1000
// The length of the pattern divides no chunk, so each chunk is another.
const film = Buffer.alloc(LENGTH, 'All is well with it.!')
const TARGET = `${FILES}film.bin`
const transport = undiciTransport()

let server: FaultServer
let dav: DavClient
let cloud: Nextcloud
/** The last state as JSON. */
let kept: string | undefined

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url + FILES.slice(1), transport})
  cloud = keepNextcloud(server)
  kept = undefined
})
afterEach(() => server.close())

const onUpload = (state: UploadState): void => {
  kept = JSON.stringify(state)
}

const put = (options: PutOptions = {}, body: UploadBody = film): Promise<DavResult> =>
  dav.put('film.bin', body, {strategy: 'nextcloud', chunkSize: CHUNK, onUpload, ...options})

/** Puts with the kept state, like another process that knows nothing else. */
const putAgain = (options: PutOptions = {}, body: UploadBody = film): Promise<DavResult> => {
  const upload = kept === undefined ? undefined : (JSON.parse(kept) as UploadState)
  return dav.put('film.bin', body, {onUpload, strategy: 'nextcloud', ...options, upload})
}

/** Kills an upload at a request, in front of the server's work or behind it. */
async function killAt(number: number, isDone: boolean, options: PutOptions = {}): Promise<void> {
  const stop = new AbortController()
  let count = 0
  cloud.fault = (_, answer) => {
    count++
    if (count < number) return undefined
    if (count === number && isDone) answer()
    stop.abort(new Error('killed'))
    return RESET
  }
  const error = await refusalOf(() => put({...options, signal: stop.signal}))
  expect(error).toEqual(new Error('killed'))
  cloud.fault = () => undefined
  server.forget()
}

const sent = (): string[] =>
  server.requests.map(({method, url}) => {
    const name = url
      .replace(/multistatus-\w+\.tmp/, '*')
      .replace(UPLOADS, '')
      .replace(FILES, '/')
    return `${method} ${name}`
  })

const left = (): string[] =>
  [...cloud.content.keys()].filter((one) => one.startsWith(UPLOADS) && one !== UPLOADS)

/** Replaces the content of the upload's own collection. */
function setChunks(chunks: Readonly<Record<string, Uint8Array>>): void {
  const [folder = ''] = left()
  for (const one of left()) if (one !== folder) cloud.content.delete(one)
  for (const [name, bytes] of Object.entries(chunks))
    cloud.content.set(folder + name, Buffer.from(bytes))
}

describe('an upload that was killed', () => {
  describe.each([
    ['creates', {create: true}],
    ['replaces', {ifMatch: '"old"'}],
  ])('and %s', (_, condition) => {
    const isNew = 'create' in condition
    // PROPFIND of the target, and of the parent of a new one; MKCOL, three chunks, PROPFIND, PROPFIND for an ETag, MOVE.
    const requests = 8
    const cases = Array.from({length: requests}, (__, index) => index + 1).flatMap((number) => [
      [number, false] as const,
      [number, true] as const,
    ])
    const makesCollection = isNew ? 3 : 2

    beforeEach(() => {
      if (isNew) return
      cloud.content.set(TARGET, Buffer.from('old'))
      cloud.etags.set(TARGET, '"old"')
    })

    it.each(cases)(
      'at request %d, with the work done: %s, is written once',
      async (number, isDone) => {
        await killAt(number, isDone, condition)
        expect(kept === undefined).toBe(number <= makesCollection)
        const verdict = await putAgain(condition)
        expect(verdict.ok).toBe(true)
        expect(cloud.content.get(TARGET)?.equals(film)).toBe(true)
        // Nobody knows the name of a collection whose MKCOL was the last request.
        expect(left().length).toBe(number === makesCollection && isDone ? 1 : 0)
        expect(verdict.status).toBe(number === requests && isDone ? 0 : isNew ? 201 : 204)
      },
    )
  })

  it('sends only the chunks that are not there', async () => {
    await killAt(5, true)
    const seen: TransferProgress[] = []
    await putAgain({onProgress: (progress) => seen.push(progress)})
    expect(sent()).toEqual([
      'PROPFIND */',
      'PROPFIND /film.bin',
      'PROPFIND /',
      'PUT */00003',
      'PROPFIND /film.bin',
      'MOVE */.file',
    ])
    expect(seen[0]).toEqual({bytes: 2 * CHUNK, total: LENGTH})
    expect(seen.at(-1)).toEqual({bytes: LENGTH, total: LENGTH})
  })

  it('goes on with a stream that begins anew, and needs no strategy', async () => {
    await killAt(5, true)
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < LENGTH; at += 999_999) yield film.subarray(at, at + 999_999)
    }
    const options = {strategy: undefined, length: LENGTH}
    expect(line(await putAgain(options, pieces()))).toBe(`201 self ${TARGET}`)
    expect(sent()).not.toContain('PUT */00002')
    expect(cloud.content.get(TARGET)?.equals(film)).toBe(true)
  })

  it.each([
    ['a short chunk', {'00001': film.subarray(0, 1000)}, ['00001', '00002', '00003']],
    [
      'a chunk behind a gap',
      {'00001': film.subarray(0, CHUNK), '00003': new Uint8Array(1000)},
      ['00002', '00003'],
    ],
  ])('replaces %s', async (_, chunks, names) => {
    await killAt(5, true)
    setChunks(chunks)
    await putAgain()
    expect(sent().filter((one) => one.startsWith('PUT'))).toEqual(
      names.map((one) => `PUT */${one}`),
    )
    expect(cloud.content.get(TARGET)?.equals(film)).toBe(true)
  })

  it.each(['00004', '00001.part', 'other'])(
    'begins anew beside a foreign chunk: %s',
    async (name) => {
      await killAt(5, true)
      setChunks({'00001': film.subarray(0, CHUNK), [name]: new Uint8Array(1)})
      expect(line(await putAgain())).toBe(`201 self ${TARGET}`)
      expect(sent().slice(0, 2)).toEqual(['PROPFIND */', 'DELETE */'])
      expect(cloud.content.get(TARGET)?.equals(film)).toBe(true)
      expect(left()).toEqual([])
    },
  )

  it('begins anew, and removes the old chunks, if the file has changed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'resume-'))
    const path = join(folder, 'film.bin')
    await writeFile(path, film)
    await killAt(5, true)
    const state = JSON.parse(kept ?? '{}') as UploadState
    const other = Buffer.alloc(LENGTH, 'other')
    await writeFile(path, other)
    await utimes(path, 1_700_000_000, 1_700_000_000)
    kept = JSON.stringify({...state, modified: 1_600_000_000_000})
    expect(line(await putAgain({}, {path}))).toBe(`201 self ${TARGET}`)
    expect(sent()[0]).toBe('DELETE */')
    expect(cloud.content.get(TARGET)?.equals(other)).toBe(true)
    expect(JSON.parse(kept)).toMatchObject({modified: 1_700_000_000_000, former: ''})
    expect(left()).toEqual([])
    await rm(folder, {recursive: true})
  })

  it('begins anew if the upload is gone, and the old resource has its length by chance', async () => {
    cloud.content.set(TARGET, Buffer.alloc(LENGTH, 'old'))
    cloud.etags.set(TARGET, '"old"')
    await killAt(7, false)
    expect(JSON.parse(kept ?? '')).toMatchObject({former: '"old"'})
    for (const one of left()) cloud.content.delete(one)
    expect(line(await putAgain())).toBe(`204 self ${TARGET}`)
    expect(cloud.content.get(TARGET)?.equals(film)).toBe(true)
  })

  it('is written by its first MOVE, although the second process still sees the chunks', async () => {
    await killAt(8, false, {create: true})
    const [folder = ''] = left()
    cloud.fault = ({url}, answer) => {
      if (url !== folder) return undefined
      const listed = answer()
      cloud.assemble(folder, TARGET)
      return listed
    }
    expect(line(await putAgain({create: true}))).toBe(`0 self ${TARGET}`)
    expect(cloud.content.get(TARGET)?.equals(film)).toBe(true)
  })

  it('begins anew after another write, and obeys the condition', async () => {
    await killAt(8, false, {create: true})
    for (const one of left()) cloud.content.delete(one)
    cloud.content.set(TARGET, Buffer.from('new'))
    cloud.etags.set(TARGET, '"new"')
    expect(line(await putAgain({create: true}))).toBe(`412 status self ${TARGET}`)
    expect(line(await putAgain())).toBe(`204 self ${TARGET}`)
  })
})

describe('the state of an upload', () => {
  it('is plain data', async () => {
    await killAt(5, false)
    expect(JSON.parse(kept ?? '')).toEqual({
      strategy: 'nextcloud',
      url: `${server.url.slice(0, -1)}${left()[0]}`,
      target: `${dav.url}film.bin`,
      size: LENGTH,
      chunkSize: CHUNK,
      modified: 0,
    })
  })

  it('is awaited before the first chunk, and ends the call with its error', async () => {
    const error = new Error('the disk is full')
    expect(await refusalOf(() => put({onUpload: () => Promise.reject(error)}))).toBe(error)
    expect(sent()).toEqual(['PROPFIND /film.bin', 'PROPFIND /', 'MKCOL */'])
  })

  it('is not told of a stream without a length, whose chunks are removed', async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield film
    }
    cloud.fault = ({url}) => (url.endsWith('/00002') ? {status: 500} : undefined)
    expect(line(await put({}, pieces()))).toBe(`500 status self ${TARGET}`)
    expect(kept).toBeUndefined()
    expect(left()).toEqual([])
  })

  it('of another target is a TypeError', async () => {
    await killAt(5, false)
    const upload = JSON.parse(kept ?? '') as UploadState
    expect(await refusalOf(() => dav.put('other.bin', film, {upload}))).toEqual(
      new TypeError(`upload is one of ${dav.url}film.bin, and not of ${dav.url}other.bin`),
    )
    const misspelt = {...upload, chunksize: 1}
    expect(await refusalOf(() => put({upload: misspelt}))).toBeInstanceOf(TypeError)
    const {url: _, ...torn} = upload
    expect(await refusalOf(() => put({upload: torn as UploadState}))).toEqual(
      new TypeError('upload: url is missing'),
    )
  })

  it.each([
    '/remote.php/dav/files/ana/',
    '/remote.php/dav/uploads/ana/',
    '/remote.php/dav/uploads/ana/x/',
  ])('reaches no URL but that of an upload: %s', async (path) => {
    await killAt(5, false)
    const state = JSON.parse(kept ?? '') as UploadState
    kept = JSON.stringify({...state, url: new URL(path, server.url).href, size: 1})
    expect(line(await putAgain())).toBe(`201 self ${TARGET}`)
    expect(server.requests.filter(({method}) => method === 'DELETE')).toEqual([])
  })
})
