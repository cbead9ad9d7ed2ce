// States the local path of a result. Whatever a server writes, the path stays in its folder, belongs to one resource, and leads back
// to it. RFC 3986, sections 2.1 and 3.3; Microsoft, "Naming Files, Paths, and Namespaces".

import {posix, win32} from 'node:path'

import fc from 'fast-check'
import {type DavResult, fromLocalPath, type LocalPathOptions, toLocalPath} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {canonicalPath} from '../../src/protocol/href.ts'
import {multistatus, one, read, response, url as base, verdict} from '../support/fixtures.ts'

/** The result that a parser makes of an href, asked at https://dav.example/docs/. */
function answered(href: string): DavResult {
  return one(multistatus(response(`<![CDATA[${href}]]>`)))
}

/** The local path of an href. */
function local(href: string, options?: LocalPathOptions): string {
  return toLocalPath(answered(href), {base, ...options})
}

const member = (url: string) => ({href: url, url, relation: 'member'}) as const

describe('toLocalPath', () => {
  it.each([
    ['/docs/', ''],
    ['/docs', ''],
    ['/docs/a.txt', 'a.txt'],
    ['a.txt', 'a.txt'],
    ['/docs/sub/', 'sub'],
    ['/docs/sub/deep/a.txt', 'sub/deep/a.txt'],
    ['/d%6Fcs/a%20b', 'a b'],
    ['http://inner.example:8080/docs/a', 'a'],
    ['/docs/caf%c3%a9', 'caf\u00e9'],
    ['/docs/cafe%CC%81', 'cafe\u0301'],
    ['/docs/%F0%9F%98%80', '😀'],
    ['/docs/%EF%BB%BFbom', '\uFEFFbom'],
    ['/docs/.hidden', '.hidden'],
    ['/docs/...', '...'],
    ['/docs/note:1.txt', 'note:1.txt'],
    ['/docs/a&b=c;d,e+f@g', 'a&b=c;d,e+f@g'],
    ['/docs/line%0Abreak', 'line\nbreak'],
    ['/docs/~', '~'],
  ])('of %s below /docs/ is %j', (href, path) => {
    expect(local(href)).toBe(path)
  })

  it.each([
    ['/docs/a%2fb', 'a%2Fb'],
    ['/docs/a%252Fb', 'a%252Fb'],
    ['/docs/a%252fb', 'a%252fb'],
    ['/docs/a%25252Fb', 'a%25252Fb'],
    ['/docs/back%5cslash', 'back%5Cslash'],
    ['/docs/back%255Cslash', 'back%255Cslash'],
    ['/docs/caf%e9', 'caf%E9'],
    ['/docs/caf%25e9', 'caf%25e9'],
    ['/docs/%C0%AF', '%C0%AF'],
    ['/docs/%ED%A0%80', '%ED%A0%80'],
    ['/docs/%f4%90%80%80', '%F4%90%80%80'],
    ['/docs/%E2%82', '%E2%82'],
    ['/docs/%E2%E2%82%AC', '%E2€'],
    ['/docs/%80x', '%80x'],
    ['/docs/100%25%20sure', '100% sure'],
    ['/docs/100%', '100%'],
    ['/docs/%25', '%'],
    ['/docs/%25%25', '%%'],
    ['/docs/%25%2541', '%%2541'],
    ['/docs/%25%E9', '%%E9'],
    ['/docs/%25a%2F', '%a%2F'],
    ['/docs/%2541', '%2541'],
    ['/docs/%25zz', '%zz'],
    ['/docs/C:', 'C%3A'],
    ['/docs/c%3Anotes', 'c%3Anotes'],
    ['/docs/C%253Anotes', 'C%253Anotes'],
    ['/docs/sub/C:x', 'sub/C%3Ax'],
  ])('of %s keeps characters escaped that no name can hold: %j', (href, path) => {
    expect(local(href)).toBe(path)
  })

  it.each([
    ['..%2f..%2fetc/passwd', '..%2F..%2Fetc/passwd'],
    ['..\\..\\x', '..%5C..%5Cx'],
    ['..%5c..%5cx', '..%5C..%5Cx'],
    ['%5C%5Chost%5Cshare', '%5C%5Chost%5Cshare'],
    ['C:%5Cx', 'C%3A%5Cx'],
    ['%252e%252e/x', '%252e%252e/x'],
    ['a/%2e%2e/b', 'b'],
  ])('of the hostile %s stays in its folder: %j', (href, path) => {
    expect(local(href)).toBe(path)
  })

  it.each([
    ['%2e%2e', 'outside'],
    ['..', 'outside'],
    ['../secret', 'outside'],
    ['/etc/passwd', 'outside'],
    ['%2fetc%2fpasswd', 'outside'],
    ['/docsx/a', 'outside'],
    ['//host/x', 'outside'],
    ['http://evil.example/x', 'outside'],
    ['%00', 'NUL'],
    ['a%00.txt', 'NUL'],
    ['a//%00', 'NUL'],
  ])('is a TypeError for %s, which it names: %s', (href, why) => {
    const result = answered(href)
    expect(() => toLocalPath(result, {base})).toThrow(TypeError)
    expect(() => toLocalPath(result, {base})).toThrow(why)
    expect(() => toLocalPath(result, {base})).toThrow(JSON.stringify(result.href))
  })

  it.each([
    ['a//b', 'a/b'],
    ['a///b', 'a/b'],
    ['/docs//a', 'a'],
    ['/docs///a//', 'a'],
    ['/docs//', ''],
    ['a//', 'a'],
    ['/docs//a%2Fb', 'a%2Fb'],
    ['/docs/a/%2F/b', 'a/%2F/b'],
  ])('of %s folds doubled slashes, as relation does: %j', (href, path) => {
    expect(local(href)).toBe(path)
  })

  it('folds doubled slashes below the root too', () => {
    expect(toLocalPath(member('https://dav.example///a'), {})).toBe('a')
    expect(toLocalPath(member('https://dav.example//'), {})).toBe('')
  })

  it('is a TypeError in one line without a character that a terminal obeys', () => {
    const result = {...member('https://dav.example/docs/a%00'), href: 'a\u0000\u202Egpj\u009B2J\n'}
    expect(() => toLocalPath(result, {base})).toThrow(
      String.raw`toLocalPath: "a\u0000\u202egpj\u009b2J\n" has a NUL, which no file name can hold`,
    )
  })

  it.each<[string, object]>([
    ['"windos"; the nearest is windows', {windos: true}],
    ['windows is true or false', {windows: 'yes'}],
    ['absolute URL', {base: 7}],
    ['absolute URL', {base: {href: base}}],
  ])('is a TypeError for options that make no sense: %s', (why, options) => {
    expect(() => toLocalPath(answered('a'), options)).toThrow(TypeError)
    expect(() => toLocalPath(answered('a'), options)).toThrow(why)
  })

  it.each([
    ['https://dav.example/docs/a/%2E./b', "'.' or '..'"],
    ['https://dav.example/docs/a/..', "'.' or '..'"],
    ['https://dav.example/docs/./a', "'.' or '..'"],
    ['https://dav.example/docs/x\\..\\a', "'.' or '..'"],
    ['https://dav.example/docs/a?x=1', 'query'],
    ['https://dav.example/docs/a#x', 'fragment'],
    ['https://dav.example:8443/docs/a', 'dav.example:8443'],
    ['http://dav.example/docs/a', 'on dav.example'],
    ['https://evil.example/docs/a', 'evil.example'],
    ['https://dav.example/', 'not at or below /docs/'],
    ['https://dav.example/docsx/a', 'not at or below /docs/'],
    ['/docs/a', 'no absolute URL'],
    ['urn:docs:a', 'no absolute URL'],
  ])('is a TypeError for a result with the URL %s that no parser made: %s', (url, why) => {
    expect(() => toLocalPath(member(url), {base})).toThrow(TypeError)
    expect(() => toLocalPath(member(url), {base})).toThrow(why)
  })

  it('never names a credential that a server wrote', () => {
    const result = answered('http://ana:hunter2@inner.example/secret')
    expect(() => toLocalPath(result, {base})).toThrow('"http://inner.example/secret"')
  })

  it('is that of a Failure too, but not of one that names no resource', () => {
    const {results} = read(
      multistatus(
        verdict('/docs/locked.txt', 'HTTP/1.1 423'),
        '<D:response><D:href>/docs/odd.txt</D:href></D:response>',
        '<D:response><D:status>HTTP/1.1 404</D:status></D:response>',
      ),
    )
    const [locked, odd, nameless] = results.map((result) => () => toLocalPath(result, {base}))
    expect([locked?.(), odd?.()]).toEqual(['locked.txt', 'odd.txt'])
    expect(nameless).toThrow('outside')
  })

  it('begins at the base, which is a string, a URL or a result, with its slash or without', () => {
    const result = answered('/docs/sub/a')
    const bases = [
      base,
      'https://DAV.example:443/d%6fcs',
      'https://ana:hunter2@dav.example/docs/',
      new URL(base),
      answered('/docs/'),
    ]
    for (const each of bases) expect(toLocalPath(result, {base: each})).toBe('sub/a')
    expect(toLocalPath(result, {base: 'https://dav.example/docs/sub'})).toBe('a')
    expect(toLocalPath(result, {base: 'https://dav.example/docs/sub/a'})).toBe('')
  })

  it('begins at the root of the server without a base', () => {
    expect(toLocalPath(answered('/docs/sub/'))).toBe('docs/sub')
    expect(toLocalPath(answered('/docs/'))).toBe('docs')
    expect(toLocalPath({url: 'https://dav.example', relation: 'self'})).toBe('')
  })

  it('takes a base with empty segments as it is', () => {
    const odd = 'https://dav.example//docs/'
    expect(toLocalPath(member('https://dav.example//docs/a'), {base: odd})).toBe('a')
    expect(toLocalPath(member('https://dav.example/docs/a'), {base: odd})).toBe('a')
  })

  it.each(['docs/', '/docs/', ''])('is a TypeError for the base %j', (relative) => {
    expect(() => toLocalPath(answered('a'), {base: relative})).toThrow(TypeError)
    expect(() => toLocalPath(answered('a'), {base: relative})).toThrow('absolute URL')
  })
})

