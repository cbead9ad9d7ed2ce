// States a bulk PUT: each upload is sent and has one verdict, those for one target in their order, and an invalid one ends no
// other. Retries know the body, or ask for it. RFC 4918, section 9.7.

import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type Failure, type Upload, type UploadBody} from 'multistatus'
import {fakeServer} from 'multistatus/testing'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, NEVER, RESET, startFaultServer} from '../support/fault-server.ts'
import {bytes, generate} from '../support/fixtures.ts'
import {scriptOf} from '../support/fake-script.ts'
import {line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 201})
  dav = new DavClient({url: `${server.url}docs/`, transport})
})
afterEach(() => server.close())

const sent = (): string[] =>
  server.requests.map(({method, url, body}) => `${method} ${url} ${body}`)

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield bytes(text)
}

describe('putMany', () => {
  it('has one verdict for each upload, with its ETag', async () => {
    server.script(({url, body}) =>
      url === '/docs/b' ? {status: 507} : {status: 201, headers: {etag: `"${body}"`}},
    )
    const uploads = ['a', 'b', 'c'].map((href) => ({href, body: href}))
    const {successes, failures, summary} = await dav.putMany(uploads).collect()
    expect(successes.map(({href, etag}) => `${href} ${etag}`).toSorted()).toEqual([
      '/docs/a "a"',
      '/docs/c "c"',
    ])
    expect(failures.map(line)).toEqual(['507 status self /docs/b'])
    expect(summary).toMatchObject({complete: true, successes: 2, failures: 1, requests: 3})
  })

  it('sends each upload for one target, in their order', async () => {
    server.script(async ({body}) => {
      await delay(body === '1' ? 60 : 1)
      return {status: 204}
    })
    const uploads = ['1', '2', '3'].map((body) => ({href: 'a', body}))
    const {successes} = await dav.putMany(uploads).collect()
    expect(successes).toHaveLength(3)
    expect(sent()).toEqual(['PUT /docs/a 1', 'PUT /docs/a 2', 'PUT /docs/a 3'])
  })

  it('has a type, a condition and a lock token for each upload', async () => {
    await dav
      .putMany([
        {href: 'a', body: 'a', type: 'text/plain', create: true},
        {href: 'b', body: 'b', ifMatch: '"b"', lockToken: 'urn:uuid:1'},
      ])
      .collect()
    const byUrl = new Map(server.requests.map(({url, headers}) => [url, headers]))
    expect(byUrl.get('/docs/a')).toMatchObject({'content-type': 'text/plain', 'if-none-match': '*'})
    expect(byUrl.get('/docs/b')).toMatchObject({
      'if-match': '"b"',
      if: `<${server.url}docs/b> (<urn:uuid:1>)`,
    })
  })

  it('takes streams and results of a listing as targets', async () => {
    const fake = fakeServer({url: server.url, files: {'docs/a': 'old'}})
    server.script(scriptOf(fake))
    const file = await dav.stat('a')
    const uploads: Upload[] = [
      {href: file, body: pieces('new')},
      {href: new URL('b', dav.url), body: new Blob(['b'])},
    ]
    const {successes} = await dav.putMany(generate(uploads), {verify: true}).collect()
    expect(successes.map(line).toSorted()).toEqual(['201 self /docs/b', '204 self /docs/a'])
    expect(fake.files).toEqual({'docs/a': 'new', 'docs/b': 'b'})
  })

  const invalid: readonly (readonly [string, unknown])[] = [
    ['a collection', {href: 'b/', body: 'b'}],
    ['the client\u2019s own base', {href: '', body: 'b'}],
    ['outside', {href: '/b', body: 'b'}],
    ['no body', {href: 'b'}],
    ['a number as body', {href: 'b', body: 5}],
    ['a misspelt condition', {href: 'b', body: 'b', ifmatch: '"b"'}],
    ['two conditions', {href: 'b', body: 'b', create: true, ifMatch: '"b"'}],
    ['a negative length', {href: 'b', body: 'b', length: -1}],
    ['no upload', 'b'],
  ]

  it.each(invalid)(
    'refuses an array with an invalid upload before anything is sent: %s',
    (_, upload) => {
      const uploads = [{href: 'a', body: 'a'}, upload as Upload]
      expect(() => dav.putMany(uploads)).toThrow()
      expect(server.requests).toEqual([])
    },
  )

  it.each(invalid)('makes a Failure of an invalid upload in a stream: %s', async (_, upload) => {
    const uploads = [upload as Upload, {href: 'a', body: 'a'}]
    const {successes, failures} = await dav.putMany(generate(uploads)).collect()
    expect(failures).toMatchObject([{reason: 'refused', relation: 'self'}])
    expect(successes.map(line)).toEqual(['201 self /docs/a'])
  })

  it('makes a Failure of a file that cannot be read, and goes on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'put-many-'))
    await writeFile(join(folder, 'a'), 'A')
    const uploads = ['none', 'a'].map((href) => ({href, body: {path: join(folder, href)}}))
    const {successes, failures} = await dav.putMany(uploads).collect()
    expect(failures).toMatchObject([
      {reason: 'refused', description: expect.stringContaining('ENOENT')},
    ])
    expect(successes.map(line)).toEqual(['201 self /docs/a'])
    await rm(folder, {recursive: true})
  })

  it('retries each upload by the policy, and a stream not at all', async () => {
    const tries = new Map<string, number>()
    server.script(({url}) => {
      const number = (tries.get(url) ?? 0) + 1
      tries.set(url, number)
      if (number < 2) return url === '/docs/a' ? RESET : {status: 503}
      return {status: 201}
    })
    const uploads: Upload[] = [
      {href: 'a', body: 'a'},
      {href: 'b', body: 'b'},
      {href: 'c', body: pieces('c')},
    ]
    const {successes, failures} = await dav.putMany(uploads, {retry: quick}).collect()
    expect(successes.map(({href, attempts}) => `${href} ${attempts}`).toSorted()).toEqual([
      '/docs/a 2',
      '/docs/b 2',
    ])
    expect(failures.map(line)).toEqual(['503 status self /docs/c'])
  })

  it('gives each upload of an array its verdict after an abort', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    server.script(({url}) => {
      if (url !== '/docs/a') return {status: 201}
      controller.abort(reason)
      return NEVER
    })
    const uploads = ['a', 'b', 'c'].map((href) => ({href, body: href}))
    const options = {concurrency: 1, signal: controller.signal}
    const {results, error} = await readToEnd(dav.putMany(uploads, options))
    expect(error).toBe(reason)
    expect(results.map((result) => (result.ok ? '' : `${result.href} ${result.cause}`))).toEqual([
      '/docs/a aborted',
      '/docs/b not-sent',
      '/docs/c not-sent',
    ])
  })

  it('reports the progress of the uploads', async () => {
    const seen: unknown[] = []
    const uploads = ['a', 'b'].map((href) => ({href, body: href}))
    await dav.putMany(uploads, {onProgress: ({done, total}) => seen.push([done, total])}).collect()
    expect(seen.at(-1)).toEqual([2, 2])
  })

  it('plans a dry run, and sends nothing', async () => {
    const uploads = [{href: 'a', body: {path: '/no/such/file'}}]
    const {successes} = await dav.putMany(uploads, {dryRun: true}).collect()
    expect(successes).toMatchObject([{status: 0, request: {method: 'PUT'}}])
    expect(server.requests).toEqual([])
  })
})

