/**
 * Ports of the loopback interface: a free one for each server, and its open connections as the kernel sees them (Linux).
 */
import {readFile} from 'node:fs/promises'
import {createServer} from 'node:net'

/** Finds a port without a listener. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'))
        else resolve(address.port)
      })
    })
  })
}

// Open on the server's side: established, closed with unread data, or closed by the client only.
const OPEN = new Set(['01', '04', '08'])

/** Reads the open connections on the server's side of a port, each by the client's port. */
export async function readConnections(port: number): Promise<ReadonlySet<string>> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1)
  const connections = lines.map((line) => line.trim().split(/\s+/))
  return new Set(
    connections
      .filter(([, address = '', , state = '']) => address.endsWith(local) && OPEN.has(state))
      .map(([, , remote = '']) => remote),
  )
}
