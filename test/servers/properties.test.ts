/**
 * Properties on real servers: a lost one is told by `verify`, and a refused one fails the others. Collections are made with their
 * parents.
 */
import {DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {apache} from './apache.ts'
import {lighttpd} from './lighttpd.ts'
import {nephele} from './nephele.ts'
import {servers} from './servers.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {tomcat} from './tomcat.ts'

const clientOf = (server: Server): DavClient =>
  new DavClient({url: server.url(), transport: undiciTransport()})

describeServers(servers, (server) => {
  it('a collection is made with its parents, and the same call again has no effect', async () => {
    const dav = clientOf(server)
    expect(await dav.mkcol('a/b/c/', {parents: true})).toMatchObject({ok: true, status: 201})
    expect(await dav.mkcol('a/b/c/', {parents: true})).toMatchObject({ok: true})
    expect(await dav.stat('a/b/c/')).toMatchObject({
      ok: true,
      properties: {resourcetype: ['collection']},
    })
  })
})

describeServers([lighttpd], (server) => {
  it('verify tells that an empty text and child elements were answered 204 and are lost', async () => {
    const dav = clientOf(server)
    await dav.mkcol('lost/')
    const set = {'{urn:x}empty': '', '{urn:x}list': ['a', 'b'], '{urn:x}text': 'kept'}
    expect(await dav.proppatch('lost/', {set})).toMatchObject({ok: true, status: 204})
    expect(await dav.proppatch('lost/', {set, verify: true})).toMatchObject({
      ok: false,
      status: 204,
      reason: 'propstat',
      missing: [
        {name: '{urn:x}empty', status: 204, description: 'It is not there'},
        {name: '{urn:x}list', status: 204},
      ],
    })
  })
})

describeServers([apache, lighttpd, nephele, tomcat], (server) => {
  it('a protected property fails the other one too', async () => {
    const dav = clientOf(server)
    await dav.mkcol('atomic/')
    const set = {getetag: '"1"', '{urn:x}p': '1'}
    const found = await dav.proppatch('atomic/', {set})
    expect(found).toMatchObject({ok: false, reason: 'propstat'})
    expect(found.missing.map(({name}) => name)).toEqual(['getetag', '{urn:x}p'])
    expect(await dav.stat('atomic/', {properties: ['{urn:x}p']})).toMatchObject({
      ok: true,
      properties: {},
    })
  })
})
