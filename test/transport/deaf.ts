// Listens, tells its port, and does nothing more: the kernel holds two connections for it, and others wait.

import {createServer} from 'node:net'

const server = createServer()
server.listen({port: 0, host: '127.0.0.1', backlog: 1}, () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  process.send?.(address.port, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})
