// A reader that goes away while a body is silent is let go at once, and the source is cancelled. RFC 4918, section 13.

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

it('MultiStatusStream cancels a source of which nothing was read', async () => {
  const {stream, cancel} = silentBody()
  await stream.pipeThrough(new MultiStatusStream()).cancel()
  await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
})

it('MultiStatusStream cancels a source that is being waited for', async () => {
  const {stream, cancel} = silentBody()
  const reader = stream.pipeThrough(new MultiStatusStream()).getReader()
  const waiting = reader.read()
  await reader.cancel()
  expect(await waiting).toEqual({value: undefined, done: true})
  await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
})

it('parseMultiStatus cancels a stream that is being waited for', async () => {
  const {stream, cancel} = silentBody()
  const results = parseMultiStatus(stream)
  const iterator = results[Symbol.asyncIterator]()
  const waiting = iterator.next()
  await iterator.return?.()
  expect(await waiting).toEqual({value: undefined, done: true})
  expect(cancel).toHaveBeenCalledOnce()
  expect(await results.summary).toMatchObject({complete: false, incomplete: [{reason: 'stopped'}]})
})
