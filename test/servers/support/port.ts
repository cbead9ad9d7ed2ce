/**
 * Ports of the loopback interface: a free one for each server, and the connections that are open on it as the kernel
 * sees them (Linux).
 */
import {readFile} from 'node:fs/promises'
import {createServer} from 'node:net'

/** A port that nobody listens on at this moment. */
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

const ESTABLISHED = '01'
const CLOSE_WAIT = '08'

/** How many connections the server's side of a port holds open. */
export async function countConnections(port: number): Promise<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1)
  return lines.filter((line) => {
    const [, address = '', , state = ''] = line.trim().split(/\s+/)
    return address.endsWith(local) && (state === ESTABLISHED || state === CLOSE_WAIT)
  }).length
}
