// States how the fake server answers PUT, DELETE, COPY, MOVE, GET and their conditions. RFC 4918, sections 9.4 to 9.9 and 10.4;
// RFC 9110, sections 13 and 14.

import {DavClient} from 'multistatus'
import {type FakeServer, fakeServer} from 'multistatus/testing'
import {beforeEach, describe, expect, it} from 'vitest'

import {ask} from '../support/ask.ts'
import {line, resultsOf} from '../support/results.ts'

let server: FakeServer
let dav: DavClient

beforeEach(() => {
  server = fakeServer({files: {'a.txt': 'one', 'c/1.txt': '1', 'c/d/2.txt': '2', 'c/d/3.txt': '3'}})
  dav = new DavClient({url: server.url, transport: server.transport})
})

async function statusOf(
  ...request: [method: string, path: string, headers?: Record<string, string>, body?: string]
): Promise<number> {
  return (await ask(server, ...request)).status
}

const to = (path: string, more: Record<string, string> = {}) => ({
  destination: `${server.url}${path}`,
  ...more,
})

describe('PUT', () => {
  it('makes and replaces a file, and tells its ETag', async () => {
    const made = await ask(server, 'PUT', 'new.txt', {'content-type': 'text/plain'}, 'new')
    expect([made.status, made.headers.get('etag')]).toEqual([201, server.get('new.txt')?.etag])
    server.put('old.txt', '', {properties: {displayname: 'Old'}})
    expect(await statusOf('PUT', 'old.txt', {}, 'x')).toBe(204)
    expect(server.get('old.txt')).toMatchObject({text: 'x', properties: {displayname: 'Old'}})
  })

  it.each([
    ['c/', 405],
    ['c', 405],
    ['none/a', 409],
    ['a.txt/b', 409],
  ])('of %s is refused with %i', async (path, status) => {
    expect(await statusOf('PUT', path, {}, 'x')).toBe(status)
  })

  it('is refused beyond the quota', async () => {
    server = fakeServer({quota: 5, files: {a: '123'}})
    expect(await statusOf('PUT', 'a', {}, '12345')).toBe(204)
    const full = await ask(server, 'PUT', 'b', {}, '1')
    expect(full.status).toBe(507)
    expect(full.text).toContain('<D:quota-not-exceeded/>')
    expect(await statusOf('COPY', 'a', to('b'))).toBe(507)
    expect(server.files).toEqual({a: '12345'})
  })
})

describe('a condition', () => {
  it('If-Match and If-None-Match decide about a change', async () => {
    const etag = server.get('a.txt')?.etag ?? ''
    expect(await statusOf('PUT', 'a.txt', {'if-none-match': '*'}, 'x')).toBe(412)
    expect(await statusOf('PUT', 'b.txt', {'if-none-match': '*'}, 'x')).toBe(201)
    expect(await statusOf('PUT', 'a.txt', {'if-match': '"other"'}, 'x')).toBe(412)
    expect(await statusOf('PUT', 'a.txt', {'if-match': `W/${etag}`}, 'x')).toBe(412)
    expect(await statusOf('DELETE', 'c', {'if-match': '*'})).toBe(204)
    expect(await statusOf('DELETE', 'a.txt', {'if-match': `"other", ${etag}`})).toBe(204)
  })

  it.each([
    ['(["E"])', 204],
    ['(["other"])', 412],
    ['(Not ["other"])', 204],
    ['(["other"]) (Not <DAV:no-lock>)', 204],
    ['(<DAV:no-lock> ["E"])', 412],
    ['<https://dav.example/c/1.txt> (Not ["E"])', 204],
    ['</c/1.txt> (["E"])', 412],
    ['<https://other.example/a.txt> (["E"])', 412],
    ['()', 400],
  ])('If: %s of a file with the ETag E is answered with %i', async (header, status) => {
    const etag = server.get('a.txt')?.etag ?? ''
    expect(await statusOf('DELETE', 'a.txt', {if: header.replaceAll('"E"', etag)})).toBe(status)
  })
})

