// States an upload by TUS 1.0: its requests, the bytes that are sent again after each lost answer, and the way on in another
// process. https://tus.io/protocols/resumable-upload

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
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, RESET, startFaultServer} from '../support/fault-server.ts'
import {line, refusalOf} from '../support/results.ts'
import {keepTus, type TusServer} from '../support/tus-server.ts'

vi.setConfig({testTimeout: 8000})

const text = '0123456789abcdefghijklmno'
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}
const transport = undiciTransport()

let server: FaultServer
let dav: DavClient
let tus: TusServer
let kept: string | undefined

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
  tus = keepTus(server)
  kept = undefined
})
afterEach(() => server.close())

const onUpload = (state: UploadState): void => {
  kept = JSON.stringify(state)
}

const put = (options: PutOptions = {}, body: UploadBody = text): Promise<DavResult> =>
  dav.put('a.txt', body, {strategy: 'tus', chunkSize: 10, onUpload, ...options})

/** Puts with the kept state, like another process. */
const putAgain = (options: PutOptions = {}, body: UploadBody = text): Promise<DavResult> =>
  put(
    {...options, upload: kept === undefined ? undefined : (JSON.parse(kept) as UploadState)},
    body,
  )

/** Requests in one line each, a PATCH with its place and body. */
const sent = (): string[] =>
  server.requests.map(({method, url, headers, body}) =>
    [method, url, ...(method === 'PATCH' ? [headers['upload-offset'], body] : [])].join(' '),
  )

const content = (): string | undefined => tus.content.get('/a.txt')?.toString()

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += 7) yield Buffer.from(text.slice(at, at + 7))
}

function write(other: string): void {
  tus.content.set('/a.txt', Buffer.from(other))
  tus.etags.set('/a.txt', `"of ${other}"`)
}

const WHOLE = [
  'PROPFIND /a.txt',
  'PROPFIND /',
  'POST /',
  'PATCH /data/1 0 0123456789',
  'PATCH /data/1 10 abcdefghij',
  'PROPFIND /a.txt',
  'PATCH /data/1 20 klmno',
]

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('the strategy tus over %s', (_, makeTransport) => {
  beforeEach(() => {
    dav = new DavClient({url: server.url, transport: makeTransport()})
  })
  afterEach(() => dav.close())

  it('makes an upload, and appends chunks', async () => {
    expect(await put()).toEqual({
      ok: true,
      href: '/a.txt',
      url: `${server.url}a.txt`,
      relation: 'self',
      status: 204,
      properties: {},
      missing: [],
      etag: '"etag-1"',
    })
    expect(sent()).toEqual(WHOLE)
    expect(content()).toBe(text)
    expect(server.requests[2]?.headers).toMatchObject({
      'upload-length': '25',
      'upload-metadata': `filename ${Buffer.from('a.txt').toString('base64')}`,
      'tus-resumable': '1.0.0',
    })
  })

  it.each([
    ['a stream with its length', () => pieces(), 25],
    ['a stream without its length, spooled', () => pieces(), undefined],
    ['bytes', () => Buffer.from(text), undefined],
    ['a Blob', () => new Blob([text]), undefined],
  ])('takes %s', async (__, body, length) => {
    await put({length}, body())
    expect(sent()).toEqual(WHOLE)
    expect(content()).toBe(text)
  })

  it('counts the bytes', async () => {
    const seen: TransferProgress[] = []
    await put({onProgress: (progress) => seen.push(progress)})
    expect(seen.at(-1)).toEqual({bytes: 25, total: 25})
  })

  it('goes on at the byte that HEAD tells after a lost PATCH', async () => {
    tus.fault = ({method, headers}, answer) => {
      if (method !== 'PATCH' || headers['upload-offset'] !== '10') return undefined
      const upload = tus.uploads.get('/data/1')
      if (upload === undefined) return answer()
      // The connection broke behind four bytes.
      upload.bytes = Buffer.from(text.slice(0, 14))
      return RESET
    }
    expect(line(await put())).toBe('204 self /a.txt')
    expect(sent().slice(4)).toEqual([
      'PATCH /data/1 10 abcdefghij',
      'HEAD /data/1',
      'PATCH /data/1 14 efghijklmn',
      'PROPFIND /a.txt',
      'PATCH /data/1 24 o',
    ])
    expect(content()).toBe(text)
  })
})

