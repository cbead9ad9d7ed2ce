/** A proxy on loopback that passes the requests on as they are, and the answers as a test says. */
import {connect, createServer, type Socket} from 'node:net'

export interface Relay extends AsyncDisposable {
  readonly port: number
}

/** Passes a piece of an answer on. */
export type Pass = (chunk: Buffer, client: Socket) => void

/** Starts a proxy to a port of 127.0.0.1. Each connection has a function of its own. */
export async function startRelay(to: number, open: () => Pass): Promise<Relay> {
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(to, '127.0.0.1')
    const pass = open()
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.once('close', () => {
        client.destroy()
        server.destroy()
      })
      // A connection may break at any time; the client under test reports it.
      socket.on('error', () => {})
    }
    client.pipe(server)
    server.once('end', () => client.end())
    server.on('data', (chunk: Buffer) => pass(chunk, client))
  })
  await new Promise<void>((resolve, reject) => {
    proxy.once('error', reject)
    proxy.listen(0, '127.0.0.1', resolve)
  })
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => proxy.close(() => resolve()))
    },
  }
}
