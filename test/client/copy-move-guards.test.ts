// States the pairs that COPY and MOVE refuse before anything is sent: ends that are one resource or lie in each other, and ends
// outside the client's base. The paths are only compared; nothing is sent. RFC 4918, sections 9.8.5 and 9.9.4.

import {DavClient, type Target, type Transport} from 'multistatus'
import {beforeEach, describe, expect, it} from 'vitest'

import {generate} from '../support/fixtures.ts'
import {line, refusalOf} from '../support/results.ts'

let sent: string[]
const transport: Transport = async ({method, url, headers}) => {
  sent.push(`${method} ${url} ${headers['destination']}`)
  return {status: 201, headers: new Headers(), body: null}
}

beforeEach(() => {
  sent = []
})

const origin = 'https://dav.example'
const base = `${origin}/files/ana/`
const dav = new DavClient({url: base, transport})

const collection = (url: string): Target =>
  Object.freeze({url: base + url, properties: {resourcetype: ['collection']}})

/** Ends that are one resource, or of which one is in the other, in the usual reading of their paths. */
const related: readonly (readonly [string, Target, Target])[] = [
  ['a resource onto itself', 'a', 'a'],
  ['a resource onto itself, with a needless escape', 'a', '%61'],
  ['a resource onto itself, with an escape in another case', 'caf%c3%a9', 'caf%C3%A9'],
  ['a resource onto itself, without its escape', 'café', 'caf%C3%A9'],
  ['a collection onto itself', 'a/', 'a/'],
  ['a collection onto itself without its slash', 'a/', 'a'],
  ['a collection by its type onto itself', collection('a'), 'a'],
  ['a resource onto itself, with a doubled slash', 'a/b', 'a//b'],
  ['a resource onto itself, from below', 'a', 'b/../a'],
  ['a resource onto itself, as URLs', new URL('a', base), new URL('%61', base)],
  ['a collection into itself', 'a/', 'a/b/'],
  ['a collection into itself, without slashes', 'a', 'a/b'],
  ['a collection into itself, with another escaping', 'a/', '%61/b/c/'],
  ['a member onto its parent', 'a/b/', 'a/'],
  ['a member onto its parent, without slashes', 'a/b', 'a'],
  ['a member onto a collection around it', 'a/b/c/d', '%61'],
]

/** Ends that only some servers read as one resource, or as one in the other. */
const ambiguous: readonly (readonly [string, Target, Target])[] = [
  ['itself, where parameters are cut off', 'a;v=1', 'a;v=2'],
  ['itself, where escaped slashes are decoded', 'a%2Fb', 'a/b'],
  ['itself, where a backslash is a slash', 'a/b', 'a%5Cb'],
  ['its parent, where an escaped slash is decoded', 'a%2Fb', 'a'],
]

const outside: readonly (readonly [string, Target])[] = [
  ['the base', ''],
  ['the base from below', 'sub/..'],
  ['the collection above the base', '..'],
  ['the root', '/'],
  ['a sibling of the base', '/files/bob/x/'],
  ['a path outside to a server that decodes slashes first', '..%2fbob%2fx'],
]

