// States a chunked upload v2 of Nextcloud: its requests, the wait while chunks are put together, and the verdict after each lost
// answer. docs.nextcloud.com, developer manual, WebDAV, chunked upload.

import {mkdtemp, readdir, rm, utimes, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'

import {
  DavClient,
  type DavResult,
  type PutOptions,
  type TransferProgress,
  type UploadBody,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, NEVER, RESET, startFaultServer} from '../support/fault-server.ts'
import {FILES, keepNextcloud, type Nextcloud, UPLOADS} from '../support/nextcloud-server.ts'
import {line, readToEnd, refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 20_000})

const CHUNK = 5_242_880
const LENGTH = 2 * CHUNK + 1000
// The period of the pattern divides no chunk, so chunks in another order are other content.
const pattern = Array.from({length: 127}, (_, code) => String.fromCharCode(code)).join('')
const film = Buffer.alloc(LENGTH, pattern)
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}
const transport = undiciTransport()

let folder: string
let path: string
let server: FaultServer
let dav: DavClient
let cloud: Nextcloud

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chunks-'))
  path = join(folder, 'film.bin')
  await writeFile(path, film)
  await utimes(path, 1_700_000_000, 1_700_000_000)
})
afterAll(() => rm(folder, {recursive: true}))
beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url + FILES.slice(1), transport})
  cloud = keepNextcloud(server)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await server.close()
})

const put = (options: PutOptions = {}, body: UploadBody = film): Promise<DavResult> =>
  dav.put('film.bin', body, {strategy: 'nextcloud', chunkSize: CHUNK, ...options})

/** Requests in one line each. The name of the upload is written as `*`. */
const sent = (): string[] =>
  server.requests.map(({method, url}) => {
    const name = url
      .replace(/multistatus-\w+\.tmp/, '*')
      .replace(UPLOADS, '')
      .replace(FILES, '/')
    return `${method} ${name}`
  })

const count = (request: string): number => sent().filter((one) => one === request).length

/** Paths of uploads that are left. */
const left = (): string[] =>
  [...cloud.content.keys()].filter((one) => one.startsWith(UPLOADS) && one !== UPLOADS)

const isWritten = (): boolean | undefined => cloud.content.get(`${FILES}film.bin`)?.equals(film)

/** Writes a resource as somebody else would. */
function write(text: string): void {
  cloud.content.set(`${FILES}film.bin`, Buffer.from(text))
  cloud.etags.set(`${FILES}film.bin`, `"of ${text}"`)
}

/** The waits for chunks to be put together, in milliseconds. Without 1000, which is also the wait for the end of a body. */
const ASSEMBLY_WAITS = [500, 2000, 4000, 8000, 16_000, 30_000]

/** Makes these waits short, and lists them. */
function hurry(): number[] {
  const waits: number[] = []
  const {setTimeout: start} = globalThis
  vi.spyOn(globalThis, 'setTimeout').mockImplementation((...given: Parameters<typeof start>) => {
    const [run, wait = 0, ...others] = given
    if (others.length > 0 || !ASSEMBLY_WAITS.includes(wait)) return start(...given)
    waits.push(wait)
    return start(run, 1)
  })
  return waits
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1_000_000) yield bytes.subarray(at, at + 1_000_000)
}

const WHOLE = [
  'PROPFIND /film.bin',
  'PROPFIND /',
  'MKCOL */',
  'PUT */00001',
  'PUT */00002',
  'PUT */00003',
  'PROPFIND /film.bin',
  'MOVE */.file',
]

