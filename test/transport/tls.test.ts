// States what an error of TLS tells of a request: refused while the connection is made, unknown after the request was sent. RFC 8446,
// section 6.

import {once} from 'node:events'
import {connect, createServer, type Server, type Socket} from 'node:net'
import {createServer as createSecureServer} from 'node:tls'

import {DavClient} from 'multistatus'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {beforeAll, describe, expect, it, onTestFinished} from 'vitest'

import {type Certificate, makeCertificate} from '../support/certificate.ts'

let certificate: Certificate
beforeAll(async () => {
  certificate = await makeCertificate()
})

/** Starts a server, and returns its port. */
async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Starts a TLS server that reads a request, and answers in plain text on the same connection. */
async function serveBroken(onRequest: () => void): Promise<number> {
  const clients: Socket[] = []
  const secure = createSecureServer({...certificate, maxVersion: 'TLSv1.2'}, (socket) => {
    socket
      .on('error', () => {})
      .once('data', () => {
        onRequest()
        clients.at(-1)?.end('HTTP/1.1 500 Internal Server Error\r\n\r\n')
      })
  })
  const port = await listen(secure)
  return listen(
    createServer((client) => {
      const server = connect(port, '127.0.0.1')
      clients.push(client.on('error', () => server.destroy()))
      server.on('error', () => client.destroy())
      client.pipe(server)
      server.pipe(client, {end: false})
    }),
  )
}

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
] as const)('over %s', (_name, make) => {
  const open = (port: number): DavClient =>
    new DavClient({
      url: `https://127.0.0.1:${port}/`,
      transport: make({ca: certificate.cert}),
    })

  it('plain text behind a request that was sent leaves its outcome unknown', async () => {
    let requests = 0
    const dav = open(await serveBroken(() => requests++))
    const {failures} = await dav.deleteMany(['a']).collect()
    expect(failures).toMatchObject([{reason: 'no-answer', cause: 'network', status: 0}])
    expect(requests).toBe(1)
  })

  it('plain text in place of a handshake refuses the request', async () => {
    const plain = createServer((socket) => {
      socket
        .on('error', () => {})
        .once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    })
    const {failures} = await open(await listen(plain))
      .deleteMany(['a'])
      .collect()
    expect(failures).toMatchObject([
      {reason: 'refused', description: expect.stringContaining('does not speak TLS at this port')},
    ])
  })
})
