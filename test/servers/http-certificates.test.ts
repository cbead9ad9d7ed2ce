/** States the certificates of httpTransport: an own authority, a client's certificate, kept TLS connections. RFC 8446, section 4.4. */
import {once} from 'node:events'
import {createServer, type Server} from 'node:https'
import type {TLSSocket} from 'node:tls'

import {DavClient, DavNetworkError} from 'multistatus'
import {httpTransport, type HttpTransportOptions} from 'multistatus/http'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'

import {type Authority, type Certificate, hasOpenssl, makeAuthority} from './support/authority.ts'
import {isEveryServerRequired} from './support/missing.ts'

describe.skipIf(!hasOpenssl && !isEveryServerRequired)('TLS over node:http', () => {
  let authority: Authority
  let client: Certificate
  let server: Server
  let url: string
  let connections = 0
  beforeAll(async () => {
    authority = await makeAuthority('authority of the tests')
    const {cert, key} = await authority.issue('server', {names: 'DNS:localhost'})
    client = await authority.issue('client', {names: 'DNS:client.example'})
    const asks = {requestCert: true, rejectUnauthorized: false}
    server = createServer({cert, key, ca: authority.ca, ...asks}, (request, response) => {
      const {authorized} = request.socket as TLSSocket
      request.resume().on('end', () => {
        response.writeHead(request.url === '/closed/a' && !authorized ? 403 : 204).end()
      })
    })
    server.on('secureConnection', () => connections++)
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    url = `https://localhost:${address.port}/`
  })
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await authority.remove()
  })

  const open = (options: HttpTransportOptions = {}): DavClient =>
    new DavClient({url, transport: httpTransport({ca: authority.ca, ...options})})

  it('trusts an authority of its own, as text and as bytes, and keeps the connection', async () => {
    for (const ca of [authority.ca, Buffer.from(authority.ca)]) {
      const dav = open({ca})
      const before = connections
      for (const name of ['a', 'b', 'c']) expect(await dav.delete(name)).toMatchObject({ok: true})
      expect(connections - before).toBe(1)
    }
  })

  it('trusts nobody else', async () => {
    const stranger = await makeAuthority('another authority')
    const strict = open({ca: stranger.ca})
    await expect(strict.stat('')).rejects.toThrow('the certificate of the authority as ca')
    await expect(strict.stat('')).rejects.toBeInstanceOf(DavNetworkError)
    const common = new DavClient({url, transport: httpTransport()})
    await expect(common.stat('')).rejects.toBeInstanceOf(DavNetworkError)
    await stranger.remove()
  })

  it('shows the certificate of the client', async () => {
    const {cert, key} = client
    expect(await open().delete('closed/a')).toMatchObject({ok: false, status: 403})
    expect(await open({cert, key}).delete('closed/a')).toMatchObject({ok: true})
  })

  it('asks before a body over TLS too', async () => {
    const dav = open({expectContinue: true})
    expect(await dav.put('a', new Blob(['x'.repeat(100_000)]))).toMatchObject({ok: true})
  })
})