describe.each<['copy' | 'move', 'copyMany' | 'moveMany']>([
  ['copy', 'copyMany'],
  ['move', 'moveMany'],
])('%s', (one, many) => {
  const METHOD = one.toUpperCase()

  it.each(related)('refuses %s, whatever the options', async (_, from, to) => {
    for (const options of [{}, {overwrite: true}, {unguarded: true}, {dryRun: true}]) {
      const refusal = await refusalOf(() => dav[one](from, to, options))
      expect(refusal).toBeInstanceOf(TypeError)
      expect(String(refusal)).toMatch(/is refused: the (?:source|destination) is/)
      expect(await refusalOf(() => dav[many]([{from, to}], options))).toEqual(refusal)
    }
    expect(sent).toEqual([])
  })

  it('says which end is in the other', async () => {
    const words = async (from: string, to: string): Promise<string> =>
      String(await refusalOf(() => dav[one](from, to)))
    expect(await words('a', '%61')).toBe(
      `TypeError: ${METHOD} ${base}a to ${base}%61 is refused: the destination is the source itself`,
    )
    expect(await words('a', 'a/b')).toContain('the destination is in the source')
    expect(await words('a/b', 'a')).toContain('the source is in the destination')
  })

  it.each(ambiguous)('refuses a resource onto %s, unless unguarded', async (_, from, to) => {
    const refusal = await refusalOf(() => dav[one](from, to))
    expect(refusal).toBeInstanceOf(TypeError)
    expect(String(refusal)).toContain('to some servers; say unguarded: true if it is meant')
    expect(sent).toEqual([])
    expect(await dav[one](from, to, {unguarded: true})).toMatchObject({ok: true, status: 201})
    expect(sent).toHaveLength(1)
  })

  it.each(outside)('refuses %s as destination', async (_, to) => {
    const refusal = await refusalOf(() => dav[one]('a/', to))
    expect(refusal).toBeInstanceOf(TypeError)
    expect(String(refusal)).toMatch(/unguarded: true|the source is in the destination/)
    expect(sent).toEqual([])
  })

  it('sends a destination outside the base with unguarded: true', async () => {
    await dav[one]('a', '/files/bob/a', {unguarded: true})
    expect(sent).toEqual([`${METHOD} ${base}a ${origin}/files/bob/a`])
  })

  it.each<[string, Target, Target]>([
    ['a destination on another origin', 'a', 'https://other.example/files/ana/b'],
    ['a destination on another host, without a scheme', 'a', '//other.example/b'],
    ['a destination in another scheme', 'a', 'http://dav.example/files/ana/b'],
    ['a source on another origin', 'https://other.example/files/ana/a', 'b'],
    ['a destination with credentials', 'a', 'https://ana:secret@dav.example/files/ana/b'],
    ['a destination with a fragment', 'a', 'b#1'],
    ['a destination with a query', 'a', 'b?1'],
    ['a destination with a broken escape', 'a', '100%'],
  ])('refuses %s, whatever the options', async (_, from, to) => {
    for (const options of [{}, {unguarded: true}]) {
      const refusal = await refusalOf(() => dav[one](from, to, options))
      expect(refusal).toBeInstanceOf(TypeError)
      expect(String(refusal)).not.toContain('secret')
    }
    expect(sent).toEqual([])
  })

  it.each<[string, Target, Target, string]>([
    ['a sibling whose name begins alike', 'a', 'ab', `${base}a ${base}ab`],
    ['another case', 'a', 'A', `${base}a ${base}A`],
    ['a member beside its parent', 'a/b', 'b', `${base}a/b ${base}b`],
    ['a collection of the same name elsewhere', 'a/b/', 'c/b/', `${base}a/b/ ${base}c/b/`],
    [
      'a name in another normal form',
      'caf%C3%A9',
      'cafe%CC%81',
      `${base}caf%C3%A9 ${base}cafe%CC%81`,
    ],
  ])('sends %s', async (_, from, to, ends) => {
    await dav[one](from, to)
    expect(sent).toEqual([`${METHOD} ${ends}`])
  })

  it('refuses a slash of the destination alone with overwrite, because in a shell it means into', async () => {
    const refusal = await refusalOf(() => dav[one]('a.txt', 'b/', {overwrite: true}))
    expect(refusal).toBeInstanceOf(TypeError)
    expect(String(refusal)).toContain(`${base}b/ ends with a slash, and ${base}a.txt does not`)
    expect(sent).toEqual([])
  })

  it('refuses a slash of the destination for a result that is no collection', async () => {
    const file = {url: `${base}a.txt`, properties: {resourcetype: []}}
    expect(await refusalOf(() => dav[one](file, 'b/'))).toBeInstanceOf(TypeError)
    expect(sent).toEqual([])
  })

  it('gives the source the slash of the destination', async () => {
    await dav[one]('a', 'b/')
    await dav[one](`${base}c%20d`, new URL('e/', base))
    expect(sent).toEqual([`${METHOD} ${base}a/ ${base}b/`, `${METHOD} ${base}c%20d/ ${base}e/`])
  })

  // Names that differ in case or normal form are one on Windows and macOS, where servers delete the destination first.
  it.each([
    ['itself in another case', 'a', 'A'],
    ['itself in another normal form', 'caf%C3%A9', 'cafe%CC%81'],
    ['itself in another case, escaped', 'caf%C3%A9/', 'CAF%c3%89/'],
    ['its parent in another case', 'a/b', 'A'],
  ])('refuses %s with overwrite, unless it is meant', async (_, from, to) => {
    expect(await refusalOf(() => dav[one](from, to, {overwrite: true}))).toBeInstanceOf(TypeError)
    expect(sent).toEqual([])
    await dav[one](from, to, {overwrite: true, unguarded: true})
    expect(sent).toHaveLength(1)
  })

  it('refuses a collection into itself in another case', async () => {
    expect(await refusalOf(() => dav[one]('a/', 'A/b/'))).toBeInstanceOf(TypeError)
    expect(sent).toEqual([])
  })

  it('refuses a pair in a stream as a Failure, and sends the rest', async () => {
    const pairs = [
      {from: 'a', to: 'b'},
      {from: 'c', to: '%63'},
      {from: 'd', to: '..'},
      {from: 'e', to: 'e2'},
    ]
    const results = await Array.fromAsync(dav[many](generate(pairs), {concurrency: 1}))
    expect(results.map(line)).toEqual([
      '201 self /files/ana/a',
      '0 refused self c',
      '0 refused self d',
      '201 self /files/ana/e',
    ])
    expect(sent).toHaveLength(2)
  })

  it('checks all pairs of an array before the first request', async () => {
    const pairs = [
      {from: 'a', to: 'b'},
      {from: 'c', to: 'c/'},
    ]
    expect(await refusalOf(() => dav[many](pairs))).toBeInstanceOf(TypeError)
    expect(sent).toEqual([])
  })

  it.each<[string, unknown]>([
    ['no pair', 'a'],
    ['an array', ['a', 'b']],
    ['a pair without a destination', {from: 'a'}],
    ['a pair without a source', {to: 'a'}],
    ['a misspelt condition', {from: 'a', to: 'b', ifMacth: '"1"'}],
    ['a condition that is no string', {from: 'a', to: 'b', ifMatch: 1}],
    ['a condition given twice', {from: {url: `${base}a`, ifMatch: '"1"'}, to: 'b', ifMatch: '"1"'}],
  ])('refuses %s', async (_, pair) => {
    const call = (): unknown => Reflect.apply(dav[many], dav, [[pair]])
    expect(await refusalOf(call)).toBeInstanceOf(TypeError)
    const stream = Reflect.apply(dav[many], dav, [generate([pair])])
    expect(await stream.collect()).toMatchObject({
      successes: [],
      failures: [{status: 0, reason: 'refused'}],
    })
    expect(sent).toEqual([])
  })

  it('refuses a weak ETag without sending', async () => {
    const verdict = await dav[one]('a', 'b', {ifMatch: 'W/"1"'})
    expect(verdict).toMatchObject({ok: false, status: 0, reason: 'refused', url: `${base}a`})
    expect(sent).toEqual([])
  })
})