describe('the strategy nextcloud', () => {
  it('makes a collection, puts numbered chunks, and moves them over the target', async () => {
    expect(await put()).toEqual({
      ok: true,
      href: `${FILES}film.bin`,
      url: `${dav.url}film.bin`,
      relation: 'self',
      status: 201,
      properties: {},
      missing: [],
      etag: '"etag-4"',
    })
    expect(sent()).toEqual(WHOLE)
    expect(isWritten()).toBe(true)
    expect(left()).toEqual([])
    const changes = server.requests.filter(({method}) => method !== 'PROPFIND')
    expect(
      changes.map(({headers}) => [headers['destination'], headers['oc-total-length']]),
    ).toEqual(Array.from({length: 5}, () => [`${dav.url}film.bin`, String(LENGTH)]))
  })

  it.each([
    ['an ArrayBuffer', () => new Uint8Array(film).buffer],
    ['a Blob', () => new Blob([new Uint8Array(film)])],
    ['a file', () => ({path})],
    ['a stream with its length', () => pieces(film), LENGTH],
    ['a stream without its length', () => pieces(film)],
  ] as const)('takes %s', async (_, body, length?: number) => {
    expect(line(await put({...(length !== undefined && {length})}, body()))).toBe(
      `201 self ${FILES}film.bin`,
    )
    expect(sent()).toEqual(WHOLE)
    expect(isWritten()).toBe(true)
  })

  it('tells the whole length of a stream when it has ended', async () => {
    await put({}, pieces(film))
    expect(
      server.requests.flatMap(({method, headers}) => {
        const total = headers['oc-total-length']
        return total === undefined ? [] : [`${method} ${String(total)}`]
      }),
    ).toEqual([`MOVE ${LENGTH}`])
  })

  it('keeps one chunk of a stream at a time, in a temporary file', async () => {
    const own = await mkdtemp(join(folder, 'tmp-'))
    vi.stubEnv('TMPDIR', own)
    const kept: number[] = []
    cloud.fault = async ({method}) => {
      if (method === 'PUT') kept.push((await readdir(own)).length)
      return undefined
    }
    await put({}, pieces(film))
    expect(kept).toEqual([1, 1, 1])
    expect(await readdir(own)).toEqual([])
  })

  it.each([
    ['bytes', () => film.subarray(0, 2 * CHUNK)],
    ['a stream', () => pieces(film.subarray(0, 2 * CHUNK))],
  ])('sends no empty chunk behind the last one: %s', async (_, body) => {
    expect(line(await put({}, body()))).toBe(`201 self ${FILES}film.bin`)
    expect(sent().filter((one) => one.startsWith('PUT'))).toEqual(['PUT */00001', 'PUT */00002'])
  })

  it.each([
    ['bytes', () => film.subarray(0, CHUNK)],
    ['a stream', () => pieces(film.subarray(0, CHUNK))],
    ['nothing', () => ''],
  ])('sends a body of one chunk by a plain PUT: %s', async (_, body) => {
    expect(line(await put({}, body()))).toBe(`201 self ${FILES}film.bin`)
    expect(sent()).toEqual(['PUT /film.bin'])
    expect(server.requests[0]?.headers['transfer-encoding']).toBeUndefined()
  })

  it('makes chunks of 5 MiB at least', async () => {
    await put({chunkSize: 1})
    expect(sent()).toEqual(WHOLE)
  })

  it('gives the resource the time of a local file', async () => {
    await put({}, {path})
    expect(server.requests.at(-1)?.headers['x-oc-mtime']).toBe('1700000000')
  })

  it('gives it no time of the first day of 1970, which Nextcloud refuses', async () => {
    await put({}, new File([new Uint8Array(film)], 'film.bin', {lastModified: 86_400_000}))
    expect(server.requests.at(-1)?.headers['x-oc-mtime']).toBeUndefined()
  })

  it.each([0, 1.5, 5_368_709_121])('takes no chunkSize of %d', async (chunkSize) => {
    expect(await refusalOf(() => put({chunkSize}))).toEqual(
      new RangeError('chunkSize is a whole number of bytes, from 1 to 5 GiB'),
    )
  })

  it('is refused for a URL that is none of Nextcloud', async () => {
    const other = new DavClient({url: `${server.url}remote.php/webdav/`, transport})
    expect(await other.put('a', film, {strategy: 'nextcloud', chunkSize: CHUNK})).toMatchObject({
      reason: 'refused',
      description: `PUT ${other.url}a is not sent: it is not in the /remote.php/dav/files/ of a user`,
    })
    expect(server.requests).toEqual([])
  })

  it('is chosen after OPTIONS has told of Nextcloud, for a body of more than one chunk', async () => {
    const auto = {chunkSize: CHUNK, strategy: 'auto'} as const
    await put(auto)
    expect(sent()).toEqual(['PUT /film.bin'])
    cloud.fault = ({method}) =>
      method === 'OPTIONS'
        ? {status: 200, headers: {dav: '1, 3, extended-mkcol, nextcloud-checksum-update'}}
        : undefined
    await dav.options('')
    server.forget()
    await put(auto, 'short')
    expect(sent()).toEqual(['PUT /film.bin'])
    await put(auto)
    expect(count('MOVE */.file')).toBe(1)
    server.forget()
    await put({strategy: 'plain'})
    expect(sent()).toEqual(['PUT /film.bin'])
  })

  it('serves uploads of putMany, and a retry of their failures', async () => {
    cloud.fault = ({url}) => (url.endsWith('/00002') ? {status: 503} : undefined)
    const uploads = [{href: 'film.bin', body: film}]
    const options = {strategy: 'nextcloud', chunkSize: CHUNK} as const
    const {failures} = await dav.putMany(uploads, options).collect()
    expect(failures.map(line)).toEqual([`503 status self ${FILES}film.bin`])
    expect(failures[0]?.request).toMatchObject({strategy: 'nextcloud', chunkSize: CHUNK})
    cloud.fault = () => undefined
    const {successes} = await dav.retry(failures).collect()
    expect(successes.map(line)).toEqual([`201 self ${FILES}film.bin`])
    expect(isWritten()).toBe(true)
    expect(left()).toEqual([])
  })
})