describe('toLocalPath for Windows', () => {
  it.each([
    ['con', 'device'],
    ['PRN', 'device'],
    ['aux.txt', 'device'],
    ['sub/NUL/a', 'device'],
    ['nul.tar.gz', 'device'],
    ['nul%20.txt', 'device'],
    ['COM1', 'device'],
    ['lpt9.log', 'device'],
    ['com%C2%B9', 'device'],
    ['LPT%C2%B3.txt', 'device'],
    ['conin$', 'device'],
    ['CONOUT$.txt', 'device'],
    ['C:', '":"'],
    ['C:%5Cx', '":"'],
    ['c:x', '":"'],
    ['a.txt:stream', '":"'],
    ['a%3Cb', '"<"'],
    ['a%3Eb', '">"'],
    ['a%22b', '"\\""'],
    ['a%7Cb', '"|"'],
    ['what%3F', '"?"'],
    ['*', '"*"'],
    ['tab%09', '"\\t"'],
    ['a%01b', '"\\u0001"'],
    ['a%1Fb', '"\\u001f"'],
    ['a.', 'end'],
    ['a%20', 'end'],
    ['...', 'end'],
    ['..%20', 'end'],
    ['a.%20/b', 'end'],
    ['%20', 'end'],
    ['%00', 'NUL'],
    ['..', 'outside'],
  ])('is a TypeError for %s: %s', (href, why) => {
    expect(() => local(href, {windows: true})).toThrow(TypeError)
    expect(() => local(href, {windows: true})).toThrow(why)
  })

  it.each([
    ['console', 'console'],
    ['CONIN', 'CONIN'],
    ['com', 'com'],
    ['com0', 'com0'],
    ['com10', 'com10'],
    ['COM%E2%81%B4', 'COM⁴'],
    ['nul-1.txt', 'nul-1.txt'],
    ['a.nul', 'a.nul'],
    ['.con', '.con'],
    ['%20a.b', ' a.b'],
    ['a%7F%C2%85', 'a\u007F\u0085'],
    ['a%2Fb', 'a%2Fb'],
    ['..%5C..%5Cx', '..%5C..%5Cx'],
    ['caf%E9', 'caf%E9'],
    ['%F0%9F%98%80', '😀'],
  ])('of %s is %j, which Windows can hold', (href, path) => {
    expect(local(href, {windows: true})).toBe(path)
  })
})

