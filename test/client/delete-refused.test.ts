// States the Failure of a refused target in a stream: it has the intended URL and never a secret. A value that is no
// target becomes a Failure too. RFC 4918, section 9.6.

import {DavClient, type DeleteTarget} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {generate} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: `${server.url}docs/`, transport: undiciTransport()})
})

afterEach(() => server.close())

const sent = (): string[] => server.requests.map(({url}) => url)

describe('a refused target of a stream', () => {
  const root = 'http://server/'
  it.each<[string, (url: string) => unknown, string, string]>([
    ['a name with a #', () => 'b#1', 'b#1', `${root}docs/b%231`],
    ['a name with a ?', () => 'b?1', 'b?1', `${root}docs/b%3F1`],
    ['a broken escape', () => '100%', '100%', `${root}docs/100%25`],
    ['the base', () => '', '', `${root}docs/`],
    ['a path outside the base', () => '/elsewhere/x', '/elsewhere/x', `${root}elsewhere/x`],
    ['a path above the base', () => '../x', '../x', `${root}x`],
    ['an object', () => ({href: 'b#1'}), 'b#1', `${root}docs/b%231`],
    ['a URL', (url) => new URL('x#1', url), '/x', `${root}x`],
    ['an object with a URL', (url) => ({href: new URL('x#1', url)}), '/x', `${root}x`],
    [
      'another origin',
      () => 'https://other.example/b',
      'https://other.example/b',
      'https://other.example/b',
    ],
    ['an escaped dot segment', () => 'a/..%2f..%2fb', 'a/..%2f..%2fb', `${root}docs/a/..%2f..%2fb`],
  ])('has its intended URL: %s', async (_, given, href, url) => {
    const targets = generate<unknown>([given(server.url), 'z']) as AsyncIterable<DeleteTarget>
    const results = await Array.fromAsync(dav.deleteMany(targets, {concurrency: 1}))
    expect(results.map(({ok}) => ok)).toEqual([false, true])
    expect(results[0]).toMatchObject({href, relation: 'self', reason: 'refused', status: 0})
    expect(results[0]?.url).toBe(url.replace(root, server.url))
    expect(results[0]).not.toHaveProperty('request')
    expect(sent()).toEqual(['/docs/z'])
  })

  it('becomes a Failure, even with itself as its href', async () => {
    const circular: {href?: unknown} = {}
    circular.href = circular
    const targets = generate<unknown>([circular, 'z']) as AsyncIterable<DeleteTarget>
    const results = await Array.fromAsync(dav.deleteMany(targets, {concurrency: 1}))
    expect(results.map(({ok}) => ok)).toEqual([false, true])
  })

  it('becomes a Failure, whatever its type', async () => {
    const odd = [
      undefined,
      null,
      7,
      true,
      Symbol('x'),
      () => 1,
      [],
      {},
      {href: 7},
      {url: 7},
      {href: null},
      {href: {href: 'a'}},
    ]
    for (const one of odd) {
      const targets = generate<unknown>([one, 'z']) as AsyncIterable<DeleteTarget>
      const results = await Array.fromAsync(dav.deleteMany(targets, {concurrency: 1}))
      expect(results.map(({ok}) => ok)).toEqual([false, true])
    }
  })

  it('shows no credentials of a URL', async () => {
    const secret = 'http://ana:s3cret@127.0.0.1/x'
    for (const given of [secret, {href: secret}, {url: secret}, new URL(secret)]) {
      const results = await Array.fromAsync(dav.deleteMany(generate([given])))
      expect(JSON.stringify(results)).not.toContain('s3cret')
    }
  })
})
