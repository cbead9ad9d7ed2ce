// States that odd servers lose nothing: servers with one thread, servers that close connections at any time, gateways that ask for
// headers. Nothing that changes something is done twice. RFC 9110, section 9.2.2; RFC 9112, section 9.

import type {Socket} from 'node:net'
import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, describe, expect, it} from 'vitest'

import {CLOSE, type FaultServer, listing, startFaultServer} from '../support/fault-server.ts'
import {
  type RawPart,
  type RawRequest,
  type RawServer,
  startRawServer,
} from '../support/raw-server.ts'

let server: RawServer | undefined
afterEach(() => server?.close())

const CHANGES: ReadonlySet<string> = new Set(['PUT', 'DELETE', 'MKCOL'])

/** A folder that makes its answers, and counts how often each change was done. */
class Folder {
  readonly #names = new Set(['/', '/old/', '/new/', '/empty/'])
  readonly done = new Map<string, number>()

  constructor(names: readonly string[]) {
    for (const name of names) this.#names.add(name)
  }

  answer({method, url}: RawRequest, headers = ''): string {
    if (CHANGES.has(method)) {
      const change = `${method} ${url}`
      this.done.set(change, (this.done.get(change) ?? 0) + 1)
    }
    const [status, body] = this.#act(method, url)
    return `HTTP/1.1 ${status} X\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
  }

  #act(method: string, url: string): readonly [status: number, body: string] {
    if (method === 'PUT' || method === 'MKCOL') {
      this.#names.add(url)
      return [201, '']
    }
    if (!this.#names.has(url)) return [404, '']
    if (method === 'DELETE') return [this.#names.delete(url) ? 204 : 404, '']
    return method === 'PROPFIND'
      ? [207, listing(url, ...this.#members(url))]
      : [200, `the text of ${url}`]
  }

  #members(url: string): readonly string[] {
    return [...this.#names].filter((name) => name.startsWith(url) && name !== url)
  }
}

const seeds = Array.from({length: 500}, (_, number) => `/old/${number}`)

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
] as const)('over %s', (_name, make) => {
  /** Does one of five things, and tells if it was done. */
  async function doOne(dav: DavClient, number: number): Promise<boolean> {
    const name = `${number}`
    if (number % 5 === 0) return (await dav.put(`new/${name}`, 'text')).ok
    if (number % 5 === 1) return (await dav.delete(`old/${name}`)).ok
    if (number % 5 === 2) return (await dav.mkcol(`made${name}/`)).ok
    if (number % 5 === 3) {
      const read = await dav.get(`old/${name}`)
      return read.ok && (await read.text()) === `the text of /old/${name}`
    }
    return (await dav.propfind('empty/').collect()).summary.complete
  }

  /** Does 500 mixed things, 16 at once, and returns the numbers of those that were not done. */
  async function doAll(dav: DavClient): Promise<readonly number[]> {
    const numbers = Array.from({length: 500}, (_, number) => number).values()
    const undone: number[] = []
    const work = async (): Promise<void> => {
      for (const number of numbers)
        if (!(await doOne(dav, number).catch(() => false))) undone.push(number)
    }
    await Promise.all(Array.from({length: 16}, work))
    return undone
  }

  // A server that closes without a word drops every other request.
  const retry = {attempts: 30, minDelay: 60, maxDelay: 120}

  describe.each<[string, string, readonly RawPart[]]>([
    ['at once, with Connection: close', 'Connection: close\r\n', [CLOSE]],
    ['50 ms later, with Connection: close', 'Connection: close\r\n', [50, CLOSE]],
    ['at once, without a word', '', [CLOSE]],
    ['50 ms later, without a word', '', [50, CLOSE]],
  ])('a server that closes after each answer %s', (_how, header, ends) => {
    it('does each of 500 mixed requests once, with retry', async () => {
      const folder = new Folder(seeds)
      server = await startRawServer((request) => [folder.answer(request, header), ...ends])
      const dav = new DavClient({url: server.url, transport: make(), retry})
      expect(await doAll(dav)).toEqual([])
      expect([...folder.done.values()].every((times) => times === 1)).toBe(true)
      expect(folder.done.size).toBe(300)
    })

    it('is sent nothing twice without retry, and what it did not do is told', async () => {
      const folder = new Folder(seeds)
      server = await startRawServer((request) => [folder.answer(request, header), ...ends])
      const dav = new DavClient({url: server.url, transport: make()})
      const undone = await doAll(dav)
      expect([...folder.done.values()].every((times) => times === 1)).toBe(true)
      expect(folder.done.size).toBe(300 - undone.filter((number) => number % 5 < 3).length)
      const isTold = header !== ''
      expect(isTold ? undone : []).toEqual([])
    })
  })

  it('a server that closes idle connections after its Keep-Alive: timeout=1 loses nothing', async () => {
    const folder = new Folder(seeds)
    const idle = new Map<number, NodeJS.Timeout>()
    const sockets: Socket[] = []
    server = await startRawServer(
      (request) => {
        const {connection} = request
        clearTimeout(idle.get(connection))
        idle.set(
          connection,
          setTimeout(() => sockets[connection - 1]?.destroySoon(), 1000),
        )
        return [folder.answer(request, 'Connection: Keep-Alive\r\nKeep-Alive: timeout=1\r\n')]
      },
      {
        onConnection(socket, serve) {
          sockets.push(socket)
          serve()
        },
      },
    )
    const dav = new DavClient({url: server.url, transport: make()})
    const pauses = [0, 0, 400, 490, 990, 1000, 1010]
    let number = 0
    const undone: number[] = []
    for (const pause of pauses) {
      await delay(pause)
      const burst = Array.from({length: 16}, () => number++)
      const done = await Promise.all(burst.map((one) => doOne(dav, one)))
      undone.push(...burst.filter((_, index) => done[index] !== true))
    }
    expect(undone).toEqual([])
    expect([...folder.done.values()].every((times) => times === 1)).toBe(true)
    // The first three bursts use the same connections.
    expect(server.connections).toBeLessThan(pauses.length * 16)
  })
})

/** Serves one connection at a time, and keeps it: the next one waits for its end, as with calypso 2.1. */
function oneAtATime(): (socket: Socket, serve: () => void) => void {
  const waiting: (() => void)[] = []
  let isServing = false
  return (socket, serve) => {
    let isServed = false
    const begin = (): void => {
      isServing = true
      isServed = true
      serve()
    }
    socket.once('close', () => {
      if (!isServed) {
        waiting.splice(waiting.indexOf(begin), 1)
        return
      }
      isServing = false
      waiting.shift()?.()
    })
    if (isServing) waiting.push(begin)
    else begin()
  }
}

describe.each<[string, (options?: {connections: number}) => Transport]>([
  ['undici', undiciTransport],
  ['http', httpTransport],
])('a server with one thread, over %s', (_name, make) => {
  const names = Array.from({length: 200}, (_, number) => `/old/${number}`)
  let busy = 0

  async function open(transport: Transport, timeout = 5000): Promise<DavClient> {
    const folder = new Folder(names)
    busy = 0
    server = await startRawServer(
      (request) => {
        if (request.url === '/busy' && busy++ < 2)
          return ['HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nBusy']
        return [folder.answer(request)]
      },
      {onConnection: oneAtATime()},
    )
    return new DavClient({url: server.url, transport, timeout})
  }

  it('takes a listing whose members are deleted while it is read', async () => {
    const dav = await open(make({connections: 1}))
    const listed = dav.propfind('old/')
    async function* members(): AsyncGenerator<string> {
      for await (const {url, relation} of listed) if (relation === 'member') yield url
    }
    const {summary} = await dav.deleteMany(members(), {concurrency: 16}).collect()
    expect(summary).toMatchObject({successes: 200, failures: 0})
    expect(server?.connections).toBe(1)
  })

  it('takes walks, bulk deletes, retries and reads, also those that are given up', async () => {
    const dav = await open(make({connections: 1}))
    const walked = await dav.propfind('old/', {depth: {walk: true}, concurrency: 16}).collect()
    expect(walked.successes).toHaveLength(201)
    const retry = {attempts: 4, minDelay: 1, maxDelay: 1}
    expect(await dav.put('busy', 'text', {retry})).toMatchObject({ok: true, attempts: 3})
    for (const number of [0, 1, 2]) {
      const unread = await dav.get(`old/${number}`)
      if (unread.ok) await unread.body?.cancel?.()
      const read = await dav.get(`old/${number}`)
      expect(read.ok && (await read.text())).toBe(`the text of /old/${number}`)
    }
    for await (const result of dav.propfind('old/')) if (result.href === '/old/3') break
    const {summary} = await dav.deleteMany(names.map((name) => name.slice(1))).collect()
    expect(summary).toMatchObject({successes: 200, failures: 0})
  })

  it('does not answer a second connection, and the error names the limit for headers', async () => {
    const dav = await open(make({connections: 2}), 300)
    const ends = await Promise.allSettled([
      dav.propfind('old/').collect(),
      dav.propfind('old/').collect(),
    ])
    expect(ends.map(({status}) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(ends.find((end) => end.status === 'rejected')?.reason).toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'headers',
    })
  })
})

describe('a gateway that answers 403 without a User-Agent or an Accept', () => {
  let gateway: FaultServer
  afterEach(() => gateway.close())

  it.each<[string, () => Transport]>([
    ['undici', undiciTransport],
    ['http', httpTransport],
    ['fetch', fetchTransport],
  ])('lets the requests of a client through: %s', async (_, make) => {
    gateway = await startFaultServer()
    gateway.script(({method, headers}) => {
      const isKnown = (headers['user-agent'] ?? '') !== '' && (headers.accept ?? '') !== ''
      if (!isKnown) return {status: 403}
      return method === 'PROPFIND' ? {status: 207, body: listing('/')} : {status: 204}
    })
    const dav = new DavClient({url: gateway.url, transport: make()})
    expect((await dav.propfind('').collect()).successes).toHaveLength(1)
    expect(await dav.put('a', 'text')).toMatchObject({ok: true})
    expect(await dav.delete('a')).toMatchObject({ok: true})
  })
})