describe('fromLocalPath', () => {
  it.each([
    ['', ''],
    ['a.txt', 'a.txt'],
    ['100% sure/#1?.jpg', '100%25%20sure/%231%3F.jpg'],
    ['note:1.txt', 'note%3A1.txt'],
    ['C%3A', 'C%3A'],
    ['a%2Fb', 'a%2Fb'],
    ['a%252Fb', 'a%252Fb'],
    ['back%5Cslash', 'back%5Cslash'],
    ['caf%E9', 'caf%E9'],
    ['caf\u00e9', 'caf%C3%A9'],
    ['cafe\u0301', 'cafe%CC%81'],
    ['%%2541', '%25%2541'],
    ['%%E9', '%25%E9'],
    ['...', '...'],
  ])('of %j is %j', (path, reference) => {
    expect(fromLocalPath(path)).toBe(reference)
  })

  it.each([
    ['/', 'absolute'],
    ['/etc/passwd', 'absolute'],
    ['//host/share', 'absolute'],
    ['\\\\host\\share', 'absolute'],
    ['\\x', 'absolute'],
    ['C:/x', 'drive letter'],
    ['c:x', 'drive letter'],
    ['sub/C:', 'drive letter'],
    ['..', "'.' or '..'"],
    ['../x', "'.' or '..'"],
    ['a/../b', "'.' or '..'"],
    ['.', "'.' or '..'"],
    ['./a', "'.' or '..'"],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['a\\b', "'\\'"],
    ['..\\x', "'\\'"],
    ['a\0b', 'NUL'],
    ['a\uD83D', 'surrogate'],
    ['\uDE00b', 'surrogate'],
    ['Save%20As.txt', 'escape'],
    ['a%2fb', 'escape'],
    ['%2E%2E', 'escape'],
    ['%25', 'escape'],
    ['%25zz', 'escape'],
    ['caf%C3%A9', 'escape'],
    ['ab%3A', 'escape'],
    ['%00', 'escape'],
  ])('is a TypeError for %j, which toLocalPath never gives: %s', (path, why) => {
    expect(() => fromLocalPath(path)).toThrow(TypeError)
    expect(() => fromLocalPath(path)).toThrow(why)
    expect(() => fromLocalPath(path)).toThrow(JSON.stringify(path))
  })
})

