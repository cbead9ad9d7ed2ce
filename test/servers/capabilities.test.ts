/**
 * OPTIONS on real servers. Their claims differ for files, collections and missing resources, and none of them may keep the
 * client from a DELETE that the server does.
 */
import {DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {servers} from './servers.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {makeCollection} from './support/trees.ts'

const clientOf = (server: Server): DavClient =>
  new DavClient({url: server.url(''), transport: undiciTransport()})

describeServers(servers, (server) => {
  it('names class 2, PROPFIND and DELETE for a collection and a file, which are then deleted', async () => {
    await makeCollection(server, 'asked', ['1.txt'])
    const dav = clientOf(server)

    for (const href of ['asked/1.txt', 'asked/']) {
      expect(await dav.options(href)).toMatchObject({
        ok: true,
        status: 200,
        classes: expect.arrayContaining(['2']),
        methods: expect.arrayContaining(['PROPFIND', 'DELETE']),
      })
      expect(await dav.delete(href)).toMatchObject({ok: true})
    }
  })

  it('of a missing resource says nothing of the file that is there later', async () => {
    const dav = clientOf(server)
    expect(await dav.options('later.txt')).toMatchObject({ok: true})
    await (await dav.request('PUT', 'later.txt', {body: 'x'})).body?.cancel()
    expect(await dav.delete('later.txt')).toMatchObject({ok: true})
  })
})
