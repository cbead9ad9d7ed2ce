// States the decoding of lockdiscovery and supportedlock, in which every part may be missing. RFC 4918, sections 14.1, 14.29,
// 15.8 and 15.10.

import {
  type ActiveLock,
  type LockEntry,
  lockDecoders,
  lockdiscovery,
  supportedlock,
  textOf,
} from 'multistatus'
import {parseMultiStatus} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'

import {formatLockTimeout} from '../../src/protocol/lock-timeout.ts'
import {propstat} from '../support/fixtures.ts'

const url = 'https://dav.example/files/a.txt'

/** Reads properties with the exported decoders. */
async function read(prop: string): Promise<{
  readonly lockdiscovery: readonly ActiveLock[] | undefined
  readonly supportedlock: readonly LockEntry[] | undefined
  readonly missing: readonly string[]
}> {
  const body = `<D:multistatus xmlns:D="DAV:"><D:response><D:href>/files/a.txt</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response></D:multistatus>`
  const [result] = await Array.fromAsync(parseMultiStatus(body, {url, decoders: lockDecoders}))
  if (result?.ok !== true) throw new Error('There is one Success')
  const {properties, missing} = result
  return {
    lockdiscovery: Reflect.get(properties, 'lockdiscovery'),
    supportedlock: Reflect.get(properties, 'supportedlock'),
    missing: missing.map(({name}) => name),
  }
}

async function activelock(content: string): Promise<ActiveLock | undefined> {
  const {lockdiscovery: locks} = await read(
    `<D:lockdiscovery><D:activelock>${content}</D:activelock></D:lockdiscovery>`,
  )
  return locks?.[0]
}

describe('lockdiscovery', () => {
  it('of section 15.8.1 has each part', async () => {
    expect(
      await activelock(`
        <D:locktype><D:write/></D:locktype>
        <D:lockscope><D:exclusive/></D:lockscope>
        <D:depth>0</D:depth>
        <D:owner>Jane Smith</D:owner>
        <D:timeout>Infinite</D:timeout>
        <D:locktoken>
          <D:href>urn:uuid:f81de2ad-7f3d-a1b2-4f3c-00a0c91a9d76</D:href>
        </D:locktoken>
        <D:lockroot>
          <D:href>http://www.example.com/container/</D:href>
        </D:lockroot>`),
    ).toEqual({
      scope: 'exclusive',
      type: 'write',
      depth: 0,
      owner: 'Jane Smith',
      timeout: Infinity,
      token: 'urn:uuid:f81de2ad-7f3d-a1b2-4f3c-00a0c91a9d76',
      lockRoot: 'http://www.example.com/container/',
    })
  })

  it('lists all locks', async () => {
    const {lockdiscovery: locks} = await read(
      `<D:lockdiscovery>${['urn:a', 'urn:b'].map((token) => `<D:activelock><D:locktoken><D:href>${token}</D:href></D:locktoken></D:activelock>`).join('')}</D:lockdiscovery>`,
    )
    expect(locks).toEqual([{token: 'urn:a'}, {token: 'urn:b'}])
  })

  it('may be empty, and its locks too', async () => {
    expect(await read('<D:lockdiscovery/>')).toMatchObject({lockdiscovery: [], missing: []})
    expect(await read('<D:lockdiscovery> </D:lockdiscovery>')).toMatchObject({lockdiscovery: []})
    expect(await activelock('')).toEqual({})
    expect(
      await activelock('<D:lockscope/><D:locktype/><D:timeout/><D:locktoken/><D:lockroot/>'),
    ).toEqual({})
  })

  it('is missing if it is a text', async () => {
    expect(await read('<D:lockdiscovery>none</D:lockdiscovery>')).toMatchObject({
      lockdiscovery: undefined,
      missing: ['lockdiscovery'],
    })
  })

  it('has no scope that the RFC does not know', async () => {
    expect(await activelock('<D:lockscope><x:own xmlns:x="urn:x"/></D:lockscope>')).toEqual({})
    expect(await activelock('<D:lockscope><D:shared/></D:lockscope>')).toEqual({scope: 'shared'})
  })

  it.each([
    ['0', 0],
    ['infinity', 'infinity'],
    [' Infinity ', 'infinity'],
    ['1', 'infinity'],
  ])('has for the depth %j the depth %j', async (text, depth) => {
    expect(await activelock(`<D:depth>${text}</D:depth>`)).toEqual({depth})
  })

  it('keeps the token byte for byte, without white space around it', async () => {
    expect(
      await activelock('<D:locktoken><D:href>\n opaquelocktoken:A%2fb c \n</D:href></D:locktoken>'),
    ).toEqual({token: 'opaquelocktoken:A%2fb c'})
  })

  it('keeps an owner with elements, their attributes and namespaces', async () => {
    const lock = await activelock(
      '<D:owner> <D:href>mailto:ana@dav.example</D:href><x:n xmlns:x="urn:x" a="1">Ana</x:n></D:owner>',
    )
    expect(lock).toEqual({
      owner: {
        name: 'owner',
        attributes: {},
        children: [
          ' ',
          {name: 'href', attributes: {}, children: ['mailto:ana@dav.example']},
          {name: '{urn:x}n', attributes: {a: '1'}, children: ['Ana']},
        ],
      },
    })
    expect(textOf(lock?.owner)).toBe(' mailto:ana@dav.exampleAna')
  })

  it('resolves the lock root if it has a base, never on another origin', async () => {
    const href = (text: string): string | undefined =>
      lockdiscovery(
        {
          name: 'lockdiscovery',
          attributes: {},
          children: [
            {
              name: 'activelock',
              attributes: {},
              children: [
                {
                  name: 'lockroot',
                  attributes: {},
                  children: [{name: 'href', attributes: {}, children: [text]}],
                },
              ],
            },
          ],
        },
        url,
      )?.[0]?.lockRoot
    expect(href('/files/')).toBe('https://dav.example/files/')
    expect(href('http://inner:8080/files/a b.txt')).toBe('https://dav.example/files/a%20b.txt')
    expect(await activelock('<D:lockroot><D:href>/files/</D:href></D:lockroot>')).toEqual({
      lockRoot: '/files/',
    })
  })
})

