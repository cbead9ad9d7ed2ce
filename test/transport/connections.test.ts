// States the connections that the transports under Node make: one for consecutive requests, and none after the last waiting request was aborted. No
// request waits for ever behind an unread listing. RFC 9112, section 9.

import {fork} from 'node:child_process'
import {once} from 'node:events'
import {Agent as HttpAgent} from 'node:http'
import {connect} from 'node:net'

import {DavClient, partition, type Transport} from 'multistatus'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {Agent} from 'undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import type {Holder} from '../../src/transport/connections.ts'
import {Connections} from '../../src/transport/connections.ts'
import {
  answer207,
  type FaultServer,
  listed,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 10_000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})

afterEach(() => server.close())

const names = Array.from({length: 40}, (_, number) => `f${number}`)

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
] as const)('one request after another over %s', (_name, make) => {
  const open = (): DavClient => new DavClient({url: server.url, transport: make()})

  it.each([
    ['204', {status: 204}],
    ['204 with a length', {status: 204, headers: {'content-length': '0'}}],
    ['200 without a body', {status: 200, headers: {'content-length': '0'}}],
    ['200 with a body', {status: 200, body: 'done'}],
    ['404 with a body', {status: 404, body: 'x'.repeat(5000)}],
    ['207 in pieces', answer207([OPEN, 1, '<D:responsedescription/>', 1, SHUT])],
    ['an empty chunked body', {status: 200, body: ['']}],
  ])('takes one connection: DELETE answered %s', async (_, answer) => {
    server.answers(answer)
    const dav = open()
    for (const name of names) await dav.delete(name)
    expect(server.requests).toHaveLength(40)
    expect(server.connections).toBe(1)
  })

  it('takes one connection: listings, a walk, and deletions one at a time', async () => {
    server.script(({url, method}) => {
      if (method === 'DELETE') return {status: 204}
      if (url === '/') return answer207(listing('/', '/a/', '/b/', '/c/'))
      return answer207(listing(url, `${url}x`))
    })
    const dav = open()
    for (let count = 0; count < 5; count++) await dav.propfind('').collect()
    const walked = await dav.propfind('', {depth: {walk: true}, concurrency: 1}).collect()
    expect(walked.successes).toHaveLength(7)
    await dav.deleteMany(names, {concurrency: 1}).collect()
    expect(server.requests).toHaveLength(49)
    expect(server.connections).toBe(1)
  })

  it.each(['LOCK', 'REPORT', 'SEARCH', 'MKCOL', 'PROPPATCH', 'PUT', 'ACL'])(
    'takes one connection: %s with a body',
    async (method) => {
      server.answers({status: 200, body: 'done'})
      const dav = open()
      for (let count = 0; count < 5; count++) {
        const {body} = await dav.request(method, 'a', {body: '<a/>'})
        expect(Buffer.concat(await Array.fromAsync(body ?? [])).toString()).toBe('done')
      }
      expect(server.requests.map(({body}) => body)).toEqual(Array.from({length: 5}, () => '<a/>'))
      expect(server.connections).toBe(1)
    },
  )

  it('takes one connection for requests that are refused, redirected and sent again', async () => {
    const moved = {status: 301, headers: {location: '/docs/'}, body: 'Moved'}
    const busy = {status: 503, headers: {'retry-after': '0'}, body: 'Busy'}
    server.answers(moved, busy, moved, answer207(listing('/docs/')))
    const dav = open()
    const retry = {attempts: 3, minDelay: 1, maxDelay: 1}
    expect((await dav.propfind('docs', {retry}).collect()).successes).toHaveLength(1)
    expect(server.requests).toHaveLength(4)
    // An unread body is given up with its connection: at most one for each of three.
    expect(server.connections).toBeLessThanOrEqual(4)
  })

  it.each(['timeout=1', 'timeout=2', 'timeout=1, max=100', 'max=100, timeout=1'])(
    'takes one connection from a server that says Keep-Alive: %s',
    async (hint) => {
      server.answers({status: 204, headers: {'keep-alive': hint, connection: 'keep-alive'}})
      const dav = open()
      for (const name of names) await dav.delete(name)
      expect(server.connections).toBe(1)
    },
  )

  it('takes a connection each from a server that keeps none', async () => {
    server.answers({status: 204, headers: {connection: 'close'}})
    const dav = open()
    for (const name of names.slice(0, 5)) await dav.delete(name)
    expect(server.connections).toBe(5)
  })

  it.each([2, 8])('at most %i at once take as many connections at most', async (concurrency) => {
    server.script(async () => ({status: 204}))
    const {summary} = await open().deleteMany(names, {concurrency}).collect()
    expect(summary).toMatchObject({successes: 40, failures: 0})
    expect(server.connections).toBeLessThanOrEqual(concurrency)
  })
})