describe('the conditions of an upload in chunks', () => {
  it('are compared before anything is sent', async () => {
    write('old')
    expect(await put({create: true})).toMatchObject({
      status: 412,
      description: 'It is there, says PROPFIND',
    })
    expect(await put({ifMatch: '"other"'})).toMatchObject({
      status: 412,
      description: 'Its ETag is "of old", says PROPFIND',
    })
    expect(sent()).toEqual(['PROPFIND /film.bin', 'PROPFIND /film.bin'])
  })

  it.each([
    ['create', {create: true}, undefined],
    ['ifMatch', {ifMatch: '"of old"'}, 'old'],
  ])('are compared again before the MOVE: %s', async (_, options, old) => {
    if (old !== undefined) write(old)
    cloud.fault = ({url}) => {
      if (url.endsWith('/00002')) write('new')
      return undefined
    }
    expect(line(await put(options))).toBe(`412 status self ${FILES}film.bin`)
    expect(cloud.content.get(`${FILES}film.bin`)?.toString()).toBe('new')
    expect(left()).toEqual([])
  })

  it('guard the MOVE', async () => {
    await put({create: true})
    expect(server.requests.at(-1)?.headers).toMatchObject({overwrite: 'F'})
    write('old')
    await put({ifMatch: '"of old"', lockToken: 'urn:t'})
    expect(server.requests.at(-1)?.headers).toMatchObject({
      overwrite: 'T',
      if: `<${dav.url}film.bin> (<urn:t> ["of old"])`,
    })
    expect(isWritten()).toBe(true)
  })

  it('keep a collection that is there', async () => {
    cloud.content.set(`${FILES}film.bin/`, undefined)
    cloud.fault = ({method, url}, answer) =>
      method === 'PROPFIND' && url === `${FILES}film.bin`
        ? {...answer(), status: 301, headers: {location: `${FILES}film.bin/`}}
        : undefined
    expect(line(await put())).toBe(`0 refused self ${FILES}film.bin`)
  })

  it('need the parent', async () => {
    const options = {strategy: 'nextcloud', chunkSize: CHUNK} as const
    expect(await dav.put('new/film.bin', film, options)).toMatchObject({
      status: 409,
      description: 'Its parent is not there, says PROPFIND',
    })
    expect(line(await dav.put('new/film.bin', film, {...options, parents: true}))).toBe(
      `201 self ${FILES}new/film.bin`,
    )
  })
})

