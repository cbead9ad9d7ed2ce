// States the probe by which a client asks once if a server honours If-Match and If-None-Match: on a resource of its own, never on
// the target. nginx, rclone, x/net and others ignore them, SOGo one of them. RFC 9110, sections 13.1.1 and 13.1.2.

import {DavClient, type DavResult, type PutOptions} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, RESET, startFaultServer} from '../support/fault-server.ts'
import {type Fault, keepFiles, type KeptFiles} from '../support/kept-files.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 8000})

let server: FaultServer
let dav: DavClient
let files: KeptFiles
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
  keep()
})
afterEach(() => server.close())

function keep(fault?: Fault): void {
  files = keepFiles(server, fault)
  files.content.set('/a', 'old')
}

/** Answers like a server that ignores some conditional headers. */
function ignore(...names: readonly string[]): void {
  keep((request, answer) => {
    if (request.method !== 'PUT') return undefined
    const truth = answer()
    if (truth.status !== 412 || !names.some((name) => name in request.headers)) return truth
    files.content.set(request.url, request.body)
    return {status: 204}
  })
}

const put = (options: PutOptions, target = 'a'): Promise<DavResult> =>
  dav.put(target, 'new', {requireConditions: true, ...options})

const sent = (): string[] =>
  server.requests.map(({method, url, headers}) => {
    const condition = headers['if-match'] ?? headers['if-none-match'] ?? ''
    return `${method} ${url.replace(/multistatus-\w{10,}\.tmp$/, '*')} ${condition}`.trim()
  })

const PROBES = ['PUT /* *', 'PUT /* *', 'PUT /* "no-such-etag"', 'DELETE /*']

describe('requireConditions: true', () => {
  it('asks on a resource beside the target, removes it, and sends the upload', async () => {
    expect(line(await put({ifMatch: '"old"'}))).toBe('204 self /a')
    expect(sent()).toEqual([...PROBES, 'PUT /a "old"'])
    expect([...files.content.keys()]).toEqual(['/', '/a'])
  })

  it('asks once for all uploads of a client', async () => {
    await put({create: true}, 'b')
    await put({ifMatch: '"old"'})
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
    await put({ifMatch: '"old"'})
    await using other = new DavClient({url: server.url, transport})
    await other.put('b', 'new', {create: true, requireConditions: true})
    expect(sent().filter((one) => one.startsWith('DELETE'))).toHaveLength(2)
  })

  it('shows the findings among the capabilities', async () => {
    ignore('if-none-match')
    await put({ifMatch: '"old"'})
    server.answers({status: 200})
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
  it.each<[string, string, PutOptions]>([
    ['If-Match', 'if-match', {ifMatch: '"old"'}],
    ['If-None-Match', 'if-none-match', {create: true}],
  ])('is a Failure refused, and the target is not touched: %s', async (name, header, options) => {
    ignore(header)
    const expected = {
      reason: 'refused',
      status: 0,
      description: `PUT ${server.url}a is not sent: the server ignores ${name}`,
    }
    expect(await put(options)).toMatchObject(expected)
    expect(await put(options)).toMatchObject(expected)
    expect(sent()).toEqual(PROBES)
    expect(files.content.get('/a')).toBe('old')
  })

  it('does not concern the other one, as of SOGo', async () => {
    ignore('if-none-match')
    expect(line(await put({ifMatch: '"old"'}))).toBe('204 self /a')
    expect(line(await put({create: true}, 'b'))).toBe('0 refused self /b')
  })
})

describe('a probe that tells nothing', () => {
  it.each([400, 403, 507])('makes a Failure refused: answered %i', async (status) => {
    keep(({method}) => (method === 'PUT' ? {status} : undefined))
    expect(await put({create: true}, 'b')).toMatchObject({
      reason: 'refused',
      description: `PUT ${server.url}b is not sent: a probe of its conditions was refused: answered ${status}`,
    })
  })

  it('is sent again by the next call', async () => {
    let isFull = true
    keep(({method}) => (method === 'PUT' && isFull ? {status: 507} : undefined))
    expect((await put({create: true}, 'b')).ok).toBe(false)
    isFull = false
    expect(line(await put({create: true}, 'b'))).toBe('201 self /b')
  })

  it('rejects with its error, and the next call asks anew', async () => {
    let isBroken = true
    keep(({method}) => (method === 'PUT' && isBroken ? RESET : undefined))
    await expect(put({create: true}, 'b')).rejects.toMatchObject({name: 'DavNetworkError'})
    isBroken = false
    expect(line(await put({create: true}, 'b'))).toBe('201 self /b')
  })

  it('is told if it could not be removed', async () => {
    keep(({method}) => (method === 'DELETE' ? {status: 403} : undefined))
    const {ok, description} = await put({ifMatch: '"old"'})
    expect(ok).toBe(true)
    expect(description).toMatch(/\/multistatus-\w+\.tmp may be left$/)
  })

  it('is told too if the upload is sent again', async () => {
    let uploads = 0
    keep(({method, url}) => {
      if (method === 'DELETE') return {status: 403}
      return url === '/b' && method === 'PUT' && ++uploads === 1 ? {status: 503} : undefined
    })
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