describe('retry of a failed upload', () => {
  const fail = async (body: UploadBody, options = {}): Promise<Failure> => {
    server.answers({status: 503}, {status: 201})
    const verdict = await dav.put('a', body, {type: 'text/plain', create: true, ...options})
    if (verdict.ok) throw new Error('no failure')
    return verdict
  }
  const afterJson = (failure: Failure): Failure => JSON.parse(JSON.stringify(failure))

  it('sends the known body, with its type and its conditions', async () => {
    const failure = await fail('text')
    const {successes} = await dav.retry([failure], quick).collect()
    expect(successes).toMatchObject([{status: 201, attempts: 2}])
    expect(server.requests[1]).toMatchObject({
      method: 'PUT',
      url: '/docs/a',
      body: 'text',
      headers: {'content-type': 'text/plain', 'if-none-match': '*'},
    })
  })

  it('asks bodyOf after JSON', async () => {
    const failure = afterJson(await fail('text'))
    const asked: Failure[] = []
    const bodyOf = (one: Failure): UploadBody => {
      asked.push(one)
      return new Blob(['again'])
    }
    const {successes} = await dav.retry([failure], {...quick, bodyOf}).collect()
    expect(successes.map(line)).toEqual(['201 self /docs/a'])
    expect(asked).toEqual([failure])
    expect(server.requests[1]).toMatchObject({body: 'again', headers: {'if-none-match': '*'}})
  })

  it('asks bodyOf for a stream that was read', async () => {
    const failure = await fail(pieces('text'))
    const bodyOf = (): UploadBody => pieces('again')
    const {successes} = await dav.retry([failure], {...quick, bodyOf}).collect()
    expect(successes.map(line)).toEqual(['201 self /docs/a'])
    expect(server.requests[1]?.body).toBe('again')
  })

  it.each<[string, () => Promise<Failure>, object]>([
    ['after JSON', async () => afterJson(await fail('text')), {}],
    ['of a stream', () => fail(pieces('text')), {}],
    ['bodyOf without a body', async () => afterJson(await fail('text')), {bodyOf: () => undefined}],
  ])('leaves a failure whose body is not known: %s', async (_, make, options) => {
    const failure = await make()
    const {failures} = await dav.retry([failure], {...quick, ...options}).collect()
    expect(failures).toEqual([
      {...failure, description: 'Not sent again: its body is not known any more; give bodyOf'},
    ])
    expect(server.requests).toHaveLength(1)
  })

  it.each(['docs/', 'docs/b%2F'])(
    'refuses a request for a collection, even with unguarded: %s',
    async (path) => {
      const failure = afterJson(await fail('text'))
      const request = {method: 'PUT', url: server.url + path, attempts: 1}
      const stream = dav.retry([{...failure, request}], {
        ...quick,
        unguarded: true,
        bodyOf: () => 'text',
      })
      await expect(stream.collect()).rejects.toThrow(TypeError)
      expect(server.requests).toHaveLength(1)
    },
  )
})