describe('the strategy tus', () => {
  it('is chosen after OPTIONS has told of TUS, for a body of more than one chunk', async () => {
    const auto = {strategy: 'auto', onUpload: undefined} as const
    await put(auto)
    expect(sent()).toEqual(['PUT /a.txt'])
    await dav.options('')
    server.forget()
    await put(auto, 'short')
    expect(sent()).toEqual(['PUT /a.txt'])
    await put(auto)
    expect(sent()).toContain('POST /')
  })

  it.each<[string, Record<string, string>, string]>([
    ['that can make uploads', {'tus-extension': 'checksum,creation'}, 'POST /'],
    ['whose extensions a browser hides', {}, 'POST /'],
    ['that cannot make uploads', {'tus-extension': 'checksum'}, 'PUT /a.txt'],
    ['that takes as many bytes', {'tus-max-size': String(text.length)}, 'POST /'],
    ['that takes fewer bytes', {'tus-max-size': String(text.length - 1)}, 'PUT /a.txt'],
    ['of another version', {'tus-resumable': '2.0.0'}, 'PUT /a.txt'],
  ])('is chosen for a server %s, or not', async (_, headers, first) => {
    tus.fault = ({method}) =>
      method === 'OPTIONS'
        ? {status: 204, headers: {'tus-resumable': '1.0.0', ...headers}}
        : undefined
    await dav.options('')
    server.forget()
    expect(await put({strategy: 'auto', onUpload: undefined})).toMatchObject({ok: true})
    expect(sent()[0] === 'PUT /a.txt' ? 'PUT /a.txt' : 'POST /').toBe(first)
    expect(content()).toBe(text)
  })

  it('sends no empty chunk behind the last one', async () => {
    await put({}, text.slice(0, 20))
    expect(sent().filter((one) => one.startsWith('PATCH'))).toEqual([
      'PATCH /data/1 0 0123456789',
      'PATCH /data/1 10 abcdefghij',
    ])
    expect(content()).toBe(text.slice(0, 20))
  })

  it('escapes the name, and tells the time of a local file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tus-'))
    const path = join(folder, 'a')
    await writeFile(path, text)
    await utimes(path, 1_700_000_000, 1_700_000_000)
    await dav.put('%C3%A9%2C.txt', {path}, {strategy: 'tus', chunkSize: 10})
    const post = server.requests.find(({method}) => method === 'POST')
    const [name, mtime] = ['é,.txt', '1700000000'].map((one) => Buffer.from(one).toString('base64'))
    expect(post?.headers['upload-metadata']).toBe(`filename ${name},mtime ${mtime}`)
    expect(tus.content.get('/%C3%A9%2C.txt')?.toString()).toBe(text)
    await rm(folder, {recursive: true})
  })

  it.each([
    ['on another origin', 'https://other.example/data/1', 'a Location not on '],
    ['that is missing, as of a server without TUS', '', 'no Location, as TUS has'],
  ])('follows no Location %s', async (_, location, fault) => {
    tus.fault = ({method}) => (method === 'POST' ? {status: 201, headers: {location}} : undefined)
    const verdict = await put()
    expect(line(verdict)).toBe('0 refused self /a.txt')
    expect(verdict.description).toContain(
      `The POST that begins the upload was answered 201 with ${fault}`,
    )
    expect(sent().at(-1)).toBe('POST /')
  })

  it('submits a lock token, and makes parents', async () => {
    await dav.put('new/a.txt', text, {
      strategy: 'tus',
      chunkSize: 10,
      parents: true,
      lockToken: 'urn:t',
    })
    expect(sent()).toContain('POST /new/')
    const post = server.requests.find(({method}) => method === 'POST')
    expect(post?.headers['if']).toBe(`<${server.url}new/a.txt> (<urn:t>)`)
    expect(tus.content.get('/new/a.txt')?.toString()).toBe(text)
  })

  it('submits the held locks of the target', async () => {
    const lock = {token: 'urn:held', lockRoot: `${server.url}a.txt`, depth: 0} as const
    dav = new DavClient({url: server.url, transport, locks: [lock]})
    await put()
    const changes = server.requests.filter(({method}) => method !== 'PROPFIND')
    expect(new Set(changes.map(({headers}) => headers['if']))).toEqual(
      new Set([`<${server.url}a.txt> (<urn:held>)`]),
    )
  })

  it.each([
    ['create', {create: true}, undefined],
    ['ifMatch', {ifMatch: '"of old"'}, 'old'],
  ])('compares the condition before the last chunk: %s', async (_, options, old) => {
    if (old !== undefined) write(old)
    tus.fault = ({method}) => {
      if (method === 'PATCH') write('new')
      return undefined
    }
    expect(line(await put(options))).toBe('412 status self /a.txt')
    expect(content()).toBe('new')
  })

  it('sends a chunk again by the policy, and each as often', async () => {
    const failures = new Map<unknown, number>()
    tus.fault = ({method, headers}) => {
      const at = headers['upload-offset']
      const number = failures.get(at) ?? 0
      failures.set(at, number + 1)
      if (method !== 'PATCH' || number >= 2) return undefined
      return number === 0 ? {status: 423} : {status: 503}
    }
    expect(line(await put({retry: quick}))).toBe('204 self /a.txt')
    expect(sent().filter((one) => one === 'PATCH /data/1 10 abcdefghij').length).toBe(3)
    expect(content()).toBe(text)
  })

  it('appends nothing twice', async () => {
    tus.fault = ({method}, answer) => {
      if (method !== 'PATCH') return undefined
      answer()
      return RESET
    }
    expect(await put({retry: quick})).toMatchObject({
      ok: true,
      status: 0,
      description: 'The upload is gone, and the resource is new and has its length',
    })
    expect(content()).toBe(text)
    expect(sent().filter((one) => one.startsWith('PATCH'))).toEqual(
      WHOLE.filter((one) => one.startsWith('PATCH')),
    )
  })

  it('has no ETag of an earlier chunk, if the answer to the last one is lost', async () => {
    tus.fault = ({method, headers}, answer) => {
      if (method === 'HEAD') return {status: 200, headers: {'upload-offset': '25'}}
      if (method !== 'PATCH') return undefined
      answer()
      const at = Number(headers['upload-offset'])
      if (at === 20) return RESET
      return {status: 204, headers: {'upload-offset': String(at + 10), etag: '"part"'}}
    }
    const verdict = await put()
    expect(line(verdict)).toBe('204 self /a.txt')
    expect(verdict).not.toHaveProperty('etag')
  })

  it.each([
    ['PATCH', {status: 204, headers: {'upload-offset': '25'}}],
    ['HEAD', RESET],
  ] as const)('does not believe a %s that tells of bytes behind the chunk', async (_, answer) => {
    tus.fault = ({method}) => {
      if (method === 'HEAD') return {status: 200, headers: {'upload-offset': '25'}}
      return method === 'PATCH' ? answer : undefined
    }
    const verdict = await put()
    expect(line(verdict)).toBe('0 no-answer self /a.txt')
    expect(verdict.description).toContain('The upload is at byte 25 after a PATCH at 0')
  })

  it('may be written if the last answer is lost, and HEAD is refused then', async () => {
    tus.fault = ({method, headers}, answer) => {
      if (method === 'HEAD') return {status: 507}
      if (headers['upload-offset'] !== '20') return undefined
      answer()
      return RESET
    }
    const verdict = await put({retry: quick})
    expect(line(verdict)).toBe('0 no-answer self /a.txt')
    expect(verdict.description).toBe('It was answered 507, and an earlier attempt may have done it')
    expect(content()).toBe(text)
  })

  it('waits while HEAD is answered 423', async () => {
    let heads = 0
    tus.fault = ({method, headers}, answer) => {
      if (method === 'HEAD') return ++heads < 3 ? {status: 423} : undefined
      if (method !== 'PATCH' || headers['upload-offset'] !== '0') return undefined
      answer()
      return RESET
    }
    expect(line(await put({retry: quick}))).toBe('204 self /a.txt')
    expect(heads).toBe(3)
  })

  it('makes another upload, once, for one that the server has lost', async () => {
    tus.fault = ({method, url, headers}) => {
      if (method === 'PATCH' && url === '/data/1' && headers['upload-offset'] === '10')
        return {status: 410}
      return method === 'HEAD' && url === '/data/1' ? {status: 403} : undefined
    }
    expect(line(await put())).toBe('204 self /a.txt')
    expect(sent().filter((one) => one === 'POST /').length).toBe(2)
    tus.fault = ({method}) => (method === 'PATCH' || method === 'HEAD' ? {status: 404} : undefined)
    expect(line(await put())).toBe('404 status self /a.txt')
  })

  it.each(['', 'x', '26', '10'])('doubts an answer with Upload-Offset %j', async (offset) => {
    tus.fault = ({method, headers}, answer) =>
      method === 'PATCH' && headers['upload-offset'] === '10'
        ? {...answer(), headers: {'upload-offset': offset}}
        : undefined
    expect(line(await put())).toBe('0 no-answer self /a.txt')
    expect(content()).toBeUndefined()
  })

  it('sends nothing again for a full disk', async () => {
    tus.fault = ({method}) => (method === 'PATCH' ? {status: 507} : undefined)
    expect(line(await put({retry: quick}))).toBe('507 status self /a.txt')
    expect(sent().slice(3)).toEqual(['PATCH /data/1 0 0123456789', 'HEAD /data/1'])
  })
})

