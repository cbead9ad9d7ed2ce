// States that no name is cut for SOCKS: the beginning of a long one would be another host. RFC 1928, section 5.

import {once} from 'node:events'
import {connect, createServer} from 'node:net'

import {expect, it} from 'vitest'

import {readProxy} from '../../src/transport/proxy.ts'
import {openSocks} from '../../src/transport/socks.ts'

it.each([
  [255, 'closed the connection'],
  [256, 'takes no name of more than 255 bytes'],
  [300, 'takes no name of more than 255 bytes'],
])('a name of %i bytes: %s', async (length, words) => {
  let seen = 0
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      seen += chunk.length
      // Takes the client without a login, and ends at its request.
      if (seen === 3) socket.write(Uint8Array.of(5, 0))
      else socket.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const proxy = readProxy('proxy', `socks5://127.0.0.1:${port}`)
  await expect(openSocks(proxy, socket, 'a'.repeat(length), 443)).rejects.toThrow(words)
  // The greeting, the head of the request, the length, the name and the port.
  expect(seen).toBe(length === 255 ? 3 + 4 + 1 + 255 + 2 : 0)
  socket.destroy()
  server.close()
})
