// States the kinds of chunks that each door of the parser takes. Anything else is a TypeError that names them.
// Not in RFC 4918.
import {MultiStatusParser, MultiStatusStream, parseMultiStatus} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {bytes, multistatus, response} from '../support/fixtures.ts'

const text = multistatus(response('/docs/é'))
// An even length, for views of two bytes.
const even = bytes(bytes(text).length % 2 === 0 ? text : `${text} `)
const inMiddle = new Uint8Array(even.length + 8)
inMiddle.set(even, 4)

type ChunkOf = Parameters<MultiStatusParser['write']>[0]
const kinds: readonly (readonly [string, ChunkOf])[] = [
  ['a string', text],
  ['a Uint8Array', even],
  ['a Uint8Array in the middle of its buffer', inMiddle.subarray(4, -4)],
  ['an ArrayBuffer', even.slice().buffer],
  ['a DataView in the middle of its buffer', new DataView(inMiddle.buffer, 4, even.length)],
  ['an Int8Array', new Int8Array(even)],
  ['a Uint8ClampedArray', new Uint8ClampedArray(even)],
  ['a Uint16Array, as its bytes', new Uint16Array(even.slice().buffer)],
]
const nonsense: readonly unknown[] = [undefined, null, 60, true, {}, [60], () => 60, Symbol('x')]

async function hrefs(results: AsyncIterable<{href: string}>): Promise<string[]> {
  const found: string[] = []
  for await (const {href} of results) found.push(href)
  return found
}

describe.each(kinds)('%s', (_, chunk) => {
  it('is a chunk of MultiStatusParser', () => {
    const parser = new MultiStatusParser()
    expect(parser.write(chunk)).toMatchObject([{href: '/docs/é'}])
    expect(parser.end()).toMatchObject({successes: 1})
  })

  it('is a body, and a chunk of one, of parseMultiStatus', async () => {
    expect(await hrefs(parseMultiStatus(chunk))).toEqual(['/docs/é'])
    expect(await hrefs(parseMultiStatus([chunk]))).toEqual(['/docs/é'])
    const stream = new ReadableStream<ChunkOf>({
      start(controller) {
        controller.enqueue(chunk)
        controller.close()
      },
    })
    expect(await hrefs(parseMultiStatus(stream))).toEqual(['/docs/é'])
  })

  it('is a chunk of MultiStatusStream', async () => {
    const results = new MultiStatusStream()
    const writer = results.writable.getWriter()
    void writer.write(chunk).then(() => writer.close())
    expect(await hrefs(results.readable)).toEqual(['/docs/é'])
  })
})

describe('a value of another type', () => {
  it.each(nonsense)('is a TypeError of write, which leaves the parser as it was: %s', (wrong) => {
    const parser = new MultiStatusParser()
    parser.write(even.subarray(0, 50))
    const write: (chunk: never) => unknown = parser.write.bind(parser)
    expect(() => Reflect.apply(write, parser, [wrong])).toThrow(
      new TypeError(
        `A chunk of a body is a Uint8Array, an ArrayBuffer, any view of one, or a string, not ${
          wrong === null ? 'null' : Array.isArray(wrong) ? 'an array' : typeof wrong
        }`,
      ),
    )
    expect(parser.error).toBeUndefined()
    expect(parser.write(even.subarray(50))).toMatchObject([{href: '/docs/é'}])
  })

  it.each(nonsense)('is a TypeError in an iterable: %s', async (wrong) => {
    const results = Reflect.apply(parseMultiStatus, undefined, [[wrong]])
    await expect(results.collect()).rejects.toThrow(/^A chunk of a body is a Uint8Array/)
  })

  it.each([undefined, null, 60, {}, () => 60])('is a TypeError as a body: %s', async (wrong) => {
    const results = Reflect.apply(parseMultiStatus, undefined, [wrong])
    await expect(results.collect()).rejects.toThrow(/^The body is a Response, a stream/)
  })

  it('names the Promise that was not awaited', async () => {
    const results = Reflect.apply(parseMultiStatus, undefined, [Promise.resolve(text)])
    await expect(results.collect()).rejects.toThrow('await the Promise first')
  })
})

describe('the URL of a Response', () => {
  const answer = (url: string): {body: ReadableStream<Uint8Array> | null; url: string} => ({
    body: new Response(text).body,
    url,
  })

  it('counts if the options have none', async () => {
    const results = parseMultiStatus(answer('https://ana:secret@dav.example/docs/'))
    expect(await results.collect()).toMatchObject({
      successes: [{url: 'https://dav.example/docs/%C3%A9', relation: 'member'}],
    })
    const given = parseMultiStatus(answer('https://dav.example/docs/'), {
      url: 'http://own.example/',
    })
    expect(await given.collect()).toMatchObject({
      successes: [{url: 'http://own.example/docs/%C3%A9', relation: 'descendant'}],
    })
  })

  it.each(['', 'about:blank', 'docs/', 'https://['])('is ignored if it is "%s"', async (url) => {
    expect(await parseMultiStatus(answer(url)).collect()).toMatchObject({
      successes: [{url: 'http://localhost/docs/%C3%A9'}],
    })
    expect(await parseMultiStatus(new Response(text)).collect()).toMatchObject({
      successes: [{url: 'http://localhost/docs/%C3%A9'}],
    })
  })
})
