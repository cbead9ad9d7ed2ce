// States the tree, the settings and the record of the fake server. Requests are raw, so that no client is between. RFC 4918.

import {DavClient} from 'multistatus'
import {fakeServer} from 'multistatus/testing'
import {describe, expect, it} from 'vitest'

import {ask} from '../support/ask.ts'

describe('the tree', () => {
  it('has the given files with their parents, and the given collections', () => {
    const server = fakeServer({
      files: {'a/b/100% #1?.txt': 'one', 'empty/': '', c: new Uint8Array([255])},
    })
    expect(server.list()).toEqual(['a/', 'a/b/', 'a/b/100% #1?.txt', 'empty/', 'c'])
    expect(server.list('a')).toEqual(['a/b/', 'a/b/100% #1?.txt'])
    expect(server.files).toEqual({'a/b/100% #1?.txt': 'one', 'empty/': '', c: '\uFFFD'})
  })

  it('gives a resource with content, type, ETag and dead properties', () => {
    const server = fakeServer()
    const author = {
      name: '{urn:x}author',
      attributes: {},
      children: [{name: '{urn:x}name', attributes: {}, children: ['Ana']}],
    }
    server.put('a.txt', 'text', {
      type: 'text/plain',
      properties: {'{urn:x}author': author, displayname: 'A'},
    })
    expect(server.get('a.txt')).toEqual({
      isCollection: false,
      content: new TextEncoder().encode('text'),
      text: 'text',
      type: 'text/plain',
      etag: '"1"',
      properties: {'{urn:x}author': author, displayname: 'A'},
    })
    expect(server.get('')).toMatchObject({isCollection: true, text: '', type: '', etag: ''})
    expect(server.get('b.txt')).toBeUndefined()
  })

  it('changes by put and remove, in spite of locks and faults', () => {
    const server = fakeServer({files: {'a/b': '1', c: '2'}})
    server.lock('a')
    server.fault({status: 500})
    server.put('a/b', '3')
    server.put('a/', '')
    server.remove('c')
    expect(server.files).toEqual({'a/b': '3'})
    server.remove('a')
    expect(server.list()).toEqual([])
    expect(server.locks).toEqual([])
  })

  it('loses everything but its root', () => {
    const server = fakeServer({files: {'a/b': 'b', c: 'c'}})
    server.lock('a/b')
    server.remove('')
    expect(server.list()).toEqual([])
    expect(server.locks).toEqual([])
    expect(server.get('')?.isCollection).toBe(true)
  })

  it.each([
    [{a: 'x', 'a/b': 'y'}, 'put: a is a file without members'],
    [{'a/b': 'y', a: 'x'}, 'fakeServer: files has a twice, or with members'],
  ])('refuses files of which one replaces the other: %j', (files, message) => {
    expect(() => fakeServer({files})).toThrow(new TypeError(message))
  })

  it('keeps the bytes that it was given, whatever becomes of their array', () => {
    const bytes = new Uint8Array([65])
    const server = fakeServer({files: {a: bytes}})
    bytes[0] = 66
    expect(server.files).toEqual({a: 'A'})
  })

  it('refuses a property that is neither text nor an element, and changes nothing', () => {
    const server = fakeServer()
    const more: object = {properties: {displayname: 5}}
    expect(() => server.put('a.txt', 'x', more)).toThrow(
      new TypeError('put: the property displayname is a string or an element'),
    )
    expect(server.list()).toEqual([])
  })

  it('has another ETag for each version', () => {
    const server = fakeServer({files: {a: '1'}})
    const before = server.get('a')?.etag
    server.put('a', '1')
    expect(server.get('a')?.etag).not.toBe(before)
  })
})