describe('DELETE', () => {
  it('removes a collection with everything below', async () => {
    expect(await statusOf('DELETE', 'c/')).toBe(204)
    expect(await statusOf('DELETE', 'c/')).toBe(404)
    expect(server.files).toEqual({'a.txt': 'one'})
  })

  it('names the lock for which a member is left', async () => {
    server.lock('c/d', {depth: 0})
    const {text} = await ask(server, 'DELETE', 'c/')
    expect(text).toMatch(
      /<D:href>\/c\/d\/<\/D:href><D:status>HTTP\/1.1 423 <.*<D:lock-token-submitted><D:href>\/c\/d\/<\/D:href>/,
    )
  })

  it('leaves a locked member with its collections, and names it alone', async () => {
    server.lock('c/d/2.txt')
    const verdict = await dav.delete('c/')
    expect(resultsOf(verdict).map(line)).toEqual([
      '423 status descendant /c/d/2.txt',
      '424 member self /c/',
    ])
    expect(verdict.members?.[0]).toMatchObject({conditions: ['lock-token-submitted']})
    expect(server.list()).toEqual(['a.txt', 'c/', 'c/d/', 'c/d/2.txt'])
  })

  it('leaves a member that a fault protects, with the members of that', async () => {
    server.fault({method: 'DELETE', path: 'c/d', status: 403})
    expect(resultsOf(await dav.delete('c/')).map(line)).toEqual([
      '403 status member /c/d/',
      '424 member self /c/',
    ])
    expect(server.list('c')).toEqual(['c/d/', 'c/d/2.txt', 'c/d/3.txt'])
  })

  it('is refused as a whole for a locked collection, and in one', async () => {
    server.lock('c', {depth: 0})
    const refused = await ask(server, 'DELETE', 'c/1.txt')
    expect(refused.status).toBe(423)
    expect(refused.text).toContain(
      '<D:lock-token-submitted><D:href>/c/</D:href></D:lock-token-submitted>',
    )
    expect(await statusOf('DELETE', 'c')).toBe(423)
    expect(await statusOf('DELETE', 'c/d/2.txt')).toBe(204)
  })

  it('of the root, and of a collection with Depth 0, is refused', async () => {
    expect(await statusOf('DELETE', '')).toBe(403)
    expect(await statusOf('DELETE', 'c/', {depth: '0'})).toBe(400)
  })
})

describe('COPY', () => {
  it('copies a collection with its properties and other ETags, or without its members', async () => {
    server.put('c/1.txt', '1', {properties: {displayname: 'One'}})
    expect(await statusOf('COPY', 'c/', to('e/'))).toBe(201)
    expect(server.get('e/1.txt')).toMatchObject({text: '1', properties: {displayname: 'One'}})
    expect(server.get('e/1.txt')?.etag).not.toBe(server.get('c/1.txt')?.etag)
    expect(await statusOf('COPY', 'c/', to('f/', {depth: '0'}))).toBe(201)
    expect(server.list('f')).toEqual([])
    expect(server.list('c')).toEqual(['c/1.txt', 'c/d/', 'c/d/2.txt', 'c/d/3.txt'])
  })

  it('replaces a collection as a whole, unless Overwrite is F', async () => {
    server.put('e/old.txt')
    expect(await statusOf('COPY', 'c/d/', to('e/', {overwrite: 'F'}))).toBe(412)
    expect(await statusOf('COPY', 'c/d/', to('e/'))).toBe(204)
    expect(server.list('e')).toEqual(['e/2.txt', 'e/3.txt'])
  })

  it.each([
    ['none', 'b', 404],
    ['a.txt', 'none/b', 409],
    ['a.txt', 'a.txt', 403],
    ['c', 'c/e', 403],
    ['c/d', 'c', 403],
  ])('of %s to %s is refused with %i', async (from, place, status) => {
    expect(await statusOf('COPY', from, to(place))).toBe(status)
  })

  it('to another server, without a destination, and with Depth 1 is refused', async () => {
    expect(await statusOf('COPY', 'a.txt', {destination: 'https://other.example/b'})).toBe(502)
    expect(await statusOf('COPY', 'a.txt')).toBe(400)
    expect(await statusOf('COPY', 'c', to('e', {depth: '1'}))).toBe(400)
  })

  it('leaves out a member that a fault protects', async () => {
    server.fault({method: 'COPY', path: /3\.txt$/, status: 500})
    expect(resultsOf(await dav.copy('c/', 'e/')).map(line)).toEqual([
      '500 status descendant /c/d/3.txt',
      '424 member self /c/',
    ])
    expect(server.list('e')).toEqual(['e/1.txt', 'e/d/', 'e/d/2.txt'])
  })
})

