// Aborts three requests while their connection is made, says so, and has nothing more to do: a test sees it end by itself.

import {httpTransport} from '../../src/transport/http.ts'
import {undiciTransport} from '../../src/transport/undici.ts'

const [, , url = '', over] = process.argv
process.disconnect()
const transport = over === 'http' ? httpTransport() : undiciTransport()
const controller = new AbortController()
setTimeout(() => controller.abort(new Error('enough')), 200)
const {signal} = controller
const ends = await Promise.allSettled(
  ['a', 'b', 'c'].map((name) =>
    transport({method: 'DELETE', url: url + name, headers: {}, signal}),
  ),
)
const aborted = ends.filter((end) => end.status === 'rejected' && end.reason === signal.reason)
console.log(`aborted ${aborted.length}`)