describe('a listing that feeds deletions', () => {
  // Long names: the body is far longer than what is read ahead of its reader.
  const hrefs = Array.from({length: 1000}, (_, number) => `/d/${'long'.repeat(250)}${number}`)
  const body = OPEN + listed('/d/') + hrefs.map(listed).join('') + SHUT

  it.each<[string, () => Transport]>([
    ['connections: 1', () => undiciTransport({connections: 1})],
    ['connections: 1 of httpTransport', () => httpTransport({connections: 1})],
    ['an agent', () => httpTransport({agent: new HttpAgent({keepAlive: true, maxSockets: 1})})],
    ['a dispatcher', () => undiciTransport({dispatcher: new Agent({connections: 1})})],
  ])('goes on over one connection: %s', async (_, make) => {
    server.script(({method}) => (method === 'DELETE' ? {status: 204} : answer207(body)))
    const dav = new DavClient({url: server.url, transport: make()})
    const found = dav.propfind('d/')
    async function* members(): AsyncGenerator<string> {
      for await (const {url, relation} of found) if (relation === 'member') yield url
    }
    const {successes} = await dav.deleteMany(members(), {concurrency: 8}).collect()
    expect(successes).toHaveLength(hrefs.length)
    expect(server.connections).toBe(1)
  })

  it('goes on while several listings are read by turns over one connection', async () => {
    server.answers(answer207(body))
    const dav = new DavClient({url: server.url, transport: undiciTransport({connections: 1})})
    const streams = ['d/', 'd/', 'd/'].map((href) => dav.propfind(href)[Symbol.asyncIterator]())
    const counts = [0, 0, 0]
    for (let open = true; open;) {
      open = false
      for (const [index, stream] of streams.entries()) {
        if ((await stream.next()).done === true) continue
        counts[index] = (counts[index] ?? 0) + 1
        open = true
      }
    }
    expect(counts).toEqual([1001, 1001, 1001])
  })
})