describe('MOVE', () => {
  it('keeps ETag and properties, and leaves nothing', async () => {
    server.put('a.txt', 'one', {properties: {displayname: 'A'}})
    const before = server.get('a.txt')
    expect(await statusOf('MOVE', 'a.txt', to('b.txt'))).toBe(201)
    expect(server.get('b.txt')).toEqual(before)
    expect(server.get('a.txt')).toBeUndefined()
  })

  it('leaves a locked member where it is', async () => {
    server.lock('c/1.txt')
    expect(resultsOf(await dav.move('c/', 'e/')).map(line)).toEqual([
      '423 status member /c/1.txt',
      '424 member self /c/',
    ])
    expect(server.list()).toEqual([
      'a.txt',
      'c/',
      'c/1.txt',
      'e/',
      'e/d/',
      'e/d/2.txt',
      'e/d/3.txt',
    ])
  })

  it('onto a locked file, or into a locked collection, is refused', async () => {
    server.lock('c', {depth: 0})
    server.lock('c/d/2.txt')
    expect(await statusOf('MOVE', 'a.txt', to('c/new'))).toBe(423)
    expect(await statusOf('MOVE', 'a.txt', to('c/d/2.txt'))).toBe(423)
    expect(server.get('a.txt')?.text).toBe('one')
  })
})

describe('GET', () => {
  const get = (headers: Record<string, string>, path = 'a.txt') => ask(server, 'GET', path, headers)

  it('gives the content with its length, type, date and ETag', async () => {
    server.put('a.txt', 'one', {type: 'text/plain'})
    const {status, headers, text} = await get({})
    expect([status, text]).toEqual([200, 'one'])
    expect(headers.get('content-length')).toBe('3')
    expect(headers.get('content-type')).toBe('text/plain')
    expect(headers.get('etag')).toBe(server.get('a.txt')?.etag)
    expect(headers.get('last-modified')).toMatch(/ GMT$/)
    const head = await ask(server, 'HEAD', 'a.txt')
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '3'])
    expect(await statusOf('HEAD', 'a.txt', {range: 'bytes=0-0'})).toBe(200)
  })

  it.each([
    ['bytes=1-', 206, 'ne', 'bytes 1-2/3'],
    ['bytes=0-0', 206, 'o', 'bytes 0-0/3'],
    ['Bytes=0-0', 206, 'o', 'bytes 0-0/3'],
    ['bytes=1-9', 206, 'ne', 'bytes 1-2/3'],
    ['bytes=-2', 206, 'ne', 'bytes 1-2/3'],
    ['bytes=-9', 206, 'one', 'bytes 0-2/3'],
    ['bytes=3-', 416, '', 'bytes */3'],
    ['bytes=2-1', 200, 'one', null],
    ['bytes=0-0,2-2', 200, 'one', null],
    ['lines=0-0', 200, 'one', null],
  ])('of the range %s is answered with %i', async (range, status, text, told) => {
    const answer = await get({range})
    expect([answer.status, answer.text, answer.headers.get('content-range')]).toEqual([
      status,
      text,
      told,
    ])
  })

  it('evaluates If-Range, If-None-Match, If-Match and If-Modified-Since', async () => {
    const etag = server.get('a.txt')?.etag ?? ''
    const date = (await get({})).headers.get('last-modified') ?? ''
    const statuses = [
      {range: 'bytes=1-', 'if-range': etag},
      {range: 'bytes=1-', 'if-range': '"other"'},
      {range: 'bytes=1-', 'if-range': date},
      {'if-none-match': `W/${etag}`},
      {'if-none-match': '"other"', 'if-modified-since': date},
      {'if-modified-since': date},
      {'if-modified-since': 'Sun, 06 Nov 1994 08:49:37 GMT'},
      {'if-match': '"other"'},
    ].map(async (headers) => (await get(headers as unknown as Record<string, string>)).status)
    expect(await Promise.all(statuses)).toEqual([206, 200, 206, 304, 200, 304, 200, 412])
  })

  it('of a collection is refused with 405', async () => {
    expect((await get({}, 'c/')).status).toBe(405)
  })
})
