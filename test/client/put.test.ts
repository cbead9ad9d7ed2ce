// States the request of a PUT for each kind of body, its targets and conditions, and the verdict on each answer. RFC 4918,
// section 9.7; RFC 9110, sections 9.3.4, 13.1 and 15.

import {once} from 'node:events'
import {createReadStream} from 'node:fs'
import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {createServer, type Server} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'

import {
  basicAuth,
  DavClient,
  type DavError,
  type DavResult,
  type PutOptions,
  type UploadBody,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {fakeServer} from 'multistatus/testing'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listing,
  NEVER,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {bytes} from '../support/fixtures.ts'
import {scriptOf} from '../support/fake-script.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

const text = 'Grüße 😀\n'
const length = String(bytes(text).length)
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}

let folder: string
let path: string
let server: FaultServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'put-'))
  path = join(folder, 'a.txt')
  await writeFile(path, text)
})
afterAll(() => rm(folder, {recursive: true}))

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 201})
})
afterEach(() => server.close())

/** The bytes of the text in pieces that cut a character. */
async function* pieces(): AsyncGenerator<Uint8Array> {
  yield bytes(text).subarray(0, 3)
  yield bytes(text).subarray(3)
}

function streamOf(source: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = await source.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
  })
}

const whole: readonly (readonly [string, () => UploadBody])[] = [
  ['a string', () => text],
  ['a Uint8Array', () => bytes(text)],
  ['a part of a buffer', () => bytes(`xx${text}yyy`).subarray(2, -3)],
  ['a DataView', () => new DataView(bytes(text).buffer)],
  ['an ArrayBuffer', () => bytes(text).buffer],
  ['a Blob', () => new Blob([text])],
  ['a local file', () => ({path})],
]
const streamed: readonly (readonly [string, () => UploadBody])[] = [
  ['a web stream', () => streamOf(pieces())],
  ['an async generator', pieces],
  ['an async iterable', () => ({[Symbol.asyncIterator]: pieces})],
  ['a stream of Node', () => createReadStream(path)],
]

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('over %s', (name, makeTransport) => {
  let dav: DavClient
  beforeEach(() => {
    dav = new DavClient({url: server.url, transport: makeTransport()})
  })
  afterEach(() => dav.close())

  describe('the body', () => {
    it.each([...whole, ...streamed])('is sent with its length: %s', async (_, make) => {
      expect(line(await dav.put('a', make()))).toBe('201 self /a')
      expect(server.requests).toMatchObject([
        {method: 'PUT', url: '/a', body: text, headers: {'content-length': length}},
      ])
      for (const absent of ['transfer-encoding', 'content-type', 'content-encoding', 'expect'])
        expect(server.requests[0]?.headers[absent]).toBeUndefined()
    })

    it.each(streamed)('is sent in chunks if that is wanted: %s', async (_, make) => {
      expect(line(await dav.put('a', make(), {unknownLength: 'send'}))).toBe('201 self /a')
      expect(server.requests).toMatchObject([
        {body: text, headers: {'transfer-encoding': 'chunked'}},
      ])
    })

    it.each(streamed)('is refused if its length must be known: %s', async (_, make) => {
      expect(await dav.put('a', make(), {unknownLength: 'refuse'})).toMatchObject({
        reason: 'refused',
        description: `PUT ${server.url}a is not sent: its body is a stream that cannot be sent with its length`,
      })
      expect(server.requests).toEqual([])
    })

    it.each(streamed)('has the length that the caller knows: %s', async (_, make) => {
      const options = {length: bytes(text).length}
      expect(line(await dav.put('a', make(), options))).toBe('201 self /a')
      expect(server.requests).toMatchObject([{body: text, headers: {'content-length': length}}])
    })

    it.each([
      ['a string', ''],
      ['bytes', new Uint8Array()],
      ['a Blob', new Blob([])],
      ['a stream', streamOf((async function* none() {})())],
    ])('of no bytes has the length 0: %s', async (_, body) => {
      await dav.put('a', body)
      expect(server.requests).toMatchObject([{body: '', headers: {'content-length': '0'}}])
    })

    it('of 300 KB arrives whole, whatever its kind', async () => {
      const long = '0123456789'.repeat(30_000)
      async function* many(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < long.length; at += 50_000) yield bytes(long.slice(at, at + 50_000))
      }
      for (const body of [long, bytes(long), new Blob([long]), many()]) await dav.put('a', body)
      for (const request of server.requests) {
        expect(request.headers['content-length']).toBe('300000')
        expect(request.body === long).toBe(true)
      }
      expect(server.requests).toHaveLength(4)
    })

    it.each([
      [10, 'the body is longer than its length of 10 bytes'],
      [14, 'the body ended after 13 of 14 bytes'],
    ])('is never shorter or longer than its length: %i', async (wrong, found) => {
      const put = dav.put('a', pieces(), {length: wrong})
      // Over fetch it is seen before anything is sent.
      const outcome = await put.catch((error: DavError) => ({description: error.message}))
      expect(outcome.description).toBe(
        name !== 'fetch'
          ? `PUT ${server.url}a failed: ${found}`
          : `PUT ${server.url}a is not sent: ${found}`,
      )
      expect(server.requests).toEqual([])
    })

    it('is held back until its end is seen, so that no server takes its beginning for the whole', async () => {
      async function* longer(): AsyncGenerator<Uint8Array> {
        yield bytes('abc')
        yield bytes('d')
      }
      const put = dav.put('a', longer(), {length: 3, unknownLength: 'send'})
      await expect(put).rejects.toMatchObject({name: 'DavNetworkError'})
      expect(server.requests).toEqual([])
    })

    it.each(whole)('of another length than the given one is refused: %s', async (_, make) => {
      expect(await dav.put('a', make(), {length: 3})).toMatchObject({
        reason: 'refused',
        description: `PUT ${server.url}a is not sent: its body has ${length} bytes, and its length is 3`,
      })
      expect(server.requests).toEqual([])
    })

    it('has the type that is given, else that of a Blob', async () => {
      const blob = new Blob([text], {type: 'text/css'})
      await dav.put('a', blob)
      await dav.put('a', blob, {type: 'text/plain'})
      await dav.put('a', text, {type: 'text/plain; charset=utf-8'})
      expect(server.requests.map(({headers}) => headers['content-type'])).toEqual([
        'text/css',
        'text/plain',
        'text/plain; charset=utf-8',
      ])
    })
  })

  it('counts the bytes for onProgress, the last time with all of them', async () => {
    for (const body of ['x'.repeat(200_000), new Blob(['x'.repeat(200_000)]), {path}]) {
      const seen: unknown[] = []
      await dav.put('a', body, {onProgress: (progress) => seen.push(progress)})
      const total = body === undefined || 'path' in Object(body) ? bytes(text).length : 200_000
      expect(seen.at(-1)).toEqual({bytes: total, total})
    }
    const seen: unknown[] = []
    const onProgress = (progress: unknown): unknown => seen.push(progress)
    await dav.put('a', pieces(), {onProgress, unknownLength: 'send'})
    expect(seen.at(-1)).toEqual({bytes: bytes(text).length})
  })

  it('ends with the error of onProgress', async () => {
    const error = new Error('enough')
    const onProgress = (): void => {
      throw error
    }
    await expect(dav.put('a', text, {onProgress})).rejects.toBe(error)
  })

  it('ends with the signal, and closes the source of the body', async () => {
    server.answers(NEVER)
    for (const unknownLength of ['send', 'spool'] as const) {
      const closed = Promise.withResolvers<void>()
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytes('x')),
        cancel: () => closed.resolve(),
      })
      const controller = new AbortController()
      const reason = new Error('enough')
      setTimeout(() => controller.abort(reason), 60)
      const put = dav.put('a', body, {unknownLength, signal: controller.signal})
      await expect(put).rejects.toBe(reason)
      await closed.promise
    }
  })

  it.each<[string, string, PutOptions]>([
    ['a weak ETag', 'a', {ifMatch: 'W/"1"'}],
    ['a target that is refused', '/', {}],
    ['an unknown length', 'a', {unknownLength: 'refuse'}],
    ['an obstacle', 'a', {safely: true, length: 1}],
    ['an ignored condition', 'a', {create: true, requireConditions: true}],
    ['the signal', 'a', {length: 1, signal: AbortSignal.abort()}],
  ])('closes the source of a body that is not sent, because of %s', async (_, target, options) => {
    server.answers({status: 403})
    const body = createReadStream(path)
    const closed = once(body, 'close')
    await dav.put(target, body, options).catch(() => {})
    await closed
    await expect(dav.put('b', body)).rejects.toThrow('its body can be read once only')
  })

  it('is sent once only, whatever client it is given to', async () => {
    server.answers({status: 201})
    const body = pieces()
    expect(line(await dav.put('a', body))).toBe('201 self /a')
    const other = new DavClient({url: server.url, transport: makeTransport()})
    await expect(other.put('b', body)).rejects.toThrow('its body can be read once only')
    expect(server.requests).toHaveLength(1)
  })

  describe('that is answered before its end', () => {
    let early: Server
    let own: DavClient
    const answerWith = async (status: number): Promise<void> => {
      early = createServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', () => {
          socket.pause().write(`HTTP/1.1 ${status} So\r\nContent-Length: 0\r\n\r\n`)
        })
      })
      early.listen(0, '127.0.0.1')
      await once(early, 'listening')
      const address = early.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      own = new DavClient({
        url: `http://127.0.0.1:${address.port}/`,
        transport: makeTransport(),
      })
    }
    afterEach(async () => {
      early.close()
      await own.close()
    })

    it('closes the source of the body', async () => {
      await answerWith(413)
      const closed = Promise.withResolvers<void>()
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield new Uint8Array(65_536)
        } finally {
          closed.resolve()
        }
      }
      const verdict = await own.put('a', endless(), {unknownLength: 'send'})
      expect(line(verdict)).toBe('413 status self /a')
      await closed.promise
    })

    it('is no success', async () => {
      await answerWith(201)
      const body = new Blob([new Uint8Array(30_000_000)]).stream()
      const options = {length: 30_000_000, unknownLength: 'send'} as const
      expect(await own.put('a', body, options)).toMatchObject({
        reason: 'no-answer',
        cause: 'unreadable',
        description: 'It was answered 201 before its body was sent',
      })
    })

    it.each([
      ['', {}],
      [' with verify', {verify: true}],
    ])('is no success without a length either%s', async (_what, more) => {
      await answerWith(201)
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield bytes('hel')
        await delay(300)
        yield bytes('lo')
      }
      const options = {unknownLength: 'send', ...more} as const
      expect(await own.put('a', slow(), options)).toMatchObject({
        reason: 'no-answer',
        cause: 'unreadable',
        description: 'It was answered 201 before its body was sent',
      })
    })
  })

  it.each<[unknown, string]>([
    ['no disk', 'no disk'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Object.create(null), 'a value without a text'],
  ])('has the words of a source that throws %o', async (thrown, words) => {
    server.answers({status: 201})
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes('x')
      // oxlint-disable-next-line typescript/only-throw-error -- a source may
      throw thrown
    }
    const told = `its source threw ${words}`
    const uploads = [
      {href: 'a', body: broken()},
      {href: 'b', body: 'text'},
    ]
    const results = await Array.fromAsync(dav.putMany(uploads))
    expect(results.find(({href}) => href === '/b')).toMatchObject({ok: true})
    expect(results.find(({href}) => href === '/a')).toMatchObject({
      reason: 'refused',
      description: expect.stringContaining(told),
    })
    await expect(dav.put('c', broken(), {unknownLength: 'send'})).rejects.toThrow(told)
  })

  it('leaves no temporary file of a spooled stream', async () => {
    const own = await mkdtemp(join(folder, 'spool-'))
    vi.stubEnv('TMPDIR', own)
    server.script(async () => ({status: (await readdir(own)).length === 1 ? 201 : 500}))
    expect(line(await dav.put('a', pieces()))).toBe('201 self /a')
    server.answers(RESET)
    await expect(dav.put('a', pieces())).rejects.toMatchObject({name: 'DavNetworkError'})
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes('x')
      throw new Error('the disk is gone')
    }
    expect(await dav.put('a', broken())).toMatchObject({
      reason: 'refused',
      description: `PUT ${server.url}a is not sent: the disk is gone`,
    })
    expect(await readdir(own)).toEqual([])
    vi.unstubAllEnvs()
    expect(server.requests).toHaveLength(2)
  })
})

