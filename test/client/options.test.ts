// States the settings of a client. Nonsense is refused before anything is sent, with the remedy in the message.
// RFC 3986, section 3; RFC 4918, section 8.3.

import {DavClient, type DavClientOptions} from 'multistatus'
import {afterEach, describe, expect, it, vi} from 'vitest'

const url = 'https://dav.example/files/'

describe('the url of a client', () => {
  it.each([
    ['https://dav.example/files/', 'https://dav.example/files/'],
    ['https://dav.example/files', 'https://dav.example/files/'],
    ['https://dav.example', 'https://dav.example/'],
    ['HTTP://DAV.example:80/a/../b/', 'http://dav.example/b/'],
  ])('%s is the collection %s', (given, base) => {
    expect(new DavClient({url: given}).url).toBe(base)
    expect(new DavClient({url: new URL(given)}).url).toBe(base)
  })

  it('keeps its value when the URL that was given changes', () => {
    const given = new URL(url)
    const dav = new DavClient({url: given})
    given.pathname = '/elsewhere/'
    expect(dav.url).toBe(url)
  })

  it('leaves the URL that was given as it is', () => {
    const given = new URL('https://dav.example/files')
    expect(new DavClient({url: given}).url).toBe(url)
    expect(given.href).toBe('https://dav.example/files')
  })

  it.each([
    'files/',
    '/files/',
    '',
    'ftp://dav.example/',
    'file:///files/',
    'https://dav.example/?x=1',
    'https://dav.example/#top',
    'https://ana:secret@dav.example/',
    'http://[',
  ])('is a TypeError for %j', (given) => {
    expect(() => new DavClient({url: given})).toThrow(TypeError)
    expect(() => new DavClient({url: given})).not.toThrow(/secret/)
  })
})

describe('the url of a client in a browser', () => {
  afterEach(() => vi.unstubAllGlobals())

  it.each([
    ['files/', 'https://app.example/app/files/'],
    ['/files', 'https://app.example/files/'],
    ['./', 'https://app.example/app/'],
    ['//dav.example/files/', 'https://dav.example/files/'],
    ['https://dav.example/files/', 'https://dav.example/files/'],
  ])('%j is resolved against the page: %s', (given, base) => {
    vi.stubGlobal('document', {baseURI: 'https://app.example/app/index.html?x=1#top'})
    vi.stubGlobal('location', {href: 'https://app.example/elsewhere/'})
    expect(new DavClient({url: given}).url).toBe(base)
  })

  it('is resolved against the location of a worker, which has no document', () => {
    vi.stubGlobal('location', {href: 'https://app.example/app/worker.js'})
    expect(new DavClient({url: 'files/'}).url).toBe('https://app.example/app/files/')
  })

  it.each([
    ['a page without an address', 'about:blank', 'files/'],
    ['a page of a file', 'file:///app/index.html', 'files/'],
  ])('is a TypeError for a reference on %s', (_, baseURI, given) => {
    vi.stubGlobal('document', {baseURI})
    expect(() => new DavClient({url: given})).toThrow(TypeError)
  })
})

describe('an option of a client', () => {
  it.each<[string, Partial<DavClientOptions>]>([
    ['concurrency of 0', {concurrency: 0}],
    ['concurrency of -1', {concurrency: -1}],
    ['concurrency of 1.5', {concurrency: 1.5}],
    ['concurrency of Infinity', {concurrency: Number.POSITIVE_INFINITY}],
    ['attempts of 0', {retry: {attempts: 0}}],
    ['attempts of 1.5', {retry: {attempts: 1.5}}],
    ['a negative minDelay', {retry: {minDelay: -1}}],
    ['a maxDelay below minDelay', {retry: {minDelay: 10, maxDelay: 5}}],
    ['a maxDelay that is no number', {retry: {maxDelay: Number.NaN}}],
    ['a negative maxRetryAfter', {retry: {maxRetryAfter: -1}}],
    ['a limit of 0', {limits: {responses: 0}}],
    ['a timeout of 0', {timeout: 0}],
  ])('is a RangeError with %s', (_, option) => {
    expect(() => new DavClient({url, ...option})).toThrow(RangeError)
  })

  it.each<[string, object]>([
    ['malformed: ignore', {malformed: 'ignore'}],
    ['a limit of no known name', {limits: {respnses: 7}}],
  ])('is a TypeError with %s', (_, option) => {
    expect(() => new DavClient({url, ...option})).toThrow(TypeError)
  })
})

describe('an option of a call', () => {
  const dav = new DavClient({url})

  it.each([0, -1, 1.5, Number.NaN])('is a RangeError with concurrency %s', (concurrency) => {
    expect(() => dav.deleteMany(['a'], {concurrency})).toThrow(RangeError)
    expect(() => dav.retry([], {concurrency})).toThrow(RangeError)
  })

  it('is a RangeError with a policy that makes no sense', async () => {
    expect(() => dav.propfind('a', {retry: {attempts: 0}})).toThrow(RangeError)
    await expect(dav.delete('a', {retry: {attempts: 0}})).rejects.toThrow(RangeError)
    expect(() => dav.deleteMany(['a'], {retry: {minDelay: -1}})).toThrow(RangeError)
    expect(() => dav.retry([], {attempts: 0})).toThrow(RangeError)
  })

  it('may be undefined, and counts as left out', async () => {
    const given = {signal: undefined, retry: undefined, decoders: undefined, depth: undefined}
    expect(() => dav.propfind('a', given)).not.toThrow()
    const none = {ifMissing: undefined, unguarded: undefined, dryRun: true}
    expect(await dav.delete('a', none)).toMatchObject({ok: true})
    expect(() => dav.deleteMany([], {concurrency: undefined, onProgress: undefined})).not.toThrow()
  })
})

describe('deleteMany', () => {
  const dav = new DavClient({url})

  it.each<[string, unknown]>([
    ['a string', 'abc'],
    ['a URL', new URL('https://dav.example/files/a')],
    ['a result', {url: 'https://dav.example/files/a'}],
    ['nothing', undefined],
    ['a number', 7],
  ])('is a TypeError with %s in the place of targets', (_, targets) => {
    // @ts-expect-error -- a caller without types may write it
    expect(() => dav.deleteMany(targets)).toThrow(TypeError)
  })
})
