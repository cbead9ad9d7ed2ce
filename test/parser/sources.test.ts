// States the sources of parseMultiStatus, and the moments at which they are read.
// Rule 11 of the contract; RFC 4918, section 13.
import {parseMultiStatus} from 'multistatus/parser'
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

describe('parseMultiStatus reads', () => {
  it.each<[string, () => Parameters<typeof parseMultiStatus>[0]]>([
    ['a Response', () => new Response(body)],
    ['a ReadableStream', () => stream(chunks)],
    ['an AsyncIterable', () => generate(chunks)],
    ['an Iterable', () => new Set(chunks)],
    ['an array of chunks', () => chunks],
    ['bytes', () => body],
    ['a string', () => text],
  ])('%s', async (_, source) => {
    const reading = parseMultiStatus(source(), {url})
    expect(await drain(reading)).toEqual({items: results})
    expect(await reading.summary).toEqual(summary)
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 1,
      requests: 0,
      description: 'one is locked',
    })
  })

  it('as if asked of http://localhost/ without a URL', async () => {
    expect((await drain(parseMultiStatus(body))).items.at(1)).toMatchObject({
      url: 'http://localhost/docs/b',
      relation: 'descendant',
    })
  })

  it.each([
    [207, 'application/xml; charset=utf-8'],
    [424, 'text/xml'],
    [200, 'text/html'],
    [500, 'application/octet-stream'],
  ])('a multistatus whatever the status and the Content-Type: %i, %s', async (status, type) => {
    const answer = new Response(body, {status, headers: {'content-type': type}})
    expect(await drain(parseMultiStatus(answer, {url}))).toEqual({items: results})
  })

  it('the charset of a Response', async () => {
    const latin1 = Uint8Array.from(multistatus(response('/docs/é')), (character) =>
      character.charCodeAt(0),
    )
    const headers = {'content-type': 'text/xml; charset="ISO-8859-1"'}
    const reading = parseMultiStatus(new Response(latin1, {status: 207, headers}), {url})
    expect(await drain(reading)).toMatchObject({items: [{href: '/docs/é'}]})
  })

  it.each([
    'text/xml; charset=iso-8859-1, application/xml',
    'text/xml; charset=iso-8859-1, text/xml; charset=utf-8',
    'text/xml; charset="iso-8859-1',
    'text/xml; charset="iso-8859-1, application/xml',
    'text/xml; charset="iso\\-8859-1"',
    "text/xml; charset='iso-8859-1'",
    'text/xml; CharSet = iso-8859-1 ; x=y',
    'text/xml; x="; charset=utf-8"; charset=iso-8859-1',
    'text/xml; charset=; charset=iso-8859-1',
    'application/xml, text/xml;charset=iso-8859-1',
  ])('the charset of a Content-Type, whatever else is odd in it: %s', async (type) => {
    const latin1 = Uint8Array.from(multistatus(response('/docs/é')), (character) =>
      character.charCodeAt(0),
    )
    const answer = new Response(latin1, {status: 207, headers: {'content-type': type}})
    expect(await drain(parseMultiStatus(answer, {url}))).toMatchObject({items: [{href: '/docs/é'}]})
  })

  it.each([
    'text/xml; charset=utf-8, application/xml',
    'text/xml; charset="utf-8',
    'text/xml; charset=utf8mb4',
    'text/xml; charset="utf8mb4, x',
    'text/xml; charset=',
    'text/xml; charset=""',
    'text/xml; xcharset=iso-8859-1',
    'charset=iso-8859-1',
    '; charset',
  ])('UTF-8 if the Content-Type names no other known charset: %s', async (type) => {
    const answer = new Response(multistatus(response('/docs/é')), {
      status: 207,
      headers: {'content-type': type},
    })
    expect(await drain(parseMultiStatus(answer, {url}))).toMatchObject({items: [{href: '/docs/é'}]})
  })

  it('a string as it is, whatever encoding it declares', async () => {
    const reading = parseMultiStatus(`<?xml version="1.0" encoding="iso-8859-1"?>${text}`, {url})
    expect(await drain(reading)).toEqual({items: results})
  })

  it('a Response without a body as truncated', async () => {
    const {items, error} = await drain(parseMultiStatus(new Response(null, {status: 204}), {url}))
    expect(items).toEqual([])
    expect(error).toMatchObject({reason: 'truncated'})
  })

  it('nothing before it is asked', async () => {
    let started = false
    const source = (function* () {
      started = true
      yield body
    })()
    const reading = parseMultiStatus(source, {url})
    await Promise.resolve()
    expect(started).toBe(false)
    await reading.collect()
    expect(started).toBe(true)
  })

  it('no further than the result that was asked for', async () => {
    const never = (async function* () {
      yield bytes(`<D:multistatus xmlns:D="DAV:">${response('/docs/a')}`)
      await new Promise(() => {})
    })()
    const iterator = parseMultiStatus(never, {url})[Symbol.asyncIterator]()
    expect(await iterator.next()).toMatchObject({done: false, value: {href: '/docs/a'}})
  })
})
