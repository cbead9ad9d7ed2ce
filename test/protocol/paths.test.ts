// States the escapes of encodePath and decodePath. Both mean the same resource, whatever its name.
// RFC 3986, sections 2 and 3.3.

import fc from 'fast-check'
import {decodePath, encodePath, keyOf, nameOf} from 'multistatus'
import {describe, expect, it} from 'vitest'

describe('keyOf', () => {
  const key = (url: string): string => keyOf({url})

  it.each([
    ['https://dav.example/a', 'https://dav.example/a/'],
    ['https://dav.example/a//b', 'https://dav.example/a/b'],
    ['https://dav.example//a', 'https://dav.example/a'],
    ['https://dav.example/%61%2d', 'https://dav.example/a-'],
    ['https://dav.example/caf%e9', 'https://dav.example/caf%E9'],
    ['https://DAV.example:443/a', 'https://dav.example/a'],
    ['https://dav.example/a%00', 'https://dav.example/%61%00'],
    ['https://dav.example', 'https://dav.example/'],
  ])('is one for the spellings %s and %s', (one, other) => {
    expect(key(one)).toBe(key(other))
  })

  it.each([
    ['https://dav.example/a', 'https://dav.example/A'],
    ['https://dav.example/a%2Fb', 'https://dav.example/a/b'],
    ['https://dav.example/%2541', 'https://dav.example/A'],
    ['https://dav.example/a%00', 'https://dav.example/a'],
    ['https://dav.example/a?x=1', 'https://dav.example/a'],
    ['https://dav.example/a?x=1', 'https://dav.example/a?x=2'],
    ['https://dav.example/a', 'https://other.example/a'],
    ['https://dav.example/a', 'http://dav.example/a'],
    ['https://dav.example:8443/a', 'https://dav.example/a'],
  ])('is two for the resources %s and %s', (one, other) => {
    expect(key(one)).not.toBe(key(other))
  })
})

describe('nameOf', () => {
  it.each([
    ['https://dav.example/docs/a.txt', 'a.txt'],
    ['https://dav.example/docs/', 'docs'],
    ['https://dav.example/docs//', 'docs'],
    ['https://dav.example/docs/100%25%20%231%3F.jpg', '100% #1?.jpg'],
    ['https://dav.example/docs/caf%C3%A9', 'caf\u00e9'],
    ['https://dav.example/docs/a%2fb', 'a/b'],
    ['https://dav.example/docs/caf%E9', 'caf%E9'],
    ['https://dav.example/docs/a?x=/1', 'a'],
    ['https://dav.example/', ''],
    ['https://dav.example', ''],
  ])('of %s is %j', (url, name) => {
    expect(nameOf({url})).toBe(name)
  })
})

describe('encodePath', () => {
  it.each([
    ['100% #1?.jpg', '100%25%20%231%3F.jpg'],
    ['photos/100% #1?.jpg', 'photos/100%25%20%231%3F.jpg'],
    ['/photos/', '/photos/'],
    ['a&b=c;d,e+f@g:h$i', 'a%26b%3Dc%3Bd%2Ce%2Bf%40g%3Ah%24i'],
    ["it's (1)*!~.txt", "it's%20(1)*!~.txt"],
    ['file:colon.vcf', 'file%3Acolon.vcf'],
    ['caf\u00e9', 'caf%C3%A9'],
    ['cafe\u0301', 'cafe%CC%81'],
    ['😀', '%F0%9F%98%80'],
    ['back\\slash', 'back%5Cslash'],
    ['%41', '%2541'],
    ['%2e%2e', '%252e%252e'],
    ['line\r\nbreak\u0000', 'line%0D%0Abreak%00'],
    [' a ', '%20a%20'],
    ['...', '...'],
    ['.hidden', '.hidden'],
    ['', ''],
  ])('makes of %j the reference %s', (plain, reference) => {
    expect(encodePath(plain)).toBe(reference)
  })

  it.each(['.', '..', 'a/..', './a', 'a/./b', '../a', 'a/../../b'])(
    'is a TypeError for %s: no escape keeps a dot segment from being resolved',
    (plain) => {
      expect(() => encodePath(plain)).toThrow(TypeError)
      expect(() => encodePath(plain)).toThrow(/encodePath/)
    },
  )

  it.each(['a\uD83D', '\uDE00', 'a\uD83Db'])(
    'is a TypeError for half of a surrogate pair',
    (plain) => {
      expect(() => encodePath(plain)).toThrow(TypeError)
    },
  )
})

describe('decodePath', () => {
  it.each<[Parameters<typeof decodePath>[0], string]>([
    ['photos/100%25%20%231%3F.jpg', 'photos/100% #1?.jpg'],
    ['https://dav.example/a%20b/', '/a b/'],
    ['https://dav.example', ''],
    ['https://dav.example:8443/%c3%A9', '/\u00e9'],
    ['https://dav.example/a?x=1#top', '/a'],
    [new URL('https://dav.example/a%20b'), '/a b'],
    [{url: 'https://dav.example/a%2520b'}, '/a%20b'],
    ['%252e%252e', '%2e%2e'],
    ['file:colon.vcf', 'file:colon.vcf'],
    ['', ''],
  ])('of %j is %j', (reference, plain) => {
    expect(decodePath(reference)).toBe(plain)
  })

  it.each([
    ['an escaped slash', 'a%2Fb'],
    ['an escape that is not UTF-8', 'https://dav.example/caf%E9'],
    ['a broken escape', 'a%zz'],
    ['half of a character', '%C3'],
    ['an overlong character', '%C0%AF'],
  ])('is undefined if no plain path can hold it: %s', (_, reference) => {
    expect(decodePath(reference)).toBeUndefined()
  })
})

describe('encodePath and decodePath', () => {
  const segment = fc
    .string({unit: 'binary'})
    .map((text) => text.replaceAll('/', ''))
    .filter((text) => text !== '.' && text !== '..')
  const path = fc.array(segment).map((segments) => segments.join('/'))

  it('go back and forth for every path', () => {
    fc.assert(
      fc.property(path, (plain) => {
        expect(decodePath(encodePath(plain))).toBe(plain)
      }),
    )
  })

  it('are the reference of that path below any base, whatever is in it', () => {
    const relative = path.filter((plain) => plain !== '' && !plain.startsWith('/'))
    fc.assert(
      fc.property(relative, (plain) => {
        const url = new URL(encodePath(plain), 'https://dav.example/base/')
        expect(url.origin + url.search + url.hash).toBe('https://dav.example')
        expect(decodePath(url)).toBe(`/base/${plain}`)
      }),
    )
  })

  it('never make one reference of two paths', () => {
    fc.assert(
      fc.property(path, path, (one, other) => {
        expect(encodePath(one) === encodePath(other)).toBe(one === other)
      }),
    )
  })
})
