/**
 * Syncs against real servers: by the report sync-collection of calendar servers, and by compared ETags of file servers. A mirror
 * of the answers is compared with the server after each sync. The table of all outcomes is part of the guide.
 */
import {DavClient, DavHttpError, SyncState} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {readToEnd} from '../support/results.ts'
import {calendarServers, servers, syncServers} from './servers.ts'
import {makeCalendar, makeHome, putMember, readStored, removeMember} from './support/calendars.ts'
import {describeServers} from './support/suite.ts'
import {describeTable} from './support/table.ts'
import {Mirror} from './syncs/mirror.ts'
import {syncRows} from './syncs/rows.ts'
import {runSync} from './syncs/steps.ts'

describeTable({
  name: 'syncing',
  rows: syncRows,
  servers: syncServers,
  traitsOf: ({syncs}) => syncs,
  run: runSync,
})

const sorted = (names: Iterable<string>): readonly string[] => [...names].toSorted()

describeServers(calendarServers, (server) => {
  const {calendars} = server
  const stored = async (path: string): Promise<readonly string[]> =>
    sorted((await readStored(server, path)).keys())

  it('a member that was deleted before the first sync is not reported', async () => {
    await makeCalendar(server, 'before', ['a.ics', 'b.ics'])
    await removeMember(server, 'before/b.ics')
    expect((await new Mirror(server).sync('before/')).changes).toEqual(['changed a.ics'])
  })

  it('with level infinity, a sync gives the members of every calendar', async () => {
    await makeHome(server, 'deep')
    await makeCalendar(server, 'deep/one', ['1.ics', '2.ics'])
    await makeCalendar(server, 'deep/two', ['3.ics'])
    const mirror = new Mirror(server, 'infinity')
    await mirror.sync('deep/')
    await removeMember(server, 'deep/one/1.ics')
    await putMember(server, 'deep/two/4.ics')
    const {changes} = await mirror.sync('deep/')
    expect(changes.filter((change) => change.includes('.ics'))).toEqual([
      '404 1.ics',
      'changed 4.ics',
    ])
    const names = (await stored('deep')).map((path) => path.slice(path.lastIndexOf('/') + 1))
    expect(mirror.names).toEqual(sorted(names))
  })

  it('a missing collection is no whole sync, and nothing in it is gone', async () => {
    await makeCalendar(server, 'removed', ['a.ics'])
    const dav = new DavClient({url: server.url(), transport: undiciTransport()})
    const state = new SyncState()
    await dav.sync('removed/', {state}).collect()
    await removeMember(server, 'removed/')
    const stream = dav.sync('removed/', {state})
    const {results, error} = await readToEnd(stream)
    const isMissing = error instanceof DavHttpError && error.status === 404
    // xandikos answers with a 207 whose only response has 404.
    const isGap = error === undefined && !(await stream.summary).complete
    expect([results, isMissing, isGap]).toEqual([
      [],
      calendars.missing === 404,
      calendars.missing === 207,
    ])
    expect(state.size).toBe(1)
  })
})

describeServers(servers, (server) => {
  it('a sync by ETags gives what changed, what is new, and what is gone', async () => {
    const dav = new DavClient({url: server.url(), transport: undiciTransport()})
    await dav.mkcol('sync/')
    await dav.mkcol('sync/in/')
    for (const name of ['a', 'b', 'in/c', 'in/d']) await dav.put(`sync/${name}`, 'one')
    const mirror = new Mirror(server, 'infinity')
    const sync = async (): Promise<readonly string[]> => {
      const {changes} = await mirror.sync('sync/')
      return changes.filter((change) => !change.endsWith(' in'))
    }
    // nginx and SabreDAV list files without ETags, so each of them may have changed.
    const hasETags = server.traits.etag !== undefined

    expect(await sync()).toEqual(['changed a', 'changed b', 'changed c', 'changed d'])
    expect(await sync()).toEqual(
      hasETags ? [] : ['changed a', 'changed b', 'changed c', 'changed d'],
    )

    await dav.put('sync/a', 'another length')
    await dav.put('sync/in/new', 'one')
    await dav.delete('sync/b')
    await dav.delete('sync/in/d')
    const unknown = hasETags ? [] : ['changed c']
    expect(await sync()).toEqual(['404 b', '404 d', 'changed a', ...unknown, 'changed new'])
    expect(mirror.names).toEqual(['a', 'c', 'in', 'new'])
    await dav.delete('sync/')
  })
})
