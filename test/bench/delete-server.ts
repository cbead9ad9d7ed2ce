// A server that answers every request at once with 204 and looks at nothing: the cost of a DELETE without a disk. Run as a
// process of its own by the benchmarks of deleting; it tells its parent the port, and ends with it.

import {createServer} from 'node:net'

const END = Buffer.from('\r\n\r\n')
const ANSWER = 'HTTP/1.1 204 No Content\r\nServer: at-once\r\n\r\n'

const server = createServer({noDelay: true}, (socket) => {
  // The last bytes so far, in which the end of a head may have begun.
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    let heads = 0
    for (let at = bytes.indexOf(END); at !== -1; at = bytes.indexOf(END, from)) {
      from = at + END.length
      heads++
    }
    rest = bytes.subarray(from)
    if (heads > 0) socket.write(ANSWER.repeat(heads))
  })
  // A client that goes away without a word is no matter.
  socket.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address !== null ? address.port : undefined)
})
process.once('disconnect', () => process.exit())