describe('the source', () => {
  it('of a COPY may be outside the base, because it is only read', async () => {
    await dav.copy('/files/bob/a', 'a')
    expect(sent).toEqual([`COPY ${origin}/files/bob/a ${base}a`])
  })

  it.each<[string, Target, Target]>([
    ['a resource outside the base', '/files/bob/a', 'a'],
    ['the base', '', '/files/bob/'],
  ])('of a MOVE is not %s, unless unguarded', async (_, from, to) => {
    expect(String(await refusalOf(() => dav.move(from, to)))).toContain('unguarded: true')
    expect(sent).toEqual([])
    await dav.move(from, to, {unguarded: true})
    expect(sent).toHaveLength(1)
  })

  it('of a MOVE is no result that could not be listed', async () => {
    const unlisted = {
      ok: false,
      url: `${base}a/`,
      reason: 'status',
      request: {method: 'PROPFIND', url: `${base}a/`, attempts: 1},
    } as const
    expect(await dav.move(unlisted, 'b/')).toMatchObject({ok: false, reason: 'refused'})
    expect(sent).toEqual([])
  })
})

describe('a retry from a queue', () => {
  const failed = (pair: Partial<Record<'url' | 'destination', string>>) => ({
    ok: false as const,
    href: '/files/ana/a',
    url: `${base}a`,
    relation: 'self' as const,
    status: 503,
    reason: 'status' as const,
    conditions: [],
    missing: [],
    request: {method: 'MOVE', url: `${base}a`, destination: `${base}b`, attempts: 1, ...pair},
  })

  it.each<[string, Partial<Record<'url' | 'destination', string>>]>([
    ['a destination on another origin', {destination: 'https://other.example/files/ana/b'}],
    ['the source as destination', {destination: `${base}%61`}],
    ['a destination in the source', {destination: `${base}a/b`}],
    ['a destination around the source', {url: `${base}b/a`}],
    ['a destination that is no URL', {destination: ''}],
  ])('refuses %s, even unguarded', async (_, pair) => {
    for (const options of [{attempts: 2}, {attempts: 2, unguarded: true}]) {
      await expect(dav.retry([failed(pair)], options).collect()).rejects.toThrow(TypeError)
    }
    expect(sent).toEqual([])
  })

  it.each<[string, Partial<Record<'url' | 'destination', string>>]>([
    ['a destination outside the base', {destination: `${origin}/files/bob/b`}],
    ['a source outside the base', {url: `${origin}/files/bob/a`}],
  ])('refuses %s, unless unguarded', async (_, pair) => {
    await expect(dav.retry([failed(pair)], 2).collect()).rejects.toThrow(TypeError)
    expect(sent).toEqual([])
    const {successes} = await dav.retry([failed(pair)], {attempts: 2, unguarded: true}).collect()
    expect(successes).toHaveLength(1)
  })
})
