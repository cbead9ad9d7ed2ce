// States the handlers of msw over a fake server, and the error of a client whose requests go past msw.

import diagnostics from 'node:diagnostics_channel'

import {http} from 'msw/http'
import {setupServer} from 'msw/node'
import {DavClient} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {fakeHandlers, fakeServer} from 'multistatus/testing'
import {undiciTransport} from 'multistatus/undici'
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest'

const server = fakeServer({
  url: 'https://msw.example/ana/',
  files: {'c/1.txt': '1', 'c/2.txt': '2'},
})
const network = setupServer(...fakeHandlers(server, http))
beforeAll(() => network.listen({onUnhandledFrame: 'error'}))
afterAll(() => network.close())

const dav = new DavClient({url: server.url, transport: fetchTransport()})

describe('fakeHandlers', () => {
  it('answer each method over the tree', async () => {
    expect(await dav.mkcol('d/')).toMatchObject({ok: true, status: 201})
    expect(await dav.put('d/a b.txt', 'text')).toMatchObject({ok: true, status: 201})
    const {successes} = await dav.propfind('', {depth: 'infinity'}).collect()
    expect(successes.map(({href}) => href)).toEqual([
      '/ana/',
      '/ana/c/',
      '/ana/c/1.txt',
      '/ana/c/2.txt',
      '/ana/d/',
      '/ana/d/a%20b.txt',
    ])
    server.lock('c/2.txt')
    expect(await dav.delete('c/')).toMatchObject({
      ok: false,
      reason: 'member',
      members: [{status: 423}],
    })
    expect(server.list('c')).toEqual(['c/2.txt'])
  })

  it('break the connection where the server does', async () => {
    server.fault({path: 'd/a b.txt', method: 'DELETE', reset: true, times: 1})
    await expect(dav.delete('d/a%20b.txt')).rejects.toMatchObject({name: 'DavNetworkError'})
    server.fault({method: 'PROPFIND', cut: 0.5, times: 1})
    await expect(dav.propfind('').collect()).rejects.toMatchObject({name: 'DavNetworkError'})
  })

  it('listen once for all servers of a process', () => {
    const listen = vi.spyOn(diagnostics, 'subscribe')
    fakeHandlers(server, http)
    // Its URL stays stopped in this process, which runs other files too.
    fakeHandlers(fakeServer({url: 'https://msw.example/'}), http)
    expect(listen).not.toHaveBeenCalled()
    listen.mockRestore()
  })

  it('stop a request that goes past msw, with the transport that it needs', async () => {
    const blind = new DavClient({url: server.url, transport: undiciTransport()})
    server.forget()
    await expect(blind.delete('c/2.txt')).rejects.toMatchObject({
      name: 'DavNetworkError',
      message:
        'DELETE https://msw.example/ana/c/2.txt failed: msw does not see undici: give the client {transport: fetchTransport()} from multistatus/fetch',
    })
    await blind.close()
    expect(server.requests).toEqual([])
  })
})