describe('toLocalPath and fromLocalPath', () => {
  // Bytes that mean something somewhere come often, and so do names that begin as others do.
  const byte = fc.oneof(
    fc.integer({min: 1, max: 255}),
    fc.constantFrom(...Array.from('%/\\.:25FfEe9Cc ', (character) => character.charCodeAt(0))),
    fc.constantFrom(0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98),
  )
  const bytes = fc
    .array(byte, {minLength: 1, maxLength: 12})
    .filter((name) => !/^\.{1,2}$/.test(String.fromCharCode(...name)))
  const segments = fc.array(bytes, {minLength: 1, maxLength: 4})
  const hostile = fc
    .array(
      fc.constantFrom(
        '/',
        '//',
        '..',
        '.',
        '%2e',
        '%2f',
        '%5c',
        '%00',
        '%',
        '\\',
        ':',
        'C:',
        'CON:',
        'x',
        '25',
        ' ',
      ),
      {maxLength: 8},
    )
    .map((parts) => parts.join(''))
  // What XML can hold in one piece.
  const text = fc
    .string({unit: 'binary'})
    .map((href) => href.replaceAll(/[^\t\n\r -\uD7FF]|\]\]>/g, 'x'))
  const bases = fc.constantFrom(base, 'https://dav.example/', 'https://dav.example/a%20b/%E9/')

  const escaped = (name: readonly number[]): string =>
    name.map((each) => `%${each.toString(16).padStart(2, '0')}`).join('')
  const below = (root: string, names: readonly (readonly number[])[]) =>
    member(root + names.map(escaped).join('/'))

  it('go back and forth for all bytes that names can have', () => {
    fc.assert(
      fc.property(bases, segments, fc.boolean(), (root, names, isCollection) => {
        const {url} = below(root, names)
        const path = toLocalPath(member(isCollection ? `${url}/` : url), {base: root})
        const back = new URL(fromLocalPath(path), root)
        expect(canonicalPath(back.pathname)).toBe(canonicalPath(new URL(url).pathname))
        expect([back.origin, back.search, back.hash]).toEqual(['https://dav.example', '', ''])
        expect(toLocalPath(member(back.href), {base: root})).toBe(path)
      }),
      {numRuns: 1000},
    )
  })

  it('have as many segments as the resource, none of them empty or a dot segment', () => {
    fc.assert(
      fc.property(segments, (names) => {
        const parts = toLocalPath(below(base, names), {base}).split('/')
        expect(parts).toHaveLength(names.length)
        for (const part of parts) expect(part).not.toMatch(/^\.{0,2}$|[\\\0]|^[a-z]:/i)
      }),
      {numRuns: 500},
    )
  })

  it('never make one path of two resources', () => {
    fc.assert(
      fc.property(segments, segments, (first, second) => {
        const isSame =
          escaped(first.flatMap((name) => [...name, 0])) ===
          escaped(second.flatMap((name) => [...name, 0]))
        const paths = [first, second].map((names) => toLocalPath(below(base, names), {base}))
        expect(paths[0] === paths[1]).toBe(isSame)
      }),
      {numRuns: 1000},
    )
  })

  it('keep a name that is written as the path of another one apart from it', () => {
    fc.assert(
      fc.property(bytes, (name) => {
        const path = toLocalPath(below(base, [name]), {base})
        const named = Array.from(new TextEncoder().encode(path))
        const again = toLocalPath(below(base, [named]), {base})
        expect(again === path).toBe(escaped(named) === escaped(name))
      }),
      {numRuns: 500},
    )
  })

  it('never leave the folder they are joined to, whatever the server writes', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, text), fc.boolean(), (href, windows) => {
        const result = answered(href)
        const path = unlessRefused(() => toLocalPath(result, {base, windows}))
        if (path === undefined) return
        expectInside(path)
        const back = new URL(fromLocalPath(path), base)
        expect(canonicalPath(back.pathname)).toBe(canonicalPath(new URL(result.url).pathname))
      }),
      {numRuns: 500},
    )
  })

  it('never leave the folder they are joined to, whatever bytes a name has', () => {
    fc.assert(
      fc.property(segments, (names) => expectInside(toLocalPath(below(base, names), {base}))),
      {numRuns: 1000},
    )
  })

  it('refuse or lead back every text that is given for a path', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({unit: 'binary'})), (path) => {
        const reference = unlessRefused(() => fromLocalPath(path))
        if (reference === undefined) return
        expect(toLocalPath(member(new URL(reference, base).href), {base})).toBe(path)
      }),
      {numRuns: 1000},
    )
  })

  /** Returns the local path, or `undefined` for a TypeError. */
  function unlessRefused(make: () => string): string | undefined {
    try {
      return make()
    } catch (error) {
      if (error instanceof TypeError) return undefined
      throw error
    }
  }

  function expectInside(path: string): void {
    for (const {system, folder} of [
      {system: posix, folder: '/backup/ana'},
      {system: win32, folder: 'D:\\backup\\ana'},
      {system: win32, folder: 'backup'},
    ]) {
      for (const target of [system.join(folder, path), system.resolve(folder, path)]) {
        const inside = system.relative(folder, target)
        expect(system.isAbsolute(inside)).toBe(false)
        expect(inside.split(system.sep)).not.toContain('..')
        // Nothing was folded away, and nothing was taken for a separator.
        expect(inside.split(system.sep).join('/')).toBe(path)
      }
    }
  }
})
