// States the ways to name a resource, and the references that are refused because they would reach another one. RFC
// 3986, sections 2 and 3; RFC 4918, section 8.3.

import fc from 'fast-check'
import {
  DavClient,
  decodePath,
  encodePath,
  type Failure,
  type Target,
  type Transport,
} from 'multistatus'
import {beforeEach, describe, expect, it} from 'vitest'

import {verdicts} from '../support/fault-server.ts'
import {refusalOf} from '../support/results.ts'

const base = 'https://dav.example/files/ana/'
let sent: string[]

/** Records each request and answers 204. */
const transport: Transport = async ({method, url}) => {
  sent.push(`${method} ${url}`)
  return {status: 204, headers: new Headers(), body: null}
}
const dav = new DavClient({url: base, transport})

beforeEach(() => {
  sent = []
})

async function deleted(target: Target): Promise<string[]> {
  await dav.delete(target)
  return sent
}

const result = {
  ok: true,
  href: '/files/ana/x%20y',
  url: `${base}x%20y`,
  relation: 'member',
  status: 200,
  properties: {},
  missing: [],
} as const

describe('a target', () => {
  it.each<[string, Target, string]>([
    ['a name', 'a.txt', 'a.txt'],
    ['a path', 'b/c/d.txt', 'b/c/d.txt'],
    ['a collection', 'b/', 'b/'],
    ['a reference with escapes', '100%25%20%231%3F.txt', '100%25%20%231%3F.txt'],
    ['raw UTF-8', 'é😀.txt', '%C3%A9%F0%9F%98%80.txt'],
    ['a raw space', 'a b.txt', 'a%20b.txt'],
    ['an absolute path', '/files/ana/a.txt', 'a.txt'],
    ['an absolute URL', `${base}a.txt`, 'a.txt'],
    ['a URL', new URL('a.txt', base), 'a.txt'],
    ['a result', result, 'x%20y'],
    ['an object with a url', {url: `${base}z`}, 'z'],
    ['a dot segment that stays below', 'b/../c/./d', 'c/d'],
    ['an escape that is not UTF-8', 'caf%E9', 'caf%E9'],
    ['an escaped slash', 'a%2Fb', 'a%2Fb'],
    ['three dots', '...', '...'],
    ['a colon after a dot', './file:colon.vcf', 'file:colon.vcf'],
  ])('may be %s', async (_, target, path) => {
    expect(await deleted(target)).toEqual([`DELETE ${base}${path}`])
  })

  it('that is a result means its url, whatever its href', async () => {
    expect(await deleted({...result, href: '/elsewhere'})).toEqual([`DELETE ${base}x%20y`])
  })

  it('that is a Failure means its url', async () => {
    const failure: Failure = {
      ok: false,
      href: '/files/ana/locked',
      url: `${base}locked`,
      relation: 'member',
      status: 423,
      reason: 'status',
      conditions: [],
      missing: [],
    }
    expect(await deleted(failure)).toEqual([`DELETE ${base}locked`])
  })
})