describe('a failed upload in chunks', () => {
  it('sends only the chunk again that broke, and each as often as the policy says', async () => {
    const failures = new Map<string, number>()
    cloud.fault = ({url}) => {
      const number = failures.get(url) ?? 0
      failures.set(url, number + 1)
      if (!/\d{5}$/.test(url) || number >= 2) return undefined
      return number === 0 ? RESET : {status: 503}
    }
    expect(line(await put({retry: quick}))).toBe(`201 self ${FILES}film.bin`)
    expect(['PUT */00001', 'PUT */00002', 'PUT */00003'].map(count)).toEqual([3, 3, 3])
    expect(isWritten()).toBe(true)
  })

  it('sends nothing again for a full disk, and removes the chunks', async () => {
    cloud.fault = ({url}) => (url.endsWith('/00002') ? {status: 507} : undefined)
    expect(await put({retry: quick})).toMatchObject({
      status: 507,
      description: 'The upload went beside it and failed, so it is unchanged',
    })
    expect(count('PUT */00002')).toBe(1)
    expect(sent().at(-1)).toBe('DELETE */')
    expect(left()).toEqual([])
  })

  it('leaves the target and no chunk, if the last chunk is lost without a policy', async () => {
    cloud.fault = ({url}) => (url.endsWith('/00003') ? RESET : undefined)
    expect(await put()).toMatchObject({
      reason: 'no-answer',
      description: expect.stringMatching(/so it is unchanged$/),
    })
    expect(left()).toEqual([])
  })

  it('is begun anew, once, if the server has lost it', async () => {
    let losses = 1
    cloud.fault = ({url}, answer) => {
      if (!url.endsWith('/00002') || losses-- <= 0) return undefined
      for (const one of left()) cloud.content.delete(one)
      return answer()
    }
    expect(line(await put())).toBe(`201 self ${FILES}film.bin`)
    expect(count('MKCOL */')).toBe(2)
    losses = 2
    write('old')
    expect(await put()).toMatchObject({
      status: 404,
      description:
        'The server has lost the upload. The upload went beside it and failed, so it is unchanged',
    })
  })

  it('of a stream is not begun anew', async () => {
    cloud.fault = ({url}) => (url.endsWith('/00002') ? {status: 404} : undefined)
    expect(line(await put({}, pieces(film)))).toBe(`404 status self ${FILES}film.bin`)
    expect(count('MKCOL */')).toBe(1)
    expect(left()).toEqual([])
  })

  it('leaves no collection, if the answers to the MKCOL and a look at it are lost', async () => {
    cloud.fault = ({method, url}, respond) => {
      if (method === 'MKCOL') respond()
      return method === 'MKCOL' || (method === 'PROPFIND' && url.startsWith(UPLOADS))
        ? RESET
        : undefined
    }
    expect(line(await put())).toBe(`0 no-answer self ${FILES}film.bin`)
    expect(left()).toEqual([])
  })

  it('follows no redirect, which would make a chunk a resource of its own', async () => {
    cloud.fault = ({method, url}) =>
      method === 'PUT' && url.startsWith(UPLOADS)
        ? {status: 307, headers: {location: `${FILES}other.bin`}}
        : undefined
    expect(line(await put())).toBe(`307 status self ${FILES}film.bin`)
    expect(cloud.content.has(`${FILES}other.bin`)).toBe(false)
    expect(left()).toEqual([])
  })

  it('is refused if its stream breaks', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* pieces(film.subarray(0, 2 * CHUNK))
      throw new Error('the disk is gone')
    }
    expect(await put({}, broken())).toMatchObject({
      reason: 'refused',
      description: `PUT ${dav.url}film.bin is not sent: the disk is gone`,
    })
    expect(left()).toEqual([])
  })

  it('is removed after an abort', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    cloud.fault = ({url}) => {
      if (url.endsWith('/00002')) stop.abort(reason)
      return undefined
    }
    expect(await refusalOf(() => put({signal: stop.signal}))).toBe(reason)
    await vi.waitFor(() => expect(sent().at(-1)).toBe('DELETE */'))
  })

  it('waits no longer than a second for its removal after an abort', async () => {
    const stop = new AbortController()
    cloud.fault = ({method, url}) => {
      if (url.endsWith('/00002')) stop.abort(new Error('enough'))
      return method === 'DELETE' ? NEVER : undefined
    }
    await refusalOf(() => put({signal: stop.signal}))
    expect(await server.requests.find(({method}) => method === 'DELETE')?.ended).toBe('closed')
  })

  it('rejects with the error of its listener', async () => {
    const error = new Error('no more')
    const onProgress = ({bytes}: TransferProgress): void => {
      if (bytes >= CHUNK) throw error
    }
    // Progress is reported every 100 ms.
    cloud.fault = async ({url}) => {
      if (url.endsWith('/00001')) await delay(150)
      return undefined
    }
    expect(await refusalOf(() => put({onProgress}))).toBe(error)
    expect(isWritten()).toBeUndefined()
  })
})

