// States that a reader can stop at once while a body is silent. The source is then cancelled. RFC 4918, section 13.

import {MultiStatusStream, parseMultiStatus} from 'multistatus/parser'
import {expect, it, vi} from 'vitest'

function silentBody(): {
  stream: ReadableStream<Uint8Array>
  cancel: ReturnType<typeof vi.fn<() => void>>
} {
  const cancel = vi.fn<() => void>()
  const begin = new TextEncoder().encode('<D:multistatus xmlns:D="DAV:">')
  return {
    stream: new ReadableStream({start: (controller) => controller.enqueue(begin), cancel}),
    cancel,
  }
}

/** Lists the reasons that a source was given. Chromium gives its controller too. */
function reasonsOf({mock}: {readonly mock: {readonly calls: readonly unknown[][]}}): unknown[] {
  return mock.calls.map(([reason]) => reason)
}

it('MultiStatusStream cancels an unread source', async () => {
  const {stream, cancel} = silentBody()
  await stream.pipeThrough(new MultiStatusStream()).cancel()
  await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
})

it('MultiStatusStream cancels a silent source', async () => {
  const {stream, cancel} = silentBody()
  const reader = stream.pipeThrough(new MultiStatusStream()).getReader()
  const waiting = reader.read()
  await reader.cancel()
  expect(await waiting).toEqual({value: undefined, done: true})
  await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
})

it('MultiStatusStream gives the reason of its reader to the source', async () => {
  const {stream, cancel} = silentBody()
  await stream.pipeThrough(new MultiStatusStream()).cancel('why')
  await vi.waitFor(() => expect(reasonsOf(cancel)).toEqual(['why']))
})

it('MultiStatusStream gives its error to the source and the writer', async () => {
  const cancel = vi.fn<(reason: unknown) => void>()
  const bytes = new TextEncoder().encode('<a/>')
  const stream = new ReadableStream({pull: (controller) => controller.enqueue(bytes), cancel})
  const reading = new MultiStatusStream()
  const piping = stream.pipeTo(reading.writable)
  const reader = reading.readable.getReader()
  const error: unknown = await reader.read().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({name: 'MultiStatusError', reason: 'not-multistatus'})
  await expect(piping).rejects.toBe(error)
  await vi.waitFor(() => expect(reasonsOf(cancel)).toEqual([error]))
  await expect(reading.summary).rejects.toBe(error)
})

it('parseMultiStatus cancels a silent stream', async () => {
  const {stream, cancel} = silentBody()
  const results = parseMultiStatus(stream)
  const iterator = results[Symbol.asyncIterator]()
  const waiting = iterator.next()
  await iterator.return?.()
  expect(await waiting).toEqual({value: undefined, done: true})
  expect(cancel).toHaveBeenCalledOnce()
  expect(await results.summary).toMatchObject({complete: false, incomplete: [{reason: 'stopped'}]})
})

/** Begins a body and is silent then. */
function* begun(): Generator<Uint8Array> {
  yield new TextEncoder().encode('<D:multistatus xmlns:D="DAV:">')
}

it.each<[string, () => {source: AsyncIterable<Uint8Array>; isClosed: () => boolean}]>([
  [
    'an async generator',
    () => ({
      source: (async function* () {
        yield* begun()
        await new Promise(() => {})
      })(),
      // It cannot be closed while it waits, and is let go.
      isClosed: () => true,
    }),
  ],
  [
    'an iterator of the user’s own',
    () => {
      let isClosed = false
      const chunks = begun()
      const iterator: AsyncIterator<Uint8Array> = {
        next: () => {
          const next = chunks.next()
          return next.done === true ? new Promise(() => {}) : Promise.resolve(next)
        },
        return: async () => {
          isClosed = true
          return {value: undefined, done: true}
        },
      }
      return {source: {[Symbol.asyncIterator]: () => iterator}, isClosed: () => isClosed}
    },
  ],
])('parseMultiStatus ends the wait for %s that is silent', async (_, make) => {
  const {source, isClosed} = make()
  const results = parseMultiStatus(source)
  const iterator = results[Symbol.asyncIterator]()
  const waiting = iterator.next()
  await new Promise((resolve) => setTimeout(resolve, 20))
  await iterator.return?.()
  expect(await waiting).toEqual({value: undefined, done: true})
  expect(isClosed()).toBe(true)
  expect(await results.summary).toMatchObject({complete: false, incomplete: [{reason: 'stopped'}]})
})
