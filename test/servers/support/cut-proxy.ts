/** A proxy that breaks one connection to a server in the middle of a long answer, and passes all others on. */
import {connect, createServer, type Server as NetServer, type Socket} from 'node:net'

export interface CutProxy extends AsyncDisposable {
  readonly port: number
  /** Number of connections that were broken. */
  readonly cuts: number
}

/** Starts a proxy to a port of 127.0.0.1. It ends the first connection with a longer answer after so many bytes. */
export async function startCutProxy(to: number, bytes: number): Promise<CutProxy> {
  let cuts = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(to, '127.0.0.1')
    let left = bytes
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.once('close', () => {
        client.destroy()
        server.destroy()
      })
      // A broken connection is the purpose; the client under test reports it.
      socket.on('error', () => {})
    }
    client.pipe(server)
    server.once('end', () => client.end())
    server.on('data', (chunk) => {
      if (client.writableEnded) return
      left -= chunk.length
      if (cuts > 0 || left >= 0) {
        client.write(chunk)
        return
      }
      cuts++
      client.end(chunk.subarray(0, left))
    })
  })
  await listen(proxy)
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    get cuts() {
      return cuts
    },
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => proxy.close(() => resolve()))
    },
  }
}

function listen(proxy: NetServer): Promise<void> {
  return new Promise((resolve, reject) => {
    proxy.once('error', reject)
    proxy.listen(0, '127.0.0.1', resolve)
  })
}
