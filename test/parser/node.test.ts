// States how the parser gets on with Node itself: its streams, Buffers, zlib, unhandled rejections and garbage. Every other test
// of the parser runs in browsers too. Contract, "The parser alone"; RFC 4918, section 13.

import {PassThrough, Readable} from 'node:stream'
import {setImmediate, setTimeout as delay} from 'node:timers/promises'
import vm from 'node:vm'
import {deflateSync, gzipSync, zstdCompressSync} from 'node:zlib'

import {
  type DavResult,
  MultiStatusParser,
  MultiStatusStream,
  parseMultiStatus,
} from 'multistatus/parser'
import {describe, expect, it, onTestFinished, vi} from 'vitest'

import {
  bytes,
  drain,
  multistatus,
  readToError,
  response,
  url,
  verdict,
} from '../support/fixtures.ts'
import {collectGarbage} from '../support/garbage.ts'

const text = multistatus(response('/docs/é'), verdict('/docs/b', 'HTTP/1.1 423 Locked'))
const whole = bytes(text)
const short = bytes(text.slice(0, text.indexOf('</D:multistatus>')))
const expected = [{href: '/docs/é'}, {href: '/docs/b', status: 423}]

describe.each<[string, Parameters<MultiStatusParser['write']>[0]]>([
  ['a Buffer', Buffer.from(text)],
  [
    'an ArrayBuffer of another realm',
    vm.runInNewContext(`Uint8Array.from([${whole.join()}]).buffer`),
  ],
  ['a Uint8Array of another realm', vm.runInNewContext(`Uint8Array.from([${whole.join()}])`)],
])('%s', (_, chunk) => {
  it('is a chunk of MultiStatusParser', () => {
    const parser = new MultiStatusParser()
    expect(parser.write(chunk)).toMatchObject(expected)
    expect(parser.end()).toMatchObject({successes: 1, failures: 1})
  })

  it('is a body, and a chunk of one, of parseMultiStatus', async () => {
    for (const source of [chunk, [chunk], Readable.from([chunk])])
      expect(await drain(parseMultiStatus(source))).toMatchObject({items: expected})
  })

  it('is a chunk of MultiStatusStream', async () => {
    const results = new MultiStatusStream()
    const writer = results.writable.getWriter()
    void writer.write(chunk).then(() => writer.close())
    expect(await Array.fromAsync(results.readable)).toMatchObject(expected)
  })
})

describe('a stream of Node', () => {
  it.each<[string, string | Uint8Array]>([
    ['a string', text],
    ['a Uint8Array', whole],
  ])('may hold %s', async (_, chunk) => {
    expect(await drain(parseMultiStatus(Readable.from([chunk])))).toMatchObject({items: expected})
  })

  it.each(['', ' \n', '<!-- cut'])(
    'may break or never end behind the root and "%s"',
    async (rest) => {
      async function* chunks(after: () => Promise<void>): AsyncGenerator<Uint8Array> {
        yield whole
        if (rest !== '') yield bytes(rest)
        await after()
      }
      const broken = Readable.from(chunks(() => Promise.reject(new Error('reset'))))
      expect(await parseMultiStatus(broken).collect()).toMatchObject({summary: {complete: true}})
      const silent = Readable.from(chunks(() => new Promise(() => {})))
      expect(await parseMultiStatus(silent).collect()).toMatchObject({summary: {complete: true}})
      await vi.waitFor(() => expect(silent.destroyed).toBe(true))
    },
  )

  it('is destroyed by a reader that stops while it is silent', async () => {
    const source = new PassThrough()
    source.write('<D:multistatus xmlns:D="DAV:">')
    const results = parseMultiStatus(source)
    const iterator = results[Symbol.asyncIterator]()
    const waiting = iterator.next()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await iterator.return?.()
    expect(await waiting).toEqual({value: undefined, done: true})
    expect(source.destroyed).toBe(true)
    expect(await results.summary).toMatchObject({
      complete: false,
      incomplete: [{reason: 'stopped'}],
    })
  })
})

describe('a ResultStream', () => {
  it('holds no result that was given out while it waits for more', async () => {
    let given: WeakRef<DavResult> | undefined
    let isHeld: boolean | undefined
    const source = (async function* (): AsyncGenerator<Uint8Array> {
      yield bytes(text.replace('</D:multistatus>', response('/docs/c')))
      // The target of a WeakRef that was made or read is held till the end of the turn.
      await setImmediate()
      collectGarbage()
      isHeld = given?.deref() !== undefined
      yield bytes('</D:multistatus>')
    })()
    for await (const result of parseMultiStatus(source, {url})) given ??= new WeakRef(result)
    expect(isHeld).toBe(false)
  })

  it('has a summary that is never an unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    try {
      await drain(parseMultiStatus(short, {url}))
      const asked = parseMultiStatus(short, {url})
      expect(asked.summary).toBeInstanceOf(Promise)
      await drain(asked)
      await parseMultiStatus(short, {url})
        .collect()
        .catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 20))
    } finally {
      process.off('unhandledRejection', listen)
    }
    expect(unhandled).toEqual([])
  })
})

describe('a body that is compressed without a Content-Encoding', () => {
  const plain = bytes(multistatus(response('/docs/a')))
  it.each<[string, Uint8Array]>([
    ['gzip', gzipSync(plain)],
    ['deflate', deflateSync(plain)],
    ['deflate', deflateSync(plain, {level: 1})],
    ['deflate', deflateSync(plain, {level: 9})],
    ['zstd', zstdCompressSync(plain)],
    ['compress', Uint8Array.of(0x1f, 0x9d, 0x90, 0x3c)],
  ])('is an error that names the coding: %s', (coding, body) => {
    const single = Array.from(body, (byte) => Uint8Array.of(byte))
    for (const chunks of [[body], single, [body.subarray(0, 2)]]) {
      for (const encoding of [undefined, 'utf-8', 'windows-1252'])
        expect(readToError(chunks, {encoding})).toMatchObject({
          results: [],
          error: {
            reason: 'encoding',
            offset: 0,
            message: expect.stringContaining(
              `the body is compressed with ${coding}, and no Content-Encoding says so`,
            ),
          },
        })
    }
  })
})

it.each([
  ['before the end of the root', '', 1],
  ['behind the root', '</D:multistatus>', 0],
])('MultiStatusStream takes the error of a source that breaks %s', async (_, end, errors) => {
  const document = `<D:multistatus xmlns:D="DAV:"><D:response><D:href>/a</D:href><D:status>HTTP/1.1 200 OK</D:status></D:response>${end}`
  const chunks = [bytes(document)]
  const broken = new Error('connection reset')
  const unhandled = vi.fn<(reason: unknown) => void>()
  process.on('unhandledRejection', unhandled)
  onTestFinished(() => void process.off('unhandledRejection', unhandled))
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift()
      if (chunk === undefined) controller.error(broken)
      else controller.enqueue(chunk)
    },
  })
  const found: string[] = []
  const thrown: unknown[] = []
  try {
    for await (const {href} of stream.pipeThrough(new MultiStatusStream())) found.push(href)
  } catch (error) {
    thrown.push(error)
  }
  expect(found).toEqual(['/a'])
  expect(thrown).toHaveLength(errors)
  await delay(20)
  expect(unhandled).not.toHaveBeenCalled()
})