describe('the transport', () => {
  it('answers the client at the URL of the server, below a path too', async () => {
    const server = fakeServer({url: 'https://cloud.example/dav/ana/', files: {'x y': '1'}})
    const dav = new DavClient({url: server.url, transport: server.transport})
    const {successes} = await dav.propfind('', {depth: 1}).collect()
    expect(successes.map(({href}) => href)).toEqual(['/dav/ana/', '/dav/ana/x%20y'])
  })

  it('records each request with the status of its answer', async () => {
    const server = fakeServer()
    await ask(server, 'PUT', 'a%20b/', {}, 'no')
    await ask(server, 'PUT', 'a%20b', {'content-type': 'text/plain'}, 'text')
    expect(server.requests).toMatchObject([
      {method: 'PUT', path: 'a b', status: 405},
      {
        method: 'PUT',
        url: 'https://dav.example/a%20b',
        path: 'a b',
        headers: {'content-type': 'text/plain'},
        body: 'text',
        status: 201,
      },
    ])
    server.forget()
    expect(server.requests).toEqual([])
  })

  it('breaks a request for another server, and records nothing', async () => {
    const server = fakeServer()
    const dav = new DavClient({url: 'https://other.example/', transport: server.transport})
    await expect(dav.delete('a')).rejects.toMatchObject({
      name: 'DavNetworkError',
      message:
        'DELETE https://other.example/a failed: this fake server is at https://dav.example/, and no server is at https://other.example/a',
    })
    expect(server.requests).toEqual([])
  })

  it('answers 404 beside its own path, and 501 to a method that it does not have', async () => {
    const server = fakeServer({url: 'https://dav.example/dav/'})
    expect(await ask(server, 'GET', '/other')).toMatchObject({status: 404})
    expect(await ask(server, 'PATCH', '')).toMatchObject({status: 501})
  })
})

describe('OPTIONS', () => {
  it('names the classes and the methods that are enabled', async () => {
    const all = await ask(fakeServer(), 'OPTIONS', '')
    expect(all.headers.get('dav')).toBe('1, 2, 3, extended-mkcol')
    expect(all.headers.get('allow')).toBe(
      'OPTIONS, PROPFIND, PROPPATCH, COPY, MOVE, DELETE, MKCOL, LOCK, UNLOCK, REPORT',
    )
    const few = await ask(fakeServer({locks: false, sync: false, files: {a: ''}}), 'OPTIONS', 'a')
    expect(few.headers.get('dav')).toBe('1, 3, extended-mkcol')
    expect(few.headers.get('allow')).toBe(
      'OPTIONS, PROPFIND, PROPPATCH, COPY, MOVE, DELETE, MKCOL, GET, HEAD, PUT',
    )
  })
})

describe('fakeServer', () => {
  it.each([
    [{fils: {}}, 'fakeServer: there is no option "fils"; the nearest is files'],
    [
      {url: 'https://dav.example/a'},
      'fakeServer: url begins with http:// or https:// and ends with a slash',
    ],
    [
      {url: 'ftp://dav.example/'},
      'fakeServer: url begins with http:// or https:// and ends with a slash',
    ],
    [{locks: 1}, 'fakeServer: locks is true or false'],
    [{random: {sed: 1}}, 'random: there is no option "sed"; the nearest is seed'],
    [
      {random: {seed: 1, kinds: ['lies']}},
      "random: kinds is a list of 'refusal' or 'reset' or 'lost' or 'cut' or 'latency' or 'lie'",
    ],
    [{files: {'../a': ''}}, 'encodePath: the segment ".." cannot be the name of a resource'],
  ])('refuses %j', (options, message) => {
    expect(() => fakeServer(options as object)).toThrow(new TypeError(message))
  })

  it.each([
    [{pageSize: 0}, 'fakeServer: pageSize is 1 or more'],
    [{quota: -1}, 'fakeServer: quota is 0 or more'],
    [{lockTimeout: 0}, 'fakeServer: lockTimeout is above zero'],
    [{random: {seed: 1, rate: 2}}, 'random: rate is a number from 0 to 1'],
    [{random: {seed: 0.5}}, 'random: seed is a whole number'],
    [{random: {seed: Number.NaN}}, 'random: seed is a whole number'],
  ])('refuses %j as out of range', (options, message) => {
    expect(() => fakeServer(options)).toThrow(new RangeError(message))
  })
})
