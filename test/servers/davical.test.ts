/** Peculiarities of DAViCal: it keeps no files, and shows no locks. */
import {basicAuth, DavClient, unwrap} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {davical} from './davical.ts'
import {makeCalendar, makeHome} from './support/calendars.ts'
import {readMembers} from './support/raw-listing.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'

const clientOf = (server: Server): DavClient =>
  new DavClient({
    url: server.url(),
    transport: undiciTransport(),
    auth: basicAuth('admin', 'secret'),
  })

describeServers([davical], (server) => {
  it('a PUT of a file is answered 201 with an ETag and stores nothing, which `verify` tells', async () => {
    await makeHome(server, 'plain')
    const dav = clientOf(server)
    const put = await dav.put('plain/a.txt', 'hello')
    expect(put).toMatchObject({
      ok: true,
      status: 201,
      etag: expect.stringMatching(/^"[\da-f]{32}"$/),
    })
    expect(await readMembers(server.url('plain'), server.credentials)).toEqual(new Map())

    expect(await dav.put('plain/a.txt', 'hello', {verify: true})).toMatchObject({
      ok: false,
      status: 201,
      reason: 'status',
      description: 'The PUT of 5 bytes was answered 201, but nothing is there',
    })
  })

  it('a lock is enforced, and not shown by PROPFIND', async () => {
    await makeCalendar(server, 'locked', ['a.ics'])
    const dav = clientOf(server)
    unwrap(await dav.lock('locked/a.ics', {depth: 0}))
    expect(await dav.stat('locked/a.ics', {properties: ['lockdiscovery']})).toMatchObject({
      ok: true,
      missing: [{name: 'lockdiscovery', status: 404}],
    })
    const other = await clientOf(server).delete('locked/a.ics')
    expect(other).toMatchObject({ok: false, status: 424, members: [{status: 423}]})
    const left = await readMembers(server.url('locked'), server.credentials)
    expect([...left.keys()]).toEqual(['a.ics'])
  })
})
