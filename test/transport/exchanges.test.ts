// States that both transports carry an exchange the same way: the first two exchanges of this package, headers, and bodies in any
// pieces or none. RFC 4918, sections 9.1 and 9.6; RFC 9112, section 6.

import {DavClient, type DavRequest, type Transport, partition} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {answer207, type FaultServer, listing, startFaultServer} from '../support/fault-server.ts'
import {bytesOf} from '../support/fixtures.ts'
import {resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})

afterEach(() => server.close())

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('%s', (_, transport) => {
  const open = (): DavClient => new DavClient({url: server.url, transport})

  it('PROPFIND: file1.txt has properties, file2.txt has none of them', async () => {
    server.answers(answer207(bytesOf('propfind-documents')))
    const results = await Array.fromAsync(
      open().propfind('webdav/documents/', {
        depth: 1,
        properties: ['getcontentlength', 'getlastmodified'],
      }),
    )
    expect(results).toMatchObject([
      {
        ok: true,
        href: '/webdav/documents/file1.txt',
        url: `${server.url}webdav/documents/file1.txt`,
        relation: 'member',
        status: 200,
        properties: {
          getcontentlength: 1024,
          getlastmodified: new Date('2026-11-22T12:41:50Z'),
        },
        missing: [],
      },
      {
        ok: true,
        href: '/webdav/documents/file2.txt',
        url: `${server.url}webdav/documents/file2.txt`,
        relation: 'member',
        status: 200,
        properties: {},
        missing: [
          {name: 'getcontentlength', status: 404, conditions: []},
          {name: 'getlastmodified', status: 404, conditions: []},
        ],
      },
    ])
    expect(server.requests).toMatchObject([
      {method: 'PROPFIND', url: '/webdav/documents/', headers: {depth: '1'}},
    ])
  })

  it('DELETE: file1.txt is gone, file2.txt is locked', async () => {
    server.answers(answer207(bytesOf('delete-folder')))
    expect(resultsOf(await open().delete('webdav/folder/'))).toMatchObject([
      {ok: true, href: '/webdav/folder/file1.txt', relation: 'member', status: 204},
      {
        ok: false,
        href: '/webdav/folder/file2.txt',
        relation: 'member',
        status: 423,
        reason: 'status',
        request: {
          method: 'DELETE',
          url: `${server.url}webdav/folder/file2.txt`,
          depth: 'infinity',
          attempts: 1,
        },
      },
      {ok: false, href: '/webdav/folder/', relation: 'self', status: 424, reason: 'member'},
    ])
    expect(server.requests).toMatchObject([
      {method: 'DELETE', url: '/webdav/folder/', headers: {depth: 'infinity'}},
    ])
  })

  it('reads a body that comes byte by byte', async () => {
    const body = Buffer.from(listing('/docs/', '/docs/%C3%A9'))
    const pieces = Array.from({length: body.length}, (_byte, at) => body.subarray(at, at + 1))
    server.answers(answer207(pieces))
    const {successes} = await open().propfind('docs/').collect()
    expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/%C3%A9'])
  })

  it('reads a body that is cut in the middle of a character', async () => {
    const body = Buffer.from(listing('/docs/', '/docs/😀'))
    const cut = body.indexOf(0xf0) + 2
    server.answers(answer207([body.subarray(0, cut), 10, body.subarray(cut)]))
    const {successes} = await open().propfind('docs/').collect()
    expect(successes[1]?.href).toBe('/docs/😀')
  })

  it('reads a body that ends with the connection', async () => {
    const headers = {'transfer-encoding': 'none', connection: 'close'}
    server.answers(
      answer207([listing('/docs/').slice(0, 40), 10, listing('/docs/').slice(40)], headers),
    )
    expect((await open().propfind('docs/').collect()).summary.complete).toBe(true)
  })

  it('reads the charset of the Content-Type', async () => {
    const body = Buffer.from(listing('/docs/é'), 'latin1')
    server.answers(answer207(body, {'content-type': 'text/xml; charset="ISO-8859-1"'}))
    const {successes} = await open().propfind('docs/').collect()
    expect(successes[0]?.href).toBe('/docs/é')
  })

  it('waits for the answer after a 102 Processing', async () => {
    server.answers(
      {processing: true, status: 204},
      {...answer207(listing('/docs/')), processing: true},
    )
    expect(partition(resultsOf(await open().delete('a'))).successes).toMatchObject([{status: 204}])
    expect((await open().propfind('docs/').collect()).successes).toHaveLength(1)
  })

  it('has no body of a 204', async () => {
    server.answers({status: 204})
    expect(resultsOf(await open().delete('a'))).toMatchObject([{ok: true, status: 204}])
  })

  it('sends no body with a DELETE, and one with a PROPFIND', async () => {
    server.answers({status: 204}, answer207(listing('/a')))
    await open().delete('a')
    await open().propfind('a').collect()
    expect(server.requests[0]?.body).toBe('')
    expect(server.requests[1]?.body).toContain('propfind')
  })

  it('sends no cookie that an earlier answer set', async () => {
    server.answers({status: 204, headers: {'set-cookie': 'session=1; Path=/'}})
    await open().delete('a')
    await open().delete('b')
    expect(server.requests.map(({headers}) => headers.cookie)).toEqual([undefined, undefined])
  })

  it('sends a path byte for byte as it is escaped', async () => {
    server.answers({status: 204})
    await open().delete("a%2Fb%C3%A9%e9/100%25 %23'()[]|^.txt")
    expect(server.requests[0]?.url).toMatch(/^\/a%2Fb%C3%A9%e9\/100%25%20%23'\(\)/)
  })

  it('may be wrapped, and is then still a transport', async () => {
    server.answers({status: 204})
    const sent: DavRequest[] = []
    const wrapped: Transport = (request) => {
      sent.push(request)
      return transport(request)
    }
    await new DavClient({url: server.url, transport: wrapped}).delete('a')
    expect(sent).toMatchObject([
      {method: 'DELETE', url: `${server.url}a`, headers: {depth: 'infinity'}},
    ])
  })
})

describe('the default transport', () => {
  it('is there if none is given', async () => {
    server.answers(answer207(listing('/docs/')))
    const {summary} = await new DavClient({url: server.url}).propfind('docs/').collect()
    expect(summary.complete).toBe(true)
  })
})

describe('undiciTransport', () => {
  it('closes: later requests fail', async () => {
    server.answers({status: 204})
    const transport = undiciTransport()
    const dav = new DavClient({url: server.url, transport})
    await dav.delete('a')
    await transport.close()
    await expect(dav.delete('b')).rejects.toThrow(/DELETE/)
    expect(server.requests).toHaveLength(1)
  })

  it('opens no more connections than its option allows', async () => {
    server.script(async () => ({status: 204, body: []}))
    const dav = new DavClient({url: server.url, transport: undiciTransport({connections: 2})})
    const names = Array.from({length: 40}, (_, number) => `${number}`)
    const {summary} = await dav.deleteMany(names, {concurrency: 10}).collect()
    expect(summary).toMatchObject({successes: 40, failures: 0})
    expect(server.connections).toBeLessThanOrEqual(2)
  })
})
