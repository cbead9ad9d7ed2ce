// States the targets that DELETE refuses: the client's own base, the collections above it, and everything outside it. RFC 3986,
// section 5.2.4; RFC 4918, section 9.6.1.

import {DavClient, type Target, type Transport} from 'multistatus'
import {beforeEach, describe, expect, it} from 'vitest'
import {refusalOf} from '../support/results.ts'

let sent: string[]
const transport: Transport = async ({method, url}) => {
  sent.push(`${method} ${url}`)
  return {status: 204, headers: new Headers(), body: null}
}

beforeEach(() => {
  sent = []
})

const origin = 'https://dav.example'
const base = `${origin}/files/ana%20b/`
const dav = new DavClient({url: base, transport})

const refused: readonly (readonly [string, Target])[] = [
  ['the base, as an empty string', ''],
  ['the base, as a dot', '.'],
  ['the base, as ./', './'],
  ['the base, as a URL', new URL(base)],
  ['the base, as a result', {url: base}],
  ['the base without its slash', '/files/ana%20b'],
  ['the base with a doubled slash at its end', '/files/ana%20b//'],
  ['the base with a doubled slash in the middle', '/files//ana%20b/'],
  ['the base under another escaping', '/%66iles/ana b/'],
  ['the base from below', 'sub/..'],
  ['the base from below, escaped', 'sub/%2e%2E/'],
  ['the collection above the base', '..'],
  ['the collection above the base, escaped', '%2e%2e/'],
  ['the collection above the base, as a path', '/files'],
  ['the root', '/'],
  ['the root, from far below', '../../../../'],
  ['a sibling of the base', '/files/bob/'],
  ['a sibling with a name that begins like the base', '/files/ana%20bella/'],
  ['a sibling of the base, from below', 'sub/../../bob'],
  ['an escaped slash after the name of the base', '/files/ana%20b%2Fx'],
  ['the base in another case', '/files/Ana%20b/x'],
  ['the base for nginx, which decodes slashes first', '%2F'],
  ['a path outside for nginx, which decodes slashes first', '..%2fbob%2fprecious/'],
  ['a path outside for Windows', '..%5cbob'],
  ['a path outside for a servlet container, which cuts parameters off', '..;v=1/bob'],
  ['a path outside for a decoder of overlong UTF-8', '%c0%ae%c0%ae/bob'],
]

/** Awaits a promise, or reads a stream. */
async function done(given: Promise<unknown> | {collect(): Promise<unknown>}): Promise<void> {
  await ('collect' in given ? given.collect() : given)
}

describe.each<
  [
    string,
    (target: Target, unguarded?: boolean) => Promise<unknown> | {collect(): Promise<unknown>},
  ]
>([
  ['delete', (target, unguarded) => dav.delete(target, {unguarded})],
  ['deleteMany', (target, unguarded) => dav.deleteMany([target], {unguarded})],
])('%s', (_, call) => {
  it.each(refused)('refuses %s and names unguarded', async (_what, target) => {
    expect(await refusalOf(() => call(target))).toBeInstanceOf(TypeError)
    expect(String(await refusalOf(() => call(target)))).toMatch(/unguarded: true/)
    expect(sent).toEqual([])
  })

  it.each(refused)('deletes %s with unguarded: true', async (_what, target) => {
    await done(call(target, true))
    expect(sent).toHaveLength(1)
  })

  it('gives the request and the reason', async () => {
    expect(String(await refusalOf(() => call('..')))).toMatch(
      new RegExp(`DELETE ${origin}/files/ .*base`),
    )
    expect(String(await refusalOf(() => call('/files/bob/')))).toMatch(
      new RegExp(`DELETE ${origin}/files/bob/ .*outside`),
    )
  })

  it.each<[string, Target]>([
    ['a member', 'x'],
    ['a member with the name of the base', 'ana%20b'],
    ['an escaped dot in a name', '%2e%2e%2e'],
    ['a member under another escaping', '/%66iles/ana b/x'],
    ['an escaped slash in a name', 'a%2Fb'],
    ['a semicolon at the beginning of a name', ';a/b'],
  ])('deletes %s', async (_what, target) => {
    await done(call(target))
    expect(sent).toHaveLength(1)
  })

  it.each([
    ['/a.txt', `${base}a.txt`, 'a.txt'],
    ['/sub/b/', `${base}sub/b/`, 'sub/b/'],
    ['/a:b', `${base}a:b`, './a:b'],
    ['/%41', `${base}%41`, '%41'],
  ])(
    'explains the leading slash of %s and offers a reference to %s',
    async (target, meant, written) => {
      for (const given of [target, {href: target}]) {
        const refusal = String(await refusalOf(() => Reflect.apply(call, undefined, [given])))
        expect(refusal).toContain(`outside ${base}`)
        expect(refusal).toContain(`"${target}" with its leading slash means ${origin}${target}`)
        expect(refusal).toContain(`for ${meant} write "${written}"`)
      }
      expect(sent).toEqual([])
    },
  )

  it.each<[string, Target]>([
    ['a reference without a leading slash', '../bob/'],
    ['a URL', new URL('/a.txt', base)],
    ['a string that is a URL', `${origin}/a.txt`],
    ['a result', {url: `${origin}/a.txt`}],
  ])('does not mention a leading slash for %s', async (_what, target) => {
    expect(String(await refusalOf(() => call(target)))).toContain('outside')
    expect(String(await refusalOf(() => call(target)))).not.toContain('leading slash')
  })

  it('refuses another origin even with unguarded: true', async () => {
    expect(await refusalOf(() => call('https://other.example/x', true))).toBeInstanceOf(TypeError)
    expect(sent).toEqual([])
  })
})

describe('a client on the root of its server', () => {
  const root = new DavClient({url: origin, transport})

  it.each(['', '/', '.', '..', '//', 'a/..'])('refuses the root: %j', async (target) => {
    expect(await refusalOf(() => root.delete(target))).toBeInstanceOf(TypeError)
  })

  it('deletes its member', async () => {
    await root.delete('a')
    expect(sent).toEqual([`DELETE ${origin}/a`])
  })
})

describe('PROPFIND', () => {
  it.each(['', '/', '..', '/files/bob/'])('may go anywhere on the origin: %j', async (target) => {
    await expect(dav.propfind(target).collect()).rejects.toThrow()
    expect(sent).toHaveLength(1)
  })
})
