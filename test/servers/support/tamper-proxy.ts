/** A proxy on loopback that changes the text of a server's answers, and nothing of the requests. */
import {connect, createServer, type Socket} from 'node:net'

export interface TamperProxy extends AsyncDisposable {
  readonly port: number
  /** Number of changed pieces. */
  readonly changes: number
}

/** Starts a proxy to a port of 127.0.0.1. The change must keep the length of the text. */
export async function startTamperProxy(
  to: number,
  change: (text: string) => string,
): Promise<TamperProxy> {
  let changes = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(to, '127.0.0.1')
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.once('close', () => {
        client.destroy()
        server.destroy()
      })
      // A client may close its connection at any time.
      socket.on('error', () => {})
    }
    client.pipe(server)
    server.once('end', () => client.end())
    server.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      const changed = change(text)
      if (changed !== text) changes++
      client.write(Buffer.from(changed, 'latin1'))
    })
  })
  await new Promise<void>((resolve, reject) => {
    proxy.once('error', reject)
    proxy.listen(0, '127.0.0.1', resolve)
  })
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    get changes() {
      return changes
    },
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => proxy.close(() => resolve()))
    },
  }
}
