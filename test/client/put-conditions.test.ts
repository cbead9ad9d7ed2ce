// States the probe by which a client asks once if a server honours If-Match and If-None-Match: on a resource of its own, never on
// the target. nginx, rclone, x/net and others ignore them, SOGo one of them. RFC 9110, sections 13.1.1 and 13.1.2.

import {DavClient, type DavResult, type PutOptions} from 'multistatus'
import {type FakeServer, fakeServer} from 'multistatus/testing'
import {beforeEach, describe, expect, it} from 'vitest'

import {line} from '../support/results.ts'

let server: FakeServer
let dav: DavClient
let ifMatch: string

beforeEach(() => start())

/** Starts a server that ignores some conditional headers. */
function start(...ignores: readonly string[]): void {
  server = fakeServer({files: {a: 'old'}, ignores})
  dav = new DavClient({url: server.url, transport: server.transport})
  ifMatch = server.get('a')?.etag ?? ''
}

const put = (options: PutOptions, target = 'a'): Promise<DavResult> =>
  dav.put(target, 'new', {requireConditions: true, ...options})

const sent = (): string[] =>
  server.requests.map(({method, url, headers}) => {
    const condition = headers['if-match'] ?? headers['if-none-match'] ?? ''
    const path = new URL(url).pathname.replace(/multistatus-\w{10,}\.tmp$/, '*')
    return `${method} ${path} ${condition}`.trim()
  })

const PROBES = ['PUT /* *', 'PUT /* *', 'PUT /* "no-such-etag"', 'DELETE /*']

describe('requireConditions: true', () => {
  it('asks on a resource beside the target, removes it, and sends the upload', async () => {
    expect(line(await put({ifMatch}))).toBe('204 self /a')
    expect(sent()).toEqual([...PROBES, `PUT /a ${ifMatch}`])
    expect(server.list()).toEqual(['a'])
  })

  it('asks once for all uploads of a client', async () => {
    await put({create: true}, 'b')
    await put({ifMatch})
    const uploads = ['c', 'd', 'e'].map((href) => ({href, body: href, create: true}))
    const {successes} = await dav.putMany(uploads, {requireConditions: true}).collect()
    expect(successes).toHaveLength(3)
    expect(sent().filter((one) => one.startsWith('DELETE'))).toHaveLength(1)
  })

  it('asks once for uploads that begin together', async () => {
    const uploads = ['c', 'd', 'e'].map((href) => ({href, body: href, create: true}))
    const {successes} = await dav.putMany(uploads, {requireConditions: true}).collect()
    expect(successes).toHaveLength(3)
    expect(sent().slice(0, 4)).toEqual(PROBES)
    expect(sent()).toHaveLength(7)
  })

  it('asks anew for each client', async () => {
    await put({ifMatch})
    const other = new DavClient({url: server.url, transport: server.transport})
    await other.put('b', 'new', {create: true, requireConditions: true})
    expect(sent().filter((one) => one.startsWith('DELETE'))).toHaveLength(2)
  })

  it('shows the findings among the capabilities', async () => {
    start('if-none-match')
    await put({ifMatch})
    const capabilities = await dav.options('')
    expect(capabilities.ok && capabilities.facts).toEqual(
      expect.arrayContaining([
        {kind: 'condition', name: 'If-Match', holds: true, source: 'asked'},
        {kind: 'condition', name: 'If-None-Match', holds: false, source: 'asked'},
      ]),
    )
  })
})

describe('an ignored condition', () => {
  it.each([
    ['If-Match', () => ({ifMatch})],
    ['If-None-Match', () => ({create: true})],
  ])('is a Failure refused, and the target is not touched: %s', async (name, options) => {
    start(name)
    const expected = {
      reason: 'refused',
      status: 0,
      description: `PUT ${server.url}a is not sent: the server ignores ${name}`,
    }
    expect(await put(options())).toMatchObject(expected)
    expect(await put(options())).toMatchObject(expected)
    expect(sent()).toEqual(PROBES)
    expect(server.get('a')?.text).toBe('old')
  })

  it('does not concern the other one, as of SOGo', async () => {
    start('if-none-match')
    expect(line(await put({ifMatch}))).toBe('204 self /a')
    expect(line(await put({create: true}, 'b'))).toBe('0 refused self /b')
  })
})

describe('a probe that tells nothing', () => {
  it.each([400, 403, 507])('makes a Failure refused: answered %i', async (status) => {
    server.fault({method: 'PUT', status})
    expect(await put({create: true}, 'b')).toMatchObject({
      reason: 'refused',
      description: `PUT ${server.url}b is not sent: a probe of its conditions was refused: answered ${status}`,
    })
  })

  it('is sent again by the next call', async () => {
    const full = server.fault({method: 'PUT', status: 507})
    expect((await put({create: true}, 'b')).ok).toBe(false)
    full.remove()
    expect(line(await put({create: true}, 'b'))).toBe('201 self /b')
  })

  it('rejects with its error, and the next call asks anew', async () => {
    const broken = server.fault({method: 'PUT', reset: true})
    await expect(put({create: true}, 'b')).rejects.toMatchObject({name: 'DavNetworkError'})
    broken.remove()
    expect(line(await put({create: true}, 'b'))).toBe('201 self /b')
  })

  it('is told if it could not be removed', async () => {
    server.fault({method: 'DELETE', status: 403})
    const {ok, description} = await put({ifMatch})
    expect(ok).toBe(true)
    expect(description).toMatch(/\/multistatus-\w+\.tmp may be left$/)
  })

  it('is told too if the upload is sent again', async () => {
    server.fault({method: 'DELETE', status: 403})
    server.fault({method: 'PUT', path: 'b', status: 503, times: 1})
    const verdict = await put({create: true, retry: {attempts: 2, minDelay: 1}}, 'b')
    expect(line(verdict)).toBe('201 self /b')
    expect(verdict.description).toMatch(/\/multistatus-\w+\.tmp may be left$/)
  })

  it('makes missing parents, if the upload does', async () => {
    expect(line(await put({create: true, parents: true}, 'x/b'))).toBe('201 self /x/b')
    expect(sent()).toEqual([
      'PUT /x/* *',
      'MKCOL /x/',
      ...PROBES.map((one) => one.replace('/*', '/x/*')),
      'PUT /x/b *',
    ])
  })
})
