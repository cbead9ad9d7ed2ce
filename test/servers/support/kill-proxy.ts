/** A proxy to a server that counts the pieces of requests, so that a client can be killed in the middle of its work. */
import {once} from 'node:events'
import {connect, createServer, type Socket} from 'node:net'

export interface KillProxy extends AsyncDisposable {
  /** URL of the root, with its slash. It stays the same for all clients. */
  readonly url: string
  /** Calls a function before the server gets the piece of this number, counted from now on. */
  at(piece: number, kill: () => void): void
  /** Pieces since the last call of `at`. */
  readonly pieces: number
  /** Waits until the server has ended the exchanges of all clients. */
  quiet(): Promise<void>
}

/** Starts a proxy to a port of 127.0.0.1. */
export async function startKillProxy(to: number): Promise<KillProxy> {
  let pieces = 0
  let end = {piece: 0, kill: (): void => {}}
  const servers = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(to, '127.0.0.1')
    servers.add(server)
    server.once('close', () => {
      servers.delete(server)
      client.destroy()
    })
    client.on('data', (chunk) => {
      if (++pieces === end.piece) end.kill()
      server.write(chunk)
    })
    // The server reads the whole request of a killed client, and the proxy its answer.
    client.once('close', () => server.end())
    server.on('data', (chunk) => {
      if (client.writable) client.write(chunk)
    })
    for (const socket of [client, server]) socket.on('error', () => {})
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    at(piece, kill) {
      pieces = 0
      end = {piece, kill}
    },
    get pieces() {
      return pieces
    },
    async quiet() {
      await Promise.all(Array.from(servers, (server) => once(server, 'close')))
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}
