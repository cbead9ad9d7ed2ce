/** Peculiarities of Tomcat: status lines without a reason, a 207 without a type, and weak ETags. */
import {DavClient, partition} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {readPaths} from './support/disk.ts'
import {send} from './support/http.ts'
import {resultsOf} from '../support/results.ts'
import {statusByPath} from './support/results.ts'
import {describeServers} from './support/suite.ts'
import {makeCollection, makeLockedCollection} from './support/trees.ts'
import {tomcat} from './tomcat.ts'

const properties = ['resourcetype', 'getetag', '{urn:example}colour'] as const

describeServers([tomcat], (server) => {
  it('a status line without a reason is read', async () => {
    await makeCollection(server, 'reasons', ['1.txt'])
    const raw = await send(`${server.url('reasons')}1.txt`, {
      method: 'PROPFIND',
      headers: {depth: '0', 'content-type': 'application/xml'},
      body: '<propfind xmlns="DAV:"><prop><getetag/><colour xmlns="urn:example"/></prop></propfind>',
    })
    expect(raw.status).toBe(207)
    expect(raw.text).toMatch(/status>HTTP\/1\.1 200 ?</)
    expect(raw.text).toMatch(/status>HTTP\/1\.1 404 ?</)
    const dav = new DavClient({url: server.url('reasons'), transport: undiciTransport()})

    const result = await dav.stat('1.txt', {properties})

    expect(result).toMatchObject({
      ok: true,
      status: 200,
      properties: {resourcetype: [], getetag: expect.stringMatching(/^W\/"5-\d+"$/)},
      missing: [{name: '{urn:example}colour', status: 404}],
    })
  })

  it('a 207 without Content-Type to a DELETE is read: the locked member is named', async () => {
    const {folder, unlock} = await makeLockedCollection(server, 'untyped')
    const raw = await send(server.url('untyped'), {method: 'DELETE'})
    expect(raw.status).toBe(207)
    expect(raw.headers).not.toHaveProperty('content-type')
    expect(raw.text).toMatch(/untyped\/a\/locked\.txt<[\s\S]*HTTP\/1\.1 423/)
    const dav = new DavClient({url: server.url(), transport: undiciTransport()})

    const {successes, failures} = partition(resultsOf(await dav.delete('untyped/')))

    expect(successes).toEqual([])
    expect(statusByPath('untyped', failures)).toEqual({'': 424, 'a/locked.txt': 423})
    expect(await readPaths(folder)).toEqual(['a', 'a/locked.txt'])
    await unlock()
  })

  it('a weak ETag matches nothing, so nothing is sent with ifUnchanged', async () => {
    const folder = await makeCollection(server, 'weak', ['1.txt'])
    const url = `${server.url('weak')}1.txt`
    const {headers} = await send(url)
    expect(headers.etag).toMatch(/^W\//)
    const raw = await send(url, {method: 'DELETE', headers: {'if-match': headers.etag ?? ''}})
    expect(raw.status).toBe(412)
    const dav = new DavClient({url: server.url('weak'), transport: undiciTransport()})
    const listed = await dav.stat('1.txt', {properties})
    expect(listed).toMatchObject({properties: {getetag: headers.etag}})

    const {successes, failures, summary} = await dav
      .deleteMany([listed], {ifUnchanged: true})
      .collect()

    expect(successes).toEqual([])
    expect(failures).toMatchObject([
      {relation: 'self', reason: 'refused', status: 0, description: expect.stringMatching(/weak/i)},
    ])
    expect(summary).toMatchObject({requests: 0})
    expect(await readPaths(folder)).toEqual(['1.txt'])
  })
})