describe('chunks that are put together', () => {
  it('are waited for after a 423, until the upload is gone', async () => {
    let looks = 0
    cloud.fault = ({method, url}) => {
      const name = url.replace('.file', '')
      if (method === 'MOVE') return {status: 423}
      const isLook = method === 'PROPFIND' && url.startsWith(UPLOADS)
      if (isLook && ++looks === 3) cloud.assemble(name, `${FILES}film.bin`)
      return undefined
    }
    const waits = hurry()
    expect(await put()).toMatchObject({
      ok: true,
      status: 0,
      description: 'The upload is gone, and the resource is new and has its length',
    })
    expect(waits).toEqual([500, 2000])
    expect(count('MOVE */.file')).toBe(3)
    expect(isWritten()).toBe(true)
  })

  it('were held up by somebody else, if the MOVE succeeds at last', async () => {
    let moves = 0
    cloud.fault = ({method}) => (method === 'MOVE' && ++moves < 3 ? {status: 423} : undefined)
    hurry()
    expect(line(await put())).toBe(`201 self ${FILES}film.bin`)
    expect(isWritten()).toBe(true)
  })

  it.each([
    ['a 504', {status: 504}],
    ['a lost answer', RESET],
  ] as const)('count as written after %s, if the upload is gone', async (_, answer) => {
    cloud.fault = async ({method}, respond) => {
      if (method !== 'MOVE') return undefined
      respond()
      return answer
    }
    hurry()
    expect(line(await put())).toBe(`0 self ${FILES}film.bin`)
    expect(isWritten()).toBe(true)
  })

  it('are moved again if the MOVE was lost on its way, by the policy', async () => {
    let moves = 0
    cloud.fault = ({method}) => (method === 'MOVE' && ++moves === 1 ? RESET : undefined)
    hurry()
    expect(line(await put({retry: quick}))).toBe(`201 self ${FILES}film.bin`)
    expect(count('MOVE */.file')).toBe(2)
  })

  it('may be left after a lost MOVE without a policy', async () => {
    cloud.fault = ({method}) => (method === 'MOVE' ? RESET : undefined)
    hurry()
    const verdict = await put()
    expect(line(verdict)).toBe(`0 no-answer self ${FILES}film.bin`)
    expect(verdict.description).toMatch(/\/uploads\/ana\/multistatus-\w+\.tmp\/ may be left$/)
    expect(left()).not.toEqual([])
  })

  it('are not waited for if the target is locked', async () => {
    const error = '<D:error xmlns:D="DAV:"><D:lock-token-submitted/></D:error>'
    const headers = {'content-type': 'application/xml'}
    cloud.fault = ({method}) =>
      method === 'MOVE' ? {status: 423, headers, body: error} : undefined
    expect(line(await put())).toBe(`423 status self ${FILES}film.bin`)
    expect(count('MOVE */.file')).toBe(1)
    expect(left()).toEqual([])
  })

  it('are given up after ten minutes, with an unknown outcome', async () => {
    cloud.fault = ({method}) => (method === 'MOVE' ? {status: 423} : undefined)
    const waits = hurry()
    expect(line(await put())).toBe(`0 no-answer self ${FILES}film.bin`)
    expect(waits).toEqual([...ASSEMBLY_WAITS, ...Array.from({length: 18}, () => 30_000)])
    expect(count('MOVE */.file')).toBe(25)
  })

  it.each([
    ['while they are waited for', 'MOVE', {status: 423}],
    ['while the upload is looked for', 'PROPFIND', {status: 423}],
    ['before the answer to the MOVE', 'MOVE', NEVER],
  ] as const)('may be written after an abort %s', async (_, last, answer) => {
    const stop = new AbortController()
    const reason = new Error('enough')
    let isMoved = false
    cloud.fault = ({method}, respond) => {
      if (method === 'MOVE') {
        respond()
        isMoved = true
      }
      if (!isMoved) return undefined
      if (method === last) stop.abort(reason)
      return method === 'MOVE' ? answer : undefined
    }
    if (last === 'PROPFIND') hurry()
    const uploads = [{href: 'film.bin', body: film}]
    const options = {strategy: 'nextcloud', chunkSize: CHUNK, signal: stop.signal} as const
    const {results, error} = await readToEnd(dav.putMany(uploads, options))
    expect(error).toBe(reason)
    expect(results).toMatchObject([{reason: 'no-answer', cause: 'aborted'}])
    expect(isWritten()).toBe(true)
  })

  it('may be written if the upload is gone, and the resource has another length', async () => {
    cloud.fault = ({method}) => {
      if (method !== 'MOVE') return undefined
      for (const one of left()) cloud.content.delete(one)
      write('of another')
      return {status: 423}
    }
    hurry()
    expect(await put()).toMatchObject({
      reason: 'no-answer',
      description: 'The upload is gone, and nobody knows if it was written',
    })
    expect(count('MKCOL */')).toBe(1)
    expect(cloud.content.get(`${FILES}film.bin`)?.toString()).toBe('of another')
  })

  it('are compared by their length if that is wanted', async () => {
    await put({verify: true})
    expect(sent()).toEqual([...WHOLE, 'PROPFIND /film.bin'])
  })
})

describe('the progress of an upload in chunks', () => {
  it('counts the bytes of the whole body', async () => {
    const seen: TransferProgress[] = []
    await put({onProgress: (progress) => seen.push(progress)})
    expect(seen.every(({bytes}, index) => bytes >= (seen[index - 1]?.bytes ?? 0))).toBe(true)
    expect(new Set(seen.map(({total}) => total))).toEqual(new Set([LENGTH]))
    expect(seen.at(-1)).toEqual({bytes: LENGTH, total: LENGTH})
  })
})
