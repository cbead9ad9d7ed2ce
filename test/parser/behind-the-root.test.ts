// States that a document is complete at the end of its root. A source that then breaks, hangs or never ends costs no result and no
// summary. Bytes that did arrive are read as strictly as before. RFC 4918, section 13.
import {MultiStatusParser, MultiStatusStream, parseMultiStatus} from 'multistatus/parser'
import {describe, expect, it, vi} from 'vitest'
import {bytes, bytesOf, fixtures, multistatus, response} from '../support/fixtures.ts'

const body = multistatus(response('/docs/a'), response('/docs/b'))
const whole = {
  successes: [{href: '/docs/a'}, {href: '/docs/b'}],
  failures: [],
  summary: {complete: true},
}
// Text that may have arrived behind the root.
const rests = ['', ' \n', '<!-- a -->', '<?a b?>\n<!---->', '<!-- cut', '<', '<?a', '<!-']

async function* chunks(rest: string, after: () => Promise<void>): AsyncGenerator<Uint8Array> {
  yield bytes(body)
  if (rest !== '') yield bytes(rest)
  await after()
}
const reset = async (): Promise<void> => {
  throw new Error('reset')
}
const silence = (): Promise<never> => new Promise(() => {})

function streamOf(rest: string, end: 'error' | 'silence'): ReadableStream<Uint8Array> {
  const parts = [bytes(body), bytes(rest)]
  return new ReadableStream({
    pull(controller) {
      const part = parts.shift()
      if (part !== undefined) return controller.enqueue(part)
      if (end === 'error') return controller.error(new Error('reset'))
      return silence()
    },
  })
}

describe.each(rests)('a source with "%s" behind the root', (rest) => {
  it('may break', async () => {
    expect(await parseMultiStatus(chunks(rest, reset)).collect()).toMatchObject(whole)
    expect(await parseMultiStatus(streamOf(rest, 'error')).collect()).toMatchObject(whole)
  })

  it('may never end', async () => {
    const [iterable, stream] = await Promise.all([
      parseMultiStatus(chunks(rest, silence)).collect(),
      parseMultiStatus(streamOf(rest, 'silence')).collect(),
    ])
    for (const collected of [iterable, stream]) expect(collected).toMatchObject(whole)
  })
})

describe('a source that does not end behind the root', () => {
  it('is cancelled', async () => {
    const cancel = vi.fn<() => void>()
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes(body)),
      cancel,
    })
    expect(await parseMultiStatus(source).collect()).toMatchObject(whole)
    await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
  })

  it('may send white space for ever, and at once', async () => {
    async function* slow(): AsyncGenerator<string> {
      yield body
      for (;;) {
        yield ' '
        await new Promise((resolve) => {
          setTimeout(resolve, 50)
        })
      }
    }
    function* fast(): Generator<string> {
      yield body
      for (;;) yield ' \n'
    }
    expect(await parseMultiStatus(slow()).collect()).toMatchObject(whole)
    expect(await parseMultiStatus(fast()).collect()).toMatchObject(whole)
  })

  it('ends a MultiStatusStream', async () => {
    const stream = new MultiStatusStream()
    const writer = stream.writable.getWriter()
    void writer.write(bytes(body))
    const hrefs: string[] = []
    for await (const {href} of stream.readable) hrefs.push(href)
    expect(hrefs).toEqual(['/docs/a', '/docs/b'])
    expect(await stream.summary).toMatchObject({complete: true})
  })

  it('gives its results before the wait for its end', async () => {
    const iterator = parseMultiStatus(chunks('', silence)).batches()[Symbol.asyncIterator]()
    const first = await iterator.next()
    expect(first.value).toHaveLength(2)
    expect(await iterator.next()).toEqual({done: true, value: undefined})
  })
})

describe('a source that ends', () => {
  it('is read to its end, so that its connection can be used again', async () => {
    const cancel = vi.fn<() => void>()
    const parts = [bytes(body), bytes('\n'), bytes('<!-- end -->')]
    const source = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => {
          setTimeout(resolve, 30)
        })
        const part = parts.shift()
        if (part === undefined) controller.close()
        else controller.enqueue(part)
      },
      cancel,
    })
    expect(await parseMultiStatus(source).collect()).toMatchObject(whole)
    expect(parts).toEqual([])
    expect(cancel).not.toHaveBeenCalled()
  })
})

describe('a fault behind the root', () => {
  it.each(['text', '<x/>', '<!DOCTYPE x>', body, '\u0001', '<!-- -- -->', '&amp;', '</x>'])(
    'is what did arrive behind the root: %s',
    async (rest) => {
      for (const source of [chunks(rest, reset), chunks(rest, silence), [body, rest]])
        await expect(parseMultiStatus(source).collect()).rejects.toMatchObject({
          name: 'MultiStatusError',
          reason: 'not-well-formed',
        })
    },
  )

  it.each(['<!-- cut', '<', '<?a'])('is a body that ends in markup: %s', async (rest) => {
    await expect(parseMultiStatus([body, rest]).collect()).rejects.toMatchObject({
      reason: 'truncated',
    })
  })

  it('is a source that breaks before the end of the root', async () => {
    const cut = async function* (): AsyncGenerator<string> {
      yield body.slice(0, -1)
      await reset()
    }
    await expect(parseMultiStatus(cut()).collect()).rejects.toThrow('reset')
  })
})

describe('isEnded', () => {
  it.each(fixtures)('is true from the end tag of the root on: $name', ({name}) => {
    const all = bytesOf(name)
    const end = all.lastIndexOf(0x3e) + 1
    const parser = new MultiStatusParser()
    for (const byte of all.subarray(0, end)) {
      expect(parser.isEnded).toBe(false)
      parser.write(Uint8Array.of(byte))
    }
    expect(parser.isEnded).toBe(true)
    parser.write(all.subarray(end))
    expect(parser.isEnded).toBe(true)
  })

  it('is true for an empty multistatus, and false for another root', () => {
    const empty = new MultiStatusParser()
    empty.write('<multistatus xmlns="DAV:"/>')
    expect(empty.isEnded).toBe(true)
    const other = new MultiStatusParser()
    other.write('<html/>')
    expect(other.isEnded).toBe(false)
  })
})
