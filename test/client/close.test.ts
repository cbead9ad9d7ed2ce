// States what closing a client ends and frees: its calls, and the connections of its own transport.

import {DavClient, type DavResponse, type Transport} from 'multistatus'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  NEVER,
  OPEN,
  startFaultServer,
} from '../support/fault-server.ts'
import {drain} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})
afterEach(() => server.close())

const closed = {name: 'DavError', message: 'The client was closed'}

describe('close', () => {
  it('closes the connections of the client’s own transport', async () => {
    server.answers(answer207(listing('/')))
    const dav = new DavClient({url: server.url})
    await dav.propfind('').collect()
    await dav.close()
    await vi.waitFor(async () => expect(await server.open()).toBe(0))
  })

  it('leaves a transport that was given to its owner', async () => {
    server.answers({status: 200})
    const transport = undiciTransport()
    await using first = new DavClient({url: server.url, transport})
    await first.request('GET', 'a')
    await first.close()
    await using second = new DavClient({url: server.url, transport})
    expect((await second.request('GET', 'b')).status).toBe(200)
    expect(server.connections).toBe(1)
    await transport.close()
  })

  it('may be called twice', async () => {
    server.answers({status: 200})
    const dav = new DavClient({url: server.url})
    await dav.request('GET', 'a')
    await Promise.all([dav.close(), dav.close()])
    await dav.close()
    expect(server.requests).toHaveLength(1)
    for (const transport of [undiciTransport(), httpTransport()]) {
      await new DavClient({url: server.url, transport}).request('GET', 'b')
      await Promise.all([transport.close(), transport.close()])
      await transport.close()
    }
  })

  it('refuses later calls with a DavError, and sends nothing', async () => {
    server.answers({status: 200})
    const dav = new DavClient({url: server.url})
    await dav.close()
    await expect(dav.request('GET', 'a')).rejects.toMatchObject(closed)
    await expect(dav.propfind('').collect()).rejects.toMatchObject(closed)
    expect(server.requests).toHaveLength(0)
  })

  it('ends a listing and a request that are under way', async () => {
    server.script(({method}) =>
      method === 'GET' ? NEVER : answer207([`${OPEN}<D:response>`, NEVER]),
    )
    const dav = new DavClient({url: server.url})
    const listed = drain(dav.propfind(''))
    const got = dav.request('GET', 'a').catch((error: unknown) => error)
    await vi.waitFor(() => expect(server.requests).toHaveLength(2))
    await dav.close()
    expect((await listed).error).toMatchObject(closed)
    expect(await got).toMatchObject(closed)
    expect(await Promise.all(server.requests.map(({ended}) => ended))).toEqual(['closed', 'closed'])
  })

  it('does not wait for a body that nobody reads', async () => {
    server.answers({status: 200, body: ['abc', NEVER]})
    const dav = new DavClient({url: server.url})
    const response: DavResponse = await dav.request('GET', 'a')
    await dav.close()
    expect(await server.requests[0]?.ended).toBe('closed')
    await expect(Array.fromAsync(response.body ?? [])).rejects.toMatchObject(closed)
  })

  it('gives the rest of a bulk call a Failure not-sent', async () => {
    const transport: Transport = () => new Promise(() => {})
    const dav = new DavClient({url: server.url, transport, concurrency: 1})
    const deleted = drain(dav.deleteMany(['a', 'b']))
    setTimeout(() => void dav.close(), 30)
    const {items, error} = await deleted
    expect(items).toMatchObject([
      {href: '/a', reason: 'no-answer', cause: 'aborted'},
      {href: '/b', reason: 'no-answer', cause: 'not-sent'},
    ])
    expect(error).toMatchObject(closed)
  })
})

describe('await using', () => {
  it('closes the client at the end of the block', async () => {
    server.answers({status: 200})
    let outer: DavClient | undefined
    {
      await using dav = new DavClient({url: server.url})
      outer = dav
      expect((await dav.request('GET', 'a')).status).toBe(200)
    }
    await expect(outer.request('GET', 'b')).rejects.toMatchObject(closed)
    await vi.waitFor(async () => expect(await server.open()).toBe(0))
  })
})
