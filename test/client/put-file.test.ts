// States the upload of a long local file: it is read in pieces, from its start for each request, and never sent whole once it has
// changed. RFC 9110, sections 8.6 and 15.4.8.

import {createHash, randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {appendFile, mkdtemp, open, rm, truncate, utimes, writeFile} from 'node:fs/promises'
import {createServer, type Server} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'

import {DavClient} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {Agent} from 'undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

vi.setConfig({testTimeout: 20_000})

const content = randomBytes(16_000_000)
const digest = createHash('sha256').update(content).digest('hex')

let folder: string
let path: string
let server: Server
let url: string
/** The digests of the bodies that arrived whole. */
let arrived: string[]
/** Called at the first bytes of a body. The server reads on when it has resolved. */
let onFirstBytes: () => Promise<unknown>
let answers: (readonly [status: number, headers: Record<string, string>])[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'put-file-'))
  path = join(folder, 'long.bin')
  await writeFile(path, content)
  await utimes(path, 1, 1)
  arrived = []
  answers = []
  onFirstBytes = async () => {}
  server = createServer(async (request, response) => {
    const hash = createHash('sha256')
    let pieces = 0
    try {
      for await (const piece of request) {
        if (++pieces === 1) await onFirstBytes()
        // Now and then the client has to wait, so that its socket holds pieces that are not written.
        if (pieces % 40 === 0) await delay(2)
        hash.update(piece)
      }
    } catch {
      return
    }
    arrived.push(hash.digest('hex'))
    response.writeHead(...(answers.shift() ?? [201, {}])).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  url = `http://127.0.0.1:${address.port}/`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  vi.restoreAllMocks()
  await rm(folder, {recursive: true})
})

describe.each([
  ['undici', () => undiciTransport()],
  ['http', () => httpTransport()],
  ['undici with a dispatcher of the caller', () => undiciTransport({dispatcher: new Agent()})],
  ['fetch', () => fetchTransport()],
] as const)('a long local file over %s', (_, makeTransport) => {
  const connect = (): DavClient => new DavClient({url, transport: makeTransport()})

  it('arrives as it is', async () => {
    const verdict = await connect().put('a', {path})
    expect(verdict).toMatchObject({ok: true, status: 201})
    expect(arrived).toEqual([digest])
  })

  it('is read from its start again for a redirect and for a retry', async () => {
    answers = [
      [307, {location: '/b'}],
      [503, {'retry-after': '0'}],
    ]
    const retry = {attempts: 2, minDelay: 1}
    expect(await connect().put('a', {path}, {retry})).toMatchObject({ok: true, attempts: 2})
    expect(arrived).toEqual([digest, digest, digest])
  })

  it.each<[string, () => Promise<unknown>]>([
    ['has grown', () => appendFile(path, 'x')],
    ['has become shorter', () => truncate(path, content.length - 1)],
    ['has become empty', () => truncate(path, 0)],
    ['has other bytes of the same length', () => writeFile(path, 'x', {flag: 'r+'})],
  ])('never arrives whole once it %s', async (__, change) => {
    onFirstBytes = change
    await expect(connect().put('a', {path})).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(arrived).toEqual([])
  })

  it('is sent with its new length after it has changed between two calls', async () => {
    const dav = connect()
    await dav.put('a', {path})
    await appendFile(path, 'x')
    expect(await dav.put('a', {path})).toMatchObject({ok: true})
    const longer = createHash('sha256').update(content).update('x').digest('hex')
    expect(arrived).toEqual([digest, longer])
  })

  it('is closed after an abort', async () => {
    const handle = await open(path)
    await handle.close()
    const reads = vi.spyOn(Object.getPrototypeOf(handle), 'read')
    const fds = (): unknown[] => reads.mock.contexts.map((one) => Reflect.get(Object(one), 'fd'))
    const controller = new AbortController()
    onFirstBytes = async () => controller.abort(new Error('enough'))
    await expect(connect().put('a', {path}, {signal: controller.signal})).rejects.toThrow('enough')
    // The descriptor of a closed file.
    const closed = new Set([-1])
    await vi.waitFor(() => expect(new Set(fds())).toEqual(closed))
  })
})

it('names the file that has changed', async () => {
  onFirstBytes = () => appendFile(path, 'x')
  await expect(new DavClient({url}).put('a', {path})).rejects.toMatchObject({
    cause: {message: `"${path}" has changed while it was sent`},
  })
})

it('fills the same few buffers again and again', async () => {
  const made = vi.spyOn(Buffer, 'allocUnsafeSlow')
  await new DavClient({url}).put('a', {path})
  expect(arrived).toEqual([digest])
  const long = made.mock.calls.filter(([length]) => length >= 65_536)
  expect(long.length).toBeGreaterThan(0)
  expect(long.length).toBeLessThan(10)
})
