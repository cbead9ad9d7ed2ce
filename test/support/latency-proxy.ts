// A TCP proxy that delays the bytes of each direction without reordering them, and has no bandwidth limit. The end of a direction and
// a reset are delayed alike. The handshake is not: a connection is open at once.

import {once} from 'node:events'
import {connect, createServer, type Socket} from 'node:net'

export interface LatencyProxy extends AsyncDisposable {
  readonly port: number
}

/** Starts a proxy to a port of 127.0.0.1. Milliseconds are those of one direction: a round trip takes twice as many. */
export async function startLatencyProxy(to: number, milliseconds: number): Promise<LatencyProxy> {
  const sockets = new Set<Socket>()
  const proxy = createServer({allowHalfOpen: true, noDelay: true}, (client) => {
    const server = connect({port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true})
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    passOn(client, server, milliseconds)
    passOn(server, client, milliseconds)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}

function passOn(from: Socket, to: Socket, milliseconds: number): void {
  // Timers may fire out of order. Each does the oldest step.
  const steps: (() => void)[] = []
  const later = (step: () => void): void => {
    if (milliseconds === 0) {
      step()
      return
    }
    steps.push(step)
    setTimeout(() => steps.shift()?.(), milliseconds)
  }
  to.on('drain', () => from.resume())
  from.on('data', (chunk) =>
    later(() => {
      if (!to.destroyed && !to.write(chunk)) from.pause()
    }),
  )
  from.once('end', () => later(() => to.end()))
  from.on('error', () => later(() => to.resetAndDestroy()))
}