describe('an upload by TUS that was killed', () => {
  const cases = Array.from({length: WHOLE.length}, (_, index) => index + 1).flatMap((number) => [
    [number, false] as const,
    [number, true] as const,
  ])

  it.each(cases)(
    'at request %d, with the work done: %s, is written once',
    async (number, isDone) => {
      const stop = new AbortController()
      const reason = new Error('killed')
      let count = 0
      tus.fault = (_, answer) => {
        count++
        if (count < number) return undefined
        if (count === number && isDone) answer()
        stop.abort(reason)
        return RESET
      }
      expect(await refusalOf(() => put({create: true, signal: stop.signal}))).toBe(reason)
      tus.fault = () => undefined
      server.forget()
      const verdict = await putAgain({create: true})
      expect(line(verdict)).toBe(`${number === 7 && isDone ? 0 : 204} self /a.txt`)
      expect(content()).toBe(text)
      const again = sent().filter((one) => one.startsWith('PATCH'))
      const before = new Set(WHOLE.slice(0, number - (isDone ? 0 : 1)))
      expect(again.map((one) => one.replace('data/2', 'data/1'))).toEqual(
        WHOLE.filter((one) => one.startsWith('PATCH') && !before.has(one)),
      )
    },
  )

  it('goes on with a stream that begins anew', async () => {
    tus.fault = ({headers}) => (headers['upload-offset'] === '10' ? {status: 500} : undefined)
    expect(line(await put({length: 25}, pieces()))).toBe('500 status self /a.txt')
    tus.fault = () => undefined
    server.forget()
    expect(line(await putAgain({length: 25}, pieces()))).toBe('204 self /a.txt')
    expect(sent().filter((one) => one.startsWith('PATCH'))).toEqual([
      'PATCH /data/1 10 abcdefghij',
      'PATCH /data/1 20 klmno',
    ])
    expect(content()).toBe(text)
  })

  it('stays as it is if HEAD does not tell the offset', async () => {
    tus.fault = ({headers}) => (headers['upload-offset'] === '10' ? {status: 500} : undefined)
    await put()
    tus.fault = ({method}) => (method === 'HEAD' ? {status: 200} : undefined)
    server.forget()
    expect(await putAgain()).toMatchObject({
      reason: 'no-answer',
      description: expect.stringContaining('The upload was answered 200 with the Upload-Offset'),
    })
    expect(sent()).toEqual(['HEAD /data/1'])
  })

  it('sends nothing to another origin', async () => {
    tus.fault = ({headers}) => (headers['upload-offset'] === '10' ? {status: 500} : undefined)
    await put()
    tus.fault = () => undefined
    const state = JSON.parse(kept ?? '') as UploadState
    kept = JSON.stringify({...state, url: 'https://other.example/data/1'})
    expect(line(await putAgain())).toBe('204 self /a.txt')
    expect(sent()).toContain('PATCH /data/2 0 0123456789')
  })
})
