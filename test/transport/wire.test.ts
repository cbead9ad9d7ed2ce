// States the bytes of a request of the transports under Node. Names are in Title-Case, as XRootD 5.5 compares them. A caller may replace the User-Agent
// and the Accept. HTTP/1.1 only. RFC 9110, sections 5.1, 10.1.5 and 12.5.1.

import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {createServer, type Server} from 'node:http'
import {createSecureServer} from 'node:http2'

import {DavClient, type DavClientOptions} from 'multistatus'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {USER_AGENT} from '../../src/transport/user-agent.ts'
import {listing} from '../support/fault-server.ts'

vi.setConfig({testTimeout: 5000})

let server: Server
let url: string
/** Names and values by turns, as they were written. */
let seen: (readonly string[])[]

beforeEach(async () => {
  seen = []
  server = createServer((request, response) => {
    seen.push(request.rawHeaders)
    request.resume().on('end', () => {
      if (request.method === 'DELETE') response.writeHead(204).end()
      else response.writeHead(207).end(listing('/'))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  url = `http://127.0.0.1:${address.port}/`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

function names(request: readonly string[] | undefined): readonly string[] {
  return (request ?? []).filter((_, index) => index % 2 === 0)
}

function valueOf(request: readonly string[] | undefined, name: string): string | undefined {
  const index = names(request).indexOf(name)
  return index < 0 ? undefined : request?.[2 * index + 1]
}

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
] as const)('over %s', (_, make) => {
  const open = (options: Omit<DavClientOptions, 'url'> = {}): DavClient =>
    new DavClient({url, transport: make(), ...options})

  describe('the names of headers', () => {
    it('are in Title-Case, those of a caller and those of the platform', async () => {
      const dav = open({headers: {'x-my-header': '1', dav: '2'}})
      await dav.propfind('').collect()
      await dav.delete('a')
      expect(names(seen[0]).toSorted()).toEqual([
        'Accept',
        'Accept-Encoding',
        'Connection',
        'Content-Length',
        'Content-Type',
        'Dav',
        'Depth',
        'Host',
        'User-Agent',
        'X-My-Header',
      ])
      expect(valueOf(seen[1], 'Depth')).toBe('infinity')
      expect(valueOf(seen[1], 'Host')).toBe(new URL(url).host)
    })

    it('change nothing in values', async () => {
      await open({headers: {'x-odd': 'host: a, content-length: 5'}}).delete('a')
      expect(valueOf(seen[0], 'X-Odd')).toBe('host: a, content-length: 5')
    })

    it('are the same for each request of a connection', async () => {
      const dav = open()
      await dav.propfind('').collect()
      await dav.propfind('').collect()
      expect(names(seen[1])).toEqual(names(seen[0]))
    })
  })

  describe('a body', () => {
    it('arrives as it is, also a body like headers', async () => {
      const sent = 'PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n'
      const {promise, resolve} = Promise.withResolvers<string>()
      server.removeAllListeners('request')
      server.on('request', async (request, response) => {
        resolve(Buffer.concat(await request.toArray()).toString())
        response.writeHead(201).end()
      })
      const transport = make()
      const {status} = await transport({method: 'PUT', url, headers: {}, body: sent})
      expect(status).toBe(201)
      expect(await promise).toBe(sent)
    })
  })

  describe('the User-Agent', () => {
    it('is that of this package, with its version', async () => {
      await open().delete('a')
      const {version} = JSON.parse(readFileSync('package.json', 'utf8'))
      expect(USER_AGENT).toBe(`multistatus/${version}`)
      expect(valueOf(seen[0], 'User-Agent')).toBe(`multistatus/${version}`)
    })

    it('is the one that the client is given; its headers win', async () => {
      await open({userAgent: 'my-app/2'}).delete('a')
      const headers = {'User-Agent': 'other/3', Accept: 'text/plain'}
      await open({userAgent: 'my-app/2', headers}).delete('a')
      expect(seen.map((request) => valueOf(request, 'User-Agent'))).toEqual(['my-app/2', 'other/3'])
      expect(valueOf(seen[1], 'Accept')).toBe('text/plain')
    })

    it.each(['', ' ', 'a\nb', 'a\u0100'])(
      'is a TypeError for a value that is none: %j',
      (userAgent) => {
        expect(() => open({userAgent})).toThrow(TypeError)
      },
    )
  })

  describe('the Accept', () => {
    it('asks for XML before anything else, and for anything of a download', async () => {
      const transport = make()
      await open({transport}).propfind('').collect()
      await transport({method: 'GET', url, headers: {}})
      expect(valueOf(seen[0], 'Accept')).toBe('application/xml, text/xml;q=0.9, */*;q=0.1')
      expect(valueOf(seen[1], 'Accept')).toBe('*/*')
    })
  })

  describe('headers of the connection', () => {
    it.each(['Content-Length', 'transfer-encoding', 'Expect', 'keep-alive', 'upgrade'])(
      '%s is a TypeError before anything is sent',
      (name) => {
        expect(() => open({headers: {[name]: '1'}})).toThrow(new RegExp(`^headers: ${name} `))
        expect(seen).toEqual([])
      },
    )
  })
})

describe('over TLS', () => {
  it('HTTP/1.1 is spoken, though the server offers HTTP/2: undici takes a cut HTTP/2 body for whole', async () => {
    const offered = Promise.withResolvers<readonly string[]>()
    const secure = createSecureServer({
      allowHTTP1: true,
      ALPNCallback: ({protocols}) => {
        offered.resolve(protocols)
        return undefined
      },
    })
    secure.on('tlsClientError', () => {})
    secure.listen(0, '127.0.0.1')
    await once(secure, 'listening')
    const address = secure.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const target = `https://127.0.0.1:${address.port}/`
    await new DavClient({url: target, transport: undiciTransport()})
      .propfind('')
      .collect()
      .catch(() => {})
    expect(await offered.promise).toEqual(['http/1.1'])
    secure.close()
  })
})