describe.each<[string, (target: Target) => unknown]>([
  ['propfind', (target) => dav.propfind(target)],
  ['delete', (target) => dav.delete(target)],
  ['deleteMany', (target) => dav.deleteMany([target])],
])('%s', (_, call) => {
  it.each([
    ['a #', '100% #1?.jpg'],
    ['a fragment', 'a.txt#top'],
    ['a ?', 'what?.txt'],
    ['a query', 'a.txt?x=1'],
    ['a line feed', 'a\nb'],
    ['a tab', 'a\tb'],
    ['a null', 'a\u0000b'],
    ['a delete character', 'a\u007Fb'],
    ['a bare %', '100%'],
    ['a % before other letters', '%zz'],
    ['half an escape', 'a%4'],
    ['%u00e9, as IIS writes it', '%u00e9'],
    ['a backslash', 'a\\b'],
    ['a leading blank', ' a'],
    ['a trailing blank', 'a '],
    ['half of a surrogate pair', 'a\uD83D'],
    ['a fragment in an absolute URL', `${base}a#b`],
    ['a scheme without an authority', `${new URL(base).protocol}a`],
    ['a scheme in capitals without an authority', `${new URL(base).protocol.toUpperCase()}/a`],
  ])('refuses a string with %s and names encodePath', async (_what, target) => {
    expect(await refusalOf(() => call(target))).toBeInstanceOf(TypeError)
    expect(String(await refusalOf(() => call(target)))).toMatch(/encodePath/)
    expect(sent).toEqual([])
  })

  it.each<[string, Target]>([
    ['another host', 'https://other.example/files/ana/a'],
    ['another port', 'https://dav.example:8443/files/ana/a'],
    ['another scheme', 'http://dav.example/files/ana/a'],
    ['a host without a scheme', '//other.example/files/ana/a'],
    ['a name that reads as a scheme', 'file:colon.vcf'],
    ['javascript', 'javascript:alert(1)'],
    ['a URL of another origin', new URL('https://other.example/a')],
    ['a result of another origin', {...result, url: 'https://other.example/a'}],
    ['a URL with a fragment', new URL(`${base}a#b`)],
    ['a URL with an empty fragment', new URL(`${base}a#`)],
  ])('refuses %s', async (_what, target) => {
    expect(await refusalOf(() => call(target))).toBeInstanceOf(TypeError)
    expect(sent).toEqual([])
  })

  it.each<Target>([
    'https://ana:hidden-secret@dav.example/files/ana/a',
    new URL('https://ana:hidden-secret@dav.example/files/ana/a'),
    {url: 'https://ana:hidden-secret@dav.example/files/ana/a'},
    'https://ana:hidden-secret@other.example/files/ana/a',
  ])('refuses credentials without showing them: %o', async (target) => {
    expect(await refusalOf(() => call(target))).toBeInstanceOf(TypeError)
    expect(String(await refusalOf(() => call(target)))).not.toMatch(/hidden-secret/)
  })

  it.each([
    undefined,
    null,
    7,
    {},
    {url: 7},
    {url: ''},
    {url: 'a.txt'},
    {href: 7},
    {href: 'a#1'},
    Symbol.iterator,
  ])('refuses a value that is no target: %o', async (target) => {
    // @ts-expect-error -- possible for callers without types
    expect(await refusalOf(() => call(target))).toBeInstanceOf(TypeError)
    expect(sent).toEqual([])
  })

  it('refuses a Failure malformed, which names no resource', async () => {
    const failure: Failure = {
      ok: false,
      href: '',
      url: `${base}sub/`,
      relation: 'outside',
      status: 0,
      reason: 'malformed',
      conditions: [],
      missing: [],
    }
    expect(await refusalOf(() => call(failure))).toBeInstanceOf(TypeError)
    expect(String(await refusalOf(() => call({...failure})))).toMatch(/malformed/)
    expect(sent).toEqual([])
  })
})

describe('stat', () => {
  it.each(['a#b', 'https://other.example/a'])('rejects with a TypeError: %s', async (target) => {
    await expect(dav.stat(target)).rejects.toBeInstanceOf(TypeError)
    expect(sent).toEqual([])
  })
})

describe('encodePath and a client', () => {
  it('reach the one resource of any name', async () => {
    const name = fc
      .string({unit: 'binary', minLength: 1})
      .filter((text) => !text.includes('/') && text !== '.' && text !== '..')
    await fc.assert(
      fc.asyncProperty(name, fc.boolean(), async (text, isCollection) => {
        sent = []
        const reference = encodePath(text) + (isCollection ? '/' : '')
        // The guard refuses the few names that some servers read as another path, such as a single backslash.
        await dav.delete(reference, {unguarded: true})
        expect(sent).toHaveLength(1)
        const url = new URL(sent[0]?.slice('DELETE '.length) ?? '')
        expect([url.origin, url.search, url.hash]).toEqual(['https://dav.example', '', ''])
        expect(decodePath(url)).toBe(`/files/ana/${text}${isCollection ? '/' : ''}`)
      }),
    )
  })

  it('agree with the hrefs of a listing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({unit: 'grapheme', minLength: 1}), async (text) => {
        if (text.includes('/') || text === '.' || text === '..') return
        const href = `/files/ana/${encodePath(text)}`
        const lists: Transport = async () => ({
          status: 207,
          headers: new Headers(),
          body: new Blob([verdicts({[href]: '200 OK'})]).stream(),
        })
        const {successes} = await new DavClient({url: base, transport: lists})
          .propfind('')
          .collect()
        expect(successes.map((found) => decodePath(found))).toEqual([`/files/ana/${text}`])
      }),
      {numRuns: 50},
    )
  })
})