describe('the timeout of a lock', () => {
  it.each([
    ['Infinite', Infinity],
    ['Second-0', 0],
    ['Second-123', 123_000],
    [' Second-123\n', 123_000],
    ['Second-4294967295', 4_294_967_295_000],
    ['Infinite, Second-500', Infinity],
    ['Second-500, Infinite', 500_000],
    // Literals of the RFC's grammar have no case.
    ['infinite', Infinity],
    ['second-123', 123_000],
    // nephele 1.0.0-alpha.67 tells fractions of the seconds that are left.
    ['Second-599.995', 599_995],
    ['Second-1.005', 1005],
    ['Second-599.99345', 599_993],
    ['Second-0.0001', 1],
  ])('%j is %d milliseconds', async (text, timeout) => {
    expect(await activelock(`<D:timeout>${text}</D:timeout>`)).toEqual({timeout})
  })

  it.each([
    '',
    'Infinitesimal',
    'Second-',
    'Second--1',
    'Second-+123',
    'Second-0x123',
    'Second-4294967296',
    'Second-1.',
    'Second-1e3',
    'Minute-123',
    '1',
    'junk',
  ])('%j is no time', async (text) => {
    expect(await activelock(`<D:timeout>${text}</D:timeout>`)).toEqual({})
  })

  it.each([
    [123_400, 'Second-123'],
    [123_500, 'Second-124'],
    [900, 'Second-1'],
    // Not Second-0, which x/net means as a lock without an end.
    [1, 'Second-1'],
    [Infinity, 'Infinite'],
    [1e15, 'Second-4294967295'],
  ])('of %d milliseconds is asked for as %s', (milliseconds, text) => {
    expect(formatLockTimeout(milliseconds)).toBe(text)
  })
})

describe('supportedlock', () => {
  const entry = (scope: string, type: string): string =>
    `<D:lockentry><D:lockscope>${scope}</D:lockscope><D:locktype>${type}</D:locktype></D:lockentry>`

  it('of section 15.10.1 has both scopes', async () => {
    const entries = entry('<D:exclusive/>', '<D:write/>') + entry('<D:shared/>', '<D:write/>')
    expect(await read(`<D:supportedlock>${entries}</D:supportedlock>`)).toMatchObject({
      supportedlock: [
        {scope: 'exclusive', type: 'write'},
        {scope: 'shared', type: 'write'},
      ],
    })
  })

  it('leaves out an entry without scope or type', async () => {
    const entries = `<D:lockentry/>${entry('', '<D:write/>')}${entry('<D:shared/>', '')}`
    expect(await read(`<D:supportedlock>${entries}</D:supportedlock>`)).toMatchObject({
      supportedlock: [],
    })
  })

  it('may be empty, and is missing if it is a text', async () => {
    expect(await read('<D:supportedlock/>')).toMatchObject({supportedlock: [], missing: []})
    expect(await read('<D:supportedlock>yes</D:supportedlock>')).toMatchObject({
      missing: ['supportedlock'],
    })
    expect(supportedlock('yes')).toBeUndefined()
  })
})
