// States the results of a dry run: the request for each target, with nothing sent. Invalid targets are refused as usual.

import {DavClient} from 'multistatus'
import {fakeServer} from 'multistatus/testing'
import {describe, expect, it} from 'vitest'

import {generate} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

const server = fakeServer()
const dav = new DavClient({url: `${server.url}docs/`, transport: server.transport})
const dryRun = true

describe('a dry run', () => {
  it('yields the request for each target, with its conditions', async () => {
    const targets = ['a', {href: 'b/', ifMatch: 'x', lockToken: 'urn:1'}]
    const results = await Array.fromAsync(dav.deleteMany(targets, {dryRun, concurrency: 1}))
    expect(results.map(line)).toEqual(['0 self /docs/a', '0 self /docs/b/'])
    expect(results).toMatchObject([
      {
        ok: true,
        url: `${server.url}docs/a`,
        properties: {},
        missing: [],
        request: {method: 'DELETE', url: `${server.url}docs/a`, depth: 'infinity', attempts: 0},
      },
      {
        ok: true,
        url: `${server.url}docs/b/`,
        request: {
          method: 'DELETE',
          url: `${server.url}docs/b/`,
          depth: 'infinity',
          conditions: {'if-match': '"x"', if: `<${server.url}docs/b/> (<urn:1>)`},
          attempts: 0,
        },
      },
    ])
    expect(JSON.parse(JSON.stringify(results))).toEqual(results)
    expect(server.requests).toEqual([])
  })

  it('yields the same for a single target', async () => {
    const verdict = await dav.delete('a', {dryRun})
    expect(verdict).toMatchObject({ok: true, status: 0, relation: 'self', request: {attempts: 0}})
    expect(server.requests).toEqual([])
  })

  it('sends nothing, even with retry, verify and ifMissing', async () => {
    const retry = {attempts: 3, minDelay: 1, maxDelay: 1}
    const options = {dryRun, retry, verify: true, ifMissing: 'success'} as const
    const {successes, summary} = await dav.deleteMany(['a', 'b'], options).collect()
    expect(successes.map(({status}) => status)).toEqual([0, 0])
    expect(successes[0]?.request).toMatchObject({verify: true, attempts: 0})
    expect(summary.requests).toBe(0)
    expect(server.requests).toEqual([])
  })

  it('refuses invalid targets: an array throws, a stream yields a Failure', async () => {
    for (const bad of ['', '../', '/elsewhere', 'https://other.example/a', 'b#1', 'b?1']) {
      expect(() => dav.deleteMany(['a', bad], {dryRun})).toThrow(TypeError)
      await expect(dav.delete(bad, {dryRun})).rejects.toThrow(TypeError)
      const stream = dav.deleteMany(generate(['a', bad, 'c']), {dryRun, concurrency: 1})
      const results = await Array.fromAsync(stream)
      expect(results.map(({ok}) => ok)).toEqual([true, false, true])
      expect(results[1]).toMatchObject({status: 0, reason: 'refused'})
    }
    expect(server.requests).toEqual([])
  })

  it('refuses a target that ifUnchanged refuses', async () => {
    const {failures} = await dav
      .deleteMany([{url: `${server.url}docs/a`}], {dryRun, ifUnchanged: true})
      .collect()
    expect(failures.map(line)).toEqual(['0 refused self /docs/a'])
  })

  it('folds like a real run: one result for a repeated target', async () => {
    const {successes} = await dav.deleteMany(['a', '%61', 'b/', 'b/x'], {dryRun}).collect()
    expect(successes.map(line).toSorted()).toEqual([
      '0 self /docs/a',
      '0 self /docs/b/',
      '0 self /docs/b/x',
    ])
    expect(server.requests).toEqual([])
  })

  it.each([1, 'yes', null])('is a TypeError with the value %j', (nonsense) => {
    // @ts-expect-error -- possible for callers without types
    expect(() => dav.deleteMany(['a'], {dryRun: nonsense})).toThrow(TypeError)
  })
})
