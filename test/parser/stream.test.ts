// States that a ResultStream is read once, and ends by its end, an error, or break. Contract, "The stream of results" and "The
// parser alone"; WHATWG Streams, section 6.
import {
  type DavResult,
  MultiStatusError,
  MultiStatusStream,
  parseMultiStatus,
} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {
  bytes,
  drain,
  generate,
  multistatus,
  read,
  response,
  stream,
  url,
  verdict,
} from '../support/fixtures.ts'

const text = multistatus(
  response('/docs/é', '<x:p>漢</x:p>'),
  verdict('/docs/b', 'HTTP/1.1 423 Locked'),
  '<D:responsedescription>one is locked</D:responsedescription>',
)
const body = bytes(text)
const {results, summary} = read(body)
const chunks = [body.subarray(0, 40), body.subarray(40, 170), body.subarray(170)]
const short = bytes(text.slice(0, text.indexOf('</D:multistatus>')))

describe('a ResultStream', () => {
  it('collects', async () => {
    expect(await parseMultiStatus(body, {url}).collect()).toEqual({
      successes: results.filter((result) => result.ok),
      failures: results.filter((result) => !result.ok),
      summary,
    })
  })

  it('gives batches as they arrive, and no empty one', async () => {
    const one = bytes(`<D:multistatus xmlns:D="DAV:">${response('/docs/a')}${response('/docs/b')}`)
    const two = bytes(`${response('/docs/c')}</D:multistatus>`)
    const reading = parseMultiStatus(generate([one, bytes(' '), two]), {url})
    const {items} = await drain(reading.batches())
    expect(items.map((batch) => batch.map((result) => result.href))).toEqual([
      ['/docs/a', '/docs/b'],
      ['/docs/c'],
    ])
    expect(await reading.summary).toMatchObject({successes: 3})
  })

  it.each<[string, (reading: ReturnType<typeof parseMultiStatus>) => Promise<unknown>]>([
    [
      'for await',
      async (reading) => {
        for await (const result of reading) expect(result).toBeUndefined()
      },
    ],
    ['collect', (reading) => reading.collect()],
    [
      'batches',
      async (reading) => {
        for await (const batch of reading.batches()) expect(batch).toBeUndefined()
      },
    ],
  ])('is read once: a second reader with %s is a TypeError', async (_, again) => {
    const collected = parseMultiStatus(body, {url})
    await collected.collect()
    await expect((async () => again(collected))()).rejects.toThrow(TypeError)
    const iterated = parseMultiStatus(body, {url})
    await iterated[Symbol.asyncIterator]().next()
    await expect((async () => again(iterated))()).rejects.toThrow(TypeError)
    const batched = parseMultiStatus(body, {url})
    await drain(batched.batches())
    await expect((async () => again(batched))()).rejects.toThrow(TypeError)
  })

  it('throws after every finished result, and its summary rejects with the same error', async () => {
    const reading = parseMultiStatus(stream([short]), {url})
    const {items, error} = await drain(reading)
    expect(items).toEqual(results)
    expect(error).toBeInstanceOf(MultiStatusError)
    expect(error).toMatchObject({reason: 'truncated'})
    await expect(reading.summary).rejects.toBe(error)
  })

  it('throws the error of its source, after every finished result', async () => {
    const reset = new Error('ECONNRESET')
    const source = (async function* () {
      yield short
      throw reset
    })()
    const reading = parseMultiStatus(source, {url})
    expect(await drain(reading)).toEqual({items: results, error: reset})
    await expect(reading.summary).rejects.toBe(reset)
  })

  it('rejects collect and batches with it too', async () => {
    await expect(parseMultiStatus(short, {url}).collect()).rejects.toMatchObject({
      reason: 'truncated',
    })
    const {items, error} = await drain(parseMultiStatus(short, {url}).batches())
    expect(items.flat()).toEqual(results)
    expect(error).toMatchObject({reason: 'truncated'})
  })

  it('cancels its source if it throws itself', async () => {
    let cancelled = false
    const bad = bytes(`<D:multistatus xmlns:D="DAV:">${response('/docs/a')}</oops>`)
    const source = stream([bad, body, body, body], () => {
      cancelled = true
    })
    expect((await drain(parseMultiStatus(source, {url}))).error).toMatchObject({
      reason: 'not-well-formed',
    })
    expect(cancelled).toBe(true)
  })
})

describe('break', () => {
  it('cancels a ReadableStream', async () => {
    let cancelled = 0
    const source = stream([short, body, body], () => void cancelled++)
    for await (const result of parseMultiStatus(source, {url})) {
      expect(result.href).toBe('/docs/é')
      break
    }
    expect(cancelled).toBe(1)
  })

  it('cancels the body of a Response', async () => {
    let cancelled = 0
    const answer = new Response(stream([short, body, body], () => void cancelled++))
    for await (const batch of parseMultiStatus(answer, {url}).batches()) {
      expect(batch).toHaveLength(2)
      break
    }
    expect(cancelled).toBe(1)
  })

  it('returns from an AsyncIterable and from an Iterable', async () => {
    const left: string[] = []
    const sync = (function* () {
      try {
        yield short
        yield body
      } finally {
        left.push('sync')
      }
    })()
    const async = (async function* () {
      try {
        yield short
        yield body
      } finally {
        left.push('async')
      }
    })()
    for (const source of [sync, async]) {
      for await (const result of parseMultiStatus(source, {url})) {
        expect(result.ok).toBe(true)
        break
      }
    }
    expect(left).toEqual(['sync', 'async'])
  })

  it('makes a summary that is not complete', async () => {
    const reading = parseMultiStatus(body, {url})
    for await (const result of reading) {
      expect(result.ok).toBe(true)
      break
    }
    expect(await reading.summary).toMatchObject({
      complete: false,
      incomplete: [{reason: 'stopped'}],
    })
  })
})

describe('MultiStatusStream', () => {
  it('is a TransformStream of bytes into results', async () => {
    const readable: ReadableStream<DavResult> = stream(chunks).pipeThrough(
      new MultiStatusStream({url}),
    )
    expect(readable).toBeInstanceOf(ReadableStream)
    expect(await drain(readable)).toEqual({items: results})
  })

  it.each([
    ['ends early', text.slice(0, -3), 'truncated'],
    ['is not well-formed', text.replace('</D:multistatus>', '</D:oops>'), 'not-well-formed'],
  ])(
    'delivers every finished result to a slow reader before its error where the body %s',
    async (_, markup, reason) => {
      const readable = stream([bytes(markup)]).pipeThrough(new MultiStatusStream({url}))
      await new Promise((resolve) => setTimeout(resolve, 10))
      const reader = readable.getReader()
      expect(await reader.read()).toEqual({done: false, value: results[0]})
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(await reader.read()).toEqual({done: false, value: results[1]})
      await expect(reader.read()).rejects.toMatchObject({name: 'MultiStatusError', reason})
    },
  )

  it('cancels its source if its reader stops', async () => {
    let cancelled = 0
    const source = stream([short, body, body, body, body], () => void cancelled++)
    for await (const result of source.pipeThrough(new MultiStatusStream({url}))) {
      expect(result.href).toBe('/docs/é')
      break
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(cancelled).toBe(1)
  })
})
