// States the Failure of a refused target in a stream: it has the intended URL and never a secret. A value that is no
// target becomes a Failure too. RFC 4918, section 9.6.

import {DavClient, type DavResult, type DeleteTarget} from 'multistatus'
import {fakeServer} from 'multistatus/testing'
import {beforeEach, describe, expect, it} from 'vitest'

import {generate} from '../support/fixtures.ts'

const server = fakeServer()
const dav = new DavClient({url: `${server.url}docs/`, transport: server.transport})

beforeEach(() => server.forget())

/** Deletes a stream of these targets. */
async function deleted(...given: readonly unknown[]): Promise<readonly DavResult[]> {
  server.put('docs/z')
  const targets = generate(given) as AsyncIterable<DeleteTarget>
  return Array.fromAsync(dav.deleteMany(targets, {concurrency: 1}))
}

describe('a refused target of a stream', () => {
  const root = server.url
  it.each<[string, unknown, string, string]>([
    ['a name with a #', 'b#1', 'b#1', `${root}docs/b%231`],
    ['a name with a ?', 'b?1', 'b?1', `${root}docs/b%3F1`],
    ['a broken escape', '100%', '100%', `${root}docs/100%25`],
    ['the base', '', '', `${root}docs/`],
    ['a path outside the base', '/elsewhere/x', '/elsewhere/x', `${root}elsewhere/x`],
    ['a path above the base', '../x', '../x', `${root}x`],
    ['an object', {href: 'b#1'}, 'b#1', `${root}docs/b%231`],
    ['a URL', new URL('x#1', server.url), '/x', `${root}x`],
    ['an object with a URL', {href: new URL('x#1', server.url)}, '/x', `${root}x`],
    [
      'another origin',
      'https://other.example/b',
      'https://other.example/b',
      'https://other.example/b',
    ],
    ['an escaped dot segment', 'a/..%2f..%2fb', 'a/..%2f..%2fb', `${root}docs/a/..%2f..%2fb`],
  ])('has its intended URL: %s', async (_, given, href, url) => {
    const results = await deleted(given, 'z')
    expect(results.map(({ok}) => ok)).toEqual([false, true])
    expect(results[0]).toMatchObject({href, relation: 'self', reason: 'refused', status: 0})
    expect(results[0]?.url).toBe(url)
    expect(results[0]).not.toHaveProperty('request')
    expect(server.requests.map(({path}) => path)).toEqual(['docs/z'])
  })

  it('becomes a Failure, even with itself as its href', async () => {
    const circular: {href?: unknown} = {}
    circular.href = circular
    const results = await deleted(circular, 'z')
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
      const results = await deleted(one, 'z')
      expect(results.map(({ok}) => ok)).toEqual([false, true])
    }
  })

  it('shows no credentials of a URL', async () => {
    const secret = 'http://ana:s3cret@127.0.0.1/x'
    for (const given of [secret, {href: secret}, {url: secret}, new URL(secret)]) {
      expect(JSON.stringify(await deleted(given))).not.toContain('s3cret')
    }
  })
})