describe('a connection with waiting requests', () => {
  const origin = 'http://a.example'
  /** A body that holds so many bytes. */
  function holder(held: number): Holder & {flowed: number; refused: Error[]} {
    const one = {
      method: 'DELETE',
      url: `${origin}/a`,
      held,
      flowed: 0,
      refused: [] as Error[],
      flow: () => void one.flowed++,
      refuse: (error: Error) => void one.refused.push(error),
    }
    return one
  }
  const patience = {bytes: 100, milliseconds: 30}

  it('makes the body that holds it flow, but not for more than the bound', () => {
    const connections = new Connections(1, patience)
    const [body, waiting] = [holder(50), holder(0)]
    connections.wait(origin, body)
    connections.start(origin, body)
    expect(connections.mustFlow(origin, body)).toBe(false)
    connections.wait(origin, waiting)
    expect(body.flowed).toBe(1)
    expect(connections.mustFlow(origin, body)).toBe(true)
    expect(connections.mustFlow(origin, holder(100))).toBe(false)
    connections.end(origin, waiting)
    expect(connections.mustFlow(origin, body)).toBe(false)
  })

  it('is free at another origin, and with more connections', () => {
    for (const [most, other] of [
      [1, 'http://b.example'],
      [2, origin],
    ] as const) {
      const connections = new Connections(most, patience)
      const body = holder(50)
      connections.wait(origin, body)
      connections.start(origin, body)
      connections.wait(other, holder(0))
      expect(body.flowed).toBe(0)
    }
  })

  it('is refused with a reason while a full body lies unread', async () => {
    const connections = new Connections(1, patience)
    const [body, waiting] = [holder(100), holder(0)]
    connections.wait(origin, body)
    connections.start(origin, body)
    connections.wait(origin, waiting)
    await vi.waitFor(() => expect(waiting.refused).toHaveLength(1))
    expect(waiting.refused).toMatchObject([
      {
        name: 'DavError',
        message:
          'DELETE http://a.example/a was not sent: an unread answer holds the connection it waits for. Give the transport more connections, or collect the listing first',
      },
    ])
    expect(body.refused).toEqual([])
  })

  it('is not refused while the body is being read', async () => {
    const connections = new Connections(1, patience)
    const [body, waiting] = [holder(200), holder(0)]
    connections.wait(origin, body)
    connections.start(origin, body)
    connections.wait(origin, waiting)
    const reader = setInterval(() => Object.assign(body, {held: body.held - 1}), 5)
    await new Promise((resolve) => setTimeout(resolve, 200))
    clearInterval(reader)
    expect(waiting.refused).toEqual([])
    connections.end(origin, body)
  })
})

describe('an abort', () => {
  const closing: (() => void)[] = []
  afterEach(() => {
    for (const close of closing.splice(0)) close()
  })

  it('of one that waits for its connection leaves the connection to the others', async () => {
    const {promise: gate, resolve: open} = Promise.withResolvers<void>()
    server.script(({url}) =>
      url === '/slow' ? {status: 200, body: ['x', gate, 'y']} : {status: 204},
    )
    const dav = new DavClient({url: server.url, transport: undiciTransport({connections: 1})})
    const slow = dav.delete('slow')
    await vi.waitFor(() => expect(server.requests).toHaveLength(1))
    const aborted = dav.delete('never', {signal: AbortSignal.timeout(50)})
    await expect(aborted).rejects.toThrow(/timeout/i)
    open()
    expect((await slow).ok).toBe(true)
    expect(partition(resultsOf(await dav.delete('next'))).successes).toHaveLength(1)
    expect(server.requests.map(({url}) => url)).toEqual(['/slow', '/next'])
    expect(server.connections).toBe(1)
  })

  it.each([
    ['http', 'undici'],
    ['https', 'undici'],
    ['http', 'http'],
    ['https', 'http'],
  ])(
    'while a connection is made leaves nothing that keeps a process alive: %s, over %s',
    async (scheme, transport) => {
      const {port, close} = await startDeafServer()
      closing.push(close)
      const child = fork(
        new URL('aborting.ts', import.meta.url),
        [`${scheme}://127.0.0.1:${port}/`, transport],
        {stdio: ['ignore', 'pipe', 'inherit', 'ipc']},
      )
      let printed = ''
      child.stdout?.on('data', (chunk) => (printed += chunk))
      const killer = setTimeout(() => child.kill('SIGKILL'), 6000)
      expect(await once(child, 'exit')).toEqual([0, null])
      clearTimeout(killer)
      expect(printed).toBe('aborted 3\n')
    },
  )
})

/** A server that accepts nothing, with its backlog full: who connects to it waits. */
async function startDeafServer(): Promise<{port: number; close: () => void}> {
  const deaf = fork(new URL('deaf.ts', import.meta.url))
  const [port]: unknown[] = await once(deaf, 'message')
  if (typeof port !== 'number') throw new Error('no port')
  const fillers = Array.from({length: 4}, () => connect(port, '127.0.0.1').on('error', () => {}))
  await new Promise((resolve) => setTimeout(resolve, 100))
  return {
    port,
    close() {
      for (const filler of fillers) filler.destroy()
      deaf.kill('SIGKILL')
    },
  }
}