describe('a PUT', () => {
  let dav: DavClient
  beforeEach(() => {
    dav = new DavClient({url: `${server.url}docs/`, transport: undiciTransport()})
  })
  afterEach(() => dav.close())

  describe('the target', () => {
    it.each(['photos/', 'photos/.', 'photos%2F', 'photos/%5C', ''])(
      'is a TypeError for the URL of a collection: %j',
      async (target) => {
        await expect(dav.put(target, text)).rejects.toThrow(TypeError)
        await expect(dav.put(target, text, {unguarded: true})).rejects.toThrow(
          /a collection has no content/,
        )
        expect(server.requests).toEqual([])
      },
    )

    it('is a TypeError for a result that is a collection', async () => {
      server.answers(answer207(listing('/docs/a')), answer207(listing('/docs/b/')))
      const file = await dav.stat('a')
      const collection = await dav.stat('b')
      server.answers({status: 204})
      expect(line(await dav.put(file, text))).toBe('204 self /docs/a')
      await expect(dav.put(collection, text)).rejects.toThrow(TypeError)
    })

    it.each(['/', '/other/a', '../a', '/docs/..%2fa'])(
      'is a TypeError outside the client\u2019s own collection: %s',
      async (target) => {
        await expect(dav.put(target, text)).rejects.toThrow(TypeError)
        expect(server.requests).toEqual([])
      },
    )

    it('may be outside with unguarded, and never on another origin', async () => {
      expect(line(await dav.put('/other/a', text, {unguarded: true}))).toBe('201 self /other/a')
      const elsewhere = dav.put('http://other.example/a', text, {unguarded: true})
      await expect(elsewhere).rejects.toThrow(TypeError)
    })

    it.each([
      ...[301, 302, 307, 308].map((status): [number, string] => [status, '/docs/a/']),
      [307, '/docs/a%2F'],
      [308, '/docs/a%5c'],
    ])('is not followed to the slash of a collection: %i %s', async (status, location) => {
      server.answers({status, headers: {location}}, {status: 201})
      expect(await dav.put('a', text)).toMatchObject({status, reason: 'status', location})
      expect(server.requests).toHaveLength(1)
    })

    it.each([307, 308])(
      'is redirected by a %i to another resource of the client, with body and conditions',
      async (status) => {
        server.answers({status, headers: {location: '/docs/b'}}, {status: 201})
        const verdict = await dav.put('a', text, {create: true, type: 'text/plain'})
        expect(verdict).toMatchObject({ok: true, status: 201, url: `${server.url}docs/b`})
        expect(server.requests).toMatchObject(
          ['/docs/a', '/docs/b'].map((url) => ({
            method: 'PUT',
            url,
            body: text,
            headers: {'if-none-match': '*', 'content-type': 'text/plain'},
          })),
        )
      },
    )

    it.each([
      ['by a 301, which may change the method', 301, '/docs/b'],
      ['by a 302, which may change the method', 302, '/docs/b'],
      ['outside the client\u2019s own collection', 307, '/other/b'],
      ['to that collection', 307, '/docs'],
      ['to another origin', 308, 'http://other.example/docs/b'],
    ])('is not redirected %s', async (_, status, location) => {
      server.answers({status, headers: {location}}, {status: 201})
      expect(await dav.put('a', text)).toMatchObject({status, reason: 'status', location})
      expect(server.requests).toHaveLength(1)
    })

    it('is not redirected with a body that can be read once', async () => {
      server.answers({status: 307, headers: {location: '/docs/b'}}, {status: 201})
      const verdict = await dav.put('a', pieces(), {unknownLength: 'send'})
      expect(verdict).toMatchObject({status: 307, reason: 'status', location: '/docs/b'})
      expect(server.requests).toHaveLength(1)
    })
  })

  it.each<[string, unknown]>([
    ['a number', 5],
    ['null', null],
    ['undefined', undefined],
    ['an object', {}],
    ['an array of bytes', [1, 2]],
    ['a path with an unknown member', {path: '/a', type: 'text/plain'}],
    ['shared memory', new Uint8Array(new SharedArrayBuffer(2))],
  ])('refuses %s as body with a TypeError', async (_, body) => {
    await expect(dav.put('a', body as UploadBody)).rejects.toThrow(TypeError)
    expect(server.requests).toEqual([])
  })

  it.each<[string, object]>([
    ['create and ifMatch', {create: true, ifMatch: '"a"'}],
    ['requireConditions without a condition', {requireConditions: true}],
    ['an unknown option', {ifmatch: '"a"'}],
    ['an empty type', {type: ''}],
    ['a type with a line feed', {type: 'a\nb'}],
    ['an ETag that is none', {ifMatch: '"a'}],
    ['another treatment of a stream', {unknownLength: 'guess'}],
  ])('refuses %s with a TypeError', async (_, options) => {
    await expect(dav.put('a', text, options)).rejects.toThrow(TypeError)
    expect(server.requests).toEqual([])
  })

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses a length of %d with a RangeError',
    async (wrong) => {
      await expect(dav.put('a', text, {length: wrong})).rejects.toThrow(RangeError)
    },
  )

  it('is refused for a local file that is missing, and for a directory', async () => {
    expect(await dav.put('a', {path: `${path}.none`})).toMatchObject({
      reason: 'refused',
      description: expect.stringContaining('ENOENT'),
    })
    expect(await dav.put('a', {path: folder})).toMatchObject({
      reason: 'refused',
      description: expect.stringContaining('is no file'),
    })
    expect(server.requests).toEqual([])
  })

  describe('the condition', () => {
    const conditions = (): unknown[] =>
      server.requests.map(({headers}) => [
        headers['if-match'],
        headers['if-none-match'],
        headers['if'],
      ])

    it('create is If-None-Match: *', async () => {
      await dav.put('a', text, {create: true})
      expect(conditions()).toEqual([[undefined, '*', undefined]])
    })

    it.each(['"abc"', '*', '"a, b"'])('ifMatch is sent as it is: %s', async (ifMatch) => {
      await dav.put('a', text, {ifMatch})
      expect(conditions()).toEqual([[ifMatch, undefined, undefined]])
    })

    it('of a weak ETag is a Failure refused', async () => {
      expect(await dav.put('a', text, {ifMatch: 'W/"abc"'})).toMatchObject({
        reason: 'refused',
        description: expect.stringContaining('weak'),
      })
      expect(server.requests).toEqual([])
    })

    it('lockToken is an If header', async () => {
      await dav.put('a', text, {lockToken: 'urn:uuid:1'})
      expect(conditions()).toEqual([[undefined, undefined, `<${dav.url}a> (<urn:uuid:1>)`]])
    })
  })

  describe('the verdict', () => {
    it.each([200, 201, 204, 205])('of %i is a Success with the ETag, verbatim', async (status) => {
      server.answers({status, headers: {etag: 'W/"a"'}})
      expect(await dav.put('a', text)).toEqual({
        ok: true,
        href: '/docs/a',
        url: `${server.url}docs/a`,
        relation: 'self',
        status,
        properties: {},
        missing: [],
        etag: 'W/"a"',
      })
    })

    it('without an ETag in the answer has none', async () => {
      expect(await dav.put('a', text)).not.toHaveProperty('etag')
    })

    it('of 202 tells that it is perhaps not done', async () => {
      server.answers({status: 202})
      expect(await dav.put('a', text)).toMatchObject({
        ok: true,
        status: 202,
        description: 'Accepted, and perhaps not done yet',
      })
    })

    it.each<[string, Answer, string]>([
      ['an empty document', answer207(OPEN + SHUT), '0 no-answer self /docs/a'],
      [
        'a document that says 201',
        answer207(verdicts({'/docs/a': '201 Created'})),
        '0 no-answer self /docs/a',
      ],
      [
        'a document that says 507',
        answer207(verdicts({'/docs/a': '507 Insufficient Storage'})),
        '507 status self /docs/a',
      ],
      ['no document', {status: 207}, '0 no-answer self /docs/a'],
    ])('of a 207 is no Success: %s', async (_, answer, expected) => {
      server.answers(answer)
      expect(line(await dav.put('a', text))).toBe(expected)
    })

    it.each([400, 401, 403, 404, 405, 409, 412, 413, 415, 423, 424, 500, 501, 503, 507])(
      'of %i is a Failure with its status',
      async (status) => {
        server.answers({
          status,
          headers: {'content-type': 'application/xml'},
          body: '<D:error xmlns:D="DAV:"><D:lock-token-submitted/></D:error>',
        })
        expect(await dav.put('a', text)).toMatchObject({
          ok: false,
          status,
          reason: 'status',
          conditions: ['lock-token-submitted'],
          request: {method: 'PUT', url: `${server.url}docs/a`, attempts: 1},
        })
      },
    )

    it('is a rejection if the connection breaks', async () => {
      server.answers(RESET)
      await expect(dav.put('a', text)).rejects.toMatchObject({
        name: 'DavNetworkError',
        method: 'PUT',
        url: `${server.url}docs/a`,
      })
    })

    it('of a dry run is a plan, and nothing is read or sent', async () => {
      expect(
        await dav.put('a', {path: '/no/such/file'}, {dryRun: true, create: true}),
      ).toMatchObject({
        ok: true,
        status: 0,
        request: {method: 'PUT', url: `${server.url}docs/a`, conditions: {'if-none-match': '*'}},
      })
      expect(server.requests).toEqual([])
    })
  })

  describe('a repeated one', () => {
    it.each(whole)('sends %s again by the policy', async (_, make) => {
      server.answers({status: 503}, RESET, {status: 201})
      expect(await dav.put('a', make(), {retry: quick})).toMatchObject({ok: true, attempts: 3})
      expect(server.requests.map(({body}) => body)).toEqual([text, text, text])
    })

    it.each(streamed)('never sends %s twice', async (_, make) => {
      server.answers({status: 503}, {status: 201})
      const options = {retry: quick, unknownLength: 'send'} as const
      const body = make()
      expect(await dav.put('a', body, options)).toMatchObject({ok: false, status: 503})
      // A web stream is locked since. Of any other, the client remembers that it was read.
      const again = /its body can be read once only|somebody reads already/
      await expect(dav.put('b', body, options)).rejects.toThrow(again)
      await expect(dav.put('b', body)).rejects.toThrow(again)
      expect(server.requests).toHaveLength(1)
    })

    it.each([{create: true}, {ifMatch: '"a"'}])(
      'answered 412 after a lost answer is a no-answer: it may be its own write: %o',
      async (condition) => {
        server.answers(RESET, {status: 412})
        const verdict = await dav.put('a', text, {...condition, retry: {...quick, attempts: 2}})
        expect(verdict).toMatchObject({
          status: 0,
          reason: 'no-answer',
          cause: 'unreadable',
          description: 'It was answered 412, and an earlier attempt may have written it',
        })
      },
    )

    it('sends its credentials each time', async () => {
      const auth = basicAuth('ana', 'x')
      await using own = new DavClient({url: server.url, transport: undiciTransport(), auth})
      server.answers({status: 503}, {status: 201})
      await own.put('a', text, {retry: quick})
      expect(server.requests.map(({headers}) => headers.authorization)).toEqual([
        'Basic YW5hOng=',
        'Basic YW5hOng=',
      ])
    })
  })

  describe('parents: true', () => {
    it('counts each upload, also before a retry', async () => {
      let uploads = 0
      server.script(({method}) => ({
        status: method === 'MKCOL' ? 201 : ([409, 503, 201][uploads++] ?? 500),
      }))
      const stored = await dav.put('x/a', text, {parents: true, retry: quick})
      expect(stored).toMatchObject({ok: true, status: 201, attempts: 3})
      expect(uploads).toBe(3)
    })

    it('leaves a 412 of the second upload certain, because the first one was refused', async () => {
      let uploads = 0
      server.script(({method}) => ({
        status: method === 'MKCOL' ? 201 : uploads++ === 0 ? 409 : 412,
      }))
      const options = {parents: true, create: true}
      expect(await dav.put('x/a', text, options)).toMatchObject({
        ok: false,
        status: 412,
        reason: 'status',
        request: {attempts: 2},
      })
    })

    const sent = (): string[] => server.requests.map(({method, url}) => `${method} ${url}`)

    it.each([404, 409, 424])(
      'makes missing parents after a %i, and sends again',
      async (status) => {
        const fake = fakeServer({url: server.url, files: {'docs/': ''}})
        const answer = scriptOf(fake)
        server.script(async (request) => {
          const truth = await answer(request)
          return truth.status === 409 ? {status} : truth
        })
        const stored = await dav.put('x/a', text, {parents: true})
        expect(stored).toMatchObject({ok: true, status: 201, attempts: 2})
        expect(sent()).toEqual(['PUT /docs/x/a', 'MKCOL /docs/x/', 'PUT /docs/x/a'])
        expect(fake.files).toEqual({'docs/x/a': text})
      },
    )

    it.each([
      ['calendars of Cyrus 3.6', 403],
      ['DAViCal 1.1', 405],
      ['chezdav 3.0', 500],
    ])('are looked for, as of %s, after a %i', async (_, status) => {
      const fake = fakeServer({url: server.url, files: {'docs/': ''}})
      const answer = scriptOf(fake)
      server.script(async (request) => {
        const truth = await answer(request)
        return truth.status === 409 ? {status} : truth
      })
      const stored = await dav.put('x/a', text, {parents: true})
      expect(stored).toMatchObject({ok: true, status: 201, attempts: 2})
      expect(sent()).toEqual([
        'PUT /docs/x/a',
        'PROPFIND /docs/x/',
        'MKCOL /docs/x/',
        'PUT /docs/x/a',
      ])
      expect(fake.files).toEqual({'docs/x/a': text})
    })

    it.each([403, 405, 500])('are not made after a %i if they are there', async (status) => {
      server.script(({method, url}) => (method === 'PUT' ? {status} : answer207(listing(url))))
      expect(line(await dav.put('x/a', text, {parents: true}))).toBe(
        `${status} status self /docs/x/a`,
      )
      expect(sent()).toEqual(['PUT /docs/x/a', 'PROPFIND /docs/x/'])
    })

    it('leaves an unclear refusal as it is, if the parent cannot be made', async () => {
      const statuses = new Map([
        ['PUT', 500],
        ['PROPFIND', 404],
        ['MKCOL', 405],
      ])
      server.script(({method}) => ({status: statuses.get(method) ?? 400}))
      const stored = await dav.put('x/a', text, {parents: true, retry: {...quick, attempts: 2}})
      expect(stored).toMatchObject({
        ok: false,
        status: 500,
        description: expect.stringContaining(`Its parent ${server.url}docs/x/ could not be made`),
      })
      expect(sent().filter((one) => one.startsWith('PUT'))).toHaveLength(2)
    })

    it('tells the answer of an upload, if the call ends during the look at the parent', async () => {
      const abort = new AbortController()
      server.script(({method}) => {
        if (method === 'PROPFIND') abort.abort()
        return method === 'PROPFIND' ? {status: 200, body: [NEVER]} : {status: 500}
      })
      const results: DavResult[] = []
      const uploads = [{href: 'x/a', body: text}]
      const stream = dav.putMany(uploads, {parents: true, signal: abort.signal})
      await expect(
        (async () => {
          for await (const result of stream) results.push(result)
        })(),
      ).rejects.toThrow()
      expect(results).toMatchObject([{status: 500, reason: 'status', request: {attempts: 1}}])
    })

    it.each([false, true])(
      'finds a collection behind the 409 of 4shared, streamed: %s',
      async (isOnce) => {
        const there = new Set(['/docs/', '/docs/x/'])
        server.script(({method, url}) => {
          if (method === 'PROPFIND') return there.has(url) ? answer207(listing(url)) : {status: 404}
          return {status: method === 'MKCOL' ? 409 : isOnce || there.has('uploaded') ? 201 : 409}
        })
        const options = {parents: true, length: bytes(text).length}
        const stored = await dav.put(
          'x/a',
          isOnce ? pieces() : text,
          isOnce ? options : {parents: true},
        )
        expect(stored.ok).toBe(isOnce)
        expect(sent().filter((one) => one.startsWith('PUT'))).toHaveLength(isOnce ? 1 : 2)
      },
    )

    it('makes them before a stream that can be sent once', async () => {
      const fake = fakeServer({url: server.url, files: {'docs/': ''}})
      server.script(scriptOf(fake))
      const options = {parents: true, length: bytes(text).length}
      expect(line(await dav.put('x/y/a', pieces(), options))).toBe('201 self /docs/x/y/a')
      expect(sent().filter((one) => one.startsWith('PUT'))).toEqual(['PUT /docs/x/y/a'])
      expect(fake.files).toEqual({'docs/x/y/a': text})
    })

    it('is a Failure with the status of the parent that could not be made', async () => {
      server.script(({method}) => ({status: method === 'PUT' ? 409 : 507}))
      expect(await dav.put('x/a', text, {parents: true})).toMatchObject({
        status: 507,
        reason: 'status',
        relation: 'self',
        url: `${server.url}docs/x/a`,
        description: `Its parent ${server.url}docs/x/ could not be made: answered 507`,
      })
    })

    it('makes none without it', async () => {
      server.answers({status: 409})
      expect(line(await dav.put('x/a', text))).toBe('409 status self /docs/x/a')
      expect(sent()).toEqual(['PUT /docs/x/a'])
    })
  })

  describe('verify: true', () => {
    const seen = async (status: number, stored: Answer | typeof RESET): Promise<DavResult> => {
      server.script(({method}) => (method === 'PUT' ? {status} : stored))
      return dav.put('a', text, {verify: true})
    }
    const ofLength = (properties: string): Answer =>
      answer207(
        `${OPEN}<D:response><D:href>/docs/a</D:href><D:propstat><D:prop>${properties}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>${SHUT}`,
      )
    const file = '<D:resourcetype/>'

    it('is a Success if the stored length is that of the body', async () => {
      const stored = ofLength(`${file}<D:getcontentlength>${length}</D:getcontentlength>`)
      expect(line(await seen(201, stored))).toBe('201 self /docs/a')
      expect(server.requests[1]).toMatchObject({method: 'PROPFIND', headers: {depth: '0'}})
    })

    it('looks where a redirect led the body', async () => {
      server.script(({method, url}) => {
        if (method === 'PROPFIND')
          return ofLength(`${file}<D:getcontentlength>${length}</D:getcontentlength>`)
        return url === '/docs/a' ? {status: 307, headers: {location: '/docs/b'}} : {status: 201}
      })
      expect(line(await dav.put('a', text, {verify: true}))).toBe('201 self /docs/b')
      expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual([
        'PUT /docs/a',
        'PUT /docs/b',
        'PROPFIND /docs/b',
      ])
    })

    it.each<[string, Answer, string]>([
      [
        'a cut file, as of SabreDAV on a full disk',
        ofLength(`${file}<D:getcontentlength>3</D:getcontentlength>`),
        '3 bytes are there',
      ],
      ['nothing', {status: 404}, 'nothing is there'],
      [
        'a collection',
        ofLength('<D:resourcetype><D:collection/></D:resourcetype>'),
        'a collection is there',
      ],
    ])('is a Failure with the status of the success for %s', async (_, stored, found) => {
      expect(await seen(201, stored)).toMatchObject({
        ok: false,
        status: 201,
        reason: 'status',
        description: `The PUT of ${length} bytes was answered 201, but ${found}`,
      })
    })

    it.each<[string, Answer | typeof RESET, string]>([
      ['no length', ofLength(file), 'unreadable'],
      ['a refusal', {status: 403}, 'unreadable'],
      ['a broken connection', RESET, 'network'],
    ])('is a no-answer for %s', async (_, stored, cause) => {
      expect(await seen(204, stored)).toMatchObject({
        status: 0,
        reason: 'no-answer',
        cause,
        description: expect.stringContaining(
          `The PUT of ${length} bytes was answered 204, but its length could not be seen`,
        ),
      })
    })

    it('counts the bytes of a stream without a length', async () => {
      const fake = fakeServer({url: server.url, files: {'docs/': ''}})
      server.script(scriptOf(fake))
      const options = {verify: true, unknownLength: 'send'} as const
      expect(line(await dav.put('a', pieces(), options))).toBe('201 self /docs/a')
    })

    it('does not send the body again after a check without an answer', async () => {
      server.script(({method}) => (method === 'PUT' ? {status: 201} : {status: 403}))
      await dav.put('a', text, {verify: true, retry: quick})
      expect(server.requests.filter(({method}) => method === 'PUT')).toHaveLength(1)
    })
  })
})
